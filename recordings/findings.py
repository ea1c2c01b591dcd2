"""What a verification found."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """The first bad place."""

    file: str
    """Path below the data directory."""
    line: int
    """Line number in a journal file; 0 where there is none."""
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.message}"


@dataclass(slots=True, kw_only=True)
class Report:
    """What was found."""

    events: int = 0
    flows: int = 0
    checkpoints: int = 0
    first_break: Break | None = None
    notes: list[str] = field(default_factory=list)
    """What a person should know and what is no break: torn ends of open files, calls that a crash cut off."""
    open_intents: list[str] = field(default_factory=list)
    """Decisions that were to be sent upstream and of which no end is known."""
    signatures: bool = False
    """Were the checkpoints' signatures checked against a key from outside?"""
    anchored: int = 0
    """The last event that an anchor vouches for."""
    vouched: int = 0
    """The last event that a checkpoint vouches for."""
    deleted: int = 0
    """The last event that retention deleted; ``events`` counts those behind it."""
    deleted_flows: int = 0
    """Flow files that retention deleted, of those that the remaining events speak of."""

    uploaded_flows: int = 0
    """Flow files that are only in a bucket."""
    fetched_flows: int = 0
    """Those of them that were read there."""

    @property
    def last(self) -> int:
        """The last event that was read."""
        return self.deleted + self.events

    @property
    def intact(self) -> bool:
        """Nothing bad was found."""
        return self.first_break is None

    def summary(self) -> str:
        """One line: the counts, or the first bad place."""
        if self.first_break is not None:
            return str(self.first_break)
        return f"{self.events} events, {self.flows} flows, {self.checkpoints} checkpoints: intact"


class BrokenError(Exception):
    """The way out of a verification at the first bad place."""

    def __init__(self, file: str, line: int, message: str) -> None:
        self.place = Break(file=file, line=line, message=message)
        super().__init__(message)
