"""Law: an event made on the other side of a pipe is the one that would have been made here."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.codes import ANSWERS, Code
from policy.model import (
    Agent,
    ApprovalObligation,
    Decision,
    LimitObligation,
    MaskObligation,
    Obligations,
    RuleName,
    SessionId,
    Verdict,
)
from recordings.annotations import annotate
from recordings.events import Call, Event, intent, outcome, refusal
from recordings.said import Said, packed, said, unpacked
from tests.recordings.strategies import CALLS

COUNTS = st.none() | st.dictionaries(st.text(max_size=8), st.integers(0, 99), max_size=2)
TIMES = st.floats(0, 4e9)
WORDS = st.one_of(
    st.tuples(
        st.just(intent),
        st.fixed_dictionaries(
            {"time": TIMES},
            optional={"fingerprint": st.text(max_size=8), "grants": st.lists(st.text(max_size=4)), "restored": COUNTS},
        ),
    ),
    st.tuples(
        st.just(outcome),
        st.fixed_dictionaries(
            {"time": TIMES, "status": st.integers(100, 599)},
            optional={
                "masked": COUNTS,
                "approval": st.text(max_size=8),
                "grants": st.lists(st.text(max_size=4)),
                "length": st.none() | st.integers(0, 2**40),
                "error": st.text(max_size=8),
                "part": st.none() | st.integers(1, 9),
                "stream": st.none() | st.dictionaries(st.text(max_size=4), st.integers(0, 2**40), max_size=2),
                "pinned": st.text(max_size=8),
            },
        ),
    ),
    st.tuples(
        st.just(refusal),
        st.fixed_dictionaries(
            {
                "time": TIMES,
                "status": st.integers(100, 599),
                "code": st.sampled_from(sorted(ANSWERS)),
                "reason": st.text(max_size=8),
            },
            optional={"approval": st.text(max_size=8)},
        ),
    ),
)
type Builder = Callable[..., Event]


def told(event: Event) -> tuple[Mapping[str, Any], str, str, str]:
    """What an event says, but for its own number."""
    data = {**event.data, "metadata": {**event.data["metadata"], "uid": ""}}
    return data, event.kind, event.decision, event.session


@pytest.fixture
def judged(call: Call) -> Call:
    """A call that has everything which policy may ask for."""
    due = Obligations(
        approval=ApprovalObligation(rules=(RuleName("a"),), groups=(frozenset({"b", "c"}), frozenset({"d"})), count=2),
        mask=MaskObligation(profiles=("customer-data", "pci")),
        limits=(LimitObligation(rule=RuleName("l"), unit="bytes", amount=7, window=0.5),),
    )
    decision = Decision(
        verdict=Verdict.HOLD,
        code=Code.APPROVAL_REQUIRED,
        rule=RuleName("r"),
        rules=(RuleName("r"), RuleName("s")),
        shadow=(RuleName("t"),),
        detail="missing: labels",
        obligations=due,
        revision="r9",
    )
    return replace(call, judged=decision)


@given(call=CALLS, say=WORDS)
def test_any_event_is_the_same_on_the_other_side(call: Call, say: tuple[Builder, dict[str, Any]]) -> None:
    """Whatever is known of a call and whatever is said of it; only the number that it gets differs."""
    builder, words = say
    again = unpacked(packed(call))
    assert told(builder(again, **words)) == told(builder(call, **words))
    assert told(Said(builder.__name__, again, words).event()) == told(said(builder, call, **words).event())


@given(call=CALLS, code=st.sampled_from(Code), masked=COUNTS)
def test_remarks_are_the_same_on_the_other_side(call: Call, code: Code, masked: Mapping[str, int] | None) -> None:
    """An auditor sees the same in mitmweb, whoever made the remarks."""
    words: dict[str, Any] = {"code": code, "masked": masked, "approval": "a-1", "part": 2, "judged_by": "path"}
    assert annotate(unpacked(packed(call)), **words) == annotate(call, **words)


def test_what_policy_asked_for_goes_along(judged: Call) -> None:
    """Approval with its groups and their number, masks, limits: all of what an event tells of a decision."""
    again = unpacked(packed(judged))
    assert again.judged == judged.judged
    own = intent(again, time=1.0).data["unmapped"]["gatehold"]
    assert own["obligations"] == {
        "approval": {"count": 2, "groups": [["b", "c"], ["d"]], "rules": ["a"]},
        "limit": [{"amount": 7, "rule": "l", "unit": "bytes", "window": 0.5}],
        "mask": ["customer-data", "pci"],
    }


def test_nobody_is_nobody_there(call: Call) -> None:
    """A call that was refused before it was known who asks, where to, and before policy was asked."""
    again = unpacked(packed(replace(call, agent=None, target=None, family=None, judged=None)))
    assert (again.agent, again.target, again.family, again.judged) == (None, None, None, None)
    event = refusal(again, code=Code.UNAUTHENTICATED, status=401, reason="no token", time=1.0)
    assert event.data["actor"]["user"] == {"name": "unknown", "type_id": 0}
    assert event.session == ""


def test_a_call_is_packed_once(call: Call) -> None:
    """Intent and outcome share the work; a call that was made of another has its own."""
    assert packed(call) is packed(call)
    assert unpacked(packed(replace(call, path="/other"))).path == "/other"


def test_claims_stay_here(call: Call) -> None:
    """No event tells of them, so the other side is not told of them either."""
    agent = Agent(issuer="corp", subject="a1", claims={"email": "SECRET"}, session=SessionId("s"))
    assert b"SECRET" not in packed(replace(call, agent=agent))


@pytest.mark.parametrize("fact", [object(), MappingProxyType({}), StrEnum("Color", ["RED"]).RED])  # type: ignore[attr-defined]
def test_a_fact_that_is_not_plain_is_refused(call: Call, fact: object) -> None:
    """By a ``ValueError``, upon which the event is made here; a later try fails alike."""
    odd = replace(call, facts={"x": fact})
    for _ in range(2):
        with pytest.raises(ValueError, match="unmarshallable"):
            packed(odd)


def test_words_that_are_not_the_builders_are_refused(call: Call) -> None:
    """Whoever makes the event finds out."""
    with pytest.raises(TypeError):
        Said("intent", call, {"status": 200, "time": 1.0}).event()


def test_words_do_not_show(call: Call) -> None:
    """Not in the repr of what waits to be written."""
    assert "SECRET" not in repr(said(refusal, call, code=Code.MALFORMED, status=400, reason="SECRET", time=1.0))
