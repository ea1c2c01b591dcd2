"""Law: a kill -9 at any moment loses nothing that an agent was answered, and the next start goes on.

A gateway under load is killed and started again. Afterwards every answer that an agent got has its outcome, its flow
can be read, writes were announced before, and the whole chain verifies. A start takes its time: GATEHOLD_KILLS says how
often (``tests/recordings/test_killed.py`` kills the recorder alone fifty times).
"""

import io
import os
import random
import signal
import ssl
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
from mitmproxy.io import FlowReader

from gatehold.config import load
from recordings.checkpoints import signing_key
from recordings.listing import Row, rows
from recordings.reading import record
from recordings.verify import Report, verify
from tests.e2e.harness import CRM_TOKEN, GatewayProcess, Installation, command_line, installation

CRM = "https://crm.corp.example"
KILLS = int(os.environ.get("GATEHOLD_KILLS", "6"))
AGENTS = 4
MOST_ANSWERS = 60
"""Answers between a start and its kill, at most."""
WAYS = (("GET", "/echo"), ("POST", "/echo"), ("GET", "/customers"))
PATIENCE = 120.0
pytestmark = pytest.mark.timeout(1800)


@dataclass(slots=True, kw_only=True)
class Agents:
    """Agents that call as fast as they can, and remember what they were answered."""

    installed: Installation
    answered: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Method and status by decision, once the whole body was there."""
    broken: int = 0
    ended: bool = False
    _news: threading.Condition = field(default_factory=threading.Condition)
    _serving: threading.Event = field(default_factory=threading.Event)

    def run(self, number: int) -> None:
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
                self.answered[answer.headers["gatehold-decision"]] = method, answer.status_code
                self._news.notify_all()

    def serve(self, answers: int, *, writes: int = 0) -> None:
        """The gateway is there: call it, until it has given so many answers, and so many to writes."""
        with self._news:
            wanted, written = len(self.answered) + answers, self.writes + writes
            self._serving.set()
            done = self._news.wait_for(
                lambda: len(self.answered) >= wanted and self.writes >= written, timeout=PATIENCE
            )
        assert done

    @property
    def writes(self) -> int:
        """How many writes were answered."""
        return sum(method == "POST" for method, _ in self.answered.values())

    def rest(self) -> None:
        """It is gone."""
        self._serving.clear()

    def end(self) -> None:
        """Let everybody go home."""
        self.ended = True
        self._serving.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What is left when all is over."""

    data: Path
    answered: dict[str, tuple[str, int]]
    broken: int
    report: Report
    lines: list[Row]


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    """So many kills under load, then a clean stop."""
    chance = random.Random(7)
    with installation(tmp_path_factory.mktemp("kill")) as made:
        made.configure()
        agents = Agents(installed=made)
        process = start(made)
        threads = [threading.Thread(target=agents.run, args=(number,), daemon=True) for number in range(AGENTS)]
        for thread in threads:
            thread.start()
        for number in range(KILLS):
            agents.serve(chance.randint(1, MOST_ANSWERS), writes=2 if number % 3 == 2 else 0)
            process.process.send_signal(signal.SIGKILL)
            agents.rest()
            process.stop()
            process = start(made)
        agents.serve(MOST_ANSWERS, writes=2)
        agents.end()
        for thread in threads:
            thread.join(timeout=60)
        assert process.stop() == 0, process.output
        data = load(made.config).data_dir
        report = verify(data, keys=[signing_key(data).public_key()])
        yield Aftermath(
            data=data, answered=agents.answered, broken=agents.broken, report=report, lines=list(rows(data))
        )


def start(installed: Installation) -> GatewayProcess:
    """A gateway that serves."""
    process = GatewayProcess(installed, command_line("run", installed.config))
    try:
        process.wait_ready()
    except AssertionError:
        process.stop()
        raise
    return process


def test_there_was_load(aftermath: Aftermath) -> None:
    """Calls were under way when the gateway was killed, and it began anew each time."""
    assert len(aftermath.answered) > KILLS * 5
    assert aftermath.broken >= KILLS
    assert Counter(row.kind for row in aftermath.lines)["journal-open"] == KILLS + 1


def test_the_chain_verifies(aftermath: Aftermath) -> None:
    """From the first line to the last, over all starts, signed to the end."""
    assert aftermath.report.intact, aftermath.report.summary()
    assert aftermath.report.vouched == aftermath.report.events == len(aftermath.lines)


def test_every_answer_is_recorded(aftermath: Aftermath) -> None:
    """Each has its outcome and a flow that can be read; what was cut off has an intent, and is told as such."""
    ended = {row.decision: row for row in aftermath.lines if row.kind in ("outcome", "refusal")}
    announced = {row.decision for row in aftermath.lines if row.kind == "intent"}
    for decision, (method, status) in aftermath.answered.items():
        row = ended[decision]
        assert (row.method, row.status) == (method, status)
        assert decision in announced or row.kind == "refusal"
        flow = record(aftermath.data, row)
        assert len(list(FlowReader(io.BytesIO(flow)).stream())) == 1
        assert CRM_TOKEN.encode() not in flow
    assert not set(aftermath.report.open_intents) & aftermath.answered.keys()
    assert set(aftermath.report.open_intents) == announced - ended.keys()
