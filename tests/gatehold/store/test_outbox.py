from collections.abc import Callable

import pytest

from gatehold.store import Store, outbox


class Oops(Exception):
    """Raised by a transaction's body."""


def _append(store: Store, *numbers: int) -> None:
    with store.writing() as connection:
        for number in numbers:
            outbox.append(connection, {"number": number}, at=float(number))


def test_events_come_in_order_and_once(store: Store) -> None:
    """Taken, confirmed, gone."""
    _append(store, 1, 2, 3)
    taken = outbox.take(store, now=10.0, limit=2)
    assert [waiting.event["number"] for waiting in taken] == [1, 2]
    assert [waiting.at for waiting in taken] == [1.0, 2.0]
    outbox.done(store, [waiting.id for waiting in taken])
    assert [waiting.event["number"] for waiting in outbox.take(store, now=10.0)] == [3]
    assert len(outbox.waiting(store)) == 1


def test_what_was_not_confirmed_comes_again(store: Store) -> None:
    """A taker that died loses nothing: after its lease the same event comes, under the same uid."""
    _append(store, 1)
    first = outbox.take(store, now=10.0)
    assert outbox.take(store, now=10.0 + outbox.LEASE - 1) == []
    assert outbox.take(store, now=10.0 + outbox.LEASE) == first


def test_two_takers_do_not_get_the_same(open_again: Callable[[], Store]) -> None:
    """Two replicas share the work."""
    one, other = open_again(), open_again()
    _append(one, *range(10))
    taken = outbox.take(one, now=20.0, limit=6), outbox.take(other, now=20.0, limit=6)
    assert sorted(waiting.event["number"] for part in taken for waiting in part) == list(range(10))
    assert [len(part) for part in taken] == [6, 4]


def test_an_event_stands_and_falls_with_its_transaction(store: Store) -> None:
    """No event of what did not happen."""

    def fail() -> None:
        with store.writing() as connection:
            outbox.append(connection, {}, at=1.0)
            raise Oops

    with pytest.raises(Oops):
        fail()
    assert outbox.waiting(store) == []


def test_numbers_are_never_used_again(store: Store) -> None:
    """A confirmed event's id does not come back, so that it can be told from a repetition."""
    _append(store, 1)
    (old,) = outbox.take(store, now=5.0)
    outbox.done(store, [old.id])
    _append(store, 2)
    (new,) = outbox.take(store, now=5.0)
    assert new.id > old.id
    assert new.uid != old.uid


def test_confirming_nothing_or_twice_is_harmless(store: Store) -> None:
    """The recorder may repeat itself."""
    outbox.done(store, [])
    _append(store, 1)
    ids = [waiting.id for waiting in outbox.take(store, now=5.0)]
    outbox.done(store, ids)
    outbox.done(store, ids)
    assert outbox.waiting(store) == []
