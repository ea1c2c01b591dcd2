import threading
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from gatehold.store import Store
from gatehold.store.errors import StoreUnavailable
from gatehold.store.schema import users


class Oops(Exception):
    """Raised by a transaction's body."""


def _count(store: Store) -> int:
    with store.reading() as connection:
        return connection.execute(select(func.count()).select_from(users)).scalar_one()


def test_a_body_that_raises_leaves_nothing(store: Store) -> None:
    """All or nothing."""

    def fail() -> None:
        with store.writing() as connection:
            connection.execute(users.insert().values(name="alice", created=1.0))
            raise Oops

    with pytest.raises(Oops):
        fail()
    assert _count(store) == 0


def test_reading_is_one_consistent_view(open_again: Callable[[], Store]) -> None:
    """On SQLite a reader sees the moment it began, whatever others commit meanwhile, and blocks nobody."""
    store, other = open_again(), open_again()
    if store.dialect != "sqlite":
        pytest.skip("PostgreSQL reads what is committed, statement by statement")
    with store.reading() as connection:
        statement = select(func.count()).select_from(users)
        assert connection.execute(statement).scalar_one() == 0
        with other.writing() as writer:
            writer.execute(users.insert().values(name="alice", created=1.0))
        assert connection.execute(statement).scalar_one() == 0
    assert _count(store) == 1


def test_writers_of_one_process_take_turns(store: Store) -> None:
    """Read-modify-write of many threads loses nothing."""
    with store.writing() as connection:
        connection.execute(users.insert().values(name="counter", created=0.0))

    def add_one() -> None:
        for _ in range(10):
            with store.writing() as connection:
                store.serialize(connection, "counter")
                value = connection.execute(select(users.c.created)).scalar_one()
                connection.execute(users.update().values(created=value + 1))

    threads = [threading.Thread(target=add_one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.reading() as connection:
        assert connection.execute(select(users.c.created)).scalar_one() == 60


def test_a_turn_that_does_not_come_is_unavailable(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that waits for another one in vain is refused, not left waiting."""
    if store.dialect != "sqlite":
        pytest.skip("PostgreSQL writers do not queue")
    monkeypatch.setattr("gatehold.store.database.PATIENCE", 0.01)
    with store.writing(), pytest.raises(StoreUnavailable, match="busy"), store.writing():
        pass


def test_closing_twice_is_harmless(store: Store) -> None:
    """Clean-up code need not know who closed first."""
    store.close()
    store.close()
