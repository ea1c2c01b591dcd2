"""Law: of each approval a channel is told each event once, in order, by one gateway; what fails is tried again, and in
the end given up, which the journal knows."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.model import Channel as Way
from gatehold.channels import deliveries
from gatehold.channels.courier import LONGEST_PAUSE, MOST_ATTEMPTS, PATIENCE, Courier, backoff
from gatehold.channels.model import Event, Undelivered
from gatehold.store import Store
from tests.gatehold.channels.conftest import Clock, Noting, a_call


def a_courier(noting: Noting, store: Store, clock: Clock, **more: Any) -> Courier:
    concerns = more.pop("concerns", lambda target, groups: True)
    return Courier(noting, store, concerns, life=1200.0, clock=clock, chance=lambda: 0.5, **more)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("postgres_url")) if request.param == "postgresql" else "sqlite"


async def test_each_event_once(store: Store, desk: ApprovalDesk, clock: Clock, noting: Noting) -> None:
    """Opened, answered, used: each is told when it happened, and never again."""
    courier = a_courier(noting, store, clock)
    call = a_call()
    approval = desk.open_or_join(call)
    assert await courier.turn() == 1
    assert await courier.turn() == 0
    desk.approve(approval.id, "alice", channel=Way.CONSOLE)
    await courier.turn()
    assert desk.spend(approval.id, call.fingerprint)
    await courier.turn()
    assert await courier.turn() == 0
    assert [(event, state) for _, event, state in noting.told] == [
        (Event.OPENED, "pending"),
        (Event.ANSWERED, "approved"),
        (Event.ENDED, "spent"),
    ]


async def test_a_denial_is_told_once(store: Store, desk: ApprovalDesk, clock: Clock, noting: Noting) -> None:
    """It is an answer and an end."""
    courier = a_courier(noting, store, clock)
    approval = desk.open_or_join(a_call())
    await courier.turn()
    desk.deny(approval.id, "alice", channel=Way.CONSOLE, reason="no")
    for _ in range(3):
        await courier.turn()
    assert [event for _, event, _ in noting.told] == [Event.OPENED, Event.ANSWERED]


async def test_the_end_of_a_question_nobody_answered(
    store: Store, desk: ApprovalDesk, clock: Clock, noting: Noting
) -> None:
    courier = a_courier(noting, store, clock)
    desk.open_or_join(a_call())
    await courier.turn()
    clock.now += 1000
    desk.expire_due()
    await courier.turn()
    assert [(event, state) for _, event, state in noting.told] == [(Event.OPENED, "pending"), (Event.ENDED, "expired")]


async def test_what_was_not_told_as_opened_is_not_told(
    store: Store, desk: ApprovalDesk, clock: Clock, noting: Noting
) -> None:
    """A channel that does not concern it, or did not exist then."""
    approval = desk.open_or_join(a_call())
    courier = a_courier(noting, store, clock, concerns=lambda target, groups: target == "billing" and groups)
    await courier.turn()
    desk.deny(approval.id, "alice", channel=Way.CONSOLE, reason="no")
    await a_courier(noting, store, clock).turn()
    assert noting.told == []


async def test_later_events_wait_for_earlier_ones(
    store: Store, desk: ApprovalDesk, clock: Clock, noting: Noting
) -> None:
    """However long the first takes."""
    noting.failing = [Undelivered("down"), Undelivered("down")]
    courier = a_courier(noting, store, clock)
    approval = desk.open_or_join(a_call())
    await courier.turn()
    desk.deny(approval.id, "alice", channel=Way.CONSOLE, reason="no")
    assert await courier.turn() == 0
    for _ in range(4):
        clock.now += 10
        await courier.turn()
    assert [event for _, event, _ in noting.told] == [Event.OPENED, Event.ANSWERED]


async def test_given_up(
    store: Store, desk: ApprovalDesk, clock: Clock, noting: Noting, events: Callable[[str], list[dict[str, Any]]]
) -> None:
    """After so many attempts, with an event; a failure that is final at once."""
    noting.failing = [Undelivered("down") for _ in range(MOST_ATTEMPTS)]
    courier = a_courier(noting, store, clock)
    approval = desk.open_or_join(a_call())
    attempts = 0
    for _ in range(MOST_ATTEMPTS + 3):
        attempts += await courier.turn()
        clock.now += LONGEST_PAUSE * 2
    assert attempts == MOST_ATTEMPTS
    noting.failing = [Undelivered("never", final=True)]
    other = desk.open_or_join(a_call("two"))
    assert [await courier.turn(), await courier.turn()] == [1, 0]
    told = [(each["approval"], each["reason"], each["attempts"]) for each in events("delivery-given-up")]
    assert told == [(approval.id, "down", MOST_ATTEMPTS), (other.id, "never", 1)]


async def test_the_receiver_says_when(store: Store, desk: ApprovalDesk, clock: Clock, noting: Noting) -> None:
    noting.failing = [Undelivered("busy", retry_after=120.0)]
    courier = a_courier(noting, store, clock)
    desk.open_or_join(a_call())
    await courier.turn()
    clock.now += 119
    assert await courier.turn() == 0
    clock.now += 2
    assert await courier.turn() == 1


async def test_two_gateways(store: Store, desk: ApprovalDesk, clock: Clock, open_again: Callable[[], Store]) -> None:
    """On one store, all at once: each question is told by one of them, whichever."""
    both = [Noting(), Noting()]
    couriers = [a_courier(noting, each, clock) for noting, each in zip(both, (store, open_again()), strict=True)]
    ids = {desk.open_or_join(a_call(str(number))).id for number in range(12)}
    for _ in range(4):
        await asyncio.gather(*(courier.turn() for courier in couriers))
    told = [approval for noting in both for approval, _, _ in noting.told]
    assert sorted(told) == sorted(ids)


async def test_one_that_died_is_followed(store: Store, desk: ApprovalDesk, clock: Clock, noting: Noting) -> None:
    """What it had taken is taken again after the lease; what it says then changes nothing."""
    approval = desk.open_or_join(a_call())
    deliveries.note(store, "ops", lambda *_: True, now=clock.now, since=0)
    [(taken, _)] = deliveries.take(store, "ops", now=clock.now, limit=9)
    courier = a_courier(noting, store, clock)
    assert await courier.turn() == 0
    clock.now += deliveries.LEASE + 1
    assert await courier.turn() == 1
    assert [told for told, _, _ in noting.told] == [approval.id]
    assert not deliveries.again(store, taken, due=clock.now)
    assert not deliveries.done(store, taken, now=clock.now, reference=None)
    assert await courier.turn() == 0


async def test_rows_of_what_is_over_are_dropped(store: Store, desk: ApprovalDesk, clock: Clock, noting: Noting) -> None:
    """Open questions keep theirs, however old."""
    courier = a_courier(noting, store, clock)
    over, standing = desk.open_or_join(a_call()), desk.open_or_join(a_call("two"))
    await courier.turn()
    desk.deny(over.id, "alice", channel=Way.CONSOLE, reason="no")
    await courier.turn()
    deliveries.forget(store, before=clock.now + 1)
    with store.reading() as connection:
        left = connection.exec_driver_sql("SELECT approval_id FROM deliveries").scalars().all()
    assert left == [standing.id]


async def test_it_runs_by_itself(store: Store, desk: ApprovalDesk, clock: Clock) -> None:
    """And is woken."""
    told = asyncio.Event()

    class Telling(Noting):
        async def tell(self, *arguments: Any) -> str | None:
            told.set()
            return await super().tell(*arguments)

    courier = a_courier(Telling(), store, clock)
    await courier.start()
    desk.open_or_join(a_call())
    courier.wake()
    async with asyncio.timeout(20):
        await told.wait()
    await courier.close()


@given(st.integers(1, 60), st.floats(0, 1, exclude_max=True))
def test_pauses_grow_to_a_bound(attempts: int, chance: float) -> None:
    assert 0.5 <= backoff(attempts, chance) <= 1.5 * LONGEST_PAUSE
    assert backoff(attempts, chance) <= backoff(attempts + 1, chance)


def test_an_attempt_is_shorter_than_its_lease() -> None:
    assert PATIENCE < deliveries.LEASE
