"""A real PostgreSQL for tests: a server of its own, on a free loopback port, in a directory that is thrown away.

PostgreSQL refuses to run as root; then it runs as the account ``postgres``, or ``nobody``. Where it is not installed
tests that need it are skipped, or fail where ``GATEHOLD_REQUIRE`` names ``postgres``.
"""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

from gatehold.store.opening import stored_version
from gatehold.store.schema import VERSION, metadata
from tests.requiring import lacking

USER = "gatehold"
PASSWORD = "made-for-tests"
_PLACES = ("/usr/local/bin", "/usr/local/pgsql/bin")
_SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "unix_socket_directories=",
    "max_connections=60",
)


def programs() -> Path | None:
    """The directory of ``initdb`` and ``postgres``; None where they are not installed."""
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    found = shutil.which("postgres")
    places = [*newest, *map(Path, _PLACES), *([Path(found).parent] if found else [])]
    return next((each for each in places if (each / "initdb").exists() and (each / "postgres").exists()), None)


@contextmanager
def server() -> Iterator[str]:
    """The URL of an empty database; skips (or fails) where there is no PostgreSQL."""
    place = programs()
    if place is None:
        lacking("postgres", "PostgreSQL is not installed")
    account = _account()
    with tempfile.TemporaryDirectory(prefix="gatehold-postgres-") as directory:
        os.chown(directory, account.pw_uid, account.pw_gid)
        data, secret = Path(directory) / "data", Path(directory) / "password"
        secret.write_text(PASSWORD)
        os.chown(secret, account.pw_uid, account.pw_gid)
        initdb = [place / "initdb", "-D", data, "-U", USER, f"--pwfile={secret}", "--auth=scram-sha-256", "-E", "UTF8",
                  "--locale=C", "--no-sync"]  # fmt: skip
        subprocess.run(
            initdb, check=True, capture_output=True, user=account.pw_uid, group=account.pw_gid, cwd=directory
        )
        port = _free_port()
        options = [
            part for setting in (*_SETTINGS, "listen_addresses=127.0.0.1", f"port={port}") for part in ("-c", setting)
        ]
        with (Path(directory) / "log").open("wb") as log:
            process = subprocess.Popen(
                [place / "postgres", "-D", data, *options], stdout=log, stderr=log, user=account.pw_uid,
                group=account.pw_gid, extra_groups=[], cwd=directory,
            )  # fmt: skip
            try:
                _wait(process, port)
                yield f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/postgres"
            finally:
                process.terminate()
                process.wait(30)


def cleared(url: str) -> str:
    """The same database without rows; with nothing in it where its tables are not those of now."""
    engine = create_engine(url.replace("postgresql://", "postgresql+pg8000://"))
    with engine.begin() as connection:
        current = stored_version(connection) == VERSION
        if current:
            names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    engine.dispose()
    return url if current else emptied(url)


def emptied(url: str) -> str:
    """The same database with nothing in it."""
    engine = create_engine(url.replace("postgresql://", "postgresql+pg8000://"))
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return url


def _account() -> pwd.struct_passwd:
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid())
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise LookupError("no account that PostgreSQL could run as")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    """Until it answers queries; the driver itself is asked, for a port that is open is not yet a database."""
    url = f"postgresql+pg8000://{USER}:{PASSWORD}@127.0.0.1:{port}/postgres"
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError("PostgreSQL ended while it started")
        engine = create_engine(url)
        try:
            with engine.connect():
                return
        except Exception:  # noqa: BLE001 - it is not there yet
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
        finally:
            engine.dispose()
    raise RuntimeError("PostgreSQL did not start")
