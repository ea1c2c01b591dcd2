"""Tokens that a cluster makes for a ServiceAccount, asked for over real TLS."""

import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from gatehold.config.credentials import ServiceAccountSpec
from gatehold.config.values import CredentialUnavailable, Secret
from gatehold.credentials.injection import Injection, origins
from gatehold.credentials.minting import Endpoint, ServiceAccountSource
from gatehold.credentials.sources import CredentialDelayed

BOUND = origins("https", [("kubernetes.default.svc", 443)])


class Own:
    """The gateway's own credential."""

    async def obtain(self) -> Injection:
        return Injection(bound=BOUND, headers=(("Authorization", Secret("Bearer planted-own")),))

    def changed(self) -> bool:
        return False


@dataclass
class Cluster:
    """What the API server answers, and what it was asked."""

    port: int = 0
    ca: Path = Path()
    status: int = 201
    answer: bytes = b""
    asked: list[tuple[str, str | None, str | None, Any]] = field(default_factory=list)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    authority = trustme.CA()
    state = Cluster(ca=tmp_path / "ca.pem")
    authority.cert_pem.write_to_path(str(state.ca))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("kubernetes.default.svc").configure_cert(context)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            state.asked.append((self.path, self.headers["host"], self.headers["authorization"], body))
            self.send_response(state.status)
            self.send_header("location", "https://evil.example/")
            self.send_header("content-length", str(len(state.answer)))
            self.end_headers()
            self.wfile.write(state.answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients of these tests hang up
    server.socket = context.wrap_socket(server.socket, server_side=True)
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def source(cluster: Cluster, host: str = "kubernetes.default.svc:443", **changes: Any) -> ServiceAccountSource:
    spec = ServiceAccountSpec.model_validate({"namespace": "gatehold", "name": "gateway", "ttl": "10m", **changes})
    endpoint = Endpoint(scheme="https", host=host, connect=f"127.0.0.1:{cluster.port}", ca=cluster.ca)
    return ServiceAccountSource(spec, Own(), endpoint, BOUND)


def token_request(token: str = "planted-minted", ends: str = "2027-01-15T08:10:00Z") -> bytes:
    return json.dumps({"kind": "TokenRequest", "status": {"token": token, "expirationTimestamp": ends}}).encode()


async def test_a_token_is_asked_for_and_used(cluster: Cluster) -> None:
    """By the gateway's own token, at the target's address under the target's name; its end is the credential's."""
    cluster.answer = token_request()
    injection = await source(cluster).obtain()
    ((path, host, authorization, body),) = cluster.asked
    assert path == "/api/v1/namespaces/gatehold/serviceaccounts/gateway/token"
    assert (host, authorization) == ("kubernetes.default.svc:443", "Bearer planted-own")
    assert body["spec"] == {"expirationSeconds": 600}
    assert [value.reveal() for _, value in injection.headers] == ["Bearer planted-minted"]
    assert injection.expires_at == datetime(2027, 1, 15, 8, 10, tzinfo=UTC).timestamp()
    assert injection.bound == BOUND


async def test_names_cannot_lead_elsewhere(cluster: Cluster) -> None:
    """Namespace and name are single path segments."""
    cluster.answer = token_request()
    await source(cluster, namespace="../../x", name="a/b?c").obtain()
    assert cluster.asked[0][0] == "/api/v1/namespaces/..%2F..%2Fx/serviceaccounts/a%2Fb%3Fc/token"


async def test_a_server_of_another_name_gets_nothing(cluster: Cluster) -> None:
    """The certificate must be for the target's host; the gateway's own token is not sent otherwise."""
    cluster.answer = token_request()
    with pytest.raises(CredentialDelayed, match="no token: ConnectError"):
        await source(cluster, host="other.svc:443").obtain()
    assert cluster.asked == []


@pytest.mark.parametrize(
    ("status", "answer", "problem"),
    [
        (403, b'{"message": "planted"}', "answers 403"),
        (302, b"", "answers 302"),
        (201, b"planted", "not a TokenRequest"),
        (201, b"{}", "not a TokenRequest"),
        (201, b'{"status": []}', "not a TokenRequest"),
        (201, token_request(ends="planted"), "not a TokenRequest"),
        (201, b" " * 300_000, "not a TokenRequest"),
    ],
)
async def test_clusters_that_give_none(cluster: Cluster, status: int, answer: bytes, problem: str) -> None:
    """Told by status; redirects are not followed, answers not repeated."""
    cluster.status, cluster.answer = status, answer
    with pytest.raises(CredentialDelayed, match=problem) as error:
        await source(cluster).obtain()
    assert "planted" not in str(error.value)
    assert len(cluster.asked) == 1


async def test_a_token_that_cannot_be_a_header(cluster: Cluster) -> None:
    """Whatever the cluster gives is checked like any other credential."""
    cluster.answer = token_request(token="planted\r\nX-Evil: 1")
    with pytest.raises(CredentialUnavailable, match="Authorization"):
        await source(cluster).obtain()


async def test_a_ca_file_without_certificates(cluster: Cluster, tmp_path: Path) -> None:
    """Is told with its path."""
    cluster.ca = tmp_path / "gone.pem"
    with pytest.raises(CredentialUnavailable, match=r"gone\.pem"):
        await source(cluster).obtain()
