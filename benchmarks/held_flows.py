"""What a thousand calls that wait for people cost the other calls, and the gateway while nothing else happens.

    python -m benchmarks.held_flows [--held 1000] [--rounds 5] [--seconds 4] [--rate 60] [--only NAME] [--json FILE]

One real gateway (``gatehold run``, SQLite) per variant: every call with an approval of its own (``each its own``), and
all of them with ten approvals among them (``joined``). Rounds alternate: ordinary calls alone, then the same while the
held ones wait; then these hang up, and their approvals are withdrawn. Ordinary calls are sent at a fixed rate over
keep-alive connections, and their latency counts from the moment when they were due, so that a gateway that stands
still cannot hide it. Prints of every variant the medians of all rounds: p50 and p99 in milliseconds and their ratios,
percent of one processor that the gateway uses while nobody asks for anything, KiB of resident memory per held call
(of the first round: later ones find memory that was given back to the allocator), and seconds until all were held.
"""

import argparse
import asyncio
import json
import math
import os
import resource
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.exec_memory import memory
from gatehold.demo.serving import serve
from tests.e2e.harness import GatewayProcess, Installation, installation, running

AGENTS = 10
CLIENTS = 8
"""Keep-alive connections of ordinary calls, each of another agent."""
REST = 3.0
"""Seconds over which an idle gateway's processor time is measured."""
PATIENCE = 180.0
BUSY = 0.25
"""Processor seconds within a second: no gateway that waits uses as many."""
MOST_WAITS = 40
PLACE = "api.corp.example"
CONFIGURATION = """
apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {name: default}
spec:
  dataDir: ./data
  agentApi: {host: 127.0.0.1, port: @AGENT_API@}
  console: {host: 127.0.0.1, port: @CONSOLE@}
  listen: [{mode: regular, host: 127.0.0.1, port: @PROXY@}]
  approvals: {hold: 30m, expire: 30m, maxOpenPerAgent: 1000, onDisconnect: withdraw}
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
  - {name: read, effect: allow, http: {targets: [api], methods: [GET], paths: ["/items/**"]}}
  - name: write
    effect: allow
    http: {targets: [api], methods: [POST], paths: ["/items/**"]}
    approval: {groups: [sre], message: "'change an item'"}
"""
_BODY = json.dumps({"id": 7, "name": "a customer", "note": "x" * 200}).encode()


type _Message = MutableMapping[str, Any]


async def upstream(
    scope: _Message, _receive: Callable[[], Awaitable[_Message]], send: Callable[[_Message], Awaitable[None]]
) -> None:
    """ASGI: one short answer to everything."""
    if scope["type"] == "http":
        fields = [(b"content-type", b"application/json"), (b"content-length", str(len(_BODY)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": _BODY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Ordinary calls of a few seconds."""

    p50: float
    """Milliseconds."""
    p99: float
    idle_cpu: float
    """Percent of one processor before they began."""


class Gateway:
    """A running gateway with the calls that it holds."""

    def __init__(self, installed: Installation, process: GatewayProcess) -> None:
        self._installed = installed
        self.process = process
        self._tokens = [installed.token(f"agent-{number}") for number in range(AGENTS)]
        self._held: list[asyncio.StreamWriter] = []
        self._readers: list[asyncio.StreamReader] = []

    async def hold(self, count: int, questions: int) -> float:
        """Make calls that are held, on so many approvals; seconds until the gateway had noted all and was quiet."""
        before, begun = self._noted(), time.monotonic()
        for number in range(count):
            reader, writer = await self._open()
            question = number % questions  # one agent's questions, however many there are
            writer.write(self._request(question % AGENTS, "POST", f"/items/{question}", _BODY))
            self._held.append(writer)
            self._readers.append(reader)
        await self._until(lambda: self._noted() - before >= count and self._open_questions() >= questions)
        took = time.monotonic() - begun
        await self.quiet()
        return took

    async def let_go(self) -> None:
        """All of them hang up; none was answered."""
        answered = sum(1 for reader in self._readers if reader.at_eof() or reader._buffer)  # type: ignore[attr-defined]  # noqa: SLF001
        if answered:
            raise SystemExit(f"{answered} calls were answered instead of held")
        for writer in self._held:
            writer.transport.abort()
        self._held, self._readers = [], []
        await self._until(lambda: self._open_questions() == 0)
        await self.quiet()

    async def ordinary(self, rate: float, seconds: float) -> list[float]:
        """The latencies of ordinary calls at a rate, ascending, in milliseconds."""
        begun, turn, found = time.perf_counter() + 0.05, iter(range(math.ceil(rate * seconds))), list[float]()

        async def client(agent: int) -> None:
            reader, writer = await self._open()
            for number in turn:
                due = begun + number / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                writer.write(self._request(agent, "GET", f"/items/{number}", b""))
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.startswith(b"HTTP/1.1 200"):
                    raise SystemExit(f"an ordinary call was not answered: {head!r}")
                await reader.readexactly(len(_BODY))
                found.append((time.perf_counter() - due) * 1000)
            writer.transport.abort()

        await asyncio.gather(*(client(agent) for agent in range(CLIENTS)))
        return sorted(found)

    async def measure(self, rate: float, seconds: float) -> Round:
        """What it does with nothing to do, then with ordinary calls."""
        before = self._cpu()
        await asyncio.sleep(REST)
        idle = (self._cpu() - before) / REST * 100
        found = await self.ordinary(rate, seconds)
        return Round(p50=found[len(found) // 2], p99=found[int(len(found) * 0.99)], idle_cpu=idle)

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self._installed.proxy_port)

    def _request(self, agent: int, method: str, path: str, body: bytes) -> bytes:
        head = (
            f"{method} http://{PLACE}{path} HTTP/1.1\r\nHost: {PLACE}\r\nProxy-Authorization: Bearer "
            f"{self._tokens[agent]}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def _cpu(self) -> float:
        """Processor seconds of the gateway's own process so far."""
        fields = Path(f"/proc/{self.process.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def quiet(self) -> None:
        """Until nothing is left to be done: the processor time of a second falls no further."""
        used = [math.inf]
        while len(used) < MOST_WAITS and (len(used) < 4 or used[-1] < 0.8 * max(used[-3:-1]) or used[-1] > BUSY):
            before = self._cpu()
            await asyncio.sleep(1.0)
            used.append(self._cpu() - before)

    @staticmethod
    async def _until(done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not await asyncio.to_thread(done):
            if time.monotonic() > deadline:
                raise SystemExit("the gateway did not hold, or let go, in time")
            await asyncio.sleep(0.25)

    def _noted(self) -> int:
        """Calls that needed an approval so far; written once a second."""
        return self._ask("SELECT coalesce(sum(held), 0) FROM agent_sessions")

    def _open_questions(self) -> int:
        return self._ask("SELECT count(*) FROM approvals WHERE state = 'pending'")

    def _ask(self, statement: str) -> int:
        connection = sqlite3.connect(self._installed.data / "gatehold.db", timeout=10)
        try:
            return int(connection.execute(statement).fetchone()[0])
        finally:
            connection.close()


async def variant(gateway: Gateway, chosen: argparse.Namespace, questions: int) -> dict[str, object]:
    """All rounds of one variant."""
    await gateway.ordinary(chosen.rate, 4.0)  # the first calls load what the others find loaded
    await gateway.quiet()
    without, with_held, opening = list[Round](), list[Round](), list[float]()
    alone, grown = memory(gateway.process, "VmRSS"), 0.0
    for number in range(chosen.rounds):
        without.append(await gateway.measure(chosen.rate, chosen.seconds))
        opening.append(await gateway.hold(chosen.held, questions))
        if number == 0:
            grown = memory(gateway.process, "VmRSS") - alone
        with_held.append(await gateway.measure(chosen.rate, chosen.seconds))
        await gateway.let_go()
    ratios = {key: [getattr(b, key) / getattr(a, key) for a, b in zip(without, with_held, strict=True)]
              for key in ("p50", "p99")}  # fmt: skip
    medians = {
        f"{key}, {name}": statistics.median(getattr(each, key) for each in rounds)
        for key in ("p50", "p99", "idle_cpu")
        for name, rounds in (("alone", without), ("with held", with_held))
    }
    return {
        **medians,
        "p50 ratio": statistics.median(ratios["p50"]),
        "p99 ratio": statistics.median(ratios["p99"]),
        "p99 ratios": [round(each, 2) for each in ratios["p99"]],
        "KiB per held call": grown * 1024 / chosen.held,
        "seconds until all were held": statistics.median(opening),
        "MiB at the end": memory(gateway.process, "VmRSS"),
        "MiB alone": alone,
    }


@contextmanager
def gateway() -> Iterator[Gateway]:
    """A running one, and its upstream."""
    with tempfile.TemporaryDirectory() as directory, installation(Path(directory)) as made, serve(upstream) as api:
        made.write("all.yaml", CONFIGURATION.replace("@CUSTOMERS@", str(api.port)))
        with running(made) as process:
            yield Gateway(made, process)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--held", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rate", type=float, default=60.0)
    parser.add_argument("--only", default="")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    results: dict[str, dict[str, object]] = {}
    for name, questions in (("each its own", chosen.held), ("joined", AGENTS)):
        if chosen.only in name:
            with gateway() as running_one:
                results[name] = asyncio.run(variant(running_one, chosen, questions))
            show(name, results[name])
    if chosen.json:
        chosen.json.write_text(json.dumps({"held": chosen.held, "rate": chosen.rate, "results": results}, indent=2))


def show(name: str, figures: dict[str, object]) -> None:
    """One variant as a table."""
    print(f"{name}:")
    for key, value in figures.items():
        print(f"  {key:28} {value if isinstance(value, list) else format(value, '10.2f')}", flush=True)


if __name__ == "__main__":
    main()
