"""Memory of a gateway while 100 MB of a command's output pass through it, to a quick reader and to a slow one.

usage: python -m benchmarks.exec_memory [--megabytes 100] [--json FILE]

The demo's Kubernetes API prints numbers in a container without a mask, and less of them in one with masks. Resident
memory is read from ``/proc``: before the first, while the slow reader does not read, and the highest until the end.
"""

import argparse
import json
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.e2e.harness import GatewayProcess, Installation, installation, running
from tests.e2e.test_exec import GATEWAY, path
from tests.e2e.web_socket_client import request

_LINE = 8
"""Bytes of a line of numbers with seven digits."""
_STALL = 5.0
"""Seconds for which the slow reader does not read."""


def main() -> int:
    """Run it and print what was measured."""
    parser = argparse.ArgumentParser(description="Resident memory under long exec output.")
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, installation(Path(directory)) as installed:
        installed.write("all.yaml", GATEWAY)
        with running(installed) as gateway:
            transfer(installed, gateway, "dev-1", 1000)
            measured = {
                "before": memory(gateway, "VmRSS"),
                "quick reader": transfer(installed, gateway, "dev-1", options.megabytes * 1_000_000 // _LINE),
                "slow reader": transfer(installed, gateway, "dev-1", options.megabytes * 1_000_000 // _LINE, _STALL),
                "masked": transfer(installed, gateway, "prod", options.megabytes * 20_000 // _LINE),
                "highest": memory(gateway, "VmHWM"),
            }
    tell(measured, options.json)
    return 0


def tell(measured: dict[str, Any], path: Path | None) -> None:
    """Print what was measured, and write it where that is asked for."""
    text = json.dumps(measured, indent=2)
    sys.stdout.write(f"{text}\n")
    if path:
        path.write_text(text)


def transfer(
    installed: Installation, gateway: GatewayProcess, namespace: str, lines: int, stall: float = 0.0
) -> dict[str, Any]:
    """One transfer: megabytes, seconds, and the gateway's memory while it was not read and after it."""
    address = path(installed, namespace, "seq", str(lines))
    begun, size = time.monotonic(), 0
    with request(installed, address, token=installed.token()) as client:
        time.sleep(stall)
        stalled = memory(gateway, "VmRSS")
        for channel, data in client:
            size += len(data) if channel == 1 else 0
    return {
        "megabytes": round(size / 1e6, 1),
        "seconds": round(time.monotonic() - begun, 1),
        "stalled": stalled,
        "after": memory(gateway, "VmRSS"),
    }


def memory(gateway: GatewayProcess, key: str) -> float:
    """Megabytes of the gateway and its recorder's process, by a key of ``/proc/PID/status``."""
    main = gateway.process.pid
    children = [int(child) for child in Path(f"/proc/{main}/task/{main}/children").read_text().split()]
    recorders = [pid for pid in children if b"recordings.recorder" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    statuses = [Path(f"/proc/{pid}/status").read_text() for pid in (main, *recorders)]
    return round(sum(int(size) for status in statuses for size in re.findall(rf"{key}:\s+(\d+)", status)) / 1024, 1)


if __name__ == "__main__":
    sys.exit(main())
