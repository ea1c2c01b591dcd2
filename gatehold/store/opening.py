"""From the ``store.url`` of a configuration to an open store with the schema that this code expects."""

from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, Engine, column, create_engine, inspect, select, table
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError

from gatehold.store.database import PATIENCE, Store
from gatehold.store.errors import StoreError
from gatehold.store.schema import VERSION, VERSION_TABLE
from gatehold.store.sqlite import FILE_NAME, sqlite_engine

_SOCKET_PATIENCE: Final = 3 * PATIENCE
"""Seconds after which a server that says nothing is given up."""
_LIMITS: Final = {
    "lock_timeout": str(int(PATIENCE * 1000)),
    "statement_timeout": str(int(2 * PATIENCE * 1000)),
    "idle_in_transaction_session_timeout": str(int(3 * PATIENCE * 1000)),
}
"""What PostgreSQL ends by itself, in milliseconds: a gateway that died in a transaction holds nobody up for long."""


def open_store(url: str, data_dir: Path) -> Store:
    """Open the store, create it when it is new, bring it up to date when it is older.

    ``url`` is ``sqlite`` (the file ``gatehold.db`` under ``data_dir``), ``sqlite:///FILE`` (relative to ``data_dir``)
    or ``postgresql://user:password@host/name``. Raises StoreError.
    """
    store = Store(_engine(url, data_dir))
    try:
        _bring_up_to_date(store)
    except DatabaseError as error:
        store.close()
        raise StoreError(f"the store is not usable: {error.orig}") from error
    except BaseException:
        store.close()
        raise
    return store


def probe(url: str, data_dir: Path) -> str:
    """What state the store is in: ``new``, ``current`` or ``older``. Nothing is made or changed. Raises StoreError."""
    if url.startswith("sqlite"):
        file = data_dir / FILE_NAME if url == "sqlite" else _sqlite_file(make_url(url), data_dir)
        if not file.exists():
            return "new"
    with Store(_engine(url, data_dir)) as store:
        try:
            with store.reading() as connection:
                version = stored_version(connection)
        except DatabaseError as error:
            raise StoreError(f"the store is not usable: {error.orig}") from error
    return "new" if version is None else "current" if version == VERSION else "older"


def stored_version(connection: Connection) -> str | None:
    """Revision of the stored schema; None when the database is empty."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    versions = table(VERSION_TABLE, column("version_num"))
    return connection.execute(select(versions.c.version_num)).scalar_one_or_none()


def _engine(url: str, data_dir: Path) -> Engine:
    if url == "sqlite":
        return sqlite_engine(data_dir / FILE_NAME)
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError("store.url is not a URL; use sqlite or postgresql://user:password@host/name") from None
    if parsed.drivername == "sqlite":
        return sqlite_engine(_sqlite_file(parsed, data_dir))
    if parsed.drivername not in {"postgresql", "postgresql+pg8000"}:
        raise StoreError(f"store.url: {parsed.drivername} is not supported; use sqlite or postgresql")
    try:
        return create_engine(
            parsed.set(drivername="postgresql+pg8000"),
            hide_parameters=True,
            pool_pre_ping=True,
            pool_timeout=PATIENCE,
            connect_args={"timeout": _SOCKET_PATIENCE, "application_name": "gatehold", "startup_params": _LIMITS},
        )
    except (ModuleNotFoundError, NoSuchModuleError):
        raise StoreError("store.url: PostgreSQL needs the package pg8000, which is not installed") from None


def _sqlite_file(url: URL, data_dir: Path) -> Path:
    if not url.database or url.database == ":memory:" or url.host or url.query:
        raise StoreError("store.url: name a file, as in sqlite:///FILE, or just sqlite")
    return data_dir / url.database


def _bring_up_to_date(store: Store) -> None:
    with store.reading() as connection:
        if stored_version(connection) == VERSION:
            return
    from gatehold.store.upgrading import upgrade  # noqa: PLC0415 - alembic costs half a second, once per schema

    with store.writing() as connection:
        store.serialize(connection, VERSION_TABLE)
        current = stored_version(connection)
        if current != VERSION:
            upgrade(connection, current)
