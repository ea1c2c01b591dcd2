"""Law: a session ends at the first of its bounds, says by which, and bounds only ever become shorter."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.sessions.limits import UNBOUND, Bounds
from policy.model import SessionObligation

seconds = st.integers(1, 10**6).map(float)
some = st.one_of(st.none(), seconds)
moments = st.integers(0, 10**7).map(float)


@pytest.mark.parametrize(
    ("bounds", "now", "why"),
    [
        (UNBOUND, 1e12, ""),
        (Bounds(longest=28800.0), 28899.0, ""),
        (Bounds(longest=28800.0), 28900.0, "it lasted 8h"),
        (Bounds(idle=1800.0), 1999.0, ""),
        (Bounds(idle=1800.0), 2000.0, "idle for 30m"),
        (Bounds(longest=1900.0, idle=1800.0), 2000.0, "it lasted 1900s"),
    ],
)
def test_why_a_session_is_over(bounds: Bounds, now: float, why: str) -> None:
    """It began at 100 and was last seen at 200; the moment of the bound itself is too late."""
    assert bounds.why(started=100.0, seen=200.0, now=now) == why


@given(some, some, moments, moments, moments)
def test_it_is_over_from_its_end_on(
    longest: float | None, idle: float | None, started: float, use: float, now: float
) -> None:
    """There are words exactly from the moment on that ``end`` tells."""
    bounds, seen = Bounds.of(longest, idle), started + use
    assert bool(bounds.why(started=started, seen=seen, now=now)) is (now >= bounds.end(started=started, seen=seen))
    assert (bounds.end(started=started, seen=seen) == inf) is (longest is None and idle is None)


@given(st.lists(st.tuples(some, some), max_size=5))
def test_the_shortest_counts(asked: list[tuple[float | None, float | None]]) -> None:
    """Whatever the order; what asks for nothing changes nothing, not even the object."""
    bounds = backwards = UNBOUND
    for longest, idle in asked:
        bounds = bounds.with_those_of(SessionObligation(longest=longest, idle=idle))
        assert bounds.with_those_of(None) is bounds
        assert bounds.with_bounds(UNBOUND) is bounds
    for longest, idle in reversed(asked):
        backwards = backwards.with_those_of(SessionObligation(longest=longest, idle=idle))
    least = [min((each[at] or inf for each in asked), default=inf) for at in (0, 1)]
    assert bounds == backwards == Bounds(longest=least[0], idle=least[1])
