"""Law: every connection goes to the gateway with the agent's token, or is answered in words; nothing is answered otherwise."""

import asyncio
import base64
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from gatehold.agent_proxy import serving
from gatehold.agent_proxy.gateway import Gateway
from gatehold.agent_proxy.heads import MAX_HEAD
from gatehold.agent_proxy.serving import AgentProxy
from gatehold.agent_proxy.tokens import TokenFile
from tests.e2e.harness import free_port

type Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

CONNECT = b"CONNECT crm.corp.example:443 HTTP/1.1\r\nHost: crm.corp.example:443\r\n\r\n"


@contextlib.asynccontextmanager
async def listening(handler: Handler) -> AsyncIterator[int]:
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


class Setting:
    """A forwarder before a gateway that a test plays."""

    def __init__(self, tmp_path: Path, **options: Any) -> None:
        self.token = tmp_path / "token"
        self.token.write_text("first")
        self.heads: list[bytes] = []
        self.says: list[bytes] = [b"HTTP/1.1 200 Connection established\r\nA: b\r\n\r\n"]
        self._options = options

    async def _gateway(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers the head with what it has to say, and then is an echo, or hangs up where that was no head."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            self.heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(self.says[0])
            while b"\r\n\r\n" in self.says[0] and (data := await reader.read(65536)):
                writer.write(data)
        writer.close()

    @contextlib.asynccontextmanager
    async def client(self, port: int | None = None) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        async with listening(self._gateway) as gateway:
            proxy = AgentProxy(Gateway(host="127.0.0.1", port=port or gateway), TokenFile(path=self.token), **self._options)  # fmt: skip
            server = await proxy.listen("127.0.0.1", 0)
            async with server:
                reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
                try:
                    yield reader, writer
                finally:
                    writer.close()
                    server.abort_clients()

    async def ask(self, data: bytes, port: int | None = None) -> tuple[int, bytes, Any]:
        """Send something and hear it out: status, head, and the problem document or the body."""
        async with self.client(port) as (reader, writer):
            writer.write(data)
            writer.write_eof()
            head, _, body = (await asyncio.wait_for(reader.read(), 30)).partition(b"\r\n\r\n")
        status = int(head.split(b" ")[1]) if head else 0
        return status, head, json.loads(body) if b"problem+json" in head else body


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path)


async def test_a_tunnel(setting: Setting) -> None:
    """The token is added, the answer is said anew, and then bytes are bytes."""
    async with setting.client() as (reader, writer):
        writer.write(CONNECT + b"early")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 200 Connection established\r\n\r\n"
        assert await reader.readexactly(5) == b"early"
        writer.write(bytes(range(256)) * 4096)
        assert await reader.readexactly(256 * 4096) == bytes(range(256)) * 4096
        writer.write_eof()
        assert await reader.read() == b""
    assert setting.heads[0].count(b"Proxy-Authorization: Bearer first\r\n") == 1


async def test_a_client_s_own_token_is_taken_out(setting: Setting) -> None:
    """Who speaks to the forwarder is its agent, whatever it shows."""
    await setting.ask(CONNECT.replace(b"\r\n\r\n", b"\r\nProxy-Authorization: Basic ZXZpbA==\r\n\r\n"))
    assert b"ZXZpbA==" not in setting.heads[0]


async def test_a_rotated_token(setting: Setting) -> None:
    """Counts from the next connection."""
    await setting.ask(CONNECT)
    setting.token.write_text("second")
    await setting.ask(CONNECT)
    assert [b"Bearer first" in setting.heads[0], b"Bearer second" in setting.heads[1]] == [True, True]


async def test_a_plain_request(setting: Setting) -> None:
    """One for each connection, and the client is told so; interim answers are passed on."""
    setting.says = [b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n"]
    async with setting.client() as (reader, writer):
        writer.write(b"POST http://a.example/ HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\nbody")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 103 Early Hints\r\n\r\n"
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
        assert await reader.readexactly(4) == b"body"
    assert b"Proxy-Authorization: Bearer first\r\nConnection: close\r\n\r\n" in setting.heads[0]


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"GET http://a/ HTTP/1.1\r\nA:" + b"a" * (3 * MAX_HEAD)])  # fmt: skip
async def test_what_is_not_for_a_proxy(setting: Setting, data: bytes) -> None:
    """Is not passed on: neither a page in a browser that was sent here nor TLS to the forwarder itself."""
    async with setting.client() as (reader, writer):
        writer.write(data)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
    assert head.startswith(b"HTTP/1.1 400 ")
    assert not setting.heads


async def test_without_a_token(setting: Setting, caplog: pytest.LogCaptureFixture) -> None:
    """503, by name of the file; said once in the log, and that it goes on."""
    setting.token.unlink()
    for _ in range(2):
        status, _, told = await setting.ask(CONNECT)
        assert (status, told["code"]) == (503, "no-token")
        assert str(setting.token) in told["detail"]
    assert not setting.heads
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 2  # one of each forwarder


async def test_without_a_gateway(setting: Setting) -> None:
    status, _, told = await setting.ask(CONNECT, port=free_port())
    assert (status, told["code"]) == (502, "gateway-unreachable")


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\nno end", b"HTTP/1.1 200 OK\r\nA:" + b"a" * (3 * MAX_HEAD)])  # fmt: skip
@pytest.mark.parametrize("request_", [CONNECT, b"GET http://a.example/ HTTP/1.1\r\n\r\n"])
async def test_a_gateway_that_is_none(setting: Setting, said: bytes, request_: bytes) -> None:
    setting.says = [said]
    status, _, told = await setting.ask(request_)
    assert (status, told["code"]) == (502, "gateway-unreachable")


@pytest.mark.parametrize("request_", [CONNECT, b"GET http://a.example/ HTTP/1.1\r\n\r\n"])
async def test_a_token_that_is_refused(setting: Setting, request_: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Is not for the client to mend: 407 would make it ask its user for a password. The token is not in any text."""
    setting.says = [b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n"]
    status, head, told = await setting.ask(request_)
    assert (status, told["code"]) == (502, "token-refused")
    assert b"Proxy-Authenticate" not in head
    assert str(setting.token) in caplog.text
    assert "first" not in caplog.text + json.dumps(told)


async def test_another_refusal_of_a_tunnel(setting: Setting) -> None:
    """Is the gateway's own answer."""
    setting.says = [b"HTTP/1.1 421 Misdirected Request\r\nContent-Length: 2\r\n\r\nno"]
    async with setting.client() as (reader, writer):
        writer.write(CONNECT)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 421 ")
        assert await reader.readexactly(2) == b"no"


def jwt(end: float) -> str:
    return f"e30.{base64.urlsafe_b64encode(json.dumps({'exp': end}).encode()).decode().rstrip('=')}.sig"


async def test_a_tunnel_ends_with_its_token(setting: Setting) -> None:
    """So that a client's pool does not go on with one that nobody takes."""
    setting.token.write_text(jwt(time.time() + 0.3))
    async with setting.client() as (reader, writer):
        writer.write(CONNECT)
        await reader.readuntil(b"\r\n\r\n")
        assert await asyncio.wait_for(reader.read(), 30) == b""


async def test_a_token_that_is_over_by_this_clock(setting: Setting) -> None:
    """Is the gateway's to judge, by its own."""
    setting.token.write_text(jwt(time.time() - 60))
    async with setting.client() as (reader, writer):
        writer.write(CONNECT + b"x")
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(1) == b"x"


async def test_too_many_connections(tmp_path: Path) -> None:
    status, _, told = await Setting(tmp_path, max_connections=0).ask(CONNECT)
    assert (status, told["code"]) == (503, "too-many-connections")


async def test_connections_that_say_nothing_keep_no_others_waiting(tmp_path: Path) -> None:
    """Whoever comes when there are too many is told at once, not when it has said what it wants."""
    async with Setting(tmp_path, max_connections=0).client() as (reader, _):
        assert (await asyncio.wait_for(reader.readline(), 20)).startswith(b"HTTP/1.1 503")


async def test_more_than_can_be_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Are hung up on: each of them costs a file."""
    monkeypatch.setattr(serving, "_TOLD", 0)
    async with Setting(tmp_path, max_connections=0).client() as (reader, writer):
        with contextlib.suppress(ConnectionResetError):
            writer.write(CONNECT)
            assert await asyncio.wait_for(reader.read(), 20) == b""


async def test_a_client_that_says_nothing(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is hung up on."""
    monkeypatch.setattr(serving, "HEAD_SECONDS", 0.0)
    async with setting.client() as (reader, _):
        assert await asyncio.wait_for(reader.read(), 30) == b""


async def test_a_gateway_that_says_nothing(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "CONNECT_SECONDS", 0.0)
    status, _, told = await setting.ask(CONNECT)
    assert (status, told["code"]) == (502, "gateway-unreachable")
