"""The stores of ``tests/gatehold/store``, and a clock that tests set."""

import pytest

from tests.gatehold.store.conftest import open_again, store, store_url

__all__ = ["Clock", "clock", "open_again", "store", "store_url"]


class Clock:
    """Unix seconds, as they are set."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Stands still."""
    return Clock()
