"""Memory of a gateway while a long log streams through it, masked and not, to a quick reader and to a stalled one.

usage: python -m benchmarks.stream_memory [--bytes 20000000] [--json FILE]

A target writes lines of a log as fast as they are taken. Resident memory is read from ``/proc``: before the first,
while a reader that stalls does not read, and after each. HTTP/1.1 stalls by its socket, HTTP/2 by its windows. Of
masked streams a fifth of the bytes is sent.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.exec_memory import memory
from tests.e2e.harness import GatewayProcess, Installation, installation, running
from tests.e2e.streaming import H2Reader, Streaming, curl, streaming

_LINE = b"2026-11-21T13:00:%02dZ INFO request %07d from user%d@example.com status=200 path=/customers took=12ms\n"
_CHUNK = b"".join(_LINE % (number % 60, number, number % 97) for number in range(640))
_TEXT = {"Content-Type": "text/plain"}
_STALL = 5.0
"""Seconds for which a stalled reader does not read."""
_MASKED_SHARE = 5


def main() -> int:
    """Run it and print what was measured."""
    parser = argparse.ArgumentParser(description="Resident memory under long streams.")
    parser.add_argument("--bytes", type=int, default=20_000_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    measured: dict[str, Any] = {}
    with (
        tempfile.TemporaryDirectory() as directory,
        installation(Path(directory)) as installed,
        streaming(installed) as api,
        running(installed) as gateway,
    ):
        for path in ("/plain", "/masked/log"):
            _transfer(installed, gateway, api, path, "http2", len(_CHUNK) * 4, 0.0)
        measured["before"] = memory(gateway, "VmRSS")
        for path, size in (("/plain", options.bytes), ("/masked/log", options.bytes // _MASKED_SHARE)):
            for version in ("http1.1", "http2"):
                for stall in (0.0, _STALL):
                    name = f"{path} {version} {'stalled' if stall else 'quick'}"
                    measured[name] = _transfer(installed, gateway, api, path, version, size, stall)
        measured["highest"] = memory(gateway, "VmHWM")
    text = json.dumps(measured, indent=2)
    sys.stdout.write(f"{text}\n")
    if options.json:
        options.json.write_text(text)
    return 0


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


def _by_curl(installed: Installation, path: str) -> Iterator[bytes]:
    with curl(installed, path, "http1.1") as process:
        while process.stdout and (piece := process.stdout.read(65536)):
            yield piece


def _by_h2(installed: Installation, path: str) -> Iterator[bytes]:
    reader = H2Reader(installed)
    stream = reader.ask(path)
    yield reader.read(stream, least=60_000)[0]
    yield reader.read(stream)[0]
    reader.close()


if __name__ == "__main__":
    sys.exit(main())
