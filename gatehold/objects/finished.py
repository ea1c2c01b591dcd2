"""Which files are finished: what the journal says is sealed, in lines that are signed and so never taken back."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gatehold.objects.ledger import Ledger
from gatehold.sinks.anchors import newest_checkpoint
from recordings.deletions import marked_lines, was_never_made
from recordings.journal import JOURNAL, WRITER, journal_files
from recordings.lines import Line
from recordings.ocsf import Kind
from recordings.regular import is_flow_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """One file that does not change any more."""

    name: str
    """Below the data directory."""
    chain: str
    length: int | None = None
    """With which the journal says it was sealed; None for the journal's own files."""


class Spool:
    """What is finished and did not arrive yet. Methods may raise OSError."""

    def __init__(self, data_dir: Path, ledger: Ledger) -> None:
        self._data_dir = data_dir
        self._ledger = ledger
        self._done: set[str] = set()
        """Journal files with which all of their files arrived."""

    def waiting(self) -> list[Finished]:
        """The oldest first, flow files before the journal file that seals them. What is not there is left out."""
        signed = newest_checkpoint(self._data_dir)
        if signed is None:
            return []
        found: list[Finished] = []
        for path in journal_files(self._data_dir / JOURNAL / WRITER):
            if path.name not in self._done:
                found += self._of(path, signed.seq)
        return found

    def _of(self, path: Path, signed: int) -> list[Finished]:
        files = list(finished_files(path, signed))
        left = [each for each in files if each.name not in self._ledger.entries and self._is_here(each)]
        is_whole = any(each.name.endswith(path.name) for each in files)
        if is_whole and not left:
            self._done.add(path.name)
        return left

    def _is_here(self, file: Finished) -> bool:
        return (self._data_dir / file.name).is_file()


def finished_files(path: Path, signed: int) -> Iterator[Finished]:
    """Those that a journal file seals up to an event, and itself. Raises OSError."""
    for line in marked_lines(path, (Kind.FLOWS_SEAL, Kind.JOURNAL_SEAL)):
        if line.seq > signed:
            return
        if line.kind == Kind.FLOWS_SEAL:
            yield from _flows(line)
            continue
        for name in (path.name, path.with_suffix(".checkpoint").name):
            yield Finished(name=(JOURNAL / WRITER / name).as_posix(), chain=line.chain)


def _flows(line: Line) -> Iterator[Finished]:
    try:
        for each in line.event()["unmapped"]["gatehold"]["files"]:
            # Whoever may write lines must not choose what leaves this machine.
            if is_flow_file(each["file"]) and not was_never_made(each):
                yield Finished(name=each["file"], chain=line.chain, length=int(each["length"]))
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return  # a line that cannot be read is the business of ``recordings.verify``
