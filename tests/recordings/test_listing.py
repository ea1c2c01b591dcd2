"""Sessions and timelines."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from policy.codes import Code
from policy.model import Agent, Decision, DecisionId, SessionId, TargetName, Verdict
from recordings.acts import GatewayMove, approval_move, gateway_event, person
from recordings.events import Call, Event, intent, outcome, refusal
from recordings.journal import journal_files
from recordings.listing import Filter, rows, sessions, timeline
from recordings.writer import Record, Writer


@pytest.fixture
def data_dir(tmp_path: Path, call: Call) -> Path:
    """Two sessions of two agents: allowed, masked, denied, held and approved."""
    other = replace(
        call,
        id=DecisionId("d-9"),
        agent=Agent(issuer="corp", subject="a2", session=SessionId("s-2")),
        target=TargetName("crm"),
        judged=Decision(verdict=Verdict.DENY, code=Code.DENIED_BY_RULE, rule=None),
    )
    events: list[tuple[Event, bytes | None]] = [
        (gateway_event(GatewayMove.START, time=1.0), None),
        (intent(call, time=1.0), None),
        (outcome(call, status=200, time=2.0, masked={"PERSON": 2}), b"1:a}"),
        (refusal(other, code=Code.DENIED_BY_RULE, status=403, reason="not yours", time=3.0), b"1:b}"),
        (approval_move(approval="apr-1", state="open", by=person("x"), time=4.0, agent=call.agent), None),
        (
            approval_move(
                approval="apr-1",
                state="approved",
                previous="open",
                by=person("alice"),
                time=4.0,
                agent=call.agent,
                comment="fine",
            ),
            None,
        ),
        (outcome(replace(call, id=DecisionId("d-2")), status=201, time=5.0, approval="apr-1"), b"1:c}"),
    ]
    writer = Writer.open(tmp_path)
    for event, flow in events:
        writer.write([Record(entries=(event.entry(),), flow=flow, session=event.session)])
    writer.close()
    return tmp_path


def test_sessions_are_counted(data_dir: Path) -> None:
    """Calls, verdicts, masked values, targets and files of each; intents are no calls."""
    first, second = sessions(data_dir)
    assert (first.session, first.agent, first.issuer, first.targets) == ("s-1", "a1", "corp", ["main"])
    assert (first.calls, dict(first.verdicts), first.masked) == (2, {"allow": 2}, 2)
    assert len(first.files) == 1
    assert (data_dir / first.files[0]).read_bytes() == b"1:a}1:c}"
    assert (second.agent, second.calls, dict(second.verdicts)) == ("a2", 1, {"deny": 1})


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (Filter(agent="a2"), ["s-2"]),
        (Filter(target="main"), ["s-1"]),
        (Filter(verdict="deny"), ["s-2"]),
        (Filter(rule="planners-read-dev-pods"), ["s-1"]),
        (Filter(rule="other"), []),
        (Filter(agent="a1", verdict="deny"), []),
        (Filter(since=0.0), ["s-1", "s-2"]),
        (Filter(since=9e9), []),
    ],
)
def test_sessions_are_filtered(data_dir: Path, only: Filter, expected: list[str]) -> None:
    """A session counts when a call of it does."""
    assert [session.session for session in sessions(data_dir, only)] == expected


def test_a_timeline_holds_everything_in_order(data_dir: Path) -> None:
    """Of a session: calls, approvals and who gave them; of a decision: its intent and its end."""
    found = timeline(data_dir, "s-1")
    assert [row.kind for row in found if "-" not in row.kind] == [
        "intent",
        "outcome",
        "approval",
        "approval",
        "outcome",
    ]
    assert [row.message for row in found if row.kind == "approval"][1] == "by alice, fine"
    assert [(row.kind, row.status) for row in timeline(data_dir, "d-1")] == [("intent", None), ("outcome", 200)]
    [refused] = timeline(data_dir, "d-9")
    assert (refused.code, refused.message, refused.status) == ("denied-by-rule", "not yours", 403)
    assert timeline(data_dir, "") == []


def test_a_stream_in_pieces_is_one_call(tmp_path: Path, call: Call) -> None:
    """Its pieces and its end; what was masked is counted once, though each piece tells the sum so far."""
    writer = Writer.open(tmp_path)
    for part, masked in ((1, 2), (2, 5), (2, 5)):
        event = outcome(call, status=200, time=1.0, part=part, masked={"PERSON": masked})
        writer.write([Record(entries=(event.entry(),), flow=b"1:x}", session="s-1")])
    writer.close()
    [session] = sessions(tmp_path)
    assert (session.calls, session.masked, dict(session.verdicts)) == (1, 5, {"allow": 1})


@pytest.mark.parametrize("spoil", [lambda raw: raw[:-20], lambda raw: raw + b"rubbish\n[]\nnull\n{}\n"])
def test_what_cannot_be_read_is_passed_over(data_dir: Path, spoil: Callable[[bytes], bytes]) -> None:
    """A list is not where tampering is found."""
    [path] = journal_files(data_dir / "journal" / "main")
    path.chmod(0o600)
    path.write_bytes(spoil(path.read_bytes()))
    assert len(sessions(data_dir)) == 2


def test_nothing_recorded_is_an_empty_list(tmp_path: Path) -> None:
    """No journal yet."""
    assert sessions(tmp_path) == []
    assert list(rows(tmp_path)) == []
