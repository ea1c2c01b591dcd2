"""Law: whatever source a target's credential comes from, the target gets what the source gave and nothing else, every
agent its own where it is made of the agent's token, and none of it is found anywhere else.

A real gateway and real curl; the authorization server is npm ``oidc-provider``, its tokens verified by its own keys. A
Vault and a server that exchanges tokens are doubles that check what the real ones check.
"""

import base64
import json
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from jwt.algorithms import ECAlgorithm
from starlette.responses import JSONResponse

from gatehold.credentials.echoes import spellings
from gatehold.demo.certificates import make_certificate
from gatehold.demo.kubernetes.app import kubernetes_app
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.identities import Identity
from gatehold.demo.serving import serve
from tests.e2e.harness import ONE_PROXY, GatewayProcess, Installation, clean_environment, installation, require, running
from tests.e2e.mirror import Mirror, Seen
from tests.gatehold.credentials.doubles.authorization import CLIENT, SECRET, AuthorizationServer
from tests.gatehold.credentials.doubles.vault import VaultDouble
from tests.node_packages import node_packages

HERE = Path(__file__).parent / "oidc"
CLIENT_SECRET = "planted-client-secret-4f7a"
ROLE, SECRET_ID = "planted-role-2b19", "planted-secret-id-77c0"
PASSWORDS = ("planted-password-a1b2", "planted-password-c3d4")
PRINTED = "planted-printed-key-5e6f"
RESOURCE = "https://crm.corp.example/"
PATIENCE = 30.0
DOCUMENTS = """
---
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: all}
rules:
  - {name: all, effect: allow, agents: {groups: [planners]},
     http: {targets: ["*"], methods: ["*"], paths: ["/", "/**"]}}
  - name: cluster
    effect: allow
    agents: {groups: [planners]}
    kubernetes: {targets: [cluster], namespaces: ["*"], apiGroups: ["*"], resources: ["*"], verbs: ["*"]}
  - name: scale-up
    effect: constrain
    kubernetes:
      {targets: [cluster], namespaces: [prod], apiGroups: [apps], resources: [deployments/scale], verbs: [update, patch]}
    when: k8s.oldReplicas > 100
    approval: {groups: [sre]}
"""
TARGET = """
---
apiVersion: gatehold.dev/v1
kind: Target
metadata: {{name: {name}}}
spec: {spec}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One gateway, the upstream behind it, and those whom it asks for credentials."""

    installed: Installation
    process: GatewayProcess
    mirror: Mirror
    vault: VaultDouble
    exchange: AuthorizationServer
    cluster: Cluster
    """Takes what was exchanged, and knows by it whose it is."""
    issuer: str
    """Of the real authorization server."""
    directory: Path

    def call(self, name: str, path: str = "/echo", *, token: str = "") -> tuple[int, str]:
        """Status and everything that came back."""
        answer = self.installed.curl(f"https://{name}.corp.example{path}", token=token)
        return answer.status, json.dumps(dict(answer.headers)) + answer.body.decode("latin-1")

    def last(self) -> Seen:
        """What the upstream was given last."""
        return list(self.mirror.seen)[-1]


@contextmanager
def authorization_server(jwks: dict[str, Any]) -> Iterator[str]:
    """npm ``oidc-provider``, as long as the block lasts; its issuer."""
    environment = clean_environment(
        MODULES=str(node_packages(HERE / "package.json", "openid")),
        CLIENT_SECRET=CLIENT_SECRET,
        JWKS=json.dumps(jwks),
    )
    with subprocess.Popen(
        [require("node"), str(HERE / "clients.mjs")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            issuer = process.stdout.readline().strip()
            assert issuer.startswith("http://127.0.0.1:"), "the authorization server did not start"
            yield issuer
        finally:
            process.stdin.close()
            process.wait(timeout=20)


def _key(directory: Path) -> dict[str, Any]:
    """Makes the gateway's own key; its public half as a set of keys."""
    key = ec.generate_private_key(ec.SECP256R1())
    (directory / "client.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = json.loads(ECAlgorithm.to_jwk(key.public_key()))
    return {"keys": [public | {"kid": "k1", "use": "sig", "alg": "ES256"}]}


def _sources(directory: Path, vault: str, exchange: str, issuer: str) -> dict[str, dict[str, Any]]:
    """What stands under ``credential`` of each target."""
    (directory / "secret-id").write_text(SECRET_ID)
    (directory / "client-secret").write_text(CLIENT_SECRET)
    script = directory / "print-key"
    script.write_text(f"#!/bin/sh\nprintf '%s' '{json.dumps({'key': PRINTED})}'\n")
    script.chmod(0o755)
    approle = {"approle": {"roleId": ROLE, "secretId": f"${{file:{directory}/secret-id}}"}}
    secret = {"address": vault, "auth": approle, "path": "teams/crm", "refresh": "3s", "namespace": "corp"}
    client = {"tokenUrl": f"{issuer}/token", "resource": RESOURCE, "scopes": ["read"]}
    by_secret = client | {"clientSecret": f"${{file:{directory}/client-secret}}"}
    by_key = {"clientId": "by-key", "clientKey": str(directory / "client.pem"), "clientKeyId": "k1"}
    exchanged = {"tokenUrl": f"{exchange}/token", "clientId": CLIENT, "clientSecret": SECRET, "audience": "crm"}
    return {
        "vault": {"basic": {"username": "${from:user}", "password": "${from:password}"}, "from": {"vault": secret}},
        "basic": {"from": {"oauth": by_secret | {"clientId": "by-basic"}}},
        "post": {"from": {"oauth": by_secret | {"clientId": "by-post", "auth": "post"}}},
        "key": {"from": {"oauth": client | by_key}},
        "wrong": {"from": {"oauth": client | {"clientId": "by-basic", "clientSecret": "planted-wrong-secret-88"}}},
        "exchange": {"bearer": "${from:token}", "from": {"exchange": exchanged}},
        "exec": {"header": "X-Key", "value": "${from:key}", "from": {"exec": {"command": str(script)}}},
    }


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with ExitStack() as stack:
        installed = stack.enter_context(installation(tmp_path_factory.mktemp("sources")))
        directory = installed.directory / "sources"
        directory.mkdir()
        agent_key: Any = load_pem_private_key((installed.directory / "keys" / "private.pem").read_bytes(), None)
        vault = VaultDouble(namespace="corp", roles={ROLE: SECRET_ID})
        vault.secrets["secret/teams/crm"] = [{"user": "gateway", "password": PASSWORDS[0], "more": 1}]
        exchange = AuthorizationServer(agent_key=agent_key.public_key(), expects={"audience": "crm"})
        issuer = stack.enter_context(authorization_server(_key(directory)))
        mirror = Mirror()
        cluster = Cluster(token="of-nobody", settle=0.02)
        exchange.on_grant = lambda token, subject: cluster.tokens.update({token: _user(subject)})
        addresses = [stack.enter_context(serve(each.app())).url for each in (vault, exchange)]
        sources = _sources(directory, *addresses, issuer)
        sources["cluster"] = sources["exchange"]
        server = make_certificate(directory / "server", tuple(f"{name}.corp.example" for name in sources))
        text = ONE_PROXY + DOCUMENTS
        for name, credential in sources.items():
            # Each behind a port of its own: no two targets may be the same place.
            app = kubernetes_app(cluster) if name == "cluster" else mirror.app()
            port = stack.enter_context(serve(app, certificate=server.pair)).port
            family = "kubernetes" if name == "cluster" else "http"
            spec = {"family": family, "hosts": [f"{name}.corp.example:443"], "connect": f"127.0.0.1:{port}",
                    "allowPrivate": True, "tls": {"ca": str(server.authority)}, "credential": credential}  # fmt: skip
            text += TARGET.format(name=name, spec=json.dumps(spec))
        installed.write("all.yaml", text)
        process = stack.enter_context(running(installed))
        yield Place(
            installed=installed,
            process=process,
            mirror=mirror,
            vault=vault,
            exchange=exchange,
            cluster=cluster,
            issuer=issuer,
            directory=directory,
        )


def _user(subject: str) -> Identity:
    return Identity(user=f"exchanged-{subject}", groups=("system:authenticated",))


def until(place: Place, name: str, status: int) -> str:
    """Call until the answer has this status; what came back."""
    end = time.monotonic() + PATIENCE
    while (answer := place.call(name))[0] != status:
        assert time.monotonic() < end, f"never {status}: {answer}"
    return answer[1]


def basic(seen: Seen) -> str:
    """User name and password that were shown."""
    (value,) = seen.header("authorization")
    return base64.b64decode(value.removeprefix("Basic ")).decode()


def test_a_vaults_secret(place: Place) -> None:
    """By one sign-in; the value that comes back is hidden."""
    status, shown = place.call("vault")
    assert status == 200
    assert basic(place.last()) == f"gateway:{PASSWORDS[0]}"
    assert not any(each.decode("latin-1") in shown for each in spellings([PASSWORDS[0]]))
    assert place.vault.asked.count("POST /v1/auth/approle/login") == 1


def test_a_vaults_secret_that_is_another_one(place: Place) -> None:
    """It is used within its time, without an error between."""
    place.vault.secrets["secret/teams/crm"].append({"user": "gateway", "password": PASSWORDS[1]})
    end = time.monotonic() + PATIENCE
    while basic(place.last()) != f"gateway:{PASSWORDS[1]}":
        assert time.monotonic() < end
        assert place.call("vault")[0] == 200


def test_a_vault_that_is_sealed(place: Place) -> None:
    """What was read is used as long as it may be, then calls are refused, and told why they can come again."""
    place.vault.sealed = True
    shown = until(place, "vault", 503)
    assert "credential-unavailable" in shown
    assert "retry-after" in shown
    asked = len(place.mirror.seen)
    assert place.call("vault")[0] == 503
    assert len(place.mirror.seen) == asked
    place.vault.revoke_all()
    place.vault.sealed = False
    until(place, "vault", 200)
    assert "sealed" in place.process.output


@pytest.mark.parametrize("way", ["basic", "post", "key"])
def test_client_credentials(place: Place, way: str) -> None:
    """The target can verify the token: it is the gateway's, for this target, with the scope that was asked for."""
    status, shown = place.call(way)
    assert status == 200
    (value,) = place.last().header("authorization")
    token = value.removeprefix("Bearer ")
    keys = jwt.PyJWKSet.from_dict(httpx2.get(f"{place.issuer}/jwks", trust_env=False).json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["RS256"], audience=RESOURCE, issuer=place.issuer)
    assert (claims["client_id"], claims["scope"]) == (f"by-{way}", "read")
    assert not any(each.decode("latin-1") in shown for each in spellings([token]))


def test_a_client_that_is_not_taken(place: Place) -> None:
    """Its target is not called; the operator is told the server's code, the agent only which credential is missing."""
    status, shown = place.call("wrong")
    assert status == 503
    assert "The credential of target wrong cannot be had." in shown
    assert "invalid_client" not in shown
    assert "target wrong: its credential cannot be had" in place.process.output
    assert "answers 401 (invalid_client)" in place.process.output


def test_every_agent_has_its_own(place: Place) -> None:
    """Many calls of two agents at the same time: each is made by what its own agent's token was exchanged for."""
    agents = {subject: place.installed.token(subject) for subject in ("planner-1", "planner-2")}

    def call(number: int) -> tuple[int, str]:
        subject = f"planner-{1 + number % 2}"
        return place.call("exchange", f"/echo?for={subject}", token=agents[subject])

    place.mirror.seen.clear()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(call, range(24)))
    assert {status for status, _ in answers} == {200}
    seen = list(place.mirror.seen)
    assert len(seen) == 24
    for each in seen:
        (value,) = each.header("authorization")
        assert place.exchange.granted[value.removeprefix("Bearer ")] == each.target.partition("=")[2]
        assert not any(token in each.everything for token in agents.values())
    assert len({each.header("authorization")[0] for each in seen}) == 2
    for _, shown in answers:
        assert not any(each.decode("latin-1") in shown for each in spellings(place.exchange.granted))


def test_a_cluster_is_looked_into_by_the_agent_itself(place: Place) -> None:
    """The look that a write is judged by is made by the same token as the write, and it is that agent's."""
    body = json.dumps({"spec": {"replicas": 2}})
    write = ["-X", "PATCH", "-H", "Content-Type: application/merge-patch+json", "--data-binary", body]
    for subject in ("planner-1", "planner-2"):
        token = place.installed.token(subject)
        url = "https://cluster.corp.example/apis/apps/v1/namespaces/prod/deployments/web/scale"
        end = time.monotonic() + PATIENCE
        status = 429
        while status == 429 and time.monotonic() < end:  # the cluster's controllers write the object as well
            place.cluster.audit.clear()
            answer = place.installed.curl(url, *write, token=token)
            status = answer.status
        assert status == 200, answer.body
        assert [each.verb for each in place.cluster.audit] == ["get", "patch"]
        assert {each.user for each in place.cluster.audit} == {f"exchanged-{subject}"}
        assert not any(token in value for each in place.cluster.received for _, value in each.headers)


def test_an_exchange_that_fails_is_one_agents_own(place: Place) -> None:
    """Whoever has a token goes on; whoever needs one is refused, and has it when the server is back."""
    known, new = place.installed.token("planner-1"), place.installed.token("planner-3")
    assert place.call("exchange", token=known)[0] == 200
    place.exchange.failure = JSONResponse({"error": "temporarily_unavailable"}, 503)
    assert place.call("exchange", token=known)[0] == 200
    assert place.call("exchange", token=new)[0] == 503
    place.exchange.failure = None
    end = time.monotonic() + PATIENCE
    while place.call("exchange", token=new)[0] != 200:
        assert time.monotonic() < end
    (value,) = place.last().header("authorization")
    assert place.exchange.granted[value.removeprefix("Bearer ")] == "planner-3"


def test_what_a_command_prints(place: Place) -> None:
    """In a header of the target's."""
    status, shown = place.call("exec")
    assert status == 200
    assert place.last().header("x-key") == [PRINTED]
    assert PRINTED not in shown


def test_none_of_it_is_anywhere(place: Place) -> None:
    """Neither what was had nor by what it was had: not in what the gateway wrote, printed, or keeps."""
    planted = [CLIENT_SECRET, SECRET, ROLE, SECRET_ID, *PASSWORDS, PRINTED, "planted-wrong-secret-88"]
    planted += [*place.vault.tokens, *place.exchange.granted, "planted-description"]
    planted += [value.removeprefix("Bearer ") for seen in place.mirror.seen for value in seen.header("authorization")]
    assert len(planted) > 12
    written = [place.process.output.encode()]
    written += [path.read_bytes() for path in place.installed.data.rglob("*") if path.is_file()]
    assert any(b"exchange" in each for each in written)
    for value in planted:
        assert not any(value.encode() in each for each in written), value
