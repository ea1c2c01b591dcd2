"""A syslog server: RFC 5424, octet-counted, over TLS (RFC 5425), or over plain TCP on this machine (RFC 6587).

Syslog has no answer. What counts as received is what the other machine's TCP has acknowledged; when a connection
breaks before that, the whole batch is sent once more.
"""

import array
import asyncio
import contextlib
import fcntl
import os
import socket
import ssl
import termios
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from gatehold.config.recordings import SyslogSpec
from gatehold.sinks.model import NotTaken
from recordings.lines import Line
from recordings.ocsf import Severity

TIMEOUT: Final = 15.0
"""Seconds to connect, and to have a batch acknowledged."""
_AUDIT: Final = 13
"""Facility ``log audit``."""
_ERROR, _WARNING, _NOTICE, _INFORMATIONAL = 3, 4, 5, 6
_LEVELS: Final[Mapping[int, int]] = {
    Severity.INFORMATIONAL: _INFORMATIONAL,
    Severity.LOW: _NOTICE,
    Severity.MEDIUM: _WARNING,
    Severity.HIGH: _ERROR,
}
"""Severities of RFC 5424 by ``severity_id``."""
_LOOK: Final = 0.02


def message(line: Line, *, host: str, process: int) -> bytes:
    """One line as a syslog message, with its length before it. The JSON is ASCII and has no control characters."""
    level = _LEVELS.get(_severity(line), _NOTICE)
    moment = datetime.fromtimestamp(line.time / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    header = f"<{_AUDIT * 8 + level}>1 {moment} {_printable(host, 255)} gatehold {process} {line.kind[:32]} - "
    whole = header.encode("ascii") + line.raw
    return b"%d %b" % (len(whole), whole)


class Syslog:
    """One server; its connection is kept."""

    def __init__(self, spec: SyslogSpec) -> None:
        host, _, port = spec.address.rpartition(":")
        self._spec = spec
        self._host, self._port = host.strip("[]"), int(port)
        self._here = socket.gethostname() or "-"
        self._trust: ssl.SSLContext | None = None
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def put(self, lines: Sequence[Line]) -> None:
        """Send them and wait until they were acknowledged. Raises NotTaken."""
        data = b"".join(message(line, host=self._here, process=os.getpid()) for line in lines)
        try:
            async with asyncio.timeout(TIMEOUT):
                await self._send(data)
        except (OSError, TimeoutError, ValueError) as error:
            await self._drop()
            raise NotTaken(f"{self._host}: {type(error).__name__}") from None
        except asyncio.CancelledError:
            await self._drop()
            raise

    async def close(self) -> None:
        """End the connection."""
        await self._drop()

    async def _send(self, data: bytes) -> None:
        if self._streams is not None and self._streams[0].at_eof():
            await self._drop()
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, **await self._tls())
        reader, writer = self._streams
        writer.write(data)
        await writer.drain()
        await _acknowledged(reader, writer)

    async def _tls(self) -> dict[str, Any]:
        if self._spec.plain:
            return {}
        if self._trust is None:
            self._trust = await asyncio.to_thread(ssl.create_default_context, cafile=self._spec.ca)
        return {"ssl": self._trust, "server_hostname": self._host}

    async def _drop(self) -> None:
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await streams[1].wait_closed()


async def _acknowledged(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Wait until nothing is on its way; ConnectionError where the other side is gone."""
    found = writer.get_extra_info("socket")
    while writer.transport.get_write_buffer_size() or _unacknowledged(found.fileno()):
        if reader.at_eof() or writer.is_closing():
            raise ConnectionResetError
        await asyncio.sleep(_LOOK)
    if reader.at_eof() or writer.is_closing():
        raise ConnectionResetError


def _unacknowledged(descriptor: int) -> int:
    """Bytes that were sent and not acknowledged yet (``SIOCOUTQ``)."""
    count = array.array("i", [0])
    fcntl.ioctl(descriptor, termios.TIOCOUTQ, count)
    return count[0]


def _severity(line: Line) -> int:
    """Of a line that somebody forged 0: it must not hold up those behind it."""
    try:
        found = line.event().get("severity_id")
    except (AttributeError, KeyError, ValueError, RecursionError):
        return 0
    return found if isinstance(found, int) else 0


def _printable(text: str, longest: int) -> str:
    return "".join(each for each in text if "!" <= each <= "~")[:longest] or "-"
