"""Requests per second through a governed gateway against the stock proxy it is built on, in one run.

usage: python benchmarks/throughput.py [--seconds 5] [--rounds 3] [--json FILE]

Needs ``wrk``. A plain-HTTP upstream answers 1 KiB of JSON; stock mitmdump and the gateway stand before it as reverse
proxies, one after the other in each round, so that the machine's mood meets both. The gateway authenticates, decides,
injects a credential and records; nothing is masked. A third one does all of that but describing, encoding and writing
its calls: what recording costs. Medians and their ratios are printed.
"""

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gatehold.identity.keys import keygen
from gatehold.identity.tokens import issue
from tests.e2e.harness import BIN, GatewayProcess, clean_environment, free_port

UPSTREAM = """
BODY = b'{"items": [' + b'{"id": 1, "name": "abcdefgh"}, ' * 32 + b'null]}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})
"""

CONFIGURATION = """
apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {name: bench}
spec:
  listen: [{mode: reverse, host: 127.0.0.1, port: @GATEWAY@, target: api}]
  agentApi: {port: @AGENT_API@}
  console: {port: @CONSOLE@}
  identity:
    issuers:
      - {name: corp, issuer: "https://idp.test", audience: gatehold, jwks: {file: "@KEYS@/jwks.json"},
         algorithms: [EdDSA]}
---
apiVersion: gatehold.dev/v1
kind: Target
metadata: {name: api}
spec:
  family: http
  scheme: http
  hosts: ["api.bench.example:80"]
  connect: 127.0.0.1:@UPSTREAM@
  allowPrivate: true
  credential: {header: Authorization, value: "Bearer benchmark-credential"}
---
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: bench}
rules:
  - name: read
    effect: allow
    agents: {groups: [planners]}
    http: {targets: [api], methods: [GET], paths: ["/items/**"]}
"""

UNRECORDED = """
import sys
from addons import lean_imports
lean_imports.install()
from addons import record

async def nothing(self, *arguments, **options):
    pass

record.Recording._append = nothing
record.Recording._pick = lambda self, flow, call: None
record.said = lambda *a, **k: None
from gatehold.cli.main import main
main(sys.argv[1:])
"""
"""A gateway that leaves no record, started by hand: there is no such setting."""


@contextmanager
def process(command: list[str], port: int) -> Iterator[None]:
    """A server, until the block ends."""
    running = subprocess.Popen(command, env=clean_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield
    finally:
        running.terminate()
        running.wait()


def wait_for(port: int) -> None:
    """Until somebody answers on a port."""
    subprocess.run(["curl", "-s", "-o", "/dev/null", "--retry", "50", "--retry-connrefused", "--retry-delay", "1",
                    f"http://127.0.0.1:{port}/items/1"], check=False)  # fmt: skip


def requests_per_second(port: int, seconds: int, *headers: str) -> float:
    """What wrk measures with 32 connections; every answer must be a 2xx."""
    options = [part for header in headers for part in ("-H", header)]
    command = ["wrk", "-c32", "-t1", f"-d{seconds}s", *options, f"http://127.0.0.1:{port}/items/1"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in output:
        raise SystemExit(f"not every call was answered:\n{output}")
    match = re.search(r"Requests/sec:\s+([\d.]+)", output)
    return float(match[1]) if match else 0.0


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("this benchmark needs wrk")
    with tempfile.TemporaryDirectory() as directory:
        results = measure(Path(directory), chosen.seconds, chosen.rounds)
    medians = {name: statistics.median(values) for name, values in results.items()}
    ratio, cost = medians["governed"] / medians["stock"], 1 - medians["governed"] / medians["unrecorded"]
    for name, median in medians.items():
        print(f"{name:10} {median:8.0f} req/s   {[round(value) for value in results[name]]}")
    print(f"governed against stock {ratio:8.2f}")
    print(f"recording costs        {cost:8.0%} of throughput")
    if chosen.json:
        chosen.json.write_text(json.dumps({"results": results, "ratio": ratio, "recording": cost}))


def configured(directory: Path, keys: Path, upstream: int) -> int:
    """Write a gateway's configuration; gives its port."""
    directory.mkdir()
    ports = {name: free_port() for name in ("GATEWAY", "AGENT_API", "CONSOLE")} | {"UPSTREAM": upstream}
    text = CONFIGURATION.replace("@KEYS@", str(keys))
    for name, port in ports.items():
        text = text.replace(f"@{name}@", str(port))
    (directory / "gateway.yaml").write_text(text)
    return ports["GATEWAY"]


def measure(directory: Path, seconds: int, rounds: int) -> dict[str, list[float]]:
    """Requests per second of all, by round."""
    keygen(directory / "keys")
    (directory / "upstream.py").write_text(UPSTREAM)
    ports = {name: free_port() for name in ("UPSTREAM", "STOCK")}
    recorded = configured(directory / "recorded", directory / "keys", ports["UPSTREAM"])
    unrecorded = configured(directory / "unrecorded", directory / "keys", ports["UPSTREAM"])
    token = issue(directory / "keys" / "private.pem", issuer="https://idp.test", audience="gatehold", subject="bench",
                  groups=["planners"], ttl=3600)  # fmt: skip
    upstream = [sys.executable, "-m", "uvicorn", "upstream:app", "--app-dir", str(directory), "--no-access-log",
                "--port", str(ports["UPSTREAM"])]  # fmt: skip
    stock = [str(BIN / "mitmdump"), "-q", "--mode", f"reverse:http://127.0.0.1:{ports['UPSTREAM']}",
             "-p", str(ports["STOCK"]), "--set", f"confdir={directory / 'stock'}"]  # fmt: skip
    runs: dict[str, Callable[[], float]] = {
        "stock": lambda: requests_per_second(ports["STOCK"], seconds),
        "governed": lambda: requests_per_second(recorded, seconds, f"Authorization: Bearer {token}"),
        "unrecorded": lambda: requests_per_second(unrecorded, seconds, f"Authorization: Bearer {token}"),
    }
    results: dict[str, list[float]] = {name: [] for name in runs}
    with (
        process(upstream, ports["UPSTREAM"]),
        process(stock, ports["STOCK"]),
        governed(directory / "recorded", BIN / "gatehold"),
        governed(directory / "unrecorded", sys.executable, "-c", UNRECORDED),
    ):
        for _ in range(rounds):
            for name, run in runs.items():
                results[name].append(run())
    return results


@contextmanager
def governed(directory: Path, *program: str | Path) -> Iterator[None]:
    """A gateway, until the block ends."""

    class Here:
        """What a gateway process wants of an installation."""

    here = Here()
    here.directory = directory  # type: ignore[attr-defined]
    gateway = GatewayProcess(here, [*program, "run", "--config", directory])  # type: ignore[arg-type]
    gateway.wait_ready()
    try:
        yield
    finally:
        gateway.stop()


if __name__ == "__main__":
    main()
