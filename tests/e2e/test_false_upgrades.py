"""Law: a tunnel opens only for a fitting 101, and closes on both sides when the gateway itself fails in it."""

import os
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e import faulty
from tests.e2e.harness import ROOT, GatewayProcess, Installation, installation
from tests.e2e.test_exec import GATEWAY, masked_cat, path
from tests.e2e.web_socket_client import request

PLANTED = b"planted-bytes-of-the-target"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
FALSE = {
    "another protocol": SWITCHED + b"Upgrade: SPDY/3.1\r\n\r\n",
    "no protocol": SWITCHED + b"\r\n",
    "no accept": SWITCHED + b"Upgrade: websocket\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n",
    "a wrong accept": SWITCHED + b"Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
    b"Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n",
    "a redirect": b"HTTP/1.1 302 Found\r\nLocation: https://kubernetes.corp.example/planted-bytes-of-the-target\r\n"
    b"Content-Length: 0\r\n\r\n",
    "200 with an upgrade": b"HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nok",
    "403": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation of its own: its gateway is broken here."""
    with installation(tmp_path_factory.mktemp("false")) as made:
        yield made


@contextmanager
def answering(site: Installation) -> Iterator[tuple[int, list[bytes]]]:
    """A target that answers everything with the last of a list of answers, and says more than that."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*site.certificate.pair)
    answers = [b""]

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                raw, _ = listener.accept()
                with context.wrap_socket(raw, server_side=True) as tls:
                    received = b""
                    while b"\r\n\r\n" not in received:
                        received += tls.recv(65536) or b"\r\n\r\n"
                    tls.sendall(answers[-1] + PLANTED)
                    tls.recv(65536)
            except ssl.SSLError:
                continue
            except OSError:
                if listener.fileno() < 0:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield int(listener.getsockname()[1]), answers


@contextmanager
def fragile(site: Installation) -> Iterator[tuple[GatewayProcess, Path]]:
    """A gateway in which any hook can be made to raise, and the file that says which."""
    fault = site.directory / "fault"
    fault.write_text("")
    os.environ["GATEHOLD_FAULT"] = str(fault)
    process = GatewayProcess(site, [sys.executable, str(ROOT / "tests/e2e/faulty.py"), "run", "--config", site.config])
    try:
        process.wait_ready()
        yield process, fault
    finally:
        process.stop()
        del os.environ["GATEHOLD_FAULT"]


def test_false_answers_open_nothing(site: Installation) -> None:
    """No answer but a fitting 101 lets a byte of what follows through; none leads an agent elsewhere."""
    with answering(site) as (port, answers):
        site.write("all.yaml", GATEWAY.replace("@CLUSTER@", str(port)))
        with fragile(site) as (process, _):
            for name, answer in FALSE.items():
                answers.append(answer)
                with request(site, path(site, "dev-1", "id"), token=site.token()) as client:
                    assert client.status != 101, name
                    assert PLANTED not in client.head + client.body, name
                    assert b"location" not in client.head.lower(), name
            assert PLANTED.decode() not in process.output


def test_a_tunnel_in_which_a_hook_raises_is_closed(site: Installation) -> None:
    """At its start, at a message; at its end the record is missing, and the tunnel is closed all the same."""
    site.write("all.yaml", GATEWAY)
    with fragile(site) as (process, fault):
        for hook in faulty.TUNNEL_HOOKS:
            fault.write_text(f"WebSockets.{hook}")
            with masked_cat(site) as client:
                client.send_together((0, b"typed\n"), (255, b"\0"))
                output = client.output()
                assert (output == b"typed\n") is (hook == "websocket_end")
                assert client.close_code == (1000 if hook == "websocket_end" else 1011)
            fault.write_text("")
        assert faulty.PLANTED not in process.output
        with masked_cat(site) as client:
            client.send(0, b"it works\n")
            client.send(255, b"\0")
            assert client.output() == b"it works\n"
