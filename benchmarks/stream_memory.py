"""Memory of a gateway while a long log streams through it, masked and not, to a quick reader and to a stalled one.

usage: python -m benchmarks.stream_memory [--bytes 20000000] [--json FILE]
       python -m benchmarks.stream_memory --one /plain --bytes 1000000000 [--version http2] [--every 50] [--json FILE]

A target writes lines of a log as fast as they are taken. Resident memory is read from ``/proc``: before the first,
while a reader that stalls does not read, and after each. HTTP/1.1 stalls by its socket, HTTP/2 by its windows. Of
masked streams a fifth of the bytes is sent.

``--one`` is a single stream without stalls: memory after every so many megabytes that were read, and by how much it
grows per 100 MB once the first fifth is through. ``/masked/log`` is masked, ``/plain`` not. Then the gateway is
stopped, and its data directory has to hold the whole stream, verified, and none of what was planted in it.
"""

import argparse
import hashlib
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression
from typing import Any

from benchmarks.exec_memory import memory, tell
from recordings.exchanges import exchanges
from recordings.listing import CALLS, rows
from recordings.reading import record
from tests.e2e.harness import CRM_TOKEN, GatewayProcess, Installation, installation, running
from tests.e2e.streaming import H2Reader, Streaming, curl, streaming

_LINE = b"2026-11-21T13:00:%02dZ INFO request %07d from user%d@example.com status=200 path=/customers took=12ms\n"
_LINES = 640
_CHUNK = b"".join(_LINE % (number % 60, number, number % 97) for number in range(_LINES))
_PLAIN_LINE = b"2026-11-21T13:00:%02dZ INFO GET /orders/%d status=200 took=12ms cache=hit upstream=shop-backend\n"
_NAMED = 20
"""Of a single stream, lines for each one that names a person."""
_TEXT = {"Content-Type": "text/plain"}
_STALL = 5.0
"""Seconds for which a stalled reader does not read."""
_MASKED_SHARE = 5
_WARM_UP = 0.2
"""Of a series, before it is asked whether memory grows."""
_LONGEST = "7200"
"""Seconds that a single stream may take."""
_BLOCK = 1 << 20


def main() -> int:
    """Run it and print what was measured."""
    parser = argparse.ArgumentParser(description="Resident memory under long streams.")
    parser.add_argument("--bytes", type=int, default=20_000_000)
    parser.add_argument("--one", choices=("/plain", "/masked/log"), help="one stream instead of all")
    parser.add_argument("--version", choices=("http1.1", "http2"), default="http1.1")
    parser.add_argument("--every", type=int, default=50, help="megabytes between two looks at the memory")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, installation(Path(directory)) as installed:
        with streaming(installed) as api, running(installed) as gateway:
            for path in [options.one] if options.one else ("/plain", "/masked/log"):
                _transfer(installed, gateway, api, path, "http2", len(_CHUNK) * 4, 0.0)
            if options.one:
                read, measured = _single(installed, gateway, api, options)
            else:
                measured = _all(installed, gateway, api, options.bytes)
        if options.one:
            planted = [CRM_TOKEN.encode(), *([b"@example.com"] if options.one == "/masked/log" else [])]
            measured["kept"] = kept(installed, options.one, read) | evidence(installed, planted)
    tell(measured, options.json)
    return 0


@dataclass(slots=True)
class Series:
    """Resident memory of a gateway, in megabytes, as something else grows."""

    gateway: GatewayProcess
    every: float
    _points: list[tuple[float, float]] = field(default_factory=list)

    def note(self, amount: float) -> None:
        """So much has passed; the memory is read if that is enough for one more look."""
        if not self._points or amount - self._points[-1][0] >= self.every:
            self._points.append((amount, memory(self.gateway, "VmRSS")))

    def told(self, per: float) -> dict[str, Any]:
        """First, last and highest, and by how much it grows for ``per``, once it is warm."""
        amounts, sizes = zip(*self._points[int(len(self._points) * _WARM_UP) :], strict=True)
        slope = linear_regression(amounts, sizes).slope * per if len(sizes) > 1 else 0.0
        return {
            "first": self._points[0][1],
            "warm": sizes[0],
            "last": sizes[-1],
            "highest": memory(self.gateway, "VmHWM"),
            f"grows per {per:,.0f}": round(slope, 3),
            "series": [size for _, size in self._points],
        }


@dataclass(slots=True)
class Read:
    """What a reader got of a stream."""

    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, piece: bytes) -> None:
        """More of it."""
        self.size += len(piece)
        self.digest.update(piece)


def kept(installed: Installation, path: str, read: Read) -> dict[str, Any]:
    """The parts of the last stream at a path, which have to be what was read, byte for byte."""
    ours = [row for row in rows(installed.data) if row.kind in CALLS and row.path == path]
    parts = [row for row in ours if row.decision == ours[-1].decision]
    again = Read()
    for row in parts:
        for exchange in exchanges(record(installed.data, row)):
            again.add((exchange.response and exchange.response.body) or b"")
    if (again.size, again.digest.digest()) != (read.size, read.digest.digest()):
        raise AssertionError(f"{again.size} bytes were recorded of {read.size}")
    return {"parts": len(parts), "recorded bytes": again.size}


def evidence(installed: Installation, planted: Iterable[bytes]) -> dict[str, Any]:
    """What a stopped gateway left: it verifies, and nothing planted is in any file. How much of it there is."""
    key = installed.directory / "journal.pub"
    key.write_text(installed.gatehold("audit", "key").stdout)
    verified = installed.gatehold("audit", "verify", "--key", str(key), check=False)
    if verified.returncode:
        raise AssertionError(verified.stdout + verified.stderr)
    files = [path for path in installed.data.rglob("*") if path.is_file()]
    for path in files:
        for value in planted:
            if _holds(path, value):
                raise AssertionError(f"{path} holds {value!r}")
    sizes = {path: path.stat().st_size for path in files}
    flows = [size for path, size in sizes.items() if path.suffix == ".flow"]
    return {
        "verify": verified.stdout.strip().splitlines()[0],
        "flow files": len(flows),
        "flow megabytes": round(sum(flows) / 1e6, 1),
        "largest flow file": round(max(flows, default=0) / 1e6, 1),
        "journal megabytes": round(sum(size for path, size in sizes.items() if path.suffix == ".jsonl") / 1e6, 1),
        "other megabytes": round(
            sum(size for path, size in sizes.items() if path.suffix not in {".flow", ".jsonl"}) / 1e6, 1
        ),
    }


def _holds(path: Path, value: bytes) -> bool:
    overlap = b""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            if value in overlap + block:
                return True
            overlap = block[-len(value) :]
    return False


def _single(
    installed: Installation, gateway: GatewayProcess, api: Streaming, options: argparse.Namespace
) -> tuple[Read, dict[str, Any]]:
    """One stream of different lines, some with a person in them, and with the target's credential in every chunk."""
    api.answers[options.one] = _TEXT, _lines(options.bytes)
    reading = _by_curl(installed, options.one, "--max-time", _LONGEST, "--no-include")
    pieces = reading if options.version == "http1.1" else _by_h2(installed, options.one)
    series, read, begun = Series(gateway, options.every), Read(), time.monotonic()
    for piece in pieces:
        read.add(piece)
        series.note(read.size / 1e6)
    seconds = time.monotonic() - begun
    return read, {
        "stream": f"{options.one} {options.version}",
        "megabytes": round(read.size / 1e6, 1),
        "seconds": round(seconds, 1),
        "megabytes per second": round(read.size / 1e6 / seconds, 2),
        **series.told(100),
    }


def _lines(size: int) -> Iterator[bytes]:
    sent = number = 0
    while sent < size:
        lines = [
            _PLAIN_LINE % (each % 60, each) if each % _NAMED else _LINE % (each % 60, each, each)
            for each in range(number, number + _LINES)
        ]
        chunk = b"".join([*lines, b"INFO sent with Bearer ", CRM_TOKEN.encode(), b"\n"])
        yield chunk
        sent, number = sent + len(chunk), number + _LINES


def _all(installed: Installation, gateway: GatewayProcess, api: Streaming, amount: int) -> dict[str, Any]:
    """Every way to read, one after the other."""
    measured: dict[str, Any] = {"before": memory(gateway, "VmRSS")}
    for path, size in (("/plain", amount), ("/masked/log", amount // _MASKED_SHARE)):
        for version in ("http1.1", "http2"):
            for stall in (0.0, _STALL):
                name = f"{path} {version} {'stalled' if stall else 'quick'}"
                measured[name] = _transfer(installed, gateway, api, path, version, size, stall)
    return measured | {"highest": memory(gateway, "VmHWM")}


def _transfer(  # noqa: PLR0913, PLR0917 (what is transferred how)
    installed: Installation,
    gateway: GatewayProcess,
    api: Streaming,
    path: str,
    version: str,
    size: int,
    stall: float,
) -> dict[str, Any]:
    """One transfer: megabytes that were read, seconds, and the gateway's memory in and after a stall."""
    api.answers[path] = _TEXT, (_CHUNK for _ in range(max(1, size // len(_CHUNK))))
    begun, got, waiting = time.monotonic(), 0, {}
    for piece in (_by_curl if version == "http1.1" else _by_h2)(installed, path):
        if not got and stall:
            time.sleep(stall)
            waiting = {"sent": round(api.sent / 1e6, 1), "stalled": memory(gateway, "VmRSS")}
        got += len(piece)
    seconds = time.monotonic() - begun - (stall if waiting else 0.0)
    return {
        "megabytes": round(got / 1e6, 1),
        "seconds": round(seconds, 1),
        **waiting,
        "after": memory(gateway, "VmRSS"),
    }


def _by_curl(installed: Installation, path: str, *options: str) -> Iterator[bytes]:
    with curl(installed, path, "http1.1", *options) as process:
        while process.stdout and (piece := process.stdout.read(65536)):
            yield piece


def _by_h2(installed: Installation, path: str) -> Iterator[bytes]:
    reader = H2Reader(installed)
    stream = reader.ask(path)
    yield reader.read(stream, least=60_000)[0]
    ended = ""
    while not ended:
        piece, ended = reader.read(stream, most=_BLOCK)
        yield piece
    if ended != "end":
        raise AssertionError(f"the stream ended with {ended}")
    reader.close()


if __name__ == "__main__":
    sys.exit(main())
