"""port-forward over WebSocket."""

import ssl

import httpx2
import pytest
from websocket import WebSocket, WebSocketBadStatusException

from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.resources import PODS
from gatehold.demo.serving import RunningServer, ServerCertificate

TOKEN = "demo-cluster-token"
TUNNEL, CHANNELS = "SPDY/3.1+portforward.k8s.io", "v4.channel.k8s.io"


@pytest.fixture
def path(cluster: Cluster) -> str:
    name = cluster.store.items(PODS, "prod")[0]["metadata"]["name"]
    return f"/api/v1/namespaces/prod/pods/{name}/portforward"


def connected(server: RunningServer, certificate: ServerCertificate, path: str, protocol: str) -> WebSocket:
    socket = WebSocket(sslopt={"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": str(certificate.authority)})
    url = f"wss://{server.host}:{server.port}{path}"
    socket.connect(url, header=[f"Authorization: Bearer {TOKEN}"], subprotocols=[protocol], timeout=30)
    return socket


def test_a_tunnel_returns_what_it_gets(server: RunningServer, certificate: ServerCertificate, path: str) -> None:
    """Bytes as they come."""
    socket = connected(server, certificate, path, TUNNEL)
    with socket.sock:
        socket.send_binary(b"\x80\x03\x00\x01")
        assert socket.recv() == b"\x80\x03\x00\x01"


def test_channels_begin_with_their_port(server: RunningServer, certificate: ServerCertificate, path: str) -> None:
    """Two channels a port; data comes back on the first."""
    socket = connected(server, certificate, f"{path}?ports=8080,443", CHANNELS)
    with socket.sock:
        heads = [socket.recv() for _ in range(4)]
        assert heads == [b"\x00\x90\x1f", b"\x01\x90\x1f", b"\x02\xbb\x01", b"\x03\xbb\x01"]
        socket.send_binary(b"\x02hello")
        assert socket.recv() == b"\x02hello"


@pytest.mark.parametrize("protocol", [CHANNELS, "other"])
def test_what_may_not_begin(server: RunningServer, certificate: ServerCertificate, path: str, protocol: str) -> None:
    """No port, no protocol."""
    with pytest.raises(WebSocketBadStatusException) as error:
        connected(server, certificate, path, protocol)
    assert error.value.status_code == 400


def test_needs_an_upgrade(client: httpx2.Client, path: str) -> None:
    """By SPDY, which this server does not speak, it is a bad request."""
    answer = client.post(path, headers={"Connection": "Upgrade", "Upgrade": "SPDY/3.1"})
    assert (answer.status_code, answer.json()["message"]) == (400, "Upgrade request required")
