"""Law: sinks and anchors of a configuration are served beside the recorder, and a roll-back becomes an event."""

import asyncio
import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from gatehold.config.gateway import GatewaySpec
from gatehold.config.recordings import AuditSpec
from gatehold.sinks.position import load, position_file
from gatehold.sinks.serving import AuditReach, needed_from
from policy.model import SessionId
from recordings.acts import GatewayMove, gateway_event
from recordings.recorder import Recorder

SPEC = TypeAdapter(GatewaySpec).validate_python({}, context={"base": Path("/")})


def spec(tmp_path: Path, **more: Any) -> AuditSpec:
    """A file and an anchor."""
    (tmp_path / "anchors").mkdir(exist_ok=True)
    given = {
        "sinks": [{"name": "file", "file": str(tmp_path / "audit.jsonl")}],
        "anchors": [{"name": "elsewhere", "directory": str(tmp_path / "anchors")}],
    }
    return AuditSpec.model_validate(given | more, context={"base": tmp_path})


async def run(tmp_path: Path, audit: AuditSpec, events: int, data: str = "data") -> None:
    """A gateway's recorder from start to stop."""
    recorder = Recorder(tmp_path / data)
    reach = AuditReach(SPEC.model_copy(update={"audit": audit}), tmp_path / data, recorder)
    await reach.start(partial(recorder.start, asyncio.get_running_loop()))
    for number in range(events):
        event = gateway_event(GatewayMove.RELOAD, time=1.0, message=f"event {number}")
        await recorder.append(events=[event], session=SessionId(""))
    await recorder.stop()
    await reach.close()


def told(tmp_path: Path) -> list[str]:
    """Messages that the file sink got."""
    return [json.loads(line)["event"]["message"] for line in (tmp_path / "audit.jsonl").read_text().splitlines()]


def test_all_events_reach_the_sink_by_the_stop(tmp_path: Path) -> None:
    """Over two runs, once each; the anchor keeps where each ended."""
    audit = spec(tmp_path)
    for _ in range(2):
        asyncio.run(run(tmp_path, audit, 3))
    assert told(tmp_path) == ["event 0", "event 1", "event 2"] * 2
    position = load(position_file(tmp_path / "data", "file"))
    assert position is not None
    assert needed_from(tmp_path / "data", audit) == position.number == 2
    assert needed_from(tmp_path / "nothing", audit) is None
    last = max((tmp_path / "anchors").iterdir())
    assert json.loads(last.read_text())["seq"] == sum(
        path.read_bytes().count(b"\n") for path in (tmp_path / "data" / "journal").rglob("*.jsonl")
    )


def test_a_roll_back_is_an_event(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Said aloud, in the journal, and so to every sink."""
    audit = spec(tmp_path)
    asyncio.run(run(tmp_path, audit, 1))
    shutil.copytree(tmp_path / "data", tmp_path / "old")
    asyncio.run(run(tmp_path, audit, 2))
    asyncio.run(run(tmp_path, audit, 0, data="old"))
    assert "rolled back" in told(tmp_path)[-1]
    assert "rolled back" in caplog.text


def test_an_anchor_that_is_away_is_an_event_and_stops_nobody(tmp_path: Path) -> None:
    """Calls go on; it is told once that it is away."""
    audit = spec(tmp_path)
    (tmp_path / "anchors").rmdir()
    asyncio.run(run(tmp_path, audit, 3))
    assert [words for words in told(tmp_path) if "anchor" in words] == [
        "anchor elsewhere keeps no checkpoints: No such file or directory"
    ]


def test_a_sink_that_is_away_holds_up_no_stop(tmp_path: Path) -> None:
    """Its events wait in the journal."""
    (tmp_path / "away").mkdir()
    audit = spec(tmp_path, sinks=[{"name": "file", "file": str(tmp_path / "away" / "x" / "audit.jsonl")}])
    asyncio.run(run(tmp_path, audit, 3))
    (tmp_path / "away" / "x").mkdir()
    asyncio.run(run(tmp_path, audit, 1))
    shutil.copy(tmp_path / "away" / "x" / "audit.jsonl", tmp_path)
    assert told(tmp_path) == ["event 0", "event 1", "event 2", "event 0"]
