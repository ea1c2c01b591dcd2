"""What is there at the start is not looked at by collections any more, and what comes later is soon."""

import gc
from collections import deque
from collections.abc import Iterator

import pytest

from gatehold import collecting


@pytest.fixture(autouse=True)
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leaves it as it was."""
    monkeypatch.setattr(collecting, "_settled", False)
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_what_is_there_is_left_alone_once() -> None:
    """A second gateway of the same process freezes nothing that will be over soon."""
    before = gc.get_freeze_count()
    collecting.settle()
    first = gc.get_freeze_count()
    assert first > before
    collecting.settle()
    assert gc.get_freeze_count() <= first


def test_garbage_does_not_gather() -> None:
    """What connections leave is collected as in a small process, however much there was at the start."""
    start = [[number] for number in range(400_000)]
    gc.collect()
    collecting.settle()
    before = gc.get_stats()[2]["collections"]
    connections: deque[list[object]] = deque(maxlen=5_000)
    for _ in range(50_000):
        connection: list[object] = []
        connection.append(connection)
        connections.append(connection)
    assert gc.get_stats()[2]["collections"] > before
    assert len(start) == 400_000
