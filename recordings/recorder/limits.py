"""Bounds of the recorder."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from recordings.journal import JournalLimits
from recordings.writer import WriterLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderLimits:
    """Bounds of what waits to be written, and how often the scribe looks after things (seconds)."""

    queue_records: int = 10_000
    queue_bytes: int = 64 * 1024 * 1024
    interval: float = 1.0
    patience: float = 5.0
    """Seconds for which a scribe waits for files that another process has."""
    ending: float = 20.0
    """Seconds that a scribe may take to write what is left and seal its files; then it is let go of as it is."""
    writer: WriterLimits = field(default_factory=WriterLimits)

    def plain(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def named(cls, plain: Mapping[str, Any]) -> "RecorderLimits":
        """What ``plain`` gave."""
        writer = {**plain["writer"], "journal": JournalLimits(**plain["writer"]["journal"])}
        return cls(**{**plain, "writer": WriterLimits(**writer)})
