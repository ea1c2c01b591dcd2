"""Failed authentications, counted: one event per address, reason and minute instead of one per attempt.

The first failure of a minute is an event at once; those that follow are counted and become a second event when the
minute is over. Addresses beyond a bound share one counter, so that a flood from many addresses costs no memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from recordings.acts import authentication_failure
from recordings.events import Event

MINUTE: Final = 60.0


@dataclass(slots=True)
class _Count:
    first: float
    last: float
    count: int = 0


class FailureCounter:
    """Belongs to one event loop; time is passed in."""

    def __init__(self, *, addresses: int = 1000) -> None:
        self._bound = addresses
        self._counts: dict[tuple[str, str], _Count] = {}
        self._ends = 0.0

    def add(self, address: str, reason: str, *, now: float) -> list[Event]:
        """Count one failure; returns what is to be journaled now."""
        events = list(self.due(now))
        if not self._counts:
            self._ends = now + MINUTE
        key = (address if self._knows(address, reason) else "", reason)
        if key in self._counts:
            self._counts[key].count += 1
            self._counts[key].last = now
            return events
        self._counts[key] = _Count(now, now)
        return [*events, authentication_failure(address=address, reason=reason, count=1, first=now, last=now, time=now)]

    def due(self, now: float) -> Iterator[Event]:
        """The events of a minute that is over."""
        if self._counts and now >= self._ends:
            yield from self.flush(now)

    def flush(self, now: float) -> Iterator[Event]:
        """All that was counted and not told yet."""
        counts, self._counts = self._counts, {}
        for (address, reason), seen in counts.items():
            if seen.count:
                yield authentication_failure(
                    address=address, reason=reason, count=seen.count, first=seen.first, last=seen.last, time=now
                )

    def _knows(self, address: str, reason: str) -> bool:
        return (address, reason) in self._counts or len(self._counts) < self._bound
