"""Law: so many tries at once and then one in a while, whatever else is tried."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.people import throttle
from gatehold.people.throttle import Throttle, network_of
from tests.gatehold.people.conftest import Clock


def test_tries_run_out_and_come_back() -> None:
    """Three at once, then one each ten seconds; whoever comes early waits as long as before."""
    clock = Clock(0.0)
    tries = Throttle(3, 30.0, clock)
    assert [tries.attempt("a") for _ in range(5)] == [0.0, 0.0, 0.0, 10.0, 10.0]
    assert tries.attempt("b") == 0.0
    clock.now = 9.0
    assert tries.attempt("a") == pytest.approx(1.0)
    clock.now = 10.0
    assert [tries.attempt("a"), tries.attempt("a")] == [0.0, 10.0]


def test_good_tries_are_given_back() -> None:
    """Somebody who knows the password may come as often as they like."""
    tries = Throttle(2, 60.0, Clock(0.0))
    for _ in range(50):
        assert tries.attempt("a") == 0.0
        tries.forgive("a")
    tries.forgive("never tried")


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0.0, 20.0)), max_size=60))
def test_no_window_sees_more_than_twice(steps: list[tuple[str, float]]) -> None:
    """However tries are spread, at most the amount at once and the amount per window."""
    clock = Clock(0.0)
    tries = Throttle(5, 50.0, clock)
    good: dict[str, list[float]] = {"a": [], "b": []}
    for key, pause in steps:
        clock.now += pause
        if not tries.attempt(key):
            good[key].append(clock.now)
    for times in good.values():
        assert all(sum(start <= at < start + 49.9 for at in times) <= 10 for start in times)


def test_keys_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that say nothing go first, then the oldest."""
    monkeypatch.setattr(throttle, "MOST_KEYS", 10)
    clock = Clock(0.0)
    tries = Throttle(1, 10.0, clock)
    for number in range(25):
        tries.attempt(str(number))
    assert repr(tries) == "<Throttle of 10 keys>"
    assert tries.attempt("24") > 0
    clock.now = 100.0
    tries.attempt("new")
    assert repr(tries) == "<Throttle of 1 keys>"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("unix", "unix"),
        ("", ""),
    ],
)
def test_one_machine_is_one(address: str, network: str) -> None:
    """Whoever has an IPv6 address has 2^64 of them."""
    assert network_of(address) == network
