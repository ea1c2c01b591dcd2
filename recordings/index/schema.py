"""The tables of the index, and how the file is opened.

Words (agents, rules, sessions ...) stand once and are named by number; decisions are named by 64 bits of a hash,
because each has a few lines only.
"""

import contextlib
import os
import sqlite3
from hashlib import blake2b
from pathlib import Path
from typing import Final

from recordings.files import PRIVATE_FILE

INDEX: Final = "index.db"
"""Below the data directory."""
_VERSION: Final = 1
_PATIENCE: Final = 5.0
"""Seconds to wait for another process that writes."""
_CACHE: Final = 16 * 1024
"""KiB of memory: decisions are put in at random places."""
_TABLES: Final = """
CREATE TABLE place (chain TEXT, file TEXT, begin INTEGER, end INTEGER, digest TEXT, seq INTEGER, first INTEGER);
INSERT INTO place VALUES ('', '', 0, 0, '', 0, 0);
CREATE TABLE words (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE lines (
    seq INTEGER PRIMARY KEY, file INTEGER NOT NULL, begin INTEGER NOT NULL, time INTEGER NOT NULL,
    kind INTEGER NOT NULL, session INTEGER, decision INTEGER, agent INTEGER, issuer INTEGER, target INTEGER,
    rule INTEGER, verdict INTEGER, code INTEGER, approval INTEGER, flow INTEGER,
    masked INTEGER NOT NULL, part INTEGER NOT NULL
);
CREATE TABLE resources (
    type INTEGER NOT NULL, name INTEGER NOT NULL, namespace INTEGER NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (type, name, namespace, seq)
) WITHOUT ROWID;
CREATE INDEX resources_seq ON resources (seq);
CREATE INDEX lines_time ON lines (time);
CREATE INDEX lines_streams ON lines (decision) WHERE part > 0;
"""
_NOT_OURS: Final = (sqlite3.SQLITE_DBCONFIG_ENABLE_TRIGGER, sqlite3.SQLITE_DBCONFIG_ENABLE_VIEW)
"""What we never make: who finds it in the file runs what somebody else has written."""
_SEARCHED: Final = ("session", "decision", "agent", "target", "rule", "verdict", "code", "approval")


class Unusable(Exception):
    """The index cannot be used now; the journal can."""


def connect(data_dir: Path) -> sqlite3.Connection:
    """Open the index of a data directory, made anew where there is none or one of another kind. Raises Unusable."""
    path = data_dir / INDEX
    try:
        if not path.exists() and data_dir.stat().st_uid != os.geteuid():
            raise Unusable(f"{data_dir} belongs to another account, which could not use an index of this one's")
        connection = _open(path)
        if connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            connection.close()
            connection = _anew(path)
    except (sqlite3.Error, OSError) as error:
        raise Unusable(f"{path}: {error}") from error
    return connection


def remove(data_dir: Path) -> None:
    """Throw the index away. Raises OSError."""
    for suffix in ("", "-wal", "-shm"):
        data_dir.joinpath(INDEX + suffix).unlink(missing_ok=True)


def key_of(decision: str) -> int:
    """The number by which the index knows a decision."""
    return int.from_bytes(blake2b(decision.encode("utf-8", "surrogatepass"), digest_size=8).digest(), signed=True)


def _open(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE))
    connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        for name in _NOT_OURS:
            connection.setconfig(name, False)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA cache_size = -{_CACHE}")
        connection.execute("PRAGMA synchronous = OFF")  # what a power failure spoils is made again
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _anew(path: Path) -> sqlite3.Connection:
    """In one transaction, in a file of this name."""
    connection = _open(path)
    with contextlib.ExitStack() as stack:
        stack.callback(connection.close)
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (name,) in tables:
                connection.execute(f'DROP TABLE "{name}"')
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            for column in _SEARCHED:
                connection.execute(f"CREATE INDEX lines_{column} ON lines ({column}) WHERE {column} IS NOT NULL")
            connection.execute(f"PRAGMA user_version = {_VERSION}")
        connection.execute("COMMIT")
        stack.pop_all()
    return connection
