from pathlib import Path

import pytest
from sqlalchemy import inspect

from gatehold.store import open_store
from gatehold.store.database import Store
from gatehold.store.errors import StoreError
from gatehold.store.opening import stored_version
from gatehold.store.sqlite import sqlite_engine
from gatehold.store.upgrading import upgrade


def test_a_migration_that_fails_leaves_the_old_schema(tmp_path: Path) -> None:
    """Upgrading is one transaction: a table that is in the way undoes the whole of it."""
    with Store(sqlite_engine(tmp_path / "gatehold.db")) as store:
        with store.writing() as connection:
            connection.exec_driver_sql("CREATE TABLE outbox (foreign_thing TEXT)")
        with pytest.raises(StoreError, match="outbox already exists"):
            open_store("sqlite", tmp_path)
        with store.reading() as connection:
            assert inspect(connection).get_table_names() == ["outbox"]
            assert stored_version(connection) is None


def test_a_path_with_percent_signs_is_no_trouble(tmp_path: Path) -> None:
    """Alembic's configuration interpolates; the location of the scripts is taken literally."""
    with open_store("sqlite", tmp_path / "100%(x)s") as store, store.reading() as connection:
        assert stored_version(connection) is not None


def test_an_unknown_revision_is_a_newer_one(tmp_path: Path) -> None:
    """The error names both versions."""
    with (
        Store(sqlite_engine(tmp_path / "gatehold.db")) as store,
        store.writing() as connection,
        pytest.raises(StoreError, match="schema 0815, this Gatehold knows"),
    ):
        upgrade(connection, "0815")
