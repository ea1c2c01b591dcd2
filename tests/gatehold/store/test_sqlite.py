import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from gatehold.store import open_store
from gatehold.store.errors import StoreUnavailable
from gatehold.store.schema import users


def test_the_file_belongs_to_its_user_alone(tmp_path: Path) -> None:
    """Database 0600, log files too, directory 0700; wider rights of an older file are taken back."""
    data = tmp_path / "deep" / "data"
    with open_store("sqlite", data) as store, store.writing() as connection:
        connection.execute(users.insert().values(name="alice", created=1.0))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data.iterdir()}
    assert modes == {"gatehold.db": 0o600, "gatehold.db-wal": 0o600, "gatehold.db-shm": 0o600}
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    (data / "gatehold.db").chmod(0o644)
    open_store("sqlite", data).close()
    assert stat.S_IMODE((data / "gatehold.db").stat().st_mode) == 0o600


def test_every_connection_is_durable_and_checked(tmp_path: Path) -> None:
    """Write-ahead log, full synchronisation, foreign keys and patience, on each connection."""
    with open_store("sqlite", tmp_path) as store, store.reading() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


def test_processes_that_create_the_store_together_agree(tmp_path: Path) -> None:
    """Gateway and commands may start at once on an empty directory: one store, everybody's rows in it."""
    script = (
        "import sys; from pathlib import Path; from gatehold.store import open_store; "
        "from gatehold.store.schema import users\n"
        "sys.stdin.readline(); store = open_store('sqlite', Path(sys.argv[1]))\n"
        "with store.writing() as c: c.execute(users.insert().values(name=sys.argv[2], created=0.0))\n"
        "store.close()"
    )
    data = tmp_path / "data"
    processes = [
        subprocess.Popen([sys.executable, "-c", script, str(data), f"user{number}"], stdin=subprocess.PIPE)
        for number in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.close()
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0, 0]
    with open_store("sqlite", data) as store, store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(users)).scalar_one() == 4
    assert [path.name for path in data.iterdir()] == ["gatehold.db"]


def test_a_locked_store_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever cannot write in time gets one clear error, without the statement's parameters."""
    monkeypatch.setattr("gatehold.store.sqlite.PATIENCE", 0.0)
    with open_store("sqlite", tmp_path) as store:
        other = sqlite3.connect(tmp_path / "gatehold.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"), store.writing():
            pass
        other.close()


def test_whoever_comes_second_keeps_the_first_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that saw no file, and finds one when its own is ready, drops its own: nobody's rows are lost."""
    with open_store("sqlite", tmp_path) as store, store.writing() as connection:
        connection.execute(users.insert().values(name="alice", created=1.0))
    with monkeypatch.context() as patched:
        patched.setattr(Path, "exists", lambda self: False)
        late = open_store("sqlite", tmp_path)
    with late, late.reading() as connection:
        assert connection.scalars(select(users.c.name)).all() == ["alice"]
    assert [path.name for path in tmp_path.iterdir()] == ["gatehold.db"]
