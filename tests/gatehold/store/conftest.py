"""Stores to test on: SQLite, and PostgreSQL where GATEHOLD_TEST_POSTGRES names a database that may be emptied."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from gatehold.store import Store, open_store

POSTGRES = os.environ.get("GATEHOLD_TEST_POSTGRES", "")

type StoreFactory = Callable[[], Store]


def _emptied(url: str) -> str:
    engine = create_engine(url.replace("postgresql://", "postgresql+pg8000://"))
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return url


@pytest.fixture(params=["sqlite", "postgresql"] if POSTGRES else ["sqlite"])
def store_url(request: pytest.FixtureRequest) -> str:
    return _emptied(POSTGRES) if request.param == "postgresql" else "sqlite"


@pytest.fixture
def open_again(store_url: str, tmp_path: Path) -> Iterator[StoreFactory]:
    """Opens the same store each time, as another process would."""
    opened: list[Store] = []

    def factory() -> Store:
        opened.append(open_store(store_url, tmp_path / "data"))
        return opened[-1]

    yield factory
    for store in opened:
        store.close()


@pytest.fixture
def store(open_again: StoreFactory) -> Store:
    return open_again()
