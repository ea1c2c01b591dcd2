"""Law: whatever a target sends, and however it breaks off, no agent and no record is shown the target's credential.

An upstream that speaks its own bytes: answers that are none, in other codings, cut where the agent says, streams that go
on while the credential becomes another one. Through a real gateway, in both ways to run it.
"""

import gzip
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gatehold.credentials.echoes import spellings
from tests.e2e.harness import COMMANDS, ONE_PROXY, GatewayProcess, Installation, installation, running

FIRST, SECOND = "planted-first/Zq81+7ab", "planted-second/9c+d02e"
PATIENCE = 30.0
DOCUMENTS = """
---
apiVersion: gatehold.dev/v1
kind: Target
metadata: {name: raw}
spec: {family: http, scheme: http, hosts: ["raw.corp.example:80"], connect: "127.0.0.1:@RAW@", allowPrivate: true,
       credential: {bearer: "${file:@FILE@}"}}
---
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: all}
rules:
  - {name: all, effect: allow, agents: {groups: [planners]}, http: {targets: [raw], methods: [GET], paths: ["/**"]}}
"""
OK = b"HTTP/1.1 200 OK\r\n"
BROKEN: dict[str, bytes] = {
    "reason": b"HTTP/1.1 200 %s\r\nContent-Length: 2\r\n\r\nok",
    "no-status": b"%s x y\r\n\r\n",
    "no-header": OK + b"%s\r\n\r\n",
    "odd-name": OK + b"X %s: 1\r\nContent-Length: 0\r\n\r\n",
    "odd-value": OK + b"X: %s\x01\r\nContent-Length: 0\r\n\r\n",
    "two-lengths": OK + b"X: %s\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "both-lengths": OK + b"X: %s\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "hints": b"HTTP/1.1 103 %s\r\nLink: <%s>\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok",
    "trailer": OK + b"Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\nok\r\n0\r\nX: %s\r\n\r\n",
    "extension": OK + b"Transfer-Encoding: chunked\r\n\r\n2;x=%s\r\nok\r\n0\r\n\r\n",
    "breaks-off": OK + b"Content-Length: 9999\r\n\r\n%s",
    "switches": b"HTTP/1.1 101 %s\r\nConnection: upgrade\r\nUpgrade: websocket\r\nX: %s\r\n\r\n%s",
}
"""Answers by path; the credential stands for ``%s``."""


@dataclass
class Upstream:
    """Answers with the bytes that belong to a path, and closes."""

    listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    streams: list[socket.socket] = field(default_factory=list)
    key: str = ""
    """What it was shown last."""

    def serve(self) -> None:
        """Until the socket is closed."""
        with suppress(OSError):
            while True:
                connection, _ = self.listening.accept()
                threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        head = b""
        with suppress(OSError):
            while not head.endswith(b"\r\n\r\n"):
                head += connection.recv(1)
            path = head.split(b" ")[1].decode()[1:]
            key = head.partition(b"Bearer ")[2].partition(b"\r\n")[0]
            self.key = key.decode()
            if path == "events":
                connection.sendall(OK + b"Content-Type: text/event-stream\r\n\r\ndata: begins\n\n")
                self.streams.append(connection)
                return
            connection.sendall(_answer(path, key, head))
        connection.close()


def _answer(path: str, key: bytes, head: bytes) -> bytes:
    if path in BROKEN:
        return BROKEN[path].replace(b"%s", key)
    body = b"before " + key + b" after"
    if path.startswith("utf"):
        body = body.decode().encode(path)
    if path == "part":
        asked = head.lower().partition(b"\r\nrange: bytes=")[2].partition(b"\r\n")[0].partition(b"-")
        if asked[0]:
            start, end = int(asked[0]), min(int(asked[2]), len(body) - 1)
            found = b"HTTP/1.1 206 Part\r\nContent-Range: bytes %d-%d/%d\r\n" % (start, end, len(body))
            return found + b"Content-Length: %d\r\n\r\n" % (end + 1 - start) + body[start : end + 1]
    return OK + b"Content-Length: %d\r\n\r\n" % len(body) + body


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One gateway, and the upstream behind it."""

    installed: Installation
    process: GatewayProcess
    upstream: Upstream
    key_file: Path

    def get(self, path: str, *options: str) -> tuple[int, bytes]:
        """Status, and all that came back."""
        answer = self.installed.curl(f"http://raw.corp.example/{path}", *options)
        return answer.status, json.dumps(dict(answer.headers)).encode() + answer.body


@pytest.fixture(scope="module", params=sorted(COMMANDS))
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with ExitStack() as stack:
        installed = stack.enter_context(installation(tmp_path_factory.mktemp("echoes")))
        upstream = Upstream()
        stack.enter_context(closing(upstream.listening))
        threading.Thread(target=upstream.serve, daemon=True).start()
        file = installed.directory / "key"
        file.write_text(FIRST)
        port = upstream.listening.getsockname()[1]
        installed.write("all.yaml", (ONE_PROXY + DOCUMENTS).replace("@RAW@", str(port)).replace("@FILE@", str(file)))
        process = stack.enter_context(running(installed, request.param))
        yield Place(installed=installed, process=process, upstream=upstream, key_file=file)


def _shown(data: bytes, *values: str) -> list[bytes]:
    return [form for form in spellings(values) if form in data]


@pytest.mark.parametrize("path", BROKEN)
def test_answers_that_are_none(place: Place, path: str) -> None:
    """What of them goes on, and what is told in their place, is without it."""
    assert _shown(place.get(path)[1], FIRST) == []


@pytest.mark.parametrize("path", ["utf-8", "utf-16-le", "utf-16-be"])
def test_charsets(place: Place, path: str) -> None:
    """An agent may be able to choose."""
    status, back = place.get(path)
    assert status == 200
    assert b"***" in back
    assert FIRST.encode(path) not in back


def test_an_agent_does_not_say_where_it_is_cut(place: Place) -> None:
    """Asked for bit by bit, it comes as a whole, and is found."""
    pieces = [place.get("part", "-H", f"Range: bytes={at}-{at + 4}") for at in range(0, 40, 5)]
    assert {status for status, _ in pieces} == {200}
    assert all(b"before *** after" in back for _, back in pieces)


@contextmanager
def _stream(place: Place) -> Iterator[socket.socket]:
    """An open stream through the gateway, with what the upstream says on it."""
    user = place.installed.token()
    with socket.create_connection(("127.0.0.1", place.installed.proxy_port), timeout=PATIENCE) as stream:
        stream.sendall(
            b"GET http://raw.corp.example/events HTTP/1.1\r\nHost: raw.corp.example\r\n"
            b"Proxy-Authorization: Bearer %s\r\n\r\n" % user.encode()
        )
        _until(stream, b"begins")
        yield stream


def _until(stream: socket.socket, end: bytes) -> bytes:
    heard = b""
    while end not in heard:
        data = stream.recv(65536)
        assert data, heard
        heard += data
    return heard


def test_a_stream_knows_the_credentials_that_come_after_it(place: Place) -> None:
    """A target that tells one agent's stream of other calls tells nothing of their credential, old or new."""
    with _stream(place) as stream:
        (source,) = place.upstream.streams
        place.key_file.write_text(SECOND)
        try:
            _eventually(lambda: _uses(place, SECOND))
            end = secrets.token_hex(8).encode()
            source.sendall(f"data: {FIRST} {SECOND} ".encode() + end + b"\n\n")
            heard = _until(stream, end)
        finally:
            place.key_file.write_text(FIRST)
            _eventually(lambda: _uses(place, FIRST))
            source.close()
    assert _shown(heard, FIRST, SECOND) == []
    assert b"data: *** *** " in heard


def _uses(place: Place, key: str) -> bool:
    """Whether the gateway uses it now."""
    return place.get("utf-8")[0] == 200 and place.upstream.key == key


def _eventually(met: Callable[[], object]) -> None:
    ends = time.monotonic() + PATIENCE
    while not met():
        assert time.monotonic() < ends


def test_nothing_of_it_is_written_down(place: Place) -> None:
    """In no file of the gateway's, as it is or compressed, and not in what it prints."""
    for path in BROKEN:
        place.get(path)
    written = [file.read_bytes() for file in place.installed.data.rglob("*") if file.is_file()]
    written += [gzip.decompress(each) for each in written if each.startswith(b"\x1f\x8b")]
    assert any(b"/breaks-off" in each for each in written)
    for each in (*written, place.process.output.encode()):
        assert _shown(each, FIRST, SECOND) == []
