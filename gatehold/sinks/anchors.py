"""Copies of the newest checkpoint outside the data directory, so that a roll-back of all of it is found.

One file per checkpoint, named by chain and event, created and never written again::

    3f9c2a61d08b47e5-000000001042.checkpoint

Before a start the newest copy is held against the journal. A journal that does not reach it, or says something else
there, was rolled back (or restored from a backup, which looks the same): that is an event, and said loudly.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from recordings.checkpoints import KEY_FILE, Checkpoint, read_checkpoints, signing_key
from recordings.files import sync_directory
from recordings.journal import JOURNAL, WRITER, file_number, journal_files

_NAME: Final = re.compile(r"([0-9A-Za-z-]{1,64})-(\d{12})\.checkpoint", re.ASCII)
_MODE: Final = 0o640


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """An anchor that a data directory does not live up to."""

    anchor: Checkpoint
    reached: int
    """Events that are here and signed; -1: there are as many, but others."""

    def __str__(self) -> str:
        there = f"event {self.anchor.seq} of chain {self.anchor.chain}"
        if self.reached < 0:
            return f"an anchor vouches for {there}, and the journal says something else there"
        return f"an anchor vouches for {there}, and the journal is signed to event {self.reached}: it was rolled back"


def newest_checkpoint(data_dir: Path) -> Checkpoint | None:
    """The last one of a data directory. Raises OSError."""
    return next(_checkpoints(data_dir), None)


class Store(Protocol):
    """Where copies are kept. Its methods raise OSError."""

    def keep(self, checkpoint: Checkpoint) -> bool:
        """Keep a copy; False where there is one already. OSError too where another stands under its name."""

    def newest(self) -> dict[str, Checkpoint]:
        """The newest copy of each chain."""


class Directory:
    """Copies in a directory, which has to be there: one that is missing may be one that is not mounted."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, checkpoint: Checkpoint) -> bool:
        """Create a file."""
        path = self._path / copy_name(checkpoint)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            descriptor = os.open(path, flags, _MODE)
        except FileExistsError:
            return check_same(path.name, _read(path), checkpoint)
        with os.fdopen(descriptor, "wb") as file:
            file.write(checkpoint.line() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        sync_directory(self._path)
        return True

    def newest(self) -> dict[str, Checkpoint]:
        """Read the last file of each chain that can be read: a power failure may have torn the very last."""
        names = names_by_chain(path.name for path in self._path.iterdir())
        return {chain: found for chain, each in names.items() if (found := self._first(each)) is not None}

    def _first(self, names: Sequence[str]) -> Checkpoint | None:
        return next((found for name in names if (found := _read(self._path / name)) is not None), None)


def copy_name(checkpoint: Checkpoint) -> str:
    """How a copy is called."""
    return f"{checkpoint.chain}-{checkpoint.seq:012d}.checkpoint"


def names_by_chain(names: Iterable[str]) -> dict[str, list[str]]:
    """By chain, the names of its copies, the newest first; other names are passed over."""
    found: dict[str, list[str]] = {}
    for name in sorted(names, reverse=True):
        if match := _NAME.fullmatch(name):
            found.setdefault(match[1], []).append(name)
    return found


def check_same(name: str, known: Checkpoint | None, checkpoint: Checkpoint) -> bool:
    """There is one of that name: False where it says the same, else OSError."""
    if known is None or known.sha256 != checkpoint.sha256:
        raise OSError(f"{name} is there already and vouches for something else")
    return False


def behind(data_dir: Path, store: Store) -> Behind | None:
    """Does a data directory live up to an anchor? Asked before the gateway writes. Raises OSError.

    A chain is this gateway's own where it has its name, or was signed with its key.
    """
    copies = store.newest()  # first: a gateway that runs adds to both
    last = newest_checkpoint(data_dir)
    if last is None:
        return _lost(data_dir, copies)
    anchor = copies.get(last.chain)
    if anchor is not None and anchor.seq > last.seq:
        return Behind(anchor=anchor, reached=last.seq)
    if anchor is not None and not _stands(data_dir, anchor):
        return Behind(anchor=anchor, reached=-1)
    foreign = {chain: found for chain, found in copies.items() if chain != last.chain and found.key == last.key}
    return _lost(data_dir, foreign) if foreign else None


def _lost(data_dir: Path, copies: dict[str, Checkpoint]) -> Behind | None:
    """The journal of an anchor is gone as a whole, though its key is here."""
    if not copies or not (data_dir / KEY_FILE).exists():
        return None
    key = signing_key(data_dir).public_key()
    own = [anchor for anchor in copies.values() if anchor.signed_by([key])]
    return Behind(anchor=max(own, key=lambda anchor: anchor.time), reached=0) if own else None


def _stands(data_dir: Path, anchor: Checkpoint) -> bool:
    """Is the same event signed here with the same hash? What retention has deleted is not asked for."""
    for checkpoint in _checkpoints(data_dir):
        if checkpoint.seq == anchor.seq:
            return (checkpoint.chain, checkpoint.sha256) == (anchor.chain, anchor.sha256)
        if checkpoint.seq < anchor.seq:
            return False
    files = journal_files(data_dir / JOURNAL / WRITER)
    return bool(files) and file_number(files[0]) > 1


def _checkpoints(data_dir: Path) -> Iterator[Checkpoint]:
    """The newest first."""
    for journal in reversed(journal_files(data_dir / JOURNAL / WRITER)):
        path = journal.with_suffix(".checkpoint")
        if path.exists():
            found, _ = read_checkpoints(path)
            yield from (checkpoint for checkpoint in reversed(found) if checkpoint is not None)


def _read(path: Path) -> Checkpoint | None:
    lines = path.read_bytes().splitlines()
    return Checkpoint.parse(lines[0]) if len(lines) == 1 else None
