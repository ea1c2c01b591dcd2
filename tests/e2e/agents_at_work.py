"""Agents that put a gateway under load and remember what they were answered, and processes of gateways to be killed."""

import ssl
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx2

from tests.e2e.harness import GatewayProcess, Installation, command_line

CRM = "https://crm.corp.example"
AGENTS = 4
WAYS = (("GET", "/echo"), ("POST", "/echo"), ("GET", "/customers"))
PATIENCE = 120.0


@dataclass(slots=True, kw_only=True)
class Agents:
    """Agents that call as fast as they can, and remember what they were answered."""

    installed: Installation
    answered: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Method and status by decision, once the whole body was there."""
    refused: dict[str, str] = field(default_factory=dict)
    """Codes by decision, of those answers that were refusals."""
    broken: int = 0
    ended: bool = False
    _threads: list[threading.Thread] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)
    _serving: threading.Event = field(default_factory=threading.Event)

    def begin(self) -> None:
        """Let them wait for a gateway."""
        for number in range(AGENTS):
            self._threads.append(threading.Thread(target=self._run, args=(number,), daemon=True))
        for thread in self._threads:
            thread.start()

    def serve(self, answers: int, *, writes: int = 0, refusals: int = 0) -> None:
        """The gateway is there: call it, until it has let through so many, of these so many writes, and refused some."""
        with self._news:
            wanted, written, turned_away = self.served + answers, self.writes + writes, len(self.refused) + refusals
            self._serving.set()
            done = self._news.wait_for(
                lambda: self.served >= wanted and self.writes >= written and len(self.refused) >= turned_away,
                timeout=PATIENCE,
            )
        assert done

    @property
    def served(self) -> int:
        """How many were answered by their upstream."""
        return len(self.answered) - len(self.refused)

    @property
    def writes(self) -> int:
        """How many writes were answered."""
        return sum(method == "POST" for method, _ in self.answered.values())

    def rest(self) -> None:
        """The gateway is gone."""
        self._serving.clear()

    def end(self) -> None:
        """Let everybody go home."""
        self.ended = True
        self._serving.set()
        for thread in self._threads:
            thread.join(timeout=60)

    def _run(self, number: int) -> None:
        """One agent: the first reads and writes in turn, the others read; connections that break are made anew."""
        trust = ssl.create_default_context(cafile=str(self.installed.ca))
        token = self.installed.token(subject=f"agent-{number}")
        proxy = httpx2.Proxy(f"http://agent:{token}@127.0.0.1:{self.installed.proxy_port}")
        while not self.ended:
            self._serving.wait()
            with httpx2.Client(proxy=proxy, verify=trust, timeout=60, trust_env=False) as client:
                try:
                    self._call(client, WAYS if number == 0 else WAYS[:1])
                except httpx2.HTTPError:
                    self.broken += 1

    def _call(self, client: httpx2.Client, ways: Sequence[tuple[str, str]]) -> None:
        for turn in range(100_000):
            if self.ended or not self._serving.is_set():
                return
            method, path = ways[turn % len(ways)]
            answer = client.request(method, f"{CRM}{path}", json={"turn": turn} if method == "POST" else None)
            with self._news:
                decision = answer.headers["gatehold-decision"]
                self.answered[decision] = method, answer.status_code
                if answer.status_code != httpx2.codes.OK:
                    self.refused[decision] = answer.json()["code"]
                self._news.notify_all()


def start(installed: Installation, way: str = "run") -> GatewayProcess:
    """A gateway that serves."""
    process = GatewayProcess(installed, command_line(way, installed.config))
    try:
        process.wait_ready()
    except AssertionError:
        process.stop()
        raise
    return process


def scribes(process: GatewayProcess) -> list[int]:
    """Processes in which a gateway has its records written: one, or none for a moment."""
    command = ["pgrep", "-P", str(process.process.pid), "-f", "recordings.recorder"]
    found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return [int(line) for line in found.stdout.split()]
