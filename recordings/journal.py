"""The journal: lines in a hash chain, over many files, with signed checkpoints beside them.

::

    journal/main/000001-20260131.jsonl        journal-open ... events ... journal-seal
    journal/main/000001-20260131.checkpoint   one signed checkpoint per line
    journal/main/000002-20260201.jsonl        journal-open names the file before it, its last line and its checkpoint

The chain runs on across files and restarts. A file is sealed when its last line is a ``journal-seal``; a file that has
a successor has to be sealed. Each start opens a new file; so do a new day, an
old file and a full one. Retention deletes the oldest ones (``recordings.retention``).

This class is the only writer, and is used by one thread. It writes and takes back; when a file becomes unusable, its
owner calls ``reopen``.
"""

import re
import time as clocks
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from recordings.acts import file_event
from recordings.checkpoints import Signer
from recordings.files import PRIVATE_FILE, AppendFile, sync_directory
from recordings.lines import GENESIS, Entry, compose
from recordings.ocsf import Kind

JOURNAL: Final = Path("journal")
WRITER: Final = "main"
"""Name of the writer: the directory below ``journal``."""
_DAY: Final = 24 * 3600
FILE_NAME: Final = re.compile(r"(\d{6,})-(\d{8})\.jsonl")


class Head(NamedTuple):
    """The last line that was written: what the next one is chained to."""

    chain: str
    seq: int = 0
    digest: str = GENESIS
    number: int = 0
    """Number of the file in which the line stands; 0: there is none yet."""
    file: str = ""
    """Name of that file."""


class Mark(NamedTuple):
    """A place to go back to when a write fails half way."""

    head: Head
    size: int
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLimits:
    """When a file is full, and how often a checkpoint is made."""

    file_size: int = 64 * 1024 * 1024
    file_age: float = 86_400.0
    """Seconds; a new day begins a new file in any case."""
    checkpoint_events: int = 1000
    checkpoint_seconds: float = 10.0


class Journal:
    """The open journal of one writer. Methods may raise ``OSError``; what they did is then undone by ``rollback``."""

    def __init__(
        self,
        directory: Path,
        head: Head,
        signer: Signer,
        *,
        limits: JournalLimits,
        clock: Callable[[], float] = clocks.time,
    ) -> None:
        self.head = head
        self._directory = directory
        self._signer = signer
        self._limits = limits
        self._clock = clock
        self._file: AppendFile | None = None
        self._checkpoints: AppendFile | None = None
        self._since_checkpoint = 0
        self._checkpoint_time = self._opened = clock()
        self._first = head.seq
        self._today = (-1, "")
        """Number of a day since 1970, and how file names write it."""

    @property
    def file(self) -> AppendFile:
        """The file that is being written; ``OSError`` where there is none (after a failed ``open``)."""
        if self._file is None:
            raise OSError("the journal has no open file")
        return self._file

    def open(self, reason: str) -> None:
        """Begin the next file."""
        number = self.head.number + 1
        name = f"{number:06d}-{self._date(self._clock())}.jsonl"
        details = {"file": name, "format": 1, "previous": self._previous(), "reason": reason}
        if self._signer.number:
            details["checkpoint"] = {"number": self._signer.number, "sha256": self._signer.prev}
        file = AppendFile.create(self._directory / name)
        before, self._file = self.head, file
        try:
            self.head = before._replace(number=number, file=name)
            self.append([self._note(Kind.JOURNAL_OPEN, details)])
            self._checkpoints = AppendFile.create(file.path.with_suffix(".checkpoint"))
            self._opened, self._first = self._clock(), self.head.seq
        except OSError:
            self.head, self._file = before, None
            file.close()
            file.path.unlink(missing_ok=True)
            raise
        sync_directory(self._directory)

    def finish(self, entries: Sequence[Entry], *, torn: int) -> None:
        """Seal the file that a crash left open, after ``entries``."""
        path = self._directory / self.head.file
        self._file = AppendFile.reopen(path, path.stat().st_size)
        details = {"file": self.head.file, "reason": "recovered"} | ({"torn": torn} if torn else {})
        self.append([*entries, self._note(Kind.JOURNAL_SEAL, details)])
        file, self._file = self._file, None
        file.seal()

    def sign_seal(self) -> None:
        """Sign where the last file ends: it was sealed, and the crash came before the checkpoint."""
        path = (self._directory / self.head.file).with_suffix(".checkpoint")
        path.touch(PRIVATE_FILE)
        path.chmod(PRIVATE_FILE)
        checkpoints = AppendFile.reopen(path, path.stat().st_size)
        self._sign(checkpoints)
        checkpoints.seal()

    def append(self, entries: Sequence[Entry]) -> None:
        """Chain the entries and write them in one go."""
        head, now, lines = self.head, int(self._clock() * 1000), []
        seq, digest = head.seq, head.digest
        for entry in entries:
            seq += 1
            line, digest = compose(entry, chain=head.chain, seq=seq, prev=digest, time=now)
            lines.append(line)
        self.file.append(b"".join(lines))
        self.head = Head(chain=head.chain, seq=seq, digest=digest, number=head.number, file=head.file)
        self._since_checkpoint += len(lines)

    def mark(self) -> Mark:
        """Where the journal stands."""
        return Mark(head=self.head, size=self.file.size, events=self._since_checkpoint)

    def rollback(self, mark: Mark) -> None:
        """Take back everything that was appended since ``mark``; what is in a file sealed since then stays."""
        if self._file is None or self.head.number != mark.head.number:
            return
        self._file.cut(mark.size)
        self.head, self._since_checkpoint = mark.head, mark.events

    def repair(self) -> None:
        """Cut off what a failed write left behind the last line."""
        if self._file is not None:
            self._file.cut(self._file.size)

    def is_full(self) -> bool:
        """Is it time for the next file: by size, by age, or because it is another day?"""
        now = self._clock()
        if self.file.size >= self._limits.file_size or now - self._opened >= self._limits.file_age:
            return True
        return self.head.file[-14:-6] != self._date(now)

    @property
    def has_events(self) -> bool:
        """Does the open file hold more than its opening?"""
        return self.head.seq > self._first

    def sync(self) -> None:
        """Make what was appended survive a power failure."""
        self.file.sync()

    def checkpoint_is_due(self) -> bool:
        """Enough events or time since the last one?"""
        late = self._clock() - self._checkpoint_time >= self._limits.checkpoint_seconds
        return self._since_checkpoint >= self._limits.checkpoint_events or (late and self._since_checkpoint > 0)

    def checkpoint(self) -> None:
        """Sign where the chain stands. What is signed is on the disk first: a signature cannot be taken back."""
        if self._checkpoints is None or not self._since_checkpoint:
            return
        self.sync()
        self._sign(self._checkpoints)

    def seal(self, reason: str) -> None:
        """Finish the file: nothing may follow in it."""
        mark = self.mark()
        try:
            self.append([self._note(Kind.JOURNAL_SEAL, {"file": self.head.file, "reason": reason})])
            self.checkpoint()
        except OSError:
            self._take_back(mark)
            raise
        file, checkpoints = self.file, self._checkpoints
        self._file = self._checkpoints = None
        file.seal()
        if checkpoints is not None:
            checkpoints.seal()

    @property
    def is_open(self) -> bool:
        """Is there a file to append to?"""
        return self._file is not None

    def check_names(self) -> None:
        """Are the open files still the ones that their names lead to? ``OSError`` where not."""
        self.file.check()
        self.file.check_name()
        if self._checkpoints is not None:
            self._checkpoints.check()
            self._checkpoints.check_name()

    def abandon(self) -> None:
        """Let go of the files as they are."""
        for file in (self._file, self._checkpoints):
            if file is not None:
                file.close()
        self._file = self._checkpoints = None

    def _sign(self, checkpoints: AppendFile) -> None:
        head, now, size = self.head, self._clock(), checkpoints.size
        signed = self._signer.sign(
            chain=head.chain, file=head.file, seq=head.seq, digest=head.digest, time=int(now * 1000)
        )
        try:
            checkpoints.append(signed.line() + b"\n")
            checkpoints.sync()
        except OSError:
            checkpoints.cut(size)
            raise
        self._signer.advance(signed)
        self._since_checkpoint, self._checkpoint_time = 0, now

    def _take_back(self, mark: Mark) -> None:
        """Undo a seal; where even that fails the file is left, and what it ends in is where the next one goes on."""
        try:
            self.rollback(mark)
        except OSError:
            self.abandon()
            raise

    def _date(self, now: float) -> str:
        day = int(now // _DAY)
        if day != self._today[0]:
            self._today = day, f"{datetime.fromtimestamp(now, UTC):%Y%m%d}"
        return self._today[1]

    def _previous(self) -> dict[str, Any] | None:
        if not self.head.number:
            return None
        return {"file": self.head.file, "seq": self.head.seq, "sha256": self.head.digest}

    def _note(self, kind: Kind, details: dict[str, Any]) -> Entry:
        return file_event(kind, time=self._clock(), name=f"journal/{self._directory.name}", details=details).entry()


def file_number(path: Path) -> int:
    """The number in a journal file's name; 0 where the name is not one of ours."""
    match = FILE_NAME.fullmatch(path.name)
    return int(match[1]) if match else 0


def journal_files(directory: Path) -> list[Path]:
    """The files of one writer, oldest first."""
    found = [(number, path) for path in directory.glob("*.jsonl") if (number := file_number(path))]
    return [path for _, path in sorted(found)]
