"""Law: a syslog server gets each line as one octet-counted message of RFC 5424; a broken connection loses none."""

import asyncio
import contextlib
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from gatehold.config.recordings import SyslogSpec
from gatehold.demo.serving import make_certificate
from gatehold.sinks.model import NotTaken
from gatehold.sinks.syslog import Syslog, message
from recordings.lines import Line

type Lines = Callable[[int], list[Line]]
RFC5424 = re.compile(
    rb"<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (\S{1,255}) (gatehold) (\d{1,128}) ([!-~]{1,32}) - (.*)",
    re.DOTALL,
)


class Server:
    """A syslog server: takes octet-counted messages; may hang up after so many bytes."""

    def __init__(self) -> None:
        self.port = 0
        self.messages: list[bytes] = []
        self.connections = 0
        self.hangs_up_after: int | None = None
        self.news = asyncio.Condition()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        if self.hangs_up_after is not None:
            await reader.readexactly(self.hangs_up_after)
            self.hangs_up_after = None
            writer.transport.abort()
            return
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length = int(await reader.readuntil(b" "))
                self.messages.append(await reader.readexactly(length))
                async with self.news:
                    self.news.notify_all()
        writer.close()


@contextlib.asynccontextmanager
async def serving(server: Server, trust: ssl.SSLContext | None = None) -> AsyncIterator[None]:
    """It listens."""
    listener = await asyncio.start_server(server.handle, "127.0.0.1", 0, ssl=trust)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        listener.close()


def spec(server: Server, **more: object) -> SyslogSpec:
    """How it is reached."""
    given = {"address": f"127.0.0.1:{server.port}", **more}
    return TypeAdapter(SyslogSpec).validate_python(given, context={"base": Path("/")})


async def until(server: Server, count: int) -> None:
    """Wait for so many messages."""
    async with asyncio.timeout(20), server.news:
        await server.news.wait_for(lambda: len(server.messages) >= count)


def test_messages_are_rfc_5424(make_lines: Lines) -> None:
    """Facility log audit, the severity of the event, its kind, and the line itself."""
    line = make_lines(1)[0]
    length, _, whole = message(line, host="gate way\u00e9", process=7).partition(b" ")
    assert int(length) == len(whole)
    match = RFC5424.fullmatch(whole)
    assert match
    assert int(match[1]) == 13 * 8 + 6
    assert (match[3], match[5], match[6]) == (b"gateway", b"7", b"gateway")
    assert json.loads(match[7])["seq"] == line.seq
    assert match[7] == line.raw


def test_over_tls(tmp_path: Path, make_lines: Lines) -> None:
    """With a CA of its own; another's certificate is refused and nothing is sent."""
    lines = make_lines(3)
    mine, other = (make_certificate(tmp_path / name, ("127.0.0.1",)) for name in ("mine", "other"))
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(*mine.pair)

    async def run() -> Server:
        server = Server()
        async with serving(server, trust):
            with pytest.raises(NotTaken, match=r"127\.0\.0\.1"):
                await Syslog(spec(server, ca=str(other.authority))).put(lines)
            assert server.messages == []
            place = Syslog(spec(server, ca=str(mine.authority)))
            await place.put(lines[:2])
            await place.put(lines[2:])
            await until(server, 3)
            await place.close()
        return server

    server = asyncio.run(run())
    bodies = [match[7] for each in server.messages if (match := RFC5424.fullmatch(each))]
    assert bodies == [line.raw for line in lines]


def test_a_connection_that_breaks_loses_nothing(make_lines: Lines) -> None:
    """Half way through a batch, between batches, or with nobody there at all: told, and sent once more."""
    lines = make_lines(6)

    async def run() -> Server:
        server = Server()
        async with serving(server):
            place = Syslog(spec(server, plain=True))
            server.hangs_up_after = 100
            with pytest.raises(NotTaken):
                await place.put(lines * 2000)
            await place.put(lines[:3])
            await until(server, 3)
            await place.close()
        async with serving(server):
            again = Syslog(spec(server, plain=True))
            await again.put(lines[3:])
            await until(server, 6)
            await again.close()
        with pytest.raises(NotTaken, match="ConnectionRefused"):
            await again.put(lines)
        return server

    server = asyncio.run(run())
    assert len(server.messages) == 6
    assert server.connections == 3


def test_a_forged_line_holds_up_nobody(make_lines: Lines) -> None:
    """Its sum is right, and it is no JSON that can be read: it is passed on as it stands."""
    [line] = make_lines(1)
    forged = line._replace(raw=b'{"event":' + b"[" * 200_000)
    assert message(forged, host="h", process=1).endswith(forged.raw)
