"""The journal, read on from a position: whole lines in order, over all files, as they are written.

Lines that a full disk or a power failure took back may have been read before; then the line that follows does not name
the last one that was read, and the file is read anew from its beginning. Files that are gone are passed over, and that
is said. A journal that is another one (the old one was moved away) is read from its first file.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from gatehold.sinks.position import Position
from recordings.journal import JOURNAL, WRITER, file_number, journal_files
from recordings.lines import GENESIS, Line, parse
from recordings.regular import lines_of, open_regular

MOST_LINES: Final = 500
MOST_BYTES: Final = 256 * 1024
"""Of one batch; one line may be longer."""


@dataclass(slots=True, kw_only=True)
class Batch:
    """What stands behind a position."""

    lines: list[Line] = field(default_factory=list)
    position: Position
    """Behind the last of them."""
    skipped: int = 0
    """Lines that cannot be read."""
    again: bool = False
    """The position was not one of this journal any more: these lines begin with their file."""
    missing: tuple[int, int] | None = None
    """First and last number of files that should have come next and are gone."""


def beginning(data_dir: Path) -> Position | None:
    """Where a new sink begins: with the newest file, which this start of the gateway has opened; None: no file yet."""
    files = journal_files(data_dir / JOURNAL / WRITER)
    return Position(file=files[-1].name) if files else None


def oldest(data_dir: Path) -> Position | None:
    """Where a sink begins of which nobody knows how far it had come."""
    files = journal_files(data_dir / JOURNAL / WRITER)
    return Position(file=files[0].name) if files else None


def follow(data_dir: Path, position: Position) -> Batch:
    """The next lines; none where there are none yet. Raises OSError."""
    every = journal_files(data_dir / JOURNAL / WRITER)
    files = [path for path in every if file_number(path) >= position.number]
    if not files:
        return _anew(every[0]) if every else Batch(position=position)
    missing = None
    if (first := file_number(files[0])) > position.number:
        missing = position.number, first - 1
        position = Position(file=files[0].name)
    batch = _read(files[0], position)
    while not batch.lines and not batch.skipped and len(files) > 1:
        # The next one was there before this one was read: nothing more comes into this one.
        files = files[1:]
        batch = _read(files[0], replace(batch.position, file=files[0].name, offset=0))
    if batch.again and position.chain and any(line.chain != position.chain for line in batch.lines):
        return _anew(every[0])
    batch.missing = missing
    return batch


def _read(path: Path, position: Position) -> Batch:
    again = False
    batch = Batch(position=position)
    for raw, line in _lines(path, position.offset):
        if line is not None and not _follows(line, batch.position):
            again = True
            break
        batch.position = _behind(batch.position, raw, line)
        if line is None:
            batch.skipped += 1
            continue
        batch.lines.append(line)
        if len(batch.lines) >= MOST_LINES or batch.position.offset - position.offset >= MOST_BYTES:
            break
    if again or (position.offset and path.stat().st_size < position.offset):
        return _anew(path)
    return batch


def _anew(path: Path) -> Batch:
    """The file from its beginning; what is wrong in it now is left to ``gatehold audit verify``."""
    batch = Batch(position=Position(file=path.name), again=True)
    for raw, line in _lines(path, 0):
        batch.position = _behind(batch.position, raw, line)
        if line is None:
            batch.skipped += 1
        else:
            batch.lines.append(line)
        if len(batch.lines) >= MOST_LINES or batch.position.offset >= MOST_BYTES:
            break
    return batch


def _follows(line: Line, position: Position) -> bool:
    return position.sha256 in {GENESIS, line.prev}


def _behind(position: Position, raw: bytes, line: Line | None) -> Position:
    offset = position.offset + len(raw)
    if line is None:
        return replace(position, offset=offset, sha256=GENESIS)
    return replace(position, offset=offset, seq=line.seq, sha256=line.digest, chain=line.chain)


def _lines(path: Path, offset: int) -> Iterator[tuple[bytes, Line | None]]:
    """Whole lines from a place on, with their line feed."""
    with open_regular(path) as file:
        file.seek(offset)
        for raw in lines_of(file):
            if not raw.endswith(b"\n"):
                return
            yield raw, parse(raw[:-1])
