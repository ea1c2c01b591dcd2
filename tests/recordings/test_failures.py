"""Failed authentications, counted."""

from hypothesis import given
from hypothesis import strategies as st

from recordings.events import Event
from recordings.failures import MINUTE, FailureCounter

STEPS = st.lists(
    st.tuples(st.floats(0, 90), st.sampled_from(["10.0.0.1", "10.0.0.2", "10.0.0.3"]), st.sampled_from(["a", "b"]))
)


def counted(events: list[Event]) -> int:
    """How many failures they tell of."""
    return sum(event.data["count"] for event in events)


@given(STEPS, st.integers(0, 3))
def test_no_failure_is_lost(steps: list[tuple[float, str, str]], addresses: int) -> None:
    """What was told and what was left at the end add up to what was counted, however many addresses are known."""
    counter, now, events = FailureCounter(addresses=addresses), 1000.0, list[Event]()
    for pause, address, reason in steps:
        now += pause
        events += counter.add(address, reason, now=now)
    assert counted([*events, *counter.flush(now)]) == len(steps)
    assert list(counter.flush(now)) == []


def test_a_flood_is_two_events() -> None:
    """The first failure at once, the others when the minute is over."""
    counter = FailureCounter()
    first = counter.add("10.0.0.1", "expired", now=0.0)
    assert counted(first) == 1
    for number in range(100):
        assert counter.add("10.0.0.1", "expired", now=float(number % 50)) == []
    assert list(counter.due(MINUTE - 1)) == []
    [rest] = counter.due(MINUTE)
    assert rest.data["count"] == 100
    assert rest.data["src_endpoint"] == {"ip": "10.0.0.1"}


def test_many_addresses_share_a_counter() -> None:
    """Memory does not grow with the number of addresses."""
    counter = FailureCounter(addresses=2)
    events = [event for n in range(50) for event in counter.add(f"10.0.0.{n}", "missing", now=1.0)]
    assert len(events) == 3
    [rest] = counter.flush(2.0)
    assert (rest.data["count"], rest.data["src_endpoint"]) == (47, {"name": "unknown"})
