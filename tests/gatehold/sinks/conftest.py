"""A journal that is written to, and what sinks are told."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from gatehold.sinks.model import NotTaken
from recordings.acts import GatewayMove, gateway_event
from recordings.journal import JournalLimits
from recordings.lines import Line
from recordings.writer import Record, Writer, WriterLimits


class Told:
    """A place that takes everything, unless it is told not to."""

    def __init__(self) -> None:
        self.batches: list[list[Line]] = []
        self.refuses = False

    async def put(self, lines: Sequence[Line]) -> None:
        """Take them."""
        if self.refuses:
            raise NotTaken("no")
        self.batches.append(list(lines))

    async def close(self) -> None:
        """Nothing is open."""

    @property
    def seqs(self) -> list[int]:
        """Of all that it was told."""
        return [line.seq for batch in self.batches for line in batch]


class JournalUnderTest:
    """A data directory with a writer."""

    def __init__(self, data_dir: Path, file_size: int = 8000) -> None:
        self.data_dir = data_dir
        self._limits = WriterLimits(journal=JournalLimits(file_size=file_size, checkpoint_events=5))
        self.writer = Writer.open(data_dir, limits=self._limits)

    def write(self, count: int) -> None:
        """So many events."""
        for number in range(count):
            event = gateway_event(GatewayMove.RELOAD, time=1.0, message=f"event {number}")
            self.writer.write([Record(entries=(event.entry(),))])
            self.writer.sync()

    def restart(self, *, seal: bool = True) -> None:
        """Stop and start again."""
        self.writer.close(seal=seal)
        self.writer = Writer.open(self.data_dir, limits=self._limits)

    @property
    def files(self) -> list[Path]:
        """Of the journal."""
        return sorted((self.data_dir / "journal" / "main").glob("*.jsonl"))

    @property
    def last(self) -> int:
        """Number of the last event."""
        return sum(path.read_bytes().count(b"\n") for path in self.files)


@pytest.fixture
def told() -> Told:
    """A place that takes everything."""
    return Told()


@pytest.fixture
def journal(tmp_path: Path) -> JournalUnderTest:
    """A journal with small files."""
    return JournalUnderTest(tmp_path / "data")


@pytest.fixture
def make_lines(journal: JournalUnderTest) -> Callable[[int], list[Line]]:
    """Lines of a journal."""
    from recordings.lines import parse

    def make(count: int) -> list[Line]:
        journal.write(count)
        raws = [raw for path in journal.files for raw in path.read_bytes().splitlines()]
        return [line for raw in raws if (line := parse(raw)) is not None][-count:]

    return make
