"""The one hand that writes: flow files and journal together, a batch at a time, all of it or nothing.

Order within a batch, each step one write per file: new flow files are announced in the journal, created, the flows
appended, then their events. So a flow file that no line announces was put there by somebody else, and a line never
speaks of bytes that are not there. When a step fails everything is taken back, the writer is at fault, and stays so
until ``recover`` has written again.

Used by one thread at a time; raises ``OSError``.
"""

import fcntl
import os
import time as clocks
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from recordings.acts import GatewayMove, flow_files, gateway_event
from recordings.checkpoints import Signer
from recordings.errors import RecorderBusyError
from recordings.files import PRIVATE_FILE, make_private
from recordings.flowfiles import FlowFiles, Part, Plan, describe_seal
from recordings.journal import JOURNAL, WRITER, Journal, JournalLimits, Mark
from recordings.lines import Entry, FlowRef
from recordings.ocsf import Kind
from recordings.recovery import Left, recover

_LOCK: Final = "recorder.lock"
_PER_LINE: Final = 200
"""Flow files named in one line of the journal."""
_PROBE: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterLimits:
    """Sizes in bytes, times in seconds."""

    journal: JournalLimits = field(default_factory=JournalLimits)
    part_size: int = 64 * 1024 * 1024
    open_files: int = 128
    quiet: float = 3600.0
    """A flow file that nothing was written to for so long is sealed."""


@dataclass(slots=True, kw_only=True)
class Record:
    """What is written for one call, or for one thing that happened. The flow belongs to the last of the entries."""

    entries: tuple[Entry, ...]
    flow: bytes | None = field(default=None, repr=False)
    session: str = ""
    signed: bool = False
    """A checkpoint covers it as soon as it is synced."""

    def placed(self, ref: FlowRef) -> list[Entry]:
        """The entries, the last with its place in a flow file."""
        *others, last = self.entries
        return [*others, last._replace(flow=ref)]


class Writer:
    """Flow files and journal of one data directory, which it alone may write to while it is open."""

    def __init__(self, data_dir: Path, limits: WriterLimits, clock: Callable[[], float]) -> None:
        self.limits = limits
        self._data_dir = data_dir
        self._clock = clock
        self._flows = FlowFiles(data_dir, part_size=limits.part_size, open_files=limits.open_files)
        self._undo: tuple[Mark, Plan] | None = None
        self._lock = _lock(data_dir)
        try:
            self._journal, self.left = self._open()
        except BaseException:
            os.close(self._lock)
            raise

    @classmethod
    def open(
        cls, data_dir: Path, *, limits: WriterLimits | None = None, clock: Callable[[], float] = clocks.time
    ) -> Self:
        """Take hold of a data directory, finish what a crash left, begin a new journal file.

        ``RecorderBusyError`` where another process holds it, ``JournalDamagedError`` where the journal cannot be
        continued.
        """
        return cls(data_dir, limits or WriterLimits(), clock)

    @property
    def is_due(self) -> bool:
        """Does the next ``write`` begin with a new journal file, which takes its time?"""
        return self._journal.is_full()

    def write(self, records: Sequence[Record]) -> None:
        """Write all records or none."""
        self._rotate_if_full()
        plan = self._flows.plan([record.session for record in records if record.flow is not None], self._clock())
        self._undo = self._journal.mark(), plan
        if plan.fresh or plan.full:
            self._announce(plan)
        self._journal.append(self._append_flows(plan, records))
        self._flows.commit(plan)
        self._undo = None

    def sync(self, records: Sequence[Record] | None = None) -> None:
        """Make records that were just written (default: everything) survive a power failure."""
        sign = self._journal.checkpoint_is_due() or any(record.signed for record in records or ())
        everything = records is None or sign
        self._flows.sync(
            None if everything else {record.session for record in records or () if record.flow is not None}
        )
        self._journal.sync()
        if sign:
            self._journal.checkpoint()

    def rotate(self) -> None:
        """Begin a new journal file where it is time for one and there is something in the old one."""
        if self._journal.has_events:
            self._rotate_if_full()

    def tidy(self) -> None:
        """Close files that are finished or too many."""
        self._flows.tidy()

    def seal_quiet(self) -> None:
        """Seal the flow files of sessions that have been silent for long."""
        self._seal_parts(self._flows.quiet(self._clock() - self.limits.quiet))

    def check(self) -> None:
        """Are our files still ours? A journal that is not is an ``OSError``; flow files are reported and replaced."""
        self._journal.check_names()
        self._report(self._flows.changed())

    def recover(self, fault: str, lost: int) -> None:
        """Try to come out of a fault: undo, replace files that are gone, write a probe, say what was lost."""
        self._roll_back()
        if not self._journal.is_open or not self._journal_is_whole():
            self._journal.abandon()
            self._journal.open("fault")
        self._probe()
        self._report(self._flows.changed(closed=True))
        details = {"calls": lost, "fault": fault}
        self._tell(GatewayMove.RECORDER_RECOVERED, f"recording again after: {fault}", details)

    def close(self, *, seal: bool = True) -> None:
        """Seal everything and let go of the directory; without ``seal`` as a crash would."""
        try:
            if seal:
                self._report(self._flows.changed(closed=True))
                self._seal_parts(self._flows.all())
                self._journal.seal("stop")
        finally:
            self._flows.abandon()
            self._journal.abandon()
            os.close(self._lock)

    def _open(self) -> tuple[Journal, Left]:
        directory = self._data_dir / JOURNAL / WRITER
        make_private(directory)
        left = recover(self._data_dir, directory)
        signer = Signer.load(self._data_dir)
        if left.checkpoint is not None:
            signer.advance(left.checkpoint)
        journal = Journal(directory, left.head, signer, limits=self.limits.journal, clock=self._clock)
        if not left.sealed:
            journal.finish(list(self._sealing(left.flows)), torn=left.torn)
        elif left.seal_is_unsigned:
            journal.sign_seal()
        journal.open("start")
        journal.checkpoint()
        return journal, left

    def _announce(self, plan: Plan) -> None:
        entries = [*self._sealing(plan.sealed()), *self._listing(Kind.FLOWS_OPEN, plan.opened())]
        if entries:
            self._journal.append(entries)
            self._flows.begin(plan)

    def _append_flows(self, plan: Plan, records: Sequence[Record]) -> list[Entry]:
        """Append each session's flows in one write; returns the entries of all records, with the flows' places."""
        grouped: dict[str, list[bytes]] = {session: [] for session in plan.targets}
        for record in records:
            if record.flow is not None:
                grouped[record.session].append(record.flow)
        now = self._clock()
        refs = {
            session: iter(self._flows.append(plan.targets[session], flows, now)) for session, flows in grouped.items()
        }
        entries: list[Entry] = []
        for record in records:
            entries += record.entries if record.flow is None else record.placed(next(refs[record.session]))
        return entries

    def _rotate_if_full(self) -> None:
        if not self._journal.is_full():
            return
        self._report(self._flows.changed(closed=True))
        self._seal_parts(self._flows.all())
        self._journal.seal("rollover")
        self._journal.open("rollover")

    def _seal_parts(self, parts: Sequence[Part]) -> None:
        if parts:
            self._journal.append(list(self._sealing([describe_seal(part) for part in parts])))
            self._flows.seal(parts)

    def _roll_back(self) -> None:
        if self._undo is not None:
            mark, plan = self._undo
            self._flows.rollback(plan)
            self._journal.rollback(mark)
            self._undo = None
        self._journal.repair()

    def _journal_is_whole(self) -> bool:
        try:
            self._journal.check_names()
        except OSError:
            return False
        return True

    def _probe(self) -> None:
        """Is there room for flows again?"""
        path = self._data_dir / ".recorder-probe"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE)
        try:
            if os.write(descriptor, bytes(_PROBE)) < _PROBE:
                raise OSError("no room for a probe")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
            path.unlink(missing_ok=True)

    def _report(self, parts: Sequence[Part]) -> None:
        for part in parts:
            details = {"file": part.name, "length": part.size}
            self._tell(GatewayMove.RECORDER_FAULT, f"{part.name} was removed or changed by somebody else", details)

    def _tell(self, move: GatewayMove, message: str, details: dict[str, Any]) -> None:
        event = gateway_event(move, time=self._clock(), message=message, details=details)
        self._journal.append([event.entry()])

    def _sealing(self, files: Sequence[dict[str, Any]]) -> Iterator[Entry]:
        return self._listing(Kind.FLOWS_SEAL, files)

    def _listing(self, kind: Kind, files: Sequence[dict[str, Any]]) -> Iterator[Entry]:
        for start in range(0, len(files), _PER_LINE):
            yield flow_files(kind, files[start : start + _PER_LINE], time=self._clock()).entry()


def is_in_use(data_dir: Path) -> bool:
    """Whether a gateway holds a data directory; nothing is made or changed."""
    try:
        descriptor = os.open(data_dir / _LOCK, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _lock(data_dir: Path) -> int:
    """The exclusive lock of a data directory, held as long as the descriptor is open."""
    make_private(data_dir)
    path = data_dir / _LOCK
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise RecorderBusyError(f"{data_dir} is in use by another gateway (it holds {_LOCK})") from None
    return descriptor
