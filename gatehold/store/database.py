"""The open store: an engine, and the two kinds of transaction that are run on it.

A writing transaction on SQLite starts with ``BEGIN IMMEDIATE``, so that what it reads cannot change before it writes;
threads of one process queue on a lock, since SQLite's own waiting sleeps and is not fair. On PostgreSQL the same
functions lock the rows they read (``with_for_update``, which SQLite's dialect leaves out) or a name (``serialize``).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from types import TracebackType
from typing import Final, Self

from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from gatehold.store.errors import StoreUnavailable

PATIENCE: Final = 10.0
"""Seconds that a transaction waits for others before the store counts as unavailable."""

_PASSING: Final = ("08", "25006", "40", "53", "55P03", "57")
"""PostgreSQL, appendix A: connection lost, standby, serialization and deadlock, resources, locks, the server stops."""

_READING: Final = "gatehold_reading"


class Store:
    """Every function that needs the store takes one of these; it may be used from any thread."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.dialect = engine.dialect.name
        self._readers = engine.execution_options(**{_READING: True, "postgresql_readonly": True})
        self._writer = threading.Lock()
        if self.dialect == "sqlite":
            event.listen(engine, "begin", _begin_sqlite)

    def __repr__(self) -> str:
        return f"<Store {self.dialect}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections. Safe to call twice."""
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view of the data; nothing may be written in it. Raises StoreUnavailable."""
        with _translated(), self._readers.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """All or nothing: committed at the end, rolled back when the body raises. Raises StoreUnavailable."""
        with _translated(), self._turn(), self.engine.begin() as connection:
            yield connection

    def serialize(self, connection: Connection, name: str) -> None:
        """From here to the end of this writing transaction, no other one with the same name runs."""
        if self.dialect == "postgresql":
            number = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True)
            connection.execute(select(func.pg_advisory_xact_lock(number)))

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self.dialect != "sqlite":
            yield
            return
        if not self._writer.acquire(timeout=PATIENCE):
            raise StoreUnavailable("the store is busy: other writers did not finish in time")
        try:
            yield
        finally:
            self._writer.release()


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get(_READING)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise StoreUnavailable(f"the store cannot be used now: {_cause(error)}") from error
    except DatabaseError as error:
        if not _passes(error):
            raise
        raise StoreUnavailable(f"the store cannot be used now: {_cause(error)}") from error
    except (ConnectionError, TimeoutError) as error:
        # pg8000 lets some faults of its socket through as they are.
        raise StoreUnavailable(f"the store cannot be used now: {error.strerror or type(error).__name__}") from error


def _passes(error: DatabaseError) -> bool:
    """Whether PostgreSQL says that it could not now, and not that it was asked for something wrong."""
    told = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return isinstance(told, dict) and str(told.get("C", "")).startswith(_PASSING)


def _cause(error: DatabaseError | InterfaceError | PoolTimeout) -> str:
    if isinstance(error, PoolTimeout):
        return "no connection is free"
    told = error.orig.args[0] if error.orig is not None and error.orig.args else None
    if isinstance(told, dict):
        return str(told.get("M", "")).partition("\n")[0] or type(error.orig).__name__
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__
