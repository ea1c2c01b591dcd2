"""Answers as infrastructure gives them, in which hardly anything is secret. Built the same on every run."""

import base64
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from gatehold.demo.kubernetes.population import populate
from gatehold.demo.kubernetes.resources import RESOURCES
from gatehold.demo.kubernetes.seed import seeded_store

CASES = Path(__file__).parents[1] / "cases"
_TYPES = {
    ".json": "application/json",
    ".log": "text/plain",
    ".md": "text/markdown",
    ".txt": "text/plain",
    ".yaml": "text/plain",
}
_chance = random.Random()


class Corpus(NamedTuple):
    """A body with its content type."""

    name: str
    content_type: str
    text: str


def corpora() -> list[Corpus]:
    """All of them, by name."""
    _chance.seed(20_241_121)
    return sorted((*_files(), *_kubernetes(), *_recorded(), _objects(), *_github()), key=lambda each: each.name)


def _files() -> Iterator[Corpus]:
    for path in (CASES / "masking/corpora").iterdir():
        yield Corpus(path.name, _TYPES[path.suffix], path.read_text("utf-8"))


def _json(name: str, value: Any) -> Corpus:
    return Corpus(name, "application/json", json.dumps(value))


def _kubernetes() -> Iterator[Corpus]:
    """Lists of every kind of the demo cluster but Secrets, with managed fields, and a hundred pods."""
    store = seeded_store()
    populate(store, 100)
    for resource in RESOURCES:
        items = store.items(resource)
        if items and resource.kind != "Secret":
            yield _json(
                f"kubernetes {resource.plural}", {"kind": f"{resource.kind}List", "apiVersion": "v1", "items": items}
            )


def _recorded() -> Iterator[Corpus]:
    """What an API server answered to kubectl."""
    for number, line in enumerate((CASES / "kubernetes/recorded.jsonl").read_text("utf-8").splitlines()):
        row = json.loads(line)
        if isinstance(row.get("answer"), dict):
            yield _json(f"recorded {number:03}", row["answer"])


def _hex(length: int) -> str:
    return "".join(_chance.choices("0123456789abcdef", k=length))


def _node_id(kind: str, number: int) -> str:
    return base64.b64encode(f"0{len(kind)}:{kind}{number}".encode()).decode()


def _meta(name: str, **more: Any) -> dict[str, Any]:
    uid = f"{_hex(8)}-{_hex(4)}-4{_hex(3)}-a{_hex(3)}-{_hex(12)}"
    managed = {"manager": "kubectl", "operation": "Update", "fieldsType": "FieldsV1"}
    managed |= {
        "fieldsV1": {
            "f:spec": {"f:password": {}, "f:token": {".": {}, "f:secretKeyRef": {}}},
            "f:data": {"f:api-key": {}},
        }
    }
    return {
        "name": name,
        "namespace": "prod",
        "uid": uid,
        "resourceVersion": "184467",
        "managedFields": [managed],
        **more,
    }


def _objects() -> Corpus:
    """Kinds that speak of secrets and hold none: references, ciphertext, public keys, schemas."""
    sealed = (
        "Ag"
        + "".join(_chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", k=680))
        + "=="
    )
    request = base64.b64encode(
        b"-----BEGIN CERTIFICATE REQUEST-----\nMIIBWzCCAQ\n-----END CERTIFICATE REQUEST-----\n"
    ).decode()
    certificate = base64.b64encode(
        b"-----BEGIN CERTIFICATE-----\nMIIDBTCCAe2gAwIBAgIIXz\n-----END CERTIFICATE-----\n"
    ).decode()
    schema = {
        "type": "object",
        "properties": {
            "token": {"type": "string"},
            "password": {"type": "string", "description": "password: of the user"},
        },
    }
    items: list[dict[str, Any]] = [
        {"kind": "SealedSecret", "metadata": _meta("db"), "spec": {"encryptedData": {"password": sealed, "token": sealed}, "template": {"type": "Opaque"}}},
        {
            "kind": "ExternalSecret",
            "metadata": _meta("db"),
            "spec": {
                "refreshInterval": "1h",
                "secretStoreRef": {"name": "vault-backend", "kind": "SecretStore"},
                "target": {"name": "db-credentials", "creationPolicy": "Owner", "template": {"data": {"url": "postgres://{{ .user }}:{{ .password }}@db/shop"}}},
                "data": [{"secretKey": "db-password", "remoteRef": {"key": "prod/db-credentials-v2", "property": "password"}}],
            },
        },
        {"kind": "CertificateSigningRequest", "metadata": _meta("csr-8d7f2"), "spec": {"request": request, "signerName": "kubernetes.io/kube-apiserver-client"}, "status": {"certificate": certificate}},
        {"kind": "CustomResourceDefinition", "metadata": _meta("tokens.example.com"), "spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]}},
        {"kind": "Ingress", "metadata": _meta("web", annotations={"nginx.ingress.kubernetes.io/auth-realm": "Authentication Required", "nginx.ingress.kubernetes.io/auth-type": "basic"}), "spec": {"tls": [{"secretName": "web-tls-7f9c2"}]}},
        {"kind": "ServiceAccount", "metadata": _meta("default"), "secrets": [{"name": "default-token-x7f9c"}], "imagePullSecrets": [{"name": "registry-credentials"}], "automountServiceAccountToken": True},
        {"kind": "Event", "metadata": _meta("web.17a8"), "reason": "FailedMount", "message": 'MountVolume.SetUp failed for volume "token" : secret "web-token-x7f9c" not found', "involvedObject": {"fieldPath": "spec.containers{web}"}},
        {"kind": "Event", "metadata": _meta("web.17a9"), "reason": "FailedToRetrieveImagePullSecret", "message": "Unable to retrieve some image pull secrets (registry-credentials); attempting to pull the image may not succeed."},
        {"kind": "Event", "metadata": _meta("web.17aa"), "reason": "Unhealthy", "message": "Readiness probe failed: HTTP probe failed with statuscode: 401, invalid token: expired"},
        {"kind": "Node", "metadata": _meta("node-1", annotations={"flannel.alpha.coreos.com/public-ip": "10.0.0.7"}), "status": {"images": [{"names": [f"registry.example/web@sha256:{_hex(64)}", "registry.example/web:1.4.2"], "sizeBytes": 187234123}], "nodeInfo": {"machineID": _hex(32), "bootID": f"{_hex(8)}-{_hex(4)}-{_hex(4)}-{_hex(4)}-{_hex(12)}"}}},
        {"kind": "ConfigMap", "metadata": _meta("kube-root-ca.crt"), "data": {"ca.crt": "-----BEGIN CERTIFICATE-----\nMIIDBTCCAe2gAwIBAgIIXz\n-----END CERTIFICATE-----\n"}},
        {"kind": "ConfigMap", "metadata": _meta("settings"), "data": {"app.properties": "db.password=${DB_PASSWORD}\ntoken.ttl=3600\nsecret.name=db-credentials\n", "values.yaml": "auth:\n  existingSecret: web-auth\n  password: \"\"\n  token:\n    audience: shop\n", "nginx.conf": "proxy_set_header Authorization $http_authorization;\nproxy_set_header Cookie $http_cookie;\nauth_basic off;\n"}},
        {"kind": "Deployment", "metadata": _meta("web", annotations={"checksum/secret": _hex(64), "deployment.kubernetes.io/revision": "7"}), "spec": {"template": {"spec": {"containers": [{"name": "web", "args": ["--token-auth-file=/etc/tokens.csv", "--password-file=/run/secrets/db", "--secret-name=db-credentials", "--tls-private-key-file=/etc/tls/tls.key", "--service-account-key-file=/etc/sa.pub"], "env": [{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}, {"name": "TOKEN_TTL", "value": "3600"}, {"name": "SECRET_NAME", "value": "db-credentials"}]}], "volumes": [{"name": "s", "secret": {"secretName": "db", "defaultMode": 420, "items": [{"key": "token", "path": "token"}]}}]}}}},
        {"kind": "ClusterRole", "metadata": _meta("tokens"), "rules": [{"apiGroups": [""], "resources": ["secrets", "serviceaccounts/token"], "verbs": ["get", "create"]}]},
        {"kind": "TokenReview", "metadata": {}, "spec": {"audiences": ["shop"]}, "status": {"authenticated": False, "error": "[invalid bearer token, token lookup failed]"}},
        {"kind": "Lease", "metadata": _meta("kube-scheduler"), "spec": {"holderIdentity": f"node-1_{_hex(8)}-{_hex(4)}-4{_hex(3)}-a{_hex(3)}-{_hex(12)}"}},
    ]  # fmt: skip
    return _json(
        "kubernetes objects",
        {
            "kind": "List",
            "apiVersion": "v1",
            "metadata": {"continue": "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MTg0NDY3fQ"},
            "items": items,
        },
    )


def _github() -> Iterator[Corpus]:
    repository = "https://api.github.com/repos/acme/shop"
    user = {"login": "octocat", "id": 583231, "node_id": _node_id("User", 583231), "avatar_url": "https://avatars.githubusercontent.com/u/583231?v=4", "gravatar_id": "", "gists_url": "https://api.github.com/users/octocat/gists{/gist_id}", "type": "User"}  # fmt: skip
    yield _json("github repositories", [_repository(number, repository, user) for number in range(30)])
    commits = [
        {
            "sha": _hex(40),
            "node_id": _node_id("Commit", 1296269) + _hex(20),
            "commit": {"message": f"Rotate token, password and secret handling (#{number})\n\nSigned-off-by: The Octocat", "tree": {"sha": _hex(40)}, "verification": {"verified": True, "reason": "valid", "signature": f"-----BEGIN PGP SIGNATURE-----\n\niQIzBAABCAAdFiEE{_hex(40)}\n=abcd\n-----END PGP SIGNATURE-----", "payload": f"tree {_hex(40)}\nparent {_hex(40)}\n"}},
            "parents": [{"sha": _hex(40), "url": f"{repository}/commits/{_hex(40)}"}],
            "files": [{"sha": _hex(40), "filename": "src/token.py", "status": "modified", "patch": "@@ -1,4 +1,4 @@ def login\n-    password = env[\"PASSWORD\"]\n+    password = settings.password\n     token: str = Field(...)\n+    api_key = os.environ[\"API_KEY_2\"]"}],
        }
        for number in range(20)
    ]  # fmt: skip
    yield _json("github commits", commits)
    runs = [
        {"id": 7654321000 + number, "node_id": f"WFR_kwLOA{_hex(12)}", "head_sha": _hex(40), "name": "CI", "path": ".github/workflows/ci.yml@main", "status": "completed", "check_suite_node_id": _node_id("CheckSuite", 42), "logs_url": f"{repository}/actions/runs/{number}/logs", "head_commit": {"id": _hex(40), "tree_id": _hex(40), "message": "Fix invalid token: expired"}}
        for number in range(20)
    ]  # fmt: skip
    yield _json("github runs", {"total_count": 20, "workflow_runs": runs})
    issue = {"number": 1347, "title": "password: must be longer; token: null", "body": "Steps:\n1. `export TOKEN=<your token>`\n2. `curl -H \"Authorization: Bearer $TOKEN\"`\n\n> error: invalid_token, secret: not found\n\n```yaml\npassword: ${{ secrets.DB_PASSWORD }}\n```", "labels": [{"node_id": _node_id("Label", 208045946), "name": "secret-scanning", "color": "f29513"}], "user": user}  # fmt: skip
    yield _json("github issues", [issue] * 5)
    alerts = [{"number": 2, "state": "open", "secret_type": "adafruit_io_key", "secret_type_display_name": "Adafruit IO Key", "push_protection_bypassed": False, "locations_url": f"{repository}/secret-scanning/alerts/2/locations"}]  # fmt: skip
    yield _json("github alerts", alerts)
    blob = base64.b64encode(b"def login(user, password):\n    return check(user, password)\n").decode()
    yield _json(
        "github contents",
        {"sha": _hex(40), "encoding": "base64", "content": blob, "git_url": f"{repository}/git/blobs/{_hex(40)}"},
    )


def _repository(number: int, url: str, user: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": 1296269 + number,
        "node_id": _node_id("Repository", 1296269 + number),
        "full_name": f"acme/shop-{number}",
        "owner": user,
        "keys_url": f"{url}/keys{{/key_id}}",
        "git_url": "git:github.com/acme/shop.git",
        "ssh_url": "git@github.com:acme/shop.git",
        "clone_url": "https://github.com/acme/shop.git",
        "description": "Token service: passwords, secrets and API keys",
        "topics": ["secrets", "token", "password-manager"],
        "temp_clone_token": "",
        "security_and_analysis": {
            "secret_scanning": {"status": "enabled"},
            "secret_scanning_push_protection": {"status": "disabled"},
        },
        "permissions": {"admin": False, "push": False, "pull": True},
        "pushed_at": "2026-11-21T04:03:52Z",
    }
