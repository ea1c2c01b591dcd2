"""Rates and budgets: never more than stated, never locked out for longer than the window, nothing refilled."""

import itertools
from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.limits import LASTING, LimitLedger, LimitState, key_for
from policy.model import Agent, LimitObligation, RuleName, SessionId, TargetName

KEY = ("k",)
AGENT = Agent(issuer="corp", subject="a1", groups=("dev", "sre"), session=SessionId("s1"))
CRM = TargetName("crm")

amounts = st.integers(1, 20)
windows = st.sampled_from([1.0, 60.0, 3600.0])
units = st.sampled_from(["rate", "calls", "bytes"])
steps = st.lists(st.floats(0, 1.5, allow_nan=False), max_size=80)
"""Times between calls, in windows."""


def limit(unit: str = "rate", amount: int = 5, window: float = 60.0, per: str = "agent") -> LimitObligation:
    return LimitObligation(rule=RuleName("r"), unit=unit, amount=amount, window=window, per=per)  # type: ignore[arg-type]


def take(ledger: LimitLedger, what: LimitObligation, now: float, amount: int = 1) -> bool:
    """One call as the gateway makes it: look, then charge."""
    if ledger.peek(what, KEY, now) > 0:
        return False
    ledger.charge(what, KEY, now, amount)
    return True


def passed(what: LimitObligation, gaps: list[float]) -> list[float]:
    """The times at which calls pass that come at these gaps."""
    ledger = LimitLedger()
    times = itertools.accumulate((gap * what.window / 4 for gap in gaps), initial=1e9)
    return [now for now in times if take(ledger, what, now)]


@given(amounts, windows, steps)
def test_a_rate_lets_at_most_a_burst_and_a_windowful_through(amount: int, window: float, gaps: list[float]) -> None:
    """In any window there are at most twice the amount, in n windows n + 1 times the amount."""
    what = limit("rate", amount, window)
    times = passed(what, gaps)
    for first, start in enumerate(times):
        for number in (1, 3):
            end = bisect_left(times, start + number * window)
            assert end - first <= (number + 1) * amount


@given(amounts, windows, steps, st.sampled_from(["calls"]))
def test_a_budget_is_never_overdrawn(amount: int, window: float, gaps: list[float], unit: str) -> None:
    """From the first use on, no window holds more than the amount."""
    times = passed(limit(unit, amount, window), gaps)
    while times:
        end = bisect_left(times, times[0] + window)
        assert end <= amount
        times = times[end:]


@given(amounts, windows, units)
def test_an_idle_key_has_room_for_the_whole_amount_at_once(amount: int, window: float, unit: str) -> None:
    """What is promised is given: the burst is the amount, and then there is a wait."""
    ledger, what = LimitLedger(), limit(unit, amount, window)
    assert all(take(ledger, what, 1e9) for _ in range(amount))
    assert not take(ledger, what, 1e9)
    assert 0 < ledger.peek(what, KEY, 1e9) <= window


@given(amounts, windows, units, steps)
def test_after_the_wait_that_was_told_there_is_room(amount: int, window: float, unit: str, gaps: list[float]) -> None:
    """``peek`` is neither too small nor far too large, and only falls while nobody calls."""
    ledger, what = LimitLedger(), limit(unit, amount, window)
    now = 1e9
    for gap in gaps:
        now += gap * window / 4
        take(ledger, what, now)
    wait = ledger.peek(what, KEY, now)
    half = ledger.peek(what, KEY, now + wait / 2)
    assert 0 <= half <= wait <= window
    assert ledger.peek(what, KEY, now + wait + window * 1e-6) == 0


@given(amounts, units, st.integers(0, 30), st.integers(0, 30))
def test_more_use_never_means_less_waiting(amount: int, unit: str, used: int, more: int) -> None:
    ledger, what = LimitLedger(), limit(unit, amount)
    for _ in range(used):
        ledger.charge(what, KEY, 1e9)
    before = ledger.peek(what, KEY, 1e9)
    for _ in range(more):
        ledger.charge(what, KEY, 1e9)
    assert ledger.peek(what, KEY, 1e9) >= before


@given(amounts, units, st.integers(1, 30), st.floats(0, 1e6))
def test_a_clock_that_is_set_back_locks_out_for_one_window_at_most(
    amount: int, unit: str, used: int, back: float
) -> None:
    ledger, what = LimitLedger(), limit(unit, amount)
    for _ in range(used):
        ledger.charge(what, KEY, 1e9)
    assert ledger.peek(what, KEY, 1e9 - back) <= what.window


@given(amounts, st.sampled_from([60.0, 3600.0]), units, steps)
def test_a_restart_refills_nothing(amount: int, window: float, unit: str, gaps: list[float]) -> None:
    """A ledger restored from exports answers like the one that goes on, whenever it was exported."""
    going_on, what, saved = LimitLedger(), limit(unit, amount, window), dict[str, LimitState]()
    now = 1e9
    for number, gap in enumerate(gaps):
        now += gap * window / 4
        restarted = LimitLedger()
        restarted.restore(saved.values())
        assert restarted.peek(what, KEY, now) == pytest.approx(going_on.peek(what, KEY, now))
        if take(going_on, what, now) or number % 3 == 0:
            saved |= {state.key: state for state in going_on.export_dirty(now)}


def test_short_windows_are_not_saved() -> None:
    ledger = LimitLedger()
    ledger.charge(limit(window=LASTING - 1), ("short",), 1e9)
    ledger.charge(limit(window=LASTING), ("long",), 1e9)
    assert [state.key for state in ledger.export_dirty(1e9)] == ["long"]
    assert ledger.export_dirty(1e9) == []


def test_what_could_not_be_saved_is_exported_again() -> None:
    ledger, what = LimitLedger(), limit("calls")
    ledger.charge(what, KEY, 1e9)
    states = ledger.export_dirty(1e9)
    ledger.export_again(states)
    ledger.charge(what, KEY, 1e9)
    assert [state.consumed for state in ledger.export_dirty(1e9)] == [2]


def test_of_two_states_the_fuller_one_counts() -> None:
    ledger, what = LimitLedger(), limit("calls", 5)
    older = LimitState(key="k", consumed=4, window_end=1e9 + 60)
    newer = LimitState(key="k", consumed=5, window_end=1e9 + 60)
    for order in ((older, newer), (newer, older)):
        ledger.restore(order)
        assert ledger.peek(what, KEY, 1e9) == 60


def test_bytes_may_be_overdrawn_by_the_call_that_is_under_way() -> None:
    ledger, what = LimitLedger(), limit("bytes", 100)
    assert take(ledger, what, 1e9, 99)
    ledger.charge(what, KEY, 1e9 + 1, 5000)
    assert ledger.peek(what, KEY, 1e9 + 2) == 58
    assert ledger.peek(what, KEY, 1e9 + 60) == 0


def test_keys_that_say_nothing_are_forgotten() -> None:
    ledger, what = LimitLedger(max_keys=3), limit("calls", 1)
    for number in range(3):
        ledger.charge(what, (str(number),), 1e9 + number)
    assert len(ledger) == 3
    assert ledger.peek(what, ("new",), 1e9 + 59) == what.window, "full of keys that matter: a new one has no room"
    assert ledger.peek(what, ("0",), 1e9 + 59) == 1, "known keys are counted as before"
    assert ledger.peek(what, ("new",), 1e9 + 60) == 0
    assert len(ledger) == 2
    ledger.prune(1e9 + 100)
    assert len(ledger) == 0
    assert ledger.export_dirty(1e9 + 100) == []


def test_memory_follows_the_keys_that_matter() -> None:
    """Keys come and go without end; those that are over do not pile up."""
    ledger, what = LimitLedger(), limit("calls", 1, 1.0)
    for number in range(20_000):
        assert ledger.peek(what, (str(number),), 1e9 + number * 0.01) == 0
        ledger.charge(what, (str(number),), 1e9 + number * 0.01)
    assert len(ledger) <= 2048


@pytest.mark.parametrize("per", ["agent", "session", "target", "group"])
def test_keys_say_what_is_counted_together(per: str) -> None:
    others = {
        "agent": Agent(issuer="corp", subject="a2", groups=AGENT.groups, session=SessionId("s1")),
        "session": Agent(issuer="corp", subject="a1", groups=AGENT.groups, session=SessionId("s2")),
        "group": Agent(issuer="corp", subject="a1", groups=("ops",), session=SessionId("s1")),
        "issuer": Agent(issuer="other", subject="a1", groups=AGENT.groups, session=SessionId("s1")),
    }
    together = {
        "agent": {"session", "group"},
        "session": {"group"},
        "target": set(others),
        "group": {"agent", "session"},
    }
    key = key_for(limit(per=per), AGENT, CRM)
    assert {name for name, other in others.items() if key_for(limit(per=per), other, CRM) == key} == together[per]
    elsewhere = key_for(limit(per=per), AGENT, TargetName("main"))
    assert (elsewhere == key) is (per != "target")


def test_limits_do_not_share_keys() -> None:
    keys = {
        key_for(LimitObligation(rule=RuleName(rule), unit=unit, amount=1, window=window), AGENT, CRM)
        for rule in ("a", "b")
        for unit in ("rate", "calls", "bytes")
        for window in (60.0, 3600.0)
    }
    assert len(keys) == 12


def test_a_changed_amount_keeps_what_was_used() -> None:
    assert key_for(limit(amount=5), AGENT, CRM) == key_for(limit(amount=50), AGENT, CRM)


def test_per_group_every_group_has_to_have_room() -> None:
    """An agent of two groups uses up both; the rule may say which of them count."""
    ledger, what = LimitLedger(), limit("calls", 1, per="group")
    ledger.charge(what, key_for(what, AGENT, CRM), 1e9)
    of_one = Agent(issuer="corp", subject="a9", groups=("dev",))
    assert ledger.peek(what, key_for(what, of_one, CRM), 1e9) > 0
    assert key_for(what, AGENT, CRM, groups={"sre"}) == key_for(what, AGENT, CRM)[1:]
    ungrouped = Agent(issuer="corp", subject="a9")
    assert ledger.peek(what, key_for(what, ungrouped, CRM), 1e9) == 0
