"""Law: a cluster that issues tokens is asked for its keys and about its tokens, with the gateway's credential there, and
nothing that it does not vouch for gets through; people see what an agent is there for.
"""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gatehold.demo.serving import serve
from tests.e2e.harness import Installation, installation, running

CREDENTIAL = "planted-gateway-credential"
ISSUER = "https://kubernetes.default.svc.cluster.local"
HOST = "kubernetes.corp.example"
CONFIGURATION = """
apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {name: default}
spec:
  dataDir: ./data
  agentApi: {host: 127.0.0.1, port: @AGENT_API@}
  console: {host: 127.0.0.1, port: @CONSOLE@}
  listen: [{mode: regular, host: 127.0.0.1, port: @PROXY@}]
  identity:
    issuers:
      - name: main
        issuer: https://kubernetes.default.svc.cluster.local
        audience: gatehold
        jwks: {cluster: main}
        algorithms: [EdDSA]
        require: {sub: ["system:serviceaccount:agents:*"]}
        claims: {groups: /kubernetes.io/serviceaccount/name, session: /kubernetes.io/pod/uid, purpose: task}
        tokenReview: main
  approvals: {hold: 1s}
---
apiVersion: gatehold.dev/v1
kind: Target
metadata: {name: main}
spec:
  family: kubernetes
  hosts: ["kubernetes.corp.example:443"]
  connect: 127.0.0.1:%s
  allowPrivate: true
  tls: {ca: "@CA@"}
  identity: proxy
  credential: {kubernetes: {tokenFile: "@CLUSTER_TOKEN@"}}
---
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: p}
rules:
  - name: read
    effect: allow
    agents: {groups: [planner], issuers: [main]}
    kubernetes: {namespaces: [prod], resources: [pods], verbs: [list, delete]}
    when: agent.purpose == "nightly report"
  - name: ask
    effect: constrain
    kubernetes: {resources: [pods], verbs: [delete]}
    approval: {groups: [sre]}
"""


@dataclass
class ApiServer:
    """Publishes keys, reviews tokens and lists pods, for the gateway alone."""

    jwks: bytes
    subjects: set[str] = field(default_factory=set)
    """Whose tokens count."""
    status: int = 201
    """Of reviews."""
    reviewed: list[dict[str, Any]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    """Every Authorization that arrived."""

    def app(self) -> Starlette:
        routes = [
            Route("/openid/v1/jwks", self._keys),
            Route("/apis/authentication.k8s.io/v1/tokenreviews", self._review, methods=["POST"]),
            Route("/api/v1/namespaces/prod/pods", self._pods),
        ]
        return Starlette(routes=routes)

    def _refused(self, request: Request) -> Response | None:
        self.seen.append(request.headers.get("authorization", ""))
        return None if self.seen[-1] == f"Bearer {CREDENTIAL}" else Response(status_code=401)

    async def _keys(self, request: Request) -> Response:
        accepted = request.headers.get("accept") == "application/jwk-set+json"
        answer = Response(self.jwks, media_type="application/jwk-set+json") if accepted else Response(status_code=406)
        return self._refused(request) or answer

    async def _review(self, request: Request) -> Response:
        if refusal := self._refused(request):
            return refusal
        review = await request.json()
        self.reviewed.append(review)
        status: dict[str, Any] = {"authenticated": False}
        for subject in self.subjects:
            status = {
                "authenticated": True, "audiences": review["spec"]["audiences"], "user": {"username": subject}
            }  # fmt: skip
        return JSONResponse({**review, "status": status}, self.status)

    async def _pods(self, request: Request) -> Response:
        empty = {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": []}
        return self._refused(request) or JSONResponse(empty)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Installation, ApiServer]]:
    with ExitStack() as stack:
        installed = stack.enter_context(installation(tmp_path_factory.mktemp("issuer")))
        api = ApiServer((installed.directory / "keys" / "jwks.json").read_bytes())
        server = stack.enter_context(serve(api.app(), certificate=installed.certificate.pair))
        installed.cluster_token.write_text(CREDENTIAL)
        installed.write("gateway.yaml", CONFIGURATION % server.port)
        stack.enter_context(running(installed))
        yield installed, api


def pod_token(installed: Installation, account: str = "planner", **changes: Any) -> str:
    bound = {"namespace": "agents", "pod": {"name": "p", "uid": "u1"}, "serviceaccount": {"name": account, "uid": "u2"}}
    claims = {"kubernetes.io": bound, "task": "nightly report", **changes}
    return installed.token(f"system:serviceaccount:agents:{account}", (), issuer=ISSUER, claims=claims)


def opened(installed: Installation, token: str) -> int:
    """The proxy's answer to CONNECT."""
    answer = installed.curl(f"https://{HOST}/api/v1/namespaces/prod/pods", token=token)
    told = re.search(r"response (\d+)", answer.errors)
    return int(told[1]) if told else answer.status


def words(installed: Installation) -> str:
    """The whole journal."""
    return "".join(file.read_text(errors="replace") for file in Path(installed.data).rglob("*.jsonl"))


def test_a_pod_is_known_by_its_cluster(started: tuple[Installation, ApiServer]) -> None:
    """Asked once for keys and once about the token, whatever many calls; nobody but the gateway is seen there."""
    installed, api = started
    api.subjects, api.status = {"system:serviceaccount:agents:planner"}, 201
    token = pod_token(installed)
    for _ in range(3):
        answer = installed.curl(f"https://{HOST}/api/v1/namespaces/prod/pods", token=token)
        assert (answer.status, answer.json["kind"]) == (200, "PodList")
    (review,) = [each for each in api.reviewed if each["spec"]["token"] == token]
    assert review["spec"]["audiences"] == ["gatehold"]
    assert set(api.seen) == {f"Bearer {CREDENTIAL}"}


def test_what_the_cluster_denies_is_refused(started: tuple[Installation, ApiServer]) -> None:
    """A well-signed token of a pod that is gone, and one that the cluster says is somebody else's."""
    installed, api = started
    for subjects in (set[str](), {"system:serviceaccount:agents:other"}):
        api.subjects, api.status = subjects, 201
        assert opened(installed, pod_token(installed)) == 407
    assert "review-denied" in words(installed)


def test_what_the_cluster_cannot_say_is_not_believed(started: tuple[Installation, ApiServer]) -> None:
    """The agent is told that it is the gateway's trouble, and it ends with the cluster's."""
    installed, api = started
    api.subjects, api.status = {"system:serviceaccount:agents:planner"}, 503
    token = pod_token(installed)
    assert opened(installed, token) == 503
    api.status = 201
    assert any(opened(installed, token) == 200 for _ in range(300)), "its tokens are still not accepted"


def test_another_purpose_is_another_answer(started: tuple[Installation, ApiServer]) -> None:
    """Rules read it, and people who are asked see it."""
    installed, api = started
    api.subjects, api.status = {"system:serviceaccount:agents:planner"}, 201
    url = f"https://{HOST}/api/v1/namespaces/prod/pods"
    assert installed.curl(url, token=pod_token(installed, task="spring cleaning")).status == 403
    assert installed.curl(f"{url}/web", "-X", "DELETE", token=pod_token(installed)).status == 429
    (approval,) = json.loads(installed.gatehold("approvals", "list", "--json").stdout)["items"]
    assert approval["agent"]["purpose"] == "nightly report"
    assert "purpose      nightly report" in installed.gatehold("approvals", "show", approval["id"]).stdout
