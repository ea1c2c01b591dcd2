"""Law: each call of a session comes once, in the order in which it was made, and only as the journal vouches for it."""

from functools import partial
from pathlib import Path

import pytest

from gatehold.config import load
from gatehold.replaying.past import calls_of
from policy.model import Agent, DecisionId, Family, SessionId, TargetName
from recordings.errors import RecordUnreadable
from recordings.events import Call, outcome
from recordings.listing import timeline
from recordings.reading import record
from recordings.writer import Record, Writer, WriterLimits
from tests.gatehold.history.recorded import Camera

BASIC = Path(__file__).parents[3] / "examples" / "basic"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A slow call that ended last, a fast one, and one that came in two parts."""
    camera, writer = Camera(load(BASIC)), Writer.open(tmp_path, limits=WriterLimits())
    for decision, began, ended, part in (
        ("b", 2.0, 3.0, 0),
        ("s", 4.0, 5.0, 1),
        ("s", 4.0, 6.0, 2),
        ("a", 1.0, 7.0, 0),
    ):
        call = Call(
            id=DecisionId(decision),
            agent=Agent(issuer="corp", subject="a1", session=SessionId("s-1")),
            target=TargetName("crm"),
            family=Family.HTTP,
            scheme="https",
            host="crm",
            port=443,
            method="GET",
            path="/customers/1",
            operation=f"GET /{decision}",
            verb="GET",
            client=("10.0.0.9", 1),
            time=began,
        )
        restored = {"PERSON": 1} if decision == "b" else None
        event = outcome(call, status=200, time=ended, part=part or None, restored=restored)
        flow = camera.record("/customers/1", at=began, decision=decision, part=part, noted="" if part > 1 else "{}")
        entry = event.entry()
        writer.write([Record(entries=(entry,), flow=flow, session="s-1")])
    writer.close()
    return tmp_path


def test_in_the_order_in_which_they_were_made(data_dir: Path) -> None:
    """Parts of a stream are one call."""
    found = list(calls_of(partial(record, data_dir), timeline(data_dir, "s-1")))
    assert [(past.operation, past.is_stream, past.status) for past in found] == [
        ("GET /a", False, 200), ("GET /b", False, 200), ("GET /s", True, 200),
    ]  # fmt: skip
    assert [past.operation for past in found if past.is_restored] == ["GET /b"]
    assert {past.operation: past.body for past in found} == {"GET /a": b"{}", "GET /b": b"{}", "GET /s": None}


def test_what_was_altered_is_refused(data_dir: Path) -> None:
    """Nobody sends what the journal does not vouch for."""
    [flow] = data_dir.rglob("*.flow")
    flow.write_bytes(flow.read_bytes().replace(b"/customers/1", b"/customers/2"))
    with pytest.raises(RecordUnreadable, match="audit verify"):
        list(calls_of(partial(record, data_dir), timeline(data_dir, "s-1")))
