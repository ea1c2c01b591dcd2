"""Where Kubernetes keeps keys and tokens: a table of answers, each with what has to be gone and what has to stay."""

import base64
import json
from typing import Any

import pytest

from masking.engine import MaskingEngine
from tests.masking.made_secrets import made

TOKEN = made([{"alnum": 40}])
PASSWORD = "S3cr3t-" + "pw!x"
HEADER = base64.urlsafe_b64encode(b'{"alg":"RS256","kid":"x"}').decode().rstrip("=")
SERVICE_TOKEN = f"{HEADER}.{made([{'url': 300}])}.{made([{'url': 342}])}"
PEM = (
    "-----BEGIN RSA PRIVATE"
    f" KEY-----\n{made([{'alnum': 64}])}\n{made([{'alnum': 64}])}\n-----END RSA PRIVATE KEY-----\n"
)
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


KEY_DATA = b64(PEM)
KUBECONFIG = f"""\
apiVersion: v1
kind: Config
clusters:
- name: main
  cluster: {{server: "https://10.0.0.1:6443"}}
users:
- name: admin
  user:
    client-key-data: {KEY_DATA}
    token: {TOKEN}
    password: {PASSWORD}
"""
SECRET: dict[str, Any] = {
    "kind": "Secret",
    "apiVersion": "v1",
    "metadata": {"name": "db", "namespace": "prod"},
    "type": "Opaque",
    "data": {"pw": b64(PASSWORD)},
}
DOCKER = json.dumps(
    {"auths": {"r.example": {"username": "robot", "auth": b64(f"robot:{PASSWORD}"), "identitytoken": TOKEN}}}
)
RELEASE = b64("H4sIAAAA" + made([{"alnum": 200}]))
YAML = f"apiVersion: v1\ndata:\n  pw: {b64(PASSWORD)}\nkind: Secret\nmetadata:\n  name: db\n"


def config_map(value: str) -> dict[str, Any]:
    return {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {"name": "c"},
        "data": {"file": value, "other": "stays"},
    }


def pod(**container: Any) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {"name": "web"},
        "spec": {"containers": [{"name": "web", "image": "stays", **container}]},
    }


type Case = tuple[Any, list[str], list[str]]
CASES: dict[str, Case] = {
    "environment variable": (pod(env=[{"name": "DB_PASSWORD", "value": PASSWORD}, {"name": "PORT", "value": "8080"}, {"name": "PWD", "value": "/srv"}]), [PASSWORD], ["8080", "/srv"]),
    "reference to a secret": (pod(env=[{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db-1", "key": "password"}}}]), [], ["db-1", "secretKeyRef"]),
    "arguments": (pod(args=[f"--token={TOKEN}", "--v=2"], command=["sh", "-c", f"PGPASSWORD={PASSWORD} psql"]), [TOKEN, PASSWORD], ["--v=2", "psql"]),
    "annotation": ({"kind": "Ingress", "metadata": {"annotations": {"x/auth": f"Bearer {TOKEN}", "y": "stays"}}}, [TOKEN], ["stays"]),
    "kubeconfig in a ConfigMap": (config_map(KUBECONFIG), [KEY_DATA, TOKEN, PASSWORD], ["10.0.0.1", "stays"]),
    "kubeconfig of JSON": (config_map(json.dumps({"users": [{"user": {"client-key-data": KEY_DATA, "token": TOKEN}}]})), [KEY_DATA, TOKEN], ["stays"]),
    "kubeconfig as an answer": ({"kind": "Config", "users": [{"user": {"client-key-data": KEY_DATA, "client-certificate-data": b64("-----BEGIN CERTIFICATE-----")}}]}, [KEY_DATA], [b64("-----BEGIN CERTIFICATE-----")]),
    "dockerconfigjson in a ConfigMap": (config_map(DOCKER), [b64(f"robot:{PASSWORD}"), TOKEN], ["r.example"]),
    "dockerconfigjson as an answer": (json.loads(DOCKER), [b64(f"robot:{PASSWORD}"), TOKEN], ["r.example", "robot"]),
    "properties in a ConfigMap": (config_map(f"db.url=jdbc:postgresql://db/x?user=a&password={PASSWORD}\nttl=60"), [PASSWORD], ["ttl=60"]),
    "key in a ConfigMap": (config_map(PEM), ["MII", PEM.split("\n")[1]], ["stays"]),
    "key of a service account in a ConfigMap": (config_map(json.dumps({"type": "service_account", "project_id": "acme", "private_key_id": "0a1b2c3d" * 5, "private_key": PEM})), ["0a1b2c3d" * 5, PEM.split("\n")[1]], ["service_account", "acme"]),
    "service account token in a ConfigMap": (config_map(SERVICE_TOKEN), [SERVICE_TOKEN], ["stays"]),
    "TokenRequest": ({"kind": "TokenRequest", "spec": {"audiences": ["stays"]}, "status": {"token": SERVICE_TOKEN, "expirationTimestamp": "2026-11-21T05:03:52Z"}}, [SERVICE_TOKEN], ["stays", "2026-11-21T05:03:52Z"]),
    "TokenRequest with an opaque token": ({"kind": "TokenRequest", "status": {"token": "opaque-" + PASSWORD}}, [PASSWORD], ["TokenRequest"]),
    "TokenReview": ({"kind": "TokenReview", "spec": {"token": SERVICE_TOKEN}, "status": {"authenticated": True, "user": {"username": "stays"}}}, [SERVICE_TOKEN], ["stays"]),
    "Secret": (SECRET, [b64(PASSWORD)], ["db", "Opaque"]),
    "service account token Secret": (SECRET | {"type": "kubernetes.io/service-account-token", "data": {"token": b64(SERVICE_TOKEN)}}, [b64(SERVICE_TOKEN)], ["service-account-token"]),
    "helm release": (SECRET | {"type": "helm.sh/release.v1", "metadata": {"name": "sh.helm.release.v1.web.v7"}, "data": {"release": RELEASE}}, [RELEASE], ["sh.helm.release.v1.web.v7"]),
    "bootstrap token Secret": (SECRET | {"type": "bootstrap.kubernetes.io/token", "data": {"token-secret": b64("f395accd246ae52d")}}, [b64("f395accd246ae52d")], ["bootstrap.kubernetes.io/token"]),
    "list": ({"kind": "SecretList", "items": [{"metadata": {"name": "db"}, "data": SECRET["data"]}]}, [b64(PASSWORD)], ["db"]),
    "mixed list": ({"kind": "List", "items": [pod(), SECRET]}, [b64(PASSWORD)], ["stays"]),
    "table": ({"kind": "Table", "rows": [{"cells": ["db", "Opaque", 1], "object": SECRET}]}, [b64(PASSWORD)], ["Opaque"]),
    "watch event": ({"type": "ADDED", "object": SECRET}, [b64(PASSWORD)], ["ADDED"]),
    "last applied": ({"kind": "PartialObjectMetadata", "metadata": {"annotations": {APPLIED: json.dumps(SECRET | {"stringData": {"a": PASSWORD}})}}}, [PASSWORD, b64(PASSWORD)], [APPLIED]),
    "CertificateSigningRequest": ({"kind": "CertificateSigningRequest", "spec": {"request": b64("-----BEGIN CERTIFICATE REQUEST-----\nMIIB"), "usages": ["stays"]}}, [], ["stays", b64("-----BEGIN CERTIFICATE REQUEST-----\nMIIB")]),
    "status message": ({"kind": "Status", "status": "Failure", "message": f"denied: {json.dumps(SECRET)} by webhook", "details": {"causes": [{"message": "stays"}]}}, [b64(PASSWORD)], ["denied", "by webhook", "Opaque", "stays"]),
    "status message, printed": ({"kind": "Status", "message": "denied:\n" + json.dumps(SECRET, indent=2) + "\nby webhook"}, [b64(PASSWORD)], ["Opaque", "by webhook"]),
    "status message in a message": ({"kind": "Status", "message": "denied: " + json.dumps({"message": "refused: " + json.dumps(SECRET)})}, [b64(PASSWORD)], ["refused", "Opaque"]),
    "event with an assignment": ({"kind": "Event", "message": f"could not log in\npassword: {PASSWORD}\nuser: stays"}, [PASSWORD], ["could not log in", "stays"]),
    "event": ({"kind": "Event", "message": f"could not clone https://bot:{PASSWORD}@git.example/x.git"}, [PASSWORD], ["git.example"]),
}  # fmt: skip
TEXTS: dict[str, tuple[str, list[str], list[str]]] = {
    "get secret -o yaml": (YAML, [b64(PASSWORD)], ["name: db"]),
    "get secret -o json": (json.dumps(SECRET, indent=4), [b64(PASSWORD)], ["Opaque"]),
    "get secrets -o yaml": ("apiVersion: v1\nitems:\n- " + YAML.replace("\n", "\n  ").rstrip() + "\nkind: List\n", [b64(PASSWORD)], ["name: db"]),
    "config view --raw": (KUBECONFIG, [KEY_DATA, TOKEN, PASSWORD], ["10.0.0.1"]),
    "create token": (SERVICE_TOKEN + "\n", [SERVICE_TOKEN], []),
    "env": (f"PATH=/bin\nDB_PASSWORD={PASSWORD}\nAPI_TOKEN={TOKEN}\nPORT=8080\n", [PASSWORD, TOKEN], ["PORT=8080"]),
    "cat token": (f"web$ cat token\n{SERVICE_TOKEN}web$ ", [SERVICE_TOKEN[:60]], ["web$ cat"]),
    "cat tls.key": (f"begin\n{PEM}end\n", [PEM.split("\n")[1], PEM.split("\n")[2]], ["begin", "end"]),
    "kubeadm token create": (f"kubeadm join 10.0.0.1:6443 --token 07401b.f395accd246ae52d --discovery-token-ca-cert-hash sha256:{'ab' * 32}\n", ["f395accd246ae52d"], ["ab" * 32]),
    "cat .dockerconfigjson": (DOCKER + "\n", [b64(f"robot:{PASSWORD}"), TOKEN], ["r.example"]),
    "describe secret": ("Name: db\nType: Opaque\n\nData\n====\npassword:  10 bytes\ntoken:  1024 bytes\n", [], ["10 bytes", "1024 bytes"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_answers(engine: MaskingEngine, name: str) -> None:
    """As JSON, whole and in a watch; what is hidden leaves JSON, and twice is once."""
    value, gone, stay = CASES[name]
    for content_type in ("application/json", "application/json;stream=watch"):
        text = json.dumps(value)
        masked = engine.mask_body(text.encode(), content_type=content_type, profiles=("kubernetes",)).body.decode()
        json.loads(masked)
        _check(masked, gone, stay)
        assert (
            engine.mask_body(masked.encode(), content_type=content_type, profiles=("kubernetes",)).body.decode()
            == masked
        )
    mask = engine.open_stream(content_type="application/json", profiles=("kubernetes",))
    _check((mask.feed(f"{json.dumps(value)}\n".encode()) + mask.end()).decode(), gone, stay)


@pytest.mark.parametrize("name", TEXTS)
def test_what_commands_print(engine: MaskingEngine, name: str) -> None:
    """As text, whole."""
    text, gone, stay = TEXTS[name]
    _check(
        engine.mask_body(text.encode(), content_type="text/plain", profiles=("kubernetes",)).body.decode(), gone, stay
    )


@pytest.mark.parametrize(
    "name", sorted(set(TEXTS) - {"get secret -o yaml", "get secret -o json", "get secrets -o yaml"})
)
def test_what_commands_print_line_by_line(engine: MaskingEngine, name: str) -> None:
    """As a log; a manifest's kind may come after its data, so it is only known whole."""
    text, gone, stay = TEXTS[name]
    mask = engine.open_stream(content_type="text/plain", profiles=("kubernetes",))
    given = b"".join(mask.feed(text.encode()[at : at + 13]) for at in range(0, len(text), 13)) + mask.end()
    _check(given.decode(), gone, stay)


def _check(masked: str, gone: list[str], stay: list[str]) -> None:
    for value in gone:
        assert value not in masked
        assert json.dumps(value)[1:-1] not in masked
    for value in stay:
        assert value in masked
