"""The embedded database: one file that belongs to one user, readable and writable by several processes.

``synchronous=FULL``: with the cheaper ``NORMAL`` a power cut can lose the last commits of a write-ahead log. One of
them may be the spending of an approval whose call has gone out, and the same approval would pass a second time.
"""

import os
import secrets
import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Engine, create_engine, event

from gatehold.store.database import PATIENCE
from gatehold.store.errors import StoreError, StoreUnavailable

FILE_NAME: Final = "gatehold.db"

_APPLICATION_ID: Final = 0x47415445
"""Marks the file as ours for tools such as ``file``."""


def sqlite_engine(path: Path) -> Engine:
    """Engine on a database file, which is created (0600, its directory 0700) when it does not exist."""
    try:
        _create(path)
        _close_to_others(path)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error
    except sqlite3.Error as error:
        raise StoreUnavailable(f"{path}: {error}") from error
    engine = create_engine(URL.create("sqlite", database=str(path)), hide_parameters=True)
    event.listen(engine, "connect", _configure)
    return engine


def _create(path: Path) -> None:
    """Make the file under another name first: whoever sees it under its own finds a write-ahead log database."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        connection = sqlite3.connect(draft, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        finally:
            connection.close()
        _publish(draft, path)
    finally:
        draft.unlink()


def _publish(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return  # another process was first; its file is as good


def _close_to_others(path: Path) -> None:
    mode = path.stat().st_mode
    if mode & 0o077:
        path.chmod(mode & 0o700)


def _configure(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by the store, not guessed by the driver
    connection.execute(f"PRAGMA busy_timeout = {int(PATIENCE * 1000)}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA trusted_schema = OFF")
