"""Audit events that anybody can cause: the first is told at once, then one in a while, with how many there were."""

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from gatehold.store import outbox
from gatehold.store.database import Store

EVERY: Final = 10.0
"""Seconds between two events."""


class SeldomEvents:
    """Events of one kind. Safe to use from several threads; ``note`` blocks."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._told = float("-inf")
        self._untold = 0

    def note(self, event: Mapping[str, Any]) -> None:
        """Write the event down, with the ``count`` of those since the last that was written. Raises StoreError."""
        with self._lock:
            now, self._untold = self._clock(), self._untold + 1
            if now - self._told < EVERY:
                return
            count, self._told, self._untold = self._untold, now, 0
        with self._store.writing() as connection:
            outbox.append(connection, {**event, "count": count}, at=now)
