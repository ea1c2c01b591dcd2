"""The newest lines of the journal first, as far as there is time: for pages, which must not read everything.

A scan goes back from the end, or from where an earlier one stopped, until it has found enough, came to the beginning
of the journal or of the time that was asked for, or has used up its budget. It says where to go on, and how far back it
looked. What cannot be read is passed over, as in ``recordings.listing``.
"""

import re
import time as clocks
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, Self

from recordings.journal import JOURNAL, WRITER, journal_files
from recordings.lines import canonical
from recordings.listing import Filter, Row, row_of
from recordings.regular import open_regular

_BLOCK: Final = 256 * 1024
_LONGEST: Final = 4 * 1024 * 1024
"""Bytes of a line; what is longer is no line of ours, and nothing before it is looked at."""
_SLICE: Final = 0.001
"""Seconds after which a scan lets other threads run: Python would let them wait 5 ms each time, and calls with them."""
_PAUSE: Final = 0.0005
_PLACE: Final = re.compile(r"([0-9A-Za-z-]{1,64}/\d{6,12}-\d{8}\.jsonl):(\d{1,18})", re.ASCII)
_TIME: Final = b',"time":'


class Place(NamedTuple):
    """A place in the journal, between two lines."""

    file: str
    """Writer and file name: ``main/000001-20260131.jsonl``."""
    offset: int
    """Bytes of that file which lie before it."""

    def __str__(self) -> str:
        return f"{self.file}:{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """What ``str`` made. Raises ValueError."""
        match = _PLACE.fullmatch(text)
        if match is None:
            raise ValueError("no place in a journal")
        return cls(match[1], int(match[2]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one scan may use."""

    bytes: int = 64 * 1024 * 1024
    seconds: float = 2.0


class Found(NamedTuple):
    """One line that counts."""

    row: Row
    place: Place
    """Behind the line: a scan from here finds it first."""


@dataclass(slots=True, kw_only=True)
class Scan:
    """What was found, the newest first."""

    found: list[Found] = field(default_factory=list)
    older: Place | None = None
    """Where to go on; None: there is nothing before."""
    is_cut: bool = False
    """The budget ended before there was enough."""
    oldest: float | None = None
    """How far back it looked, Unix seconds; None: no line had a time."""
    bytes: int = 0
    """That were read."""


def scan(  # noqa: PLR0913 (what, how much, from where, for how long)
    data_dir: Path,
    only: Filter,
    *,
    limit: int,
    at: Place | None = None,
    until_line: Callable[[Row], bool] | None = None,
    budget: Budget | None = None,
) -> Scan:
    """Up to ``limit`` lines that count, the newest first; ``until_line`` says of one that it is the last of interest.

    Blocks; its memory is that of what it finds and of half a megabyte. ``OSError`` where the journal cannot be read.
    """
    done, bounds, traces, said = Scan(), budget or Budget(), only.traces(), _said(only.text)
    for place, raw in _paced(_lines(data_dir, at, done), bounds.seconds, done):
        if only.since is not None and (moment := _time(raw)) is not None and moment < only.since:
            done.older = None
            return done
        could_be = all(trace in raw for trace in traces) and (said in raw.lower() or b"\\u" in raw)
        row = row_of(raw) if could_be else None
        if row is not None and only.takes(row):
            done.found.append(Found(row, Place(place.file, place.offset + len(raw) + 1)))
            if len(done.found) >= limit or (until_line is not None and until_line(row)):
                return _ended(done, raw, place)
        if done.bytes > bounds.bytes or done.is_cut:
            done.is_cut = True
            return _ended(done, raw, place)
    done.older = None
    return done


def _said(text: str) -> bytes:
    """What stands in small letters in every plain line that has this text in its path, query or operation."""
    if not text.isascii():
        return b""
    longest = max(text.lower().split("?"), key=len)  # path and query stand apart
    return canonical(longest).encode("ascii")[1:-1]


def _ended(done: Scan, raw: bytes, place: Place) -> Scan:
    done.older, done.oldest = place, _time(raw)
    return done


def _paced(lines: Iterator[tuple[Place, bytes]], seconds: float, done: Scan) -> Iterator[tuple[Place, bytes]]:
    """The same lines, with pauses; after so many seconds the scan is cut."""
    began = worked = clocks.monotonic()
    for line in lines:
        now = clocks.monotonic()
        if now - worked >= _SLICE:
            done.is_cut = now - began > seconds
            clocks.sleep(_PAUSE)
            worked = clocks.monotonic()
        yield line


def _lines(data_dir: Path, at: Place | None, done: Scan) -> Iterator[tuple[Place, bytes]]:
    """Every line with where it begins, the newest first."""
    files = journal_files(data_dir / JOURNAL / WRITER)[::-1]
    names = [f"{path.parent.name}/{path.name}" for path in files]
    start = names.index(at.file) if at is not None and at.file in names else 0
    for name, path in zip(names[start:], files[start:], strict=True):
        with open_regular(path) as file:
            end = file.seek(0, 2)
            here = min(end, at.offset) if at is not None and name == at.file else end
            for offset, raw in backwards(file, here, done):
                yield Place(name, offset), raw


def backwards(file: BinaryIO, end: int, done: Scan | None = None) -> Iterator[tuple[int, bytes]]:
    """Lines before ``end`` without their line feeds, the last first, with where they begin; a torn last one is none."""
    at, rest, whole = end, b"", False
    while at > 0:
        start = max(0, at - _BLOCK)
        file.seek(start)
        block = file.read(at - start)
        if done is not None:
            done.bytes += len(block)
        rest, *lines = (block + rest).split(b"\n")
        if lines and not whole:
            lines.pop()  # what follows the last line feed: nothing, or a line that is being written
            whole = True
        at = start
        if len(rest) > _LONGEST:
            return
        yield from _placed(start + len(rest) + 1, lines)
    if whole and rest:
        yield 0, rest


def _placed(offset: int, lines: list[bytes]) -> Iterator[tuple[int, bytes]]:
    places = [offset]
    for line in lines:
        places.append(places[-1] + len(line) + 1)
    yield from zip(reversed(places[:-1]), reversed(lines), strict=True)


def _time(raw: bytes) -> float | None:
    """When a line was written, Unix seconds, without reading all of it."""
    begin = raw.rfind(_TIME)
    digits = raw[begin + len(_TIME) : raw.find(b",", begin + 1)] if begin >= 0 else b""
    return int(digits) / 1000 if digits.isdigit() else None
