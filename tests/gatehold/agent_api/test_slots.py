"""Law: one agent's questions are bounded, and its bound is nobody else's."""

import pytest

from gatehold.agent_api.slots import Slots
from policy.codes import Code
from policy.errors import Refusal


def test_a_key_has_so_many_and_gets_them_back() -> None:
    """The third of two is refused; after one is given back there is room again, whatever ended it."""
    slots = Slots(2)
    with slots.taking("a"), slots.taking("b"):
        with pytest.raises(ZeroDivisionError), slots.taking("a"):
            1 / 0  # noqa: B018 - any error
        with slots.taking("a"):
            with pytest.raises(Refusal) as refusal, slots.taking("a"):
                pass
            assert refusal.value.code is Code.RATE_LIMITED
            assert refusal.value.retry_after == 1
            with slots.taking("b"):
                assert repr(slots) == "<Slots: 4 taken by 2>"
    assert repr(slots) == "<Slots: 0 taken by 0>"
