"""Law: gateways add to one session in any order and get the same; it ends once, and is told once."""

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest

from gatehold.sessions import rows
from gatehold.sessions.limits import UNBOUND, Bounds
from gatehold.sessions.rows import AgentSession, row_id
from gatehold.store import Store, outbox
from policy.model import SessionId

DAY = 86400.0
SEEN = AgentSession(
    issuer="corp",
    subject="a1",
    session=SessionId("s1"),
    groups=("planners",),
    started=100.0,
    seen=110.0,
    calls=2,
    denied=1,
    token_expires=1000.0,
)
type StoreFactory = Callable[[], Store]


def _add(store: Store, *seen: AgentSession) -> None:
    with store.writing() as connection:
        rows.add(connection, seen)


def _find(store: Store, session: AgentSession = SEEN) -> AgentSession:
    with store.reading() as connection:
        return rows.find(connection, [session.key])[session.key]


def test_the_parts_of_a_key_are_told_apart() -> None:
    """No two agents share a row, whatever their names are."""
    keys = [
        ("a", "bc", SessionId("d")),
        ("ab", "c", SessionId("d")),
        ("a", "b", SessionId("cd")),
        ("", "", SessionId("abcd")),
    ]
    assert len({row_id(key) for key in keys}) == len(keys)
    assert all(len(row_id(key)) == 64 for key in keys)


PARTS = (
    SEEN,
    replace(SEEN, started=90.0, seen=95.0, calls=1, denied=0, held=1, bounds=Bounds(idle=60.0)),
    replace(SEEN, started=105.0, seen=120.0, calls=4, denied=0, token_expires=900.0, bounds=Bounds.of(50.0, 70.0)),
)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_what_gateways_saw_adds_up(store: Store, order: tuple[int, ...]) -> None:
    """The first beginning, the last call, the shortest bounds, the sum of the calls."""
    for at in order:
        _add(store, PARTS[at])
    assert _find(store) == replace(
        SEEN, started=90.0, seen=120.0, calls=7, denied=1, held=1, bounds=Bounds(longest=50.0, idle=60.0)
    )


def test_many_at_once(store: Store) -> None:
    """More sessions than one statement names, and each is found again."""
    many = [replace(SEEN, session=SessionId(f"s{at}")) for at in range(1201)]
    _add(store, *many)
    with store.reading() as connection:
        found = rows.find(connection, [each.key for each in many])
        assert {each.key for each in many} == set(found)
        assert rows.find(connection, []) == {}
        assert [each.session for each in rows.named(connection, "s7")] == ["s7"]


def test_it_ends_once_and_stays_ended(store: Store) -> None:
    """The second to end it does not; calls that come late do not begin it anew; the record has one line."""
    _add(store, SEEN)
    with store.writing() as connection:
        assert rows.end(connection, SEEN.key, "idle for 30m", by="gatehold", now=500.0)
        assert not rows.end(connection, SEEN.key, "it lasted 8h", by="gatehold", now=501.0)
        assert not rows.end(connection, ("corp", "a2", SessionId("s1")), "x", by="gatehold", now=501.0)
    _add(store, replace(SEEN, seen=600.0))
    found = _find(store)
    assert (found.ended, found.why, found.calls, found.seen) == (500.0, "idle for 30m", 4, 600.0)
    (event,) = outbox.waiting(store)
    assert (event.event["kind"], event.event["action"], event.event["session"]) == ("session", "end", "s1")
    assert (event.event["reason"], event.event["by"]) == ("idle for 30m", "gatehold")


def test_who_is_told_of_ends(store: Store) -> None:
    """Those that ended after the moment, and why."""
    other = replace(SEEN, subject="a2")
    _add(store, SEEN, other, replace(SEEN, subject="a3"))
    with store.writing() as connection:
        rows.end(connection, SEEN.key, "one", by="gatehold", now=500.0)
        rows.end(connection, other.key, "two", by="gatehold", now=510.0)
    with store.reading() as connection:
        assert rows.ended_since(connection, 499.0) == {SEEN.key: "one", other.key: "two"}
        assert rows.ended_since(connection, 500.0) == {other.key: "two"}


def test_what_is_listed(store: Store) -> None:
    """Those that go on, the last seen first; all of them on demand."""
    later, over = replace(SEEN, subject="a2", seen=200.0), replace(SEEN, subject="a3", token_expires=300.0)
    _add(store, SEEN, later, over)
    with store.writing() as connection:
        rows.end(connection, SEEN.key, "x", by="gatehold", now=350.0)
    with store.reading() as connection:
        assert [each.subject for each in rows.listing(connection, now=400.0)] == ["a2"]
        assert [each.subject for each in rows.listing(connection, now=400.0, everything=True)] == ["a2", "a1", "a3"]
        assert {each.subject for each in rows.under_way(connection, now=400.0)} == {"a1", "a2"}


@pytest.mark.parametrize(
    ("session", "ended", "after", "stays"),
    [
        (SEEN, None, 1000.0, True),
        (SEEN, None, 1000.0 + DAY, False),
        (replace(SEEN, bounds=Bounds(longest=60.0)), None, 1000.0 + DAY, True),
        (replace(SEEN, bounds=Bounds(longest=60.0)), None, 110.0 + 30 * DAY, False),
        (SEEN, 500.0, 1000.0 + DAY, True),
        (SEEN, 500.0, 500.0 + 30 * DAY, False),
        (replace(SEEN, token_expires=100 * DAY), 500.0, 40 * DAY, True),
    ],
)
def test_how_long_it_is_remembered(
    store: Store, session: AgentSession, ended: float | None, after: float, stays: bool
) -> None:
    """One whose tokens count stays; one that had bounds stays long after, or renewed tokens would begin it anew."""
    _add(store, session)
    with store.writing() as connection:
        if ended is not None:
            rows.end(connection, session.key, "x", by="gatehold", now=ended)
        rows.forget(connection, now=after)
        assert bool(rows.find(connection, [session.key])) is stays


def test_when_it_ends_at_the_latest() -> None:
    """With its tokens, or by its bounds before."""
    assert SEEN.ends == 1000.0
    assert replace(SEEN, bounds=Bounds(idle=60.0)).ends == 170.0
    assert SEEN.bounds is UNBOUND
