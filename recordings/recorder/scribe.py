"""The hand that writes: takes jobs, and reports what became of each.

What cannot be written is reported lost, with the reason; the calls are counted, and become an event as soon as one can
be written again. That event is at the same time the probe, made with each new batch and once per interval.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Self

from recordings.recorder.jobs import Gap, Job, Report
from recordings.writer import Record, Writer, WriterLimits

type Take = Callable[[float], tuple[Sequence[Job | Gap], bool]]
"""What there is to write, waited for up to so many seconds; and whether there may be more."""
type Tell = Callable[[Report], None]

STOPPED: Final = "the recorder is not running"


class Scribe:
    """Writes flow files and journal of one data directory; used by one thread."""

    def __init__(self, writer: Writer, tell: Tell) -> None:
        self._writer = writer
        self._tell = tell
        self._fault = ""
        self._lost = 0
        """Calls that were not written and are not told of."""
        self._reason = ""
        self._gaps: list[int] = []
        """Numbers of gaps that are not told of."""

    @classmethod
    def open(cls, directory: Path, limits: WriterLimits, tell: Tell, clock: Callable[[], float] = time.time) -> Self:
        """Open the files, finishing what a crash left.

        ``RecorderBusyError`` where another gateway holds the directory, ``JournalDamagedError`` where it cannot be
        continued, ``OSError`` where it cannot be written to.
        """
        return cls(Writer.open(directory, limits=limits, clock=clock), tell)

    def work(self, take: Take, *, interval: float) -> None:
        """Write what is to be taken until there is no more, and look after the files every so many seconds."""
        due = time.monotonic() + interval
        running = True
        while running:
            batch, running = take(max(0.0, due - time.monotonic()))
            if batch:
                self.write(batch)
            if time.monotonic() >= due:
                self._guarded(self._look_after)
                due = time.monotonic() + interval

    def close(self, *, seal: bool = True) -> None:
        """Seal everything and let go of the directory; without ``seal`` as a crash would, but synced."""
        if not seal:
            self._guarded(self._writer.sync)
        self._guarded(lambda: self._writer.close(seal=seal))
        self._tell(Report(fault=self._fault or STOPPED, ended=True))

    def write(self, batch: Sequence[Job | Gap]) -> None:
        """Write a batch, and tell."""
        for gap in batch:
            if isinstance(gap, Gap):
                self._gaps.append(gap.number)
                self._missed(gap.calls, gap.reason)
        waiting = records = self._records([job for job in batch if isinstance(job, Job)])
        try:
            self._come_back()
            self._writer.write([record for _, record in records])
            waiting = [(job, record) for job, record in records if job.durable]
            self._settle([job for job, _ in records if not job.durable])
            if waiting:
                self._writer.sync([record for _, record in waiting])
                self._settle([job for job, _ in waiting])
                waiting = []
            self._writer.tidy()
        except Exception as error:  # noqa: BLE001 (refuses the calls that wait)
            self._fail(error)
            self._lose([job for job, _ in waiting], self._fault)

    def _records(self, jobs: Sequence[Job]) -> list[tuple[Job, Record]]:
        """Jobs as they are written. One that cannot be is lost alone."""
        made = []
        for job in jobs:
            try:
                made.append((job, job.record()))
            except Exception as error:  # noqa: BLE001 (refuses the call that waits)
                self._lose([job], f"what was to be recorded has no form: {type(error).__name__}")
        return made

    def _look_after(self) -> None:
        """Once per interval: come out of a fault, sync, checkpoint, look whether the files are still ours."""
        self._come_back()
        self._writer.sync()
        self._writer.tidy()
        self._writer.check()
        self._writer.seal_quiet()
        self._writer.rotate()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 (a recorder at fault refuses)
            self._fail(error)
            self._tell(Report(fault=self._fault))

    def _come_back(self) -> None:
        """Where something was lost: say so in the journal, which is at the same time the probe."""
        if not self._fault and not self._lost:
            return
        self._writer.recover(self._fault or self._reason, self._lost)
        self._fault, self._lost, self._reason = "", 0, ""
        gaps, self._gaps = tuple(self._gaps), []
        self._tell(Report(numbers=gaps))

    def _fail(self, error: Exception) -> None:
        words = f": {error.strerror or error}" if isinstance(error, OSError) else ""
        self._fault = type(error).__name__ + words

    def _missed(self, calls: int, reason: str) -> None:
        self._lost += calls
        self._reason = reason

    def _lose(self, jobs: Sequence[Job], reason: str) -> None:
        self._missed(len(jobs), reason)
        self._tell(Report(numbers=tuple([job.number for job in jobs]), lost=reason, fault=self._fault))

    def _settle(self, jobs: Sequence[Job]) -> None:
        if jobs:
            self._tell(Report(numbers=tuple([job.number for job in jobs])))
