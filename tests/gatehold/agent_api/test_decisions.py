"""Laws of the ring: bounded, nobody's flood pushes out another's calls, nobody sees another's call."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gatehold.agent_api.decisions import LONGEST_TEXT, Decisions, ToldDecision
from policy.codes import Code
from policy.model import DecisionId, SessionId, Verdict


def told(number: int, subject: str = "a", status: int | None = 200) -> ToldDecision:
    return ToldDecision(
        id=DecisionId(f"dec_{number}"),
        issuer="corp",
        subject=subject,
        session=SessionId("s-0"),
        verdict=Verdict.ALLOW,
        code=Code.ALLOWED,
        rule=None,
        reason="",
        target=None,
        method="GET",
        path="/",
        time=0.0,
        approval=None,
        status=status,
    )


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from("abc")), max_size=60))
def test_bounds_hold_and_the_newest_stay(calls: list[tuple[int, str]]) -> None:
    """Whatever is added: at most 8 of all and 4 of one are kept, among them the one just added."""
    decisions = Decisions(capacity=8, share=4)
    owner: dict[int, str] = {}
    for number, subject in calls:
        decisions.add(told(number, owner.setdefault(number, subject)))
        kept = [n for n, who in owner.items() if decisions.find(f"dec_{n}", "corp", who)]
        assert number in kept
        assert len(kept) == len(decisions) <= 8
        assert max(Counter(owner[n] for n in kept).values()) <= 4


def test_a_flood_pushes_out_its_own_calls_only() -> None:
    """A hundred calls of one agent; the one call of the other is still there."""
    decisions = Decisions(capacity=8, share=4)
    decisions.add(told(0, "quiet"))
    for number in range(1, 101):
        decisions.add(told(number, "loud"))
    assert decisions.find("dec_0", "corp", "quiet")
    assert decisions.find("dec_96", "corp", "loud") is None
    assert all(decisions.find(f"dec_{number}", "corp", "loud") for number in range(97, 101))


def test_what_is_newly_known_replaces_what_was() -> None:
    """A call under way has no status; its answer takes the same place."""
    decisions = Decisions(capacity=2, share=2)
    decisions.add(told(1, status=None))
    decisions.add(told(2))
    decisions.add(told(1, status=200))
    found = decisions.find("dec_1", "corp", "a")
    assert found is not None
    assert found.status == 200
    assert len(decisions) == 2
    decisions.add(told(3))
    assert decisions.find("dec_1", "corp", "a") is None


def test_another_agents_call_is_not_found() -> None:
    """Identity is issuer and subject, both."""
    decisions = Decisions()
    decisions.add(told(1, "a"))
    assert decisions.find("dec_1", "corp", "a")
    assert decisions.find("dec_1", "corp", "b") is None
    assert decisions.find("dec_1", "partner", "a") is None


def test_texts_are_cut(told: Callable[..., ToldDecision]) -> None:
    """An agent decides how long its paths are, not how much memory they take."""
    long = told(path="/" + "x" * 100_000, reason="y" * 100_000)
    assert len(long.path) == len(long.reason) == LONGEST_TEXT
    assert long.path.endswith("…")


def test_the_repr_tells_numbers_only() -> None:
    """No path, no subject."""
    decisions = Decisions()
    decisions.add(told(1, "somebody"))
    assert repr(decisions) == "<Decisions: 1 of 1 agents>"


def test_the_newest_calls_of_a_session_come_first() -> None:
    """Of that agent and session alone, so many at most, an updated one once."""
    decisions = Decisions()
    for number in range(6):
        decisions.add(replace(told(number), session=SessionId("s-1" if number % 2 else "s-2")))
    decisions.add(replace(told(9, "b"), session=SessionId("s-1")))
    decisions.add(replace(told(1, status=403), session=SessionId("s-1")))
    found = decisions.newest("corp", "a", "s-1", limit=2)
    assert [each.id for each in found] == ["dec_5", "dec_3"]
    assert [each.status for each in decisions.newest("corp", "a", "s-1", limit=9)] == [200, 200, 403]
    assert decisions.newest("corp", "nobody", "s-1", limit=9) == []
