"""A clock that is told the time."""

from dataclasses import dataclass

NOW = 1_800_000_000.0


@dataclass
class Clock:
    """Unix seconds, as the test says."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now
