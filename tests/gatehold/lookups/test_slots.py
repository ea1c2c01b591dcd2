"""Law: look-ups under way are bounded per agent and in total, and a slot is given back however its work ended."""

import contextlib

import pytest

from gatehold.lookups.slots import Slots
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent, SessionId

ONE, OTHER = (Agent(issuer="corp", subject=name, session=SessionId("s")) for name in ("a1", "a2"))


def test_one_agent_cannot_take_all() -> None:
    """The refusal says when to come again; another agent has its own slots."""
    slots = Slots(per_agent=1, in_total=3)
    with slots.taken(ONE):
        with pytest.raises(Refusal) as refused, slots.taken(ONE):
            pass
        assert (refused.value.code, refused.value.retry_after) == (Code.RATE_LIMITED, 1)
        with slots.taken(OTHER):
            pass


def test_all_agents_together_are_bounded() -> None:
    """However many they are."""
    slots = Slots(per_agent=1, in_total=1)
    with slots.taken(ONE), pytest.raises(Refusal), slots.taken(OTHER):
        pass


def test_a_slot_is_given_back() -> None:
    """After an error as well."""
    slots = Slots(per_agent=1, in_total=1)
    for _ in range(2):
        with contextlib.suppress(ZeroDivisionError), slots.taken(ONE):
            raise ZeroDivisionError
    assert repr(slots) == "<Slots 0 of 1 taken>"
