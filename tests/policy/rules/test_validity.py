"""When rules hold."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from policy.rules.schema import RuleSpec
from policy.rules.validity import ALWAYS, Validity, compile_validity

moments = st.integers(1_735_689_600, 1_798_761_600).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
clocks = st.integers(0, 1440)


def validity(**keys: Any) -> Validity:
    return compile_validity(RuleSpec.model_validate({"name": "r", "effect": "allow", "http": {}, **keys}))


def test_no_keys_mean_always() -> None:
    """A rule without validity keys costs nothing to test."""
    assert validity() is ALWAYS


@given(moments, moments, moments)
def test_not_before_and_not_after(start: datetime, end: datetime, now: datetime) -> None:
    """Both ends belong to the time in which the rule holds."""
    if start < end:
        assert validity(notBefore=start, notAfter=end).holds(now) == (start <= now <= end)


@given(moments, clocks, clocks)
def test_a_window_of_all_days_is_a_span_of_the_clock(now: datetime, start: int, end: int) -> None:
    """Also where the span runs over midnight."""
    if start == end:
        return
    minute = now.hour * 60 + now.minute
    want = start <= minute < end if start < end else minute >= start or minute < end
    assert validity(windows=[{"from": start, "to": end, "timezone": "UTC"}]).holds(now) == want


@given(moments)
def test_seven_single_days_are_always(now: datetime) -> None:
    """One window for each day of the week leaves no moment out, and no moment lies in two of them."""
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    holding = [day for day in days if validity(windows=[{"days": [day], "timezone": "Asia/Tokyo"}]).holds(now)]
    assert len(holding) == 1


def test_the_wall_clock_of_the_zone_counts() -> None:
    """Nine o'clock stays nine o'clock when the zone changes to summer time."""
    office = validity(windows=[{"from": "09:00", "to": "10:00", "timezone": "Europe/Berlin"}])
    winter, summer = datetime(2026, 1, 5, 8, 30, tzinfo=UTC), datetime(2026, 7, 6, 7, 30, tzinfo=UTC)
    assert office.holds(winter)
    assert office.holds(summer)
    assert not office.holds(summer + timedelta(hours=1))
