"""Law: a call pays all of its limits or none; who is refused is told when to come again; looking costs nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.limiting import Limiting
from policy.codes import Code
from policy.errors import Refusal
from policy.limits import LimitLedger
from policy.model import Agent, LimitObligation, Obligations, RuleName, TargetName

NOW = 1_000_000.0
ALICE, BOB = Agent(issuer="corp", subject="alice"), Agent(issuer="corp", subject="bob")
CRM = TargetName("crm")


def _limit(
    rule: str, *, unit: str = "calls", amount: int = 2, window: float = 60.0, per: str = "agent"
) -> LimitObligation:
    return LimitObligation(rule=RuleName(rule), unit=unit, amount=amount, window=window, per=per)  # type: ignore[arg-type]


class Clock:
    """Time as the test says."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limiting(clock: Clock) -> Limiting:
    return Limiting(LimitLedger(), clock=clock)


def _charge(limiting: Limiting, *limits: LimitObligation, agent: Agent = ALICE) -> None:
    limiting.charge(Obligations(limits=limits), agent, CRM)


def test_all_or_none(limiting: Limiting) -> None:
    """A call that one limit refuses has not paid the others, whatever their order."""
    wide, narrow = _limit("wide", amount=2), _limit("narrow", amount=1)
    _charge(limiting, wide, narrow)
    for order in ((wide, narrow), (narrow, wide)):
        with pytest.raises(Refusal) as refused:
            _charge(limiting, *order)
        assert refused.value.rule == "narrow"
    assert limiting.wait(wide, ALICE, CRM) == 0
    _charge(limiting, wide)
    assert limiting.wait(wide, ALICE, CRM) > 0


@given(st.lists(st.integers(min_value=1, max_value=4), min_size=1, max_size=4), st.integers(min_value=1, max_value=6))
def test_the_narrowest_limit_counts(amounts: list[int], calls: int) -> None:
    """However many limits there are: exactly as many calls pass as the smallest of them lets."""
    limiting = Limiting(LimitLedger(), clock=lambda: NOW)
    limits = [_limit(f"rule-{index}", amount=amount) for index, amount in enumerate(amounts)]
    passed = 0
    for _ in range(calls):
        try:
            _charge(limiting, *limits)
        except Refusal:
            continue
        passed += 1
    assert passed == min(calls, *amounts)


@pytest.mark.parametrize(("unit", "code"), [("rate", Code.RATE_LIMITED), ("calls", Code.BUDGET_SPENT)])
def test_a_refusal_says_when_there_is_room(limiting: Limiting, clock: Clock, unit: str, code: Code) -> None:
    """Whole seconds, rounded up; a call sent then passes."""
    limit = _limit("one", unit=unit, amount=1, window=59.5)
    _charge(limiting, limit)
    with pytest.raises(Refusal) as refused:
        _charge(limiting, limit)
    assert (refused.value.code, refused.value.retry_after, refused.value.rule) == (code, 60, "one")
    clock.now += refused.value.retry_after
    _charge(limiting, limit)


def test_looking_costs_nothing(limiting: Limiting) -> None:
    """Policy may ask as often as it likes."""
    limit = _limit("one", amount=1)
    assert [limiting.wait(limit, ALICE, CRM) for _ in range(5)] == [0] * 5
    _charge(limiting, limit)


def test_agents_do_not_pay_for_each_other(limiting: Limiting) -> None:
    """Unless the limit is the target's."""
    own, shared = _limit("own", amount=1), _limit("shared", amount=1, per="target")
    _charge(limiting, own)
    _charge(limiting, own, agent=BOB)
    _charge(limiting, shared)
    with pytest.raises(Refusal):
        _charge(limiting, shared, agent=BOB)


def test_bytes_are_paid_by_byte_budgets_only(limiting: Limiting) -> None:
    """The bytes of an answer spend no calls."""
    calls, size = _limit("calls", amount=1), _limit("size", unit="bytes", amount=100)
    limiting.charge_bytes(Obligations(limits=(calls, size)), ALICE, CRM, 1_000)
    assert limiting.wait(calls, ALICE, CRM) == 0
    assert limiting.wait(size, ALICE, CRM) == 60


def test_no_limits_are_no_refusal(limiting: Limiting) -> None:
    """And leave nothing in the ledger."""
    _charge(limiting)
    assert len(limiting.ledger) == 0


def test_a_group_pays_for_its_members() -> None:
    """Of an agent's groups only those count that the rule names."""
    limiting = Limiting(LimitLedger(), {RuleName("shared"): ("sre",)}, clock=lambda: NOW)
    shared = _limit("shared", amount=1, per="group")
    one = Agent(issuer="corp", subject="one", groups=("crew", "sre"))
    other = Agent(issuer="corp", subject="other", groups=("crew",))
    third = Agent(issuer="corp", subject="third", groups=("sre",))
    _charge(limiting, shared, agent=one)
    assert limiting.wait(shared, other, CRM) == 0
    with pytest.raises(Refusal):
        _charge(limiting, shared, agent=third)
