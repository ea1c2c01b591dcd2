"""Law: the process that writes may end at any moment: nothing that an agent was answered is missing, gaps are told.

Under load it is killed alone, several times; then together with its gateway, which is started again at once; then the
gateway alone. At the end both are told to end at the same time, as a service manager does, and everything is sealed.
"""

import io
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mitmproxy.io import FlowReader

from gatehold.config import load
from recordings.checkpoints import signing_key
from recordings.listing import Row, rows
from recordings.reading import record
from recordings.verify import Report, verify
from tests.e2e.agents_at_work import PATIENCE, Agents, scribes, start
from tests.e2e.harness import CRM_TOKEN, GatewayProcess, installation

SCRIBES_KILLED = 5
BETWEEN = 30
"""Answers between two kills, at least."""
STARTS = 3
pytestmark = pytest.mark.timeout(1800)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What is left when all is over."""

    data: Path
    agents: Agents
    refused: dict[str, str]
    """Codes by decision, before the end: a gateway that ends refuses for reasons of its own."""
    report: Report
    lines: list[Row]
    verified: str
    """What the command line says of it."""


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    """So many kills under load, then a clean stop of both at once."""
    with installation(tmp_path_factory.mktemp("scribe")) as made:
        made.configure()
        agents = Agents(installed=made)
        process = start(made)
        agents.begin()
        try:
            agents.serve(BETWEEN, writes=1)
            for _ in range(SCRIBES_KILLED):
                os.kill(scribe(process), signal.SIGKILL)
                agents.serve(BETWEEN, refusals=1)
            for together in (True, False):
                if together:
                    os.kill(scribe(process), signal.SIGKILL)
                process.process.kill()
                agents.rest()
                process.stop()
                process = start(made)
                agents.serve(BETWEEN, writes=1)
            refused = dict(agents.refused)
            os.kill(scribe(process), signal.SIGTERM)
            code = process.stop()
        finally:
            agents.end()
            process.stop()
        assert code == 0, process.output
        data = load(made.config).data_dir
        yield Aftermath(
            data=data,
            agents=agents,
            refused=refused,
            report=verify(data, keys=[signing_key(data).public_key()]),
            lines=list(rows(data)),
            verified=made.gatehold("audit", "verify", check=False).stdout,
        )


def scribe(process: GatewayProcess) -> int:
    """The process that writes for this gateway, as soon as there is one."""
    until = time.monotonic() + PATIENCE
    while not (found := scribes(process)):
        assert time.monotonic() < until, process.output
    return found[0]


def test_who_was_refused_was_told_why(aftermath: Aftermath) -> None:
    """Each kill cost some calls; only where an upstream had answered already is the reason another one."""
    assert len(aftermath.refused) >= SCRIBES_KILLED
    assert aftermath.agents.served > (SCRIBES_KILLED + STARTS) * BETWEEN
    late = {decision for decision, code in aftermath.refused.items() if code == "gateway-error"}
    assert {code for decision, code in aftermath.refused.items() if decision not in late} == {"recorder-unavailable"}
    assert late <= {row.decision for row in aftermath.lines if row.kind == "intent"}


def test_the_chain_verifies(aftermath: Aftermath) -> None:
    """From the first line to the last, signed to the end: each writer went on where the one before it was cut off."""
    assert aftermath.report.intact, aftermath.report.summary()
    assert aftermath.report.vouched == aftermath.report.events == len(aftermath.lines)
    assert "intact" in aftermath.verified
    opened = Counter(row.kind for row in aftermath.lines)["journal-open"]
    assert opened == SCRIBES_KILLED + STARTS


def test_every_answer_is_recorded(aftermath: Aftermath) -> None:
    """What an upstream answered has an intent, an outcome and a flow; where none was told, none was announced."""
    ended = {row.decision: row for row in aftermath.lines if row.kind == "outcome"}
    announced = {row.decision for row in aftermath.lines if row.kind == "intent"}
    for decision, (method, status) in aftermath.agents.answered.items():
        if decision in aftermath.agents.refused:
            continue
        row = ended[decision]
        assert (row.method, row.status) == (method, status)
        assert decision in announced
        flow = record(aftermath.data, row)
        assert len(list(FlowReader(io.BytesIO(flow)).stream())) == 1
        assert CRM_TOKEN.encode() not in flow


def test_gaps_are_told(aftermath: Aftermath) -> None:
    """Each time the next writer says how many calls did not get to the one that was killed."""
    told = gaps(aftermath.data)
    assert len(told) >= SCRIBES_KILLED
    assert sum(each["calls"] for each in told) >= len(aftermath.refused)
    assert all(each["fault"].startswith("the recorder's process ended") for each in told)


def test_it_ended_in_order(aftermath: Aftermath) -> None:
    """Told to end together with its gateway, the writer waits for the last call and seals the journal."""
    assert aftermath.lines[-1].kind == "journal-seal"
    assert aftermath.lines[-1].raw["event"]["unmapped"]["gatehold"]["reason"] == "stop"


def test_best_effort_goes_on(tmp_path: Path) -> None:
    """Nobody is refused; what is missing is counted, however often the writer is killed."""
    with installation(tmp_path) as made:
        made.configure()
        path = made.config / "gateway.yaml"
        path.write_text(path.read_text().replace("spec:\n", "spec:\n  recordings: {mode: best-effort}\n", 1))
        agents = Agents(installed=made)
        process = start(made)
        agents.begin()
        try:
            for number in range(2):
                agents.serve(BETWEEN, writes=1)
                os.kill(scribe(process), signal.SIGKILL)
                until = time.monotonic() + PATIENCE
                while len(gaps(made.data)) <= number:  # one that is killed before it told leaves that to the next
                    assert time.monotonic() < until, process.output
                    agents.serve(BETWEEN)
            agents.end()
        finally:
            agents.end()
            assert process.stop() == 0, process.output
        assert not agents.refused
        assert verify(made.data, keys=[signing_key(made.data).public_key()]).intact
        written = Counter(row.kind for row in rows(made.data) if row.decision in agents.answered)
        missing = sum(len(agents.answered) - written[kind] for kind in ("intent", "outcome"))
        assert 0 < missing <= sum(each["calls"] for each in gaps(made.data))


def gaps(data: Path) -> list[dict[str, Any]]:
    """What the journal says of calls that are not in it."""
    return [row.raw["event"]["unmapped"]["gatehold"] for row in rows(data) if "recording again" in row.message]
