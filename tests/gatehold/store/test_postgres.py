"""Law: what PostgreSQL cannot do now is ``StoreUnavailable``, whatever the driver calls it; what is wrong stays wrong."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from gatehold.store import Store, open_store
from gatehold.store.errors import StoreError, StoreUnavailable
from tests.postgres import emptied


def test_a_connection_that_is_ended_under_way(postgres: str, tmp_path: Path) -> None:
    """Unavailable in the transaction that it hits; the next one has a new connection."""
    with open_store(emptied(postgres), tmp_path) as store, open_store(postgres, tmp_path) as other:
        with pytest.raises(StoreUnavailable):
            _end_under_way(store, other)
        with store.reading() as connection:
            assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_a_lock_that_is_never_given_up(postgres: str, tmp_path: Path) -> None:
    """Who waits for it is told."""
    with (
        open_store(emptied(postgres), tmp_path) as store,
        open_store(postgres, tmp_path) as other,
        store.writing() as connection,
    ):
        store.serialize(connection, "one")
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            _wait_for(other, "one")


def _end_under_way(store: Store, other: Store) -> None:
    with store.writing() as connection:
        number = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with other.writing() as second:
            second.execute(text("SELECT pg_terminate_backend(:number)"), {"number": number})
        connection.execute(text("SELECT 1"))


def _wait_for(store: Store, name: str) -> None:
    with store.writing() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '1ms'"))
        store.serialize(connection, name)


def test_nobody_listens(tmp_path: Path) -> None:
    """Said at once, without the password."""
    with pytest.raises(StoreError) as caught:
        open_store("postgresql://gatehold:planted@127.0.0.1:1/gatehold", tmp_path)
    assert "planted" not in str(caught.value)


def test_what_is_wrong_stays_wrong(postgres: str, tmp_path: Path) -> None:
    """A fault of the code is not taken for a store that is away; a reading transaction writes nothing."""
    with open_store(emptied(postgres), tmp_path) as store:
        with pytest.raises(DatabaseError), store.writing() as connection:
            connection.execute(text("SELECT nothing_of_that_name"))
        with pytest.raises(StoreUnavailable), store.reading() as connection:
            connection.execute(text("DELETE FROM users"))
