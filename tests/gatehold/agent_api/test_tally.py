"""Laws of the tally: every call counts once, in the minute in which it began, for an hour."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gatehold.agent_api.decisions import Decisions, ToldDecision
from gatehold.agent_api.tally import ALLOWED, DENIED, HELD, MINUTES, Minute, Tally, outcome_of
from policy.codes import Code
from policy.model import DecisionId, RuleName, SessionId, Verdict


@given(st.lists(st.tuples(st.floats(0, 20_000), st.sampled_from([ALLOWED, HELD, DENIED]))))
def test_what_is_counted_is_there(calls: list[tuple[float, int]]) -> None:
    """In any order; what is an hour older than the newest call of its place is not."""
    tally, now = Tally(), max((time for time, _ in calls), default=0.0)
    for time, outcome in calls:
        tally.count(time, outcome, "r")
    lately = tally.lately(now)
    assert len(lately) == MINUTES
    shown = [call for call in calls if call[0] >= lately[0].begins]
    for outcome, name in ((ALLOWED, "allowed"), (HELD, "held"), (DENIED, "denied")):
        assert sum(getattr(minute, name) for minute in lately) == sum(call[1] == outcome for call in shown)
    assert [minute.begins for minute in lately] == sorted(minute.begins for minute in lately)


def test_an_hour_later_it_is_gone() -> None:
    """And a call can be taken back while it is there."""
    tally = Tally()
    tally.count(0.0, DENIED, "r")
    tally.count(0.0, DENIED, None)
    tally.count(0.0, DENIED, "r", by=-1)
    assert (tally.lately(3599.0)[0].denied, tally.rules["r"]) == (1, 0)
    assert not any(minute.calls for minute in tally.lately(3600.0))


def test_what_counts_as_what() -> None:
    """Held is what a person was asked about; everything else by how it ended."""
    assert outcome_of(Verdict.HOLD, Code.ALLOWED) == outcome_of(Verdict.HOLD, Code.APPROVAL_PENDING) == HELD
    assert outcome_of(Verdict.ALLOW, Code.ALLOWED) == ALLOWED
    assert (
        outcome_of(Verdict.ALLOW, Code.UPSTREAM_UNAVAILABLE) == outcome_of(Verdict.DENY, Code.DENIED_BY_RULE) == DENIED
    )


def test_a_call_that_is_told_twice_counts_once() -> None:
    """As what became of it in the end: an answer that was withheld is no allowed call."""
    decisions = Decisions()
    begun = ToldDecision(
        id=DecisionId("d"), issuer="corp", subject="a1", session=SessionId("s"), verdict=Verdict.ALLOW, code=Code.ALLOWED,
        rule=RuleName("door"), reason="", target=None, method="GET", path="/", time=30.0, approval=None, status=None,
    )  # fmt: skip
    for told in (begun, begun, replace(begun, code=Code.UNMASKABLE), replace(begun, code=Code.UNMASKABLE, status=502)):
        decisions.add(told)
    assert [minute for minute in decisions.tally.lately(60.0) if minute.calls] == [
        Minute(begins=0.0, allowed=0, held=0, denied=1)
    ]
    assert decisions.tally.rules == {"door": 1}
