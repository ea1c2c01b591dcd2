"""Stores to test on: SQLite, and a real PostgreSQL."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gatehold.store import Store, open_store
from tests.postgres import emptied

type StoreFactory = Callable[[], Store]


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """Every test that takes a store runs on both kinds."""
    return emptied(request.getfixturevalue("postgres")) if request.param == "postgresql" else "sqlite"


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
