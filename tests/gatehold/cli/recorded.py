"""Three recorded calls, for tests of the commands about recordings."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from gatehold.cli.recordings import app
from gatehold.config.recordings import RecordingsSpec
from policy.codes import Code
from policy.model import Agent, Decision, DecisionId, Family, RuleName, SessionId, TargetName, Verdict
from recordings.events import Call, outcome
from recordings.writer import Record, Writer, WriterLimits


def three_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three calls of one session, in two flow files."""
    data_dir = tmp_path / "data"
    gateway = SimpleNamespace(spec=SimpleNamespace(recordings=RecordingsSpec()))
    monkeypatch.setattr("gatehold.config.load", lambda _: SimpleNamespace(data_dir=data_dir, gateway=gateway))
    writer = Writer.open(data_dir, limits=WriterLimits(part_size=10))
    for number in range(3):
        event = outcome(call(number), status=200, time=1.0, masked={"PERSON": 1})
        flow = b"12:%b}" % (b"flow number " + b"")
        writer.write([Record(entries=(event.entry(),), flow=flow, session="s-1")])
        writer.tidy()
    writer.close()
    return data_dir


def call(number: int) -> Call:
    """One call, with a path that would steer a terminal."""
    return Call(
        id=DecisionId(f"d-{number}"),
        agent=Agent(issuer="corp", subject="a1", session=SessionId("s-1")),
        target=TargetName("crm"),
        family=Family.HTTP,
        scheme="https",
        host="crm",
        port=443,
        method="GET",
        path="/x",
        operation="GET /\x1b]0;owned\x07x",
        verb="GET",
        client=("10.0.0.9", 1),
        time=1.0,
        judged=Decision(verdict=Verdict.ALLOW, code=Code.ALLOWED, rule=RuleName("r-1")),
    )


def run(*arguments: str, config: Path) -> Any:
    """The command."""
    return CliRunner().invoke(app, [*arguments, "--config", str(config)])
