"""How long bodies hold up everybody else: the longest gaps of a real gateway's event loop under big and hostile ones.

    python -m benchmarks.loop_blocking [--seconds 4] [--clients 4] [--only PART] [--switch SECONDS] [--json FILE]

A gateway runs as a process of its own, on the configuration below, with one task more: a heartbeat that sleeps a
millisecond at a time and notes how much later it woke. Gaps are what other calls feel: work on the loop, waiting for
the interpreter's lock while threads mask, and the machine's own noise (``idle``). For each scenario a few clients ask
as fast as they can. Prints in milliseconds the gaps' p50, p99 and longest; then of the single callbacks of the loop the
longest by the clock (``call``) and the longest by the processor time of the loop's thread (``cpu``): a gap beyond both
is a queue of short callbacks, a call beyond its cpu waited for the lock or the processor. Last, calls per second.
"""

import argparse
import asyncio
import gzip
import http.client
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.hostile_texts import TEXTS

BEAT = 0.001
WARM = 6.0
"""Seconds of asking before anything is measured."""
ENVELOPE = {"content-type": "application/json"}
CONFIGURATION = """
apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {name: default}
spec:
  dataDir: ./data
  agentApi: {host: 127.0.0.1, port: @AGENT_API@}
  console: {host: 127.0.0.1, port: @CONSOLE@}
  listen: [{mode: regular, host: 127.0.0.1, port: @PROXY@}]
  identity:
    issuers:
      - {name: corp, issuer: "https://idp.test", audience: gatehold, jwks: {file: "@JWKS@"}, algorithms: [EdDSA]}
---
apiVersion: gatehold.dev/v1
kind: Target
metadata: {name: api}
spec:
  family: http
  scheme: http
  hosts: ["api.corp.example:80"]
  connect: 127.0.0.1:@CUSTOMERS@
  allowPrivate: true
  credential: {header: X-Key, value: "planted-credential-5f2a91"}
---
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: bench}
rules:
  - {name: all, effect: allow, http: {targets: [api], methods: [GET, POST], paths: ["/**"]}}
  - name: masked
    effect: constrain
    http: {targets: [api], paths: ["/masked/**"]}
    mask: {profiles: [pii, pci, secrets]}
  - name: searched
    effect: constrain
    http: {targets: [api], paths: ["/dlp/**"]}
    dlp: {profiles: [pii, secrets], action: mask}
  - name: judged
    effect: constrain
    http: {targets: [api], paths: ["/judged/**"]}
    when: "body.kind == 'x'"
    limit: {rate: 1/day}
"""


def pods(count: int) -> bytes:
    """A list of pods without anything to hide."""
    item = {"metadata": {"name": "web-7d4b9c", "uid": "0b7c3a51-2f0e-4a35-9a56-7a1d9a1f2c11", "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "app", "image": "registry/web@sha256:" + "ab" * 32,
                                     "env": [{"name": "MODE", "value": "production"}] * 12}] * 3}}  # fmt: skip
    return json.dumps({"kind": "List", "items": [item] * count}).encode()


def users(count: int) -> bytes:
    """Customers, every one with values to hide."""
    return json.dumps([
        {"id": at, "email": f"user{at}@example.com", "phone": f"+1 202-555-{at % 10000:04d}",
         "card": "4111 1111 1111 1111", "note": f"call user{at}@example.org about {at}"} for at in range(count)
    ]).encode()  # fmt: skip


def text(name: str, size: int) -> bytes:
    """A hostile text of a size, inside a JSON string."""
    return json.dumps({"note": (TEXTS[name] * (1 + size // len(TEXTS[name])))[: size - 20]}).encode()


def scenarios() -> dict[str, tuple[str, bytes, dict[str, str]]]:
    """Path prefix, body, and headers of each; a body under ``/dlp`` or ``/judged`` is sent, any other one answered."""
    found = {
        "idle": ("", b"", {}),
        "1 KiB, unmasked": ("/plain", users(7), ENVELOPE),
        "1 KiB, masked": ("/masked", users(7), ENVELOPE),
        "pods 2 MB": ("/masked", pods(600), ENVELOPE),
        "users 140 KB": ("/masked", users(1000), ENVELOPE),
        "users 2 MB": ("/masked", users(14000), ENVELOPE),
        "gzip, users 2 MB": ("/masked", gzip.compress(users(14000)), ENVELOPE | {"content-encoding": "gzip"}),
        "gzip bomb": ("/masked", gzip.compress(bytes(24 << 20)), ENVELOPE | {"content-encoding": "gzip"}),
        "deep JSON 1 MB": ("/masked", b"[" * 500_000 + b"]" * 500_000, ENVELOPE),
        "lines 2 MB": ("/masked", b"user@example.com did it\n" * 80_000, {"content-type": "text/plain"}),
        "unmasked 900 KB": ("/plain", users(6000), ENVELOPE),
        "DLP, users 2 MB sent": ("/dlp", users(14000), ENVELOPE),
        "judged JSON 3 MB sent": ("/judged", users(20000), ENVELOPE),
        "judged YAML 60 KB sent": ("/judged", users(400), {"content-type": "application/yaml"}),
    }
    for name in ("email: a.a.a.@", "email: local parts", "email: short hits"):
        for size in (2_000, 16_000, 1_000_000):
            found[f"{name} {size // 1000} KB"] = ("/masked", text(name, size), ENVELOPE)
    return found


class Callbacks:
    """Notes how long the longest callback of the loop takes, in seconds."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0
        self._stock = asyncio.Handle._run  # noqa: SLF001 - the one place that every callback passes

    def install(self) -> None:
        """From now on."""
        asyncio.Handle._run = lambda handle: self._timed(handle)  # type: ignore[method-assign]  # noqa: PLW0108, SLF001

    def _timed(self, handle: asyncio.Handle) -> None:
        wall, cpu = time.perf_counter(), time.thread_time()
        self._stock(handle)
        self.wall = max(self.wall, time.perf_counter() - wall)
        self.cpu = max(self.cpu, time.thread_time() - cpu)

    def clear(self) -> None:
        """Forget them."""
        self.wall = self.cpu = 0.0


class Heartbeat:
    """Notes how late the loop is."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._callbacks = Callbacks()
        self._gaps: list[float] = []
        self._dumps = 0
        self._is_own = False
        """The next gap is that of writing down the others."""

    async def beat(self) -> None:
        """For ever."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self._dump)
        self._callbacks.install()
        while True:
            before = time.perf_counter()
            await asyncio.sleep(BEAT)
            if not self._is_own:
                self._gaps.append(time.perf_counter() - before - BEAT)
            else:
                self._is_own = False
                self._callbacks.clear()

    def _dump(self) -> None:
        path = self._directory / f"gaps-{self._dumps}.json"
        found = {"gaps": self._gaps, "call": self._callbacks.wall, "cpu": self._callbacks.cpu}
        path.with_suffix(".part").write_text(json.dumps(found))
        path.with_suffix(".part").rename(path)
        self._gaps, self._dumps, self._is_own = [], self._dumps + 1, True


def serve_gateway(config: Path, switch: float | None) -> None:
    """The gateway's process."""
    from addons import lean_imports  # noqa: PLC0415 - before anything of mitmproxy

    lean_imports.install()
    from addons import launcher  # noqa: PLC0415
    from gatehold.config import load  # noqa: PLC0415

    serve = launcher._serve  # noqa: SLF001 - the same gateway, with a heartbeat beside it

    async def serve_and_beat(*arguments: Any) -> None:
        if switch is not None:
            sys.setswitchinterval(switch)
        beating = asyncio.create_task(Heartbeat(config).beat())
        await serve(*arguments)
        beating.cancel()

    launcher._serve = serve_and_beat  # noqa: SLF001
    launcher.run(load(config))


class Bodies:
    """An upstream that answers with the body of a scenario, and takes whatever is sent."""

    def __init__(self) -> None:
        self.answer: tuple[bytes, dict[str, str]] = (b"", {})

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI."""
        if scope["type"] != "http":
            return
        more = True
        while more:
            more = (await receive()).get("more_body", False)
        body, headers = self.answer
        fields = [(name.encode(), value.encode()) for name, value in headers.items()]
        fields.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": body})


class Load:
    """Clients that ask as fast as they can."""

    def __init__(self, port: int, token: str, clients: int) -> None:
        self._port, self._token, self._clients = port, token, clients
        self._over = threading.Event()
        self.calls = 0
        self.statuses: dict[int, int] = {}

    def run(self, prefix: str, body: bytes, headers: dict[str, str], seconds: float) -> None:
        """For so long."""
        threads = [threading.Thread(target=self._ask, args=(prefix, body, headers)) for _ in range(self._clients)]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        self._over.set()
        for thread in threads:
            thread.join()

    def _ask(self, prefix: str, body: bytes, headers: dict[str, str]) -> None:
        sends = prefix in ("/dlp", "/judged")
        own = {"Host": "api.corp.example", "Proxy-Authorization": f"Bearer {self._token}"} | (headers if sends else {})
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        while not self._over.is_set():
            url = f"http://api.corp.example{prefix}/{os.urandom(4).hex()}"
            connection.request("POST" if sends else "GET", url, body if sends else None, own)
            answer = connection.getresponse()
            answer.read()
            self.calls += 1
            self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
        connection.close()


@contextmanager
def gateway(switch: float | None) -> Iterator[tuple[Any, Any, Bodies]]:
    """A running gateway, its installation and its upstream."""
    from gatehold.demo.serving import serve  # noqa: PLC0415 - not in the gateway
    from tests.e2e.harness import GatewayProcess, installation  # noqa: PLC0415

    bodies = Bodies()
    with tempfile.TemporaryDirectory() as directory, installation(Path(directory)) as installed, serve(bodies) as api:
        installed.write("all.yaml", CONFIGURATION.replace("@CUSTOMERS@", str(api.port)))
        command = [sys.executable, "-m", "benchmarks.loop_blocking", "--serve", installed.config]
        process = GatewayProcess(installed, [*command, *(["--switch", str(switch)] if switch is not None else [])])
        try:
            process.wait_ready()
            yield process, installed, bodies
        finally:
            process.stop()


def take(process: Any, config: Path, number: int) -> dict[str, Any]:
    """The gaps since they were taken last, ascending, and the longest callbacks, in milliseconds."""
    process.process.send_signal(signal.SIGUSR1)
    path = config / f"gaps-{number}.json"
    while not path.exists():
        time.sleep(0.01)
    found = json.loads(path.read_text())
    gaps = sorted(gap * 1000 for gap in found["gaps"])
    return {"gaps": gaps, "call": found["call"] * 1000, "cpu": found["cpu"] * 1000}


def measure(arguments: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Every scenario."""
    results: dict[str, dict[str, Any]] = {}
    with gateway(arguments.switch) as (process, installed, bodies):
        for body in (users(7), users(3000)):  # the second one waits for the processes
            bodies.answer = (body, ENVELOPE)
            Load(installed.proxy_port, installed.token(), 2).run("/masked", b"", {}, WARM)
        number = 0
        print(f"{'':32} {'p50':>7} {'p99':>7} {'max':>8} {'call':>8} {'cpu':>7} {'calls/s':>8}  statuses")
        for name, (prefix, body, headers) in scenarios().items():
            if arguments.only and arguments.only not in name:
                continue
            bodies.answer = (b"{}", ENVELOPE) if prefix in ("/dlp", "/judged") else (body, headers)
            take(process, installed.config, number)
            load = Load(installed.proxy_port, installed.token(), arguments.clients if prefix else 0)
            load.run(prefix, body, headers, arguments.seconds)
            taken = take(process, installed.config, number + 1)
            gaps = taken["gaps"]
            number += 2
            row = {"p50": gaps[len(gaps) // 2], "p99": gaps[int(len(gaps) * 0.99)], "max": gaps[-1],
                   "call": taken["call"], "cpu": taken["cpu"],
                   "calls": load.calls / arguments.seconds, "statuses": load.statuses}  # fmt: skip
            results[name] = row
            gap = f"{row['p50']:7.2f} {row['p99']:7.2f} {row['max']:8.2f}"
            single = f"{row['call']:8.2f} {row['cpu']:7.2f} {row['calls']:8.1f}"
            print(f"{name:32} {gap} {single}  {row['statuses']}", flush=True)
    return results


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--only", default="")
    parser.add_argument("--switch", type=float)
    parser.add_argument("--serve", type=Path)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.serve:
        serve_gateway(arguments.serve, arguments.switch)
        return
    results = measure(arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
