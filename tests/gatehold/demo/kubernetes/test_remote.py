"""exec over WebSocket, message by message."""

import json
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from websocket import WebSocket, WebSocketBadStatusException

from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.resources import PODS
from gatehold.demo.serving import RunningServer, ServerCertificate

TOKEN = "demo-cluster-token"
V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"


class Session:
    """A client of one remote command."""

    def __init__(self, url: str, certificate: ServerCertificate, *protocols: str, token: str = TOKEN) -> None:
        self._socket = WebSocket(sslopt={"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": str(certificate.authority)})
        header = [f"Authorization: Bearer {token}"]
        self._socket.connect(url, header=header, subprotocols=list(protocols), timeout=30)
        self.protocol = self._socket.getsubprotocol()

    def send(self, data: bytes) -> None:
        self._socket.send_binary(data)

    def messages(self) -> Iterator[bytes]:
        """What the server sends until it closes."""
        with self._socket.sock:
            while data := self._socket.recv():
                assert isinstance(data, bytes)
                yield data


@pytest.fixture
def exec_url(server: RunningServer, cluster: Cluster) -> str:
    pod = cluster.store.items(PODS, "prod")[0]["metadata"]["name"]
    return f"wss://{server.host}:{server.port}/api/v1/namespaces/prod/pods/{pod}/exec"


@pytest.mark.parametrize(("offered", "chosen"), [((V5, V4), V5), ((V4,), V4), (("base64.channel.k8s.io", V4), V4)])
def test_output_and_status(exec_url: str, certificate: ServerCertificate, offered: Any, chosen: str) -> None:
    """An empty message opens stdout, then the output, then the status, then the end."""
    session = Session(f"{exec_url}?command=sh&command=-c&command=echo+hi%3B+exit+3", certificate, *offered)
    assert session.protocol == chosen
    first, output, status = session.messages()
    assert (first, output, status[:1]) == (b"\x01", b"\x01hi\n", b"\x03")
    told = json.loads(status[1:])
    assert (told["reason"], told["details"]["causes"]) == ("NonZeroExitCode", [{"reason": "ExitCode", "message": "3"}])


def test_stdin_ends_with_its_channel(exec_url: str, certificate: ServerCertificate) -> None:
    """What is typed comes back, the size of the terminal is no input, closing stdin ends the command."""
    session = Session(f"{exec_url}?command=cat&stdin=true", certificate, V5)
    for message in (b'\x04{"Width":80,"Height":24}', b"\x00one", b"\x00two", b"\xff\x00"):
        session.send(message)
    assert b"".join(data[1:] for data in session.messages() if data[:1] == b"\x01") == b"onetwo"


def test_errors_go_to_stderr(exec_url: str, certificate: ServerCertificate) -> None:
    """An unknown command is told on the error stream."""
    messages = list(Session(f"{exec_url}?command=ls", certificate, V5).messages())
    assert b"\x02sh: ls: not found\n" in messages


@pytest.mark.parametrize(
    ("change", "protocols", "token", "code"),
    [
        (("", "?command=ls"), (V5,), "wrong", 401),
        (("", ""), (V5,), TOKEN, 400),
        (("", "?command=ls"), (), TOKEN, 400),
        (("", "?command=ls"), ("other.protocol",), TOKEN, 400),
        (("", "?command=ls&container=nope"), (V5,), TOKEN, 400),
        (("/pods/", "/pods/nope-"), (V5,), TOKEN, 404),
        (("/exec", "/log"), (V5,), TOKEN, 404),
    ],
)
def test_what_may_not_begin(
    exec_url: str, certificate: ServerCertificate, *, change: tuple[str, str], protocols: Any, token: str, code: int
) -> None:
    """The upgrade is refused with a Status."""
    old, new = change
    url = exec_url.replace(old, new, 1) if old else exec_url + new
    with pytest.raises(WebSocketBadStatusException) as error:
        Session(url, certificate, *protocols, token=token)
    assert error.value.status_code == code
    assert json.loads(error.value.resp_body)["kind"] == "Status"
