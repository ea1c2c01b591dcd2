import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import inspect, select

from gatehold.store import Store, open_store
from gatehold.store.errors import StoreError
from gatehold.store.opening import stored_version
from gatehold.store.schema import VERSION, metadata, users


def test_a_new_store_has_this_version(store: Store) -> None:
    """Opening an empty database leaves the schema that the code expects."""
    with store.reading() as connection:
        assert stored_version(connection) == VERSION
        assert set(metadata.tables) <= set(inspect(connection).get_table_names())


def test_data_survives_closing(open_again: Callable[[], Store]) -> None:
    """What one process committed, the next one finds."""
    with open_again() as first, first.writing() as connection:
        connection.execute(users.insert().values(name="alice", created=1.0))
    with open_again() as second, second.reading() as connection:
        assert connection.scalars(select(users.c.name)).all() == ["alice"]


def test_a_file_of_ones_own_choice(tmp_path: Path) -> None:
    """``sqlite:///FILE`` is under the data directory unless it is absolute."""
    open_store("sqlite:///other.db", tmp_path).close()
    open_store(f"sqlite:///{tmp_path}/elsewhere/absolute.db", tmp_path / "unused").close()
    assert (tmp_path / "other.db").exists()
    assert (tmp_path / "elsewhere" / "absolute.db").exists()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://user:planted-password@host/name", "mysql is not supported"),
        ("postgresql+asyncpg://user:planted-password@host/name", "asyncpg is not supported"),
        ("sqlite:///:memory:", "name a file"),
        ("sqlite://", "name a file"),
        ("sqlite://planted-password/x", "name a file"),
        ("not a url, planted-password", "not a URL"),
    ],
)
def test_other_urls_are_refused_without_repeating_them(tmp_path: Path, url: str, message: str) -> None:
    """The message says what is wrong and never holds the password."""
    with pytest.raises(StoreError, match=message) as caught:
        open_store(url, tmp_path)
    assert "planted-password" not in str(caught.value)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    """A file of another kind is left as it is."""
    (tmp_path / "gatehold.db").write_text("this is a text file, and a long one at that" * 100)
    with pytest.raises(StoreError, match="not a database"):
        open_store("sqlite", tmp_path)
    assert (tmp_path / "gatehold.db").read_text().startswith("this is a text file")


def test_a_directory_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    """Faults of the file system come as errors of the store, with the path."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"gatehold\.db"):
        open_store("sqlite", tmp_path / "file")


def test_a_newer_schema_is_refused_and_left_alone(open_again: Callable[[], Store]) -> None:
    """An older Gatehold does not touch what a newer one wrote."""
    with open_again() as store, store.writing() as connection:
        connection.exec_driver_sql("UPDATE schema_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="newer"):
        open_again()


def test_alembic_is_imported_only_to_migrate(tmp_path: Path) -> None:
    """The half second it costs is paid once per schema, not by every command."""
    script = (
        "import sys; from pathlib import Path; from gatehold.store import open_store; "
        "open_store('sqlite', Path(sys.argv[1])).close(); print('alembic' in sys.modules)"
    )
    runs = [subprocess.check_output([sys.executable, "-c", script, str(tmp_path)], text=True) for _ in range(2)]
    assert [run.strip() for run in runs] == ["True", "False"]


def test_repr_says_no_more_than_the_kind(tmp_path: Path) -> None:
    """Neither paths nor passwords."""
    with open_store("sqlite", tmp_path) as store:
        assert repr(store) == "<Store sqlite>"
