from gatehold.store import Store
from gatehold.store.limits import load, save
from policy.limits import LimitState


def test_counts_survive(store: Store) -> None:
    """The last word for a key is kept, others stay."""
    first = LimitState(key="a", tat=5.0, consumed=3, window_end=100.0)
    other = LimitState(key="b", tat=6.5, window_end=100.0)
    save(store, [first, other])
    again = LimitState(key="a", tat=9.0, consumed=2**40, window_end=200.0)
    save(store, [again])
    assert load(store, now=50.0) == [again, other]


def test_windows_that_ended_are_forgotten(store: Store) -> None:
    """The table does not grow with every agent that ever called."""
    save(store, [LimitState(key="old", tat=1.0, window_end=10.0), LimitState(key="new", tat=1.0, window_end=11.0)])
    assert [row.key for row in load(store, now=10.0)] == ["new"]
    assert [row.key for row in load(store, now=0.0)] == ["new"]


def test_nothing_to_save_is_nothing(store: Store) -> None:
    """No transaction for an empty list."""
    save(store, [])
    assert load(store, now=0.0) == []
