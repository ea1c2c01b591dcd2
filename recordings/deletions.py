"""What the journal says was deleted by retention.

A line of kind ``retention`` is written, synced and signed before anything that it names is removed, so that a crash in
between leaves files too many, never too few. It names flow files one by one, and journal files only as the oldest ones
without a gap, each with the last line that stood in it: from there a verifier goes on.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from recordings.journal import journal_files
from recordings.lines import Line, parse
from recordings.ocsf import Kind
from recordings.regular import LONGEST, open_regular

UPLOADED: Final = "uploaded"
"""The reason for which a flow file is removed here while a bucket has it."""
_BLOCK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedJournal:
    """One journal file that may be gone, and what stood at its end."""

    number: int
    last: int
    """``seq`` of its last line."""
    head: str
    """SHA-256 of that line."""
    checkpoint: tuple[int, str]
    """Number and SHA-256 of the last checkpoint up to there; (0, "") where there was none."""
    chain: str
    event: int
    """``seq`` of the line that says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedFlows:
    """One flow file that may be gone."""

    length: int
    event: int
    """``seq`` of the line that says so."""
    sha256: str
    """Of the whole file."""
    uploaded: bool = False
    """It is in a bucket."""


@dataclass(slots=True, kw_only=True)
class Deletions:
    """Everything that may be gone."""

    journals: dict[int, DeletedJournal] = field(default_factory=dict)
    """By number of the file."""
    flows: dict[str, DeletedFlows] = field(default_factory=dict)
    """By name below the data directory."""

    @classmethod
    def read(cls, directory: Path) -> Self:
        """What the journal files of a writer say. What cannot be read says nothing."""
        found = cls()
        for path in journal_files(directory):
            found.add(marked_lines(path, (Kind.RETENTION,)))
        return found

    @staticmethod
    def newest(directory: Path) -> int:
        """``seq`` of the last line that deletes, of those in the newest two files; 0: there is none."""
        newest = journal_files(directory)[-2:]
        return max((line.seq for path in newest for line in marked_lines(path, (Kind.RETENTION,))), default=0)

    def add(self, lines: Iterable[Line]) -> None:
        """Learn from lines of kind ``retention``; others and damaged ones are passed over."""
        for line in lines:
            if line.kind == Kind.RETENTION:
                self._add(line)

    def _add(self, line: Line) -> None:
        try:
            own = line.event()["unmapped"]["gatehold"]
            uploaded = own["reason"] == UPLOADED
            flows = {
                str(each["file"]): DeletedFlows(
                    length=int(each["length"]), event=line.seq, sha256=str(each["sha256"]), uploaded=uploaded
                )
                for each in own["files"]
            }
            journals = [_journal(each, line) for each in own["journal"]]
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
            return
        self.flows |= flows
        self.journals |= {each.number: each for each in journals}


def _journal(said: dict[str, Any], line: Line) -> DeletedJournal:
    signed = said.get("checkpoint") or {"number": 0, "sha256": ""}
    return DeletedJournal(
        number=int(said["file"].partition("-")[0]),
        last=int(said["last"]),
        head=str(said["head"]),
        checkpoint=(int(signed["number"]), str(signed["sha256"])),
        chain=line.chain,
        event=line.seq,
    )


def was_never_made(sealed: Mapping[str, Any]) -> bool:
    """Was a flow file announced, and its gateway killed before it was created? Its name may be given once more."""
    return bool(sealed.get("missing")) and not sealed["length"]


def marked_lines(path: Path, kinds: Iterable[Kind]) -> Iterator[Line]:
    """Whole lines of these kinds in a journal file, in order; looks for them in blocks, without reading the others."""
    marks = [b'"kind":"%b"' % kind.value.encode() for kind in kinds]
    names = frozenset(kind.value for kind in kinds)
    for raw in _candidates(path, marks):
        line = parse(raw)
        if line is not None and line.kind in names:
            yield line


def _candidates(path: Path, marks: list[bytes]) -> Iterator[bytes]:
    rest = b""
    with open_regular(path) as file:
        while block := file.read(_BLOCK):
            head, feed, tail = block.rpartition(b"\n")
            if feed:
                yield from _marked(rest + head, marks)
                rest = tail
            elif len(rest) < LONGEST:
                rest += block


def _marked(block: bytes, marks: list[bytes]) -> Iterator[bytes]:
    places = set()
    for mark in marks:
        at = block.find(mark)
        while at >= 0:
            places.add(block.rfind(b"\n", 0, at) + 1)
            end = block.find(b"\n", at)
            at = block.find(mark, end) if end >= 0 else -1
    for start in sorted(places):
        end = block.find(b"\n", start)
        yield block[start:end] if end >= 0 else block[start:]
