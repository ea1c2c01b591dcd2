"""Laws of new questions: an agent has few, and one about what is no more ends."""

from collections.abc import Callable
from typing import Any

import pytest

from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.model import Channel, Fingerprint, HeldCall
from gatehold.approvals.moves import GATEHOLD
from gatehold.approvals.states import ApprovalState
from gatehold.store import Store, outbox
from policy.codes import Code
from policy.errors import Refusal

type Calls = Callable[..., HeldCall]


def test_an_agent_cannot_flood_people(store: Store, clock: Any, settings: Any, make_call: Calls) -> None:
    """At most so many open questions; joining is free, other agents are not in the way, and ended ones make room."""
    desk = ApprovalDesk(store, settings(max_open_per_agent=2), clock)
    first = desk.open_or_join(make_call("1"))
    desk.open_or_join(make_call("2"))
    with pytest.raises(Refusal) as caught:
        desk.open_or_join(make_call("3"))
    assert caught.value.code is Code.RATE_LIMITED
    assert caught.value.retry_after
    assert desk.open_or_join(make_call("1")) == first
    desk.open_or_join(make_call("4", subject="a2"))
    desk.withdraw(first.id, by=GATEHOLD)
    desk.open_or_join(make_call("3"))


def test_another_effect_of_the_same_request_is_another_question(
    desk: ApprovalDesk, make_call: Calls, store: Store
) -> None:
    """The question about the old effect is taken back, a yes to it as well, and both are audited."""
    request = Fingerprint("r" * 64)
    asked = desk.open_or_join(make_call("3 to 20", request=request))
    other = desk.open_or_join(make_call("another request", request=Fingerprint("s" * 64)))
    answered = desk.open_or_join(make_call("4 to 20", request=request))
    desk.approve(answered.id, "alice", channel=Channel.CONSOLE)
    again = desk.open_or_join(make_call("5 to 20", request=request))
    states = [desk.get(each.id).state for each in (asked, answered, again, other)]
    assert states == ["withdrawn", "revoked", "pending", "pending"]
    assert not desk.spend(answered.id, answered.call.fingerprint)
    events = [each.event for each in outbox.waiting(store) if each.event["kind"] == "approval"]
    moved = [(event["approval"], event["to"], event["by"]) for event in events if event["to"] in states[:2]]
    assert moved == [(asked.id, "withdrawn", "gatehold"), (answered.id, "revoked", "gatehold")]


def test_calls_without_an_effect_replace_nothing(desk: ApprovalDesk, make_call: Calls) -> None:
    """They are told apart by their fingerprints alone."""
    first, second = desk.open_or_join(make_call()), desk.open_or_join(make_call("2"))
    assert {desk.get(each.id).state for each in (first, second)} == {ApprovalState.PENDING}
