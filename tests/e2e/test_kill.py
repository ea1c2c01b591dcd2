"""Law: a kill -9 at any moment loses nothing that an agent was answered, and the next start goes on.

A gateway under load is killed and started again. Afterwards every answer that an agent got has its outcome, its flow
can be read, writes were announced before, and the whole chain verifies. A start takes its time: GATEHOLD_KILLS says how
often (``tests/recordings/test_killed.py`` kills the recorder alone fifty times).
"""

import io
import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from mitmproxy.io import FlowReader

from gatehold.config import load
from recordings.checkpoints import signing_key
from recordings.listing import Row, rows
from recordings.reading import record
from recordings.verify import Report, verify
from tests.e2e.agents_at_work import Agents, start
from tests.e2e.harness import CRM_TOKEN, installation

KILLS = int(os.environ.get("GATEHOLD_KILLS", "6"))
MOST_ANSWERS = 60
"""Answers between a start and its kill, at most."""
pytestmark = pytest.mark.timeout(1800)


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
        agents.begin()
        for number in range(KILLS):
            agents.serve(chance.randint(1, MOST_ANSWERS), writes=2 if number % 3 == 2 else 0)
            process.process.send_signal(signal.SIGKILL)
            agents.rest()
            process.stop()
            process = start(made)
        agents.serve(MOST_ANSWERS, writes=2)
        agents.end()
        assert process.stop() == 0, process.output
        data = load(made.config).data_dir
        report = verify(data, keys=[signing_key(data).public_key()])
        yield Aftermath(
            data=data, answered=agents.answered, broken=agents.broken, report=report, lines=list(rows(data))
        )


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
