"""Laws of timelines: every line of the journal is in one entry; all that is about one call is in the same."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gatehold.console.timeline import entries, summed
from policy.codes import Code
from recordings.acts import GatewayMove, flow_files, gateway_event, incident
from recordings.events import Event, intent, outcome, refusal
from recordings.lines import compose
from recordings.listing import row_of
from recordings.ocsf import Kind
from recordings.scanning import Found, Place
from tests.gatehold.console.pages.conftest import a_recorded_call

KINDS = st.sampled_from(["intent", "outcome", "refusal", "gateway", "incident"])


def event(kind: str, number: int, part: int) -> Event:
    call = a_recorded_call(number)
    assert call.agent is not None
    match kind:
        case "intent":
            return intent(call, time=1.0)
        case "outcome":
            return outcome(call, status=200, time=2.0, masked={"PERSON": part}, part=part)
        case "refusal":
            return refusal(call, code=Code.UNMASKABLE, status=502, reason="no", time=2.0)
        case "incident":
            return incident(title="differs", agent=call.agent, decision=call.id, target="crm", time=1.0, details={})
    return gateway_event(GatewayMove.START, time=1.0)


def found(events: list[Event]) -> list[Found]:
    """As a scan finds them: the newest first."""
    made = []
    for seq, each in enumerate(events, start=1):
        raw, _ = compose(each.entry(), chain="c", seq=seq, prev="0" * 64, time=seq * 1000)
        row = row_of(raw)
        assert row is not None
        made.append(Found(row, Place("main/000001-20260131.jsonl", seq)))
    return made[::-1]


@given(st.lists(st.tuples(KINDS, st.integers(1, 3), st.integers(1, 5))))
def test_every_line_is_in_one_entry(lines: list[tuple[str, int, int]]) -> None:
    """In order; a call's last word is how it ended, wherever its other lines stand."""
    told = entries(found([event(*line) for line in lines]))
    assert sorted(row.seq for entry in told for row in entry.rows) == list(range(1, len(lines) + 1))
    calls = [entry for entry in told if entry.is_call]
    assert len({entry.row.decision for entry in calls}) == len(calls)
    for newer, older in pairwise(told):
        assert newer.rows[0].seq > older.rows[0].seq
    for entry in calls:
        kinds = {row.kind for row in entry.rows}
        assert entry.row.kind in ({"outcome", "refusal"} & kinds or {"intent"} & kinds or kinds)
        assert entry.masked == max(sum(row.masked.values()) for row in entry.rows)
        assert bool(entry.incident) is ("incident" in kinds)
        assert entry.began == min(row.time for row in entry.rows)
    assert summed(told)["calls"] == len(calls)


def test_what_is_no_call_has_words() -> None:
    """What happened, and to which files."""
    files = [{"file": f"recordings/{number}.flow"} for number in range(5)]
    start, opened = entries(
        found([gateway_event(GatewayMove.START, time=1.0), flow_files(Kind.FLOWS_OPEN, files, time=1.0)])
    )[::-1]
    assert start.words == "gateway start"
    assert opened.about == "recordings/0.flow and 4 more"
    assert not start.is_call
