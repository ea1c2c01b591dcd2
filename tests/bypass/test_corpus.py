"""Law: no case of the corpus reaches an upstream, and each is answered by a refusal that is known beforehand."""

import re
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.harness import GatewayProcess, Installation

CORPUS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "corpus.yaml").read_text())
HOST = "crm.corp.example"


def wire(case: dict[str, Any], token: str) -> bytes:
    """The bytes of a case: lines end in CRLF, `\\xNN` escapes are bytes."""
    text: str = case["send"]
    if "\\r\\n" not in text:
        head, _, body = text.rstrip("\n").partition("\n\n")
        text = head.replace("\n", "\\r\\n") + "\\r\\n\\r\\n" + body
    text = text.replace("@TOKEN@", token).replace("@FILL@", "a" * 400_000)
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1")


def exchange(installed: Installation, case: dict[str, Any]) -> bytes:
    """Send a case and read what comes back until the end or an answer with a length."""
    token, host = installed.token(), case.get("host", HOST)
    with socket.create_connection(("127.0.0.1", installed.proxy_port), timeout=15) as raw:
        if case["where"] == "proxy":
            return talk(raw, wire(case, token))
        raw.sendall(
            f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\nProxy-Authorization: Bearer {token}\r\n\r\n".encode()
        )
        assert b" 200 " in raw.recv(4096)
        if case["where"] == "connect":
            return talk(raw, wire(case, token))
        context = ssl.create_default_context(cafile=str(installed.ca))
        with context.wrap_socket(raw, server_hostname=host) as tls:
            return talk(tls, wire(case, token))


def talk(connection: socket.socket, data: bytes) -> bytes:
    """Everything that comes back."""
    received = b""
    try:
        connection.sendall(data)
        while not complete(received):
            chunk = connection.recv(65536)
            if not chunk:
                break
            received += chunk
    except (ConnectionError, ssl.SSLError):
        pass
    return received


def complete(answer: bytes) -> bool:
    """Is this a whole answer with a length?"""
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    return bool(end and length and len(body) >= int(length[1]))


@pytest.mark.parametrize("case", CORPUS, ids=[case["name"] for case in CORPUS])
def test_refused_and_not_forwarded(gateway: GatewayProcess, installed: Installation, case: dict[str, Any]) -> None:
    """One case of the corpus."""
    installed.customers.received.clear()
    installed.cluster.received.clear()
    answer = exchange(installed, case)
    status = int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0
    assert status in case["expect"], answer[:300]
    if "code" in case:
        assert f'"{case["code"]}"'.encode() in answer
    assert not [*installed.customers.received, *installed.cluster.received]


def test_names_are_unique() -> None:
    """A case is found by its name."""
    names = [case["name"] for case in CORPUS]
    assert len(names) == len(set(names))
