"""The recorder as the data path sees it: jobs are given, futures are got.

A future that is done means: written, and safe from a crash of the gateway. ``durable`` means safe from a crash of the
machine too, which costs an ``fsync`` shared by all that ask for one at the same time; the others are synced once a
second.

``required``: what cannot be written fails with ``RecorderUnavailable``, and the call is refused. ``best-effort``: the
call goes on, the gap is counted, and becomes an event as soon as one can be written again. In both, ``healthy`` is
False from the first failure until a probe was written.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol

from policy.model import SessionId
from recordings.errors import RecorderUnavailable
from recordings.events import Event
from recordings.flow_parts import FlowParts
from recordings.recorder.jobs import Gap, Job, Report
from recordings.recorder.limits import RecorderLimits
from recordings.recorder.processes import ScribeProcess
from recordings.recorder.scribe import STOPPED
from recordings.said import Said

logger = logging.getLogger(__name__)

type Mode = Literal["required", "best-effort"]
type Sync = Literal["interval", "always"]

_LONGEST_PAUSE: Final = 30.0
_QUEUED_TOO_MUCH: Final = "the recorder's queue is full"


class Hand(Protocol):
    """Where the scribe works; see ``ScribeProcess``."""

    def start(self, loop: asyncio.AbstractEventLoop, told: Callable[[Report], None]) -> None:
        """Begin; ``told`` is called on the loop."""

    def restart(self) -> None:
        """Begin again, after a report that it ended."""

    def give(self, job: Job | Gap) -> int:
        """One more thing to record, which takes so many bytes; ``TypeError`` or ``ValueError`` where it has no form."""

    def end(self) -> None:
        """Write what was given, report, and report that it ended."""

    def drop(self) -> None:
        """Let go of it."""


@dataclass(slots=True)
class _Waiting:
    future: asyncio.Future[None]
    size: int


class Recorder:
    """Writes flow files and journal of one data directory; used on the event loop of ``start``."""

    def __init__(
        self,
        directory: Path,
        *,
        mode: Mode = "required",
        sync: Sync = "interval",
        limits: RecorderLimits | None = None,
        hand: Hand | None = None,
    ) -> None:
        """``hand``: where the scribe works, if not in a process of its own."""
        self._limits = limits or RecorderLimits()
        self._mode = mode
        self._always_durable = sync == "always"
        self._hand: Hand = hand or ScribeProcess(directory, self._limits)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Future[None] | None = None
        """While it runs."""
        self._is_up = False
        """The scribe is at work."""
        self._is_stopping = False
        self._restart: asyncio.TimerHandle | None = None
        self._waiting: dict[int, _Waiting] = {}
        """By number, what was given and not reported."""
        self._bytes = 0
        self._number = 0
        self._gap: Gap | None = None
        """What the scribe was told of last, until that is in the journal."""
        self._untold = 0
        """Calls that did not get to the scribe, and that it was not told of."""
        self._lost_there = 0
        """Calls that the scribe reported lost and has not told the journal of: should it end, another one has to."""
        self._reason = ""
        self._fault = ""
        self._pause = self._limits.interval
        """Seconds until another scribe is started in place of one that ended."""

    @property
    def healthy(self) -> bool:
        """Would a record be written now? False also before ``start`` and after ``stop``."""
        return self._ended is not None and not self._is_stopping and not self.fault

    @property
    def fault(self) -> str:
        """Why it is not healthy, for operators."""
        if self._ended is None or self._is_stopping:
            return STOPPED
        return self._fault or (self._reason if self._gap is not None or self._untold else "")

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Open the files (finishing what a crash left) and begin.

        ``RecorderBusyError`` where another gateway holds the directory, ``JournalDamagedError`` where it cannot be
        continued, ``OSError`` where it cannot be written to.
        """
        if self._ended is not None:
            raise RuntimeError("the recorder runs already")
        self._hand.start(loop, self._told)
        self._loop, self._ended, self._is_up, self._fault = loop, loop.create_future(), True, ""

    def append(
        self,
        *,
        events: Sequence[Said | Event],
        flow: FlowParts | bytes | None = None,
        session: SessionId,
        durable: bool = False,
        signed: bool = False,
    ) -> asyncio.Future[None]:
        """Record events in order, and the flow that the last of them is about.

        The future is done when they are written, and fails with ``RecorderUnavailable`` where they cannot be (never
        so in ``best-effort`` mode). ``signed`` is ``durable`` with a checkpoint that covers the events.
        """
        if self._loop is None:
            raise RecorderUnavailable(STOPPED)
        if not events:
            raise ValueError("nothing is recorded without an event")
        waiting = _Waiting(self._loop.create_future(), flow.size if isinstance(flow, FlowParts) else len(flow or b""))
        if self._ended is None or self._is_stopping:
            waiting.future.set_exception(RecorderUnavailable(STOPPED))
        elif reason := self._reason_to_refuse(waiting):
            self._miss([waiting], reason)
        else:
            durable = durable or signed or self._always_durable
            number = self._next()
            job = Job(number=number, events=events, flow=flow, session=session, durable=durable, signed=signed)
            self._give(waiting, job)
        return waiting.future

    async def stop(self) -> None:
        """Write what is queued, seal the files, end."""
        if self._ended is None or self._is_stopping:
            return
        self._is_stopping = True
        if self._restart is not None:
            self._restart.cancel()
        try:
            if self._is_up:
                self._hand.end()
                await asyncio.wait([self._ended], timeout=self._limits.ending)
        finally:
            self._let_go()

    def _let_go(self) -> None:
        """What was not written by now is lost, and there is no journal left to tell of it."""
        self._hand.drop()
        self._is_up = False
        self._lose_waiting("the recorder was stopped")
        if lost := self._untold + self._lost_there + (self._gap.calls if self._gap else 0):
            logger.warning("gatehold: %d calls are not on record: %s", lost, self._reason)
        self._untold, self._lost_there, self._gap = 0, 0, None
        self._ended, self._is_stopping = None, False

    def _reason_to_refuse(self, waiting: _Waiting) -> str:
        """Why nothing more is taken; one record always is while the scribe is at work."""
        if not self._is_up:
            return self._fault
        is_too_much = self._bytes > 0 and self._bytes + waiting.size > self._limits.queue_bytes
        return _QUEUED_TOO_MUCH if is_too_much or len(self._waiting) >= self._limits.queue_records else ""

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _give(self, waiting: _Waiting, job: Job) -> None:
        try:
            waiting.size = max(waiting.size, self._hand.give(job))
        except (TypeError, ValueError, RecursionError, OverflowError) as error:
            self._miss([waiting], f"what was to be recorded has no form: {type(error).__name__}")
            return
        self._waiting[job.number] = waiting
        self._bytes += waiting.size

    def _miss(self, lost: Sequence[_Waiting], reason: str) -> None:
        """These do not get to the scribe. It is told how many they are, one number at a time."""
        self._untold += len(lost)
        self._reason = reason
        self._lose(lost, reason)
        self._tell_of_gap()

    def _tell_of_gap(self) -> None:
        if self._untold and self._gap is None and self._is_up:
            self._gap = Gap(self._next(), self._untold, self._reason)
            self._untold = 0
            self._hand.give(self._gap)

    def _told(self, report: Report) -> None:
        """What became of what was given."""
        self._fault, self._is_up = report.fault, not report.ended
        settled = [self._taken(number) for number in report.numbers if number in self._waiting]
        if report.lost:
            self._lost_there += len(report.numbers)
            self._reason = report.lost
            self._lose(settled, report.lost)
        else:
            self._settle(settled)
            self._lost_there = self._lost_there if report.fault else 0  # it tells of them before it goes on
        if self._gap is not None and self._gap.number in report.numbers:
            self._gap = None
        if report.ended:
            self._has_ended()
        else:
            self._pause = self._limits.interval
            self._tell_of_gap()

    def _has_ended(self) -> None:
        """As it was told to; or by itself: what it had not reported is lost, and another one is started."""
        if self._is_stopping and self._ended is not None:
            if not self._ended.done():
                self._ended.set_result(None)
            return
        self._untold += self._lost_there + (self._gap.calls if self._gap else 0)
        self._lost_there, self._gap = 0, None
        self._lose_waiting(self._fault)
        if self._loop is not None:
            self._restart = self._loop.call_later(self._pause, self._hand.restart)
            self._pause = min(self._pause * 2, max(self._limits.interval, _LONGEST_PAUSE))

    def _lose_waiting(self, reason: str) -> None:
        if self._waiting:
            self._miss([self._taken(number) for number in list(self._waiting)], reason)

    def _taken(self, number: int) -> _Waiting:
        waiting = self._waiting.pop(number)
        self._bytes -= waiting.size
        return waiting

    def _settle(self, settled: Iterable[_Waiting]) -> None:
        for waiting in settled:
            if not waiting.future.done():
                waiting.future.set_result(None)

    def _lose(self, lost: Iterable[_Waiting], reason: str) -> None:
        if self._mode == "best-effort":
            self._settle(lost)
            return
        for waiting in lost:
            if not waiting.future.done():
                waiting.future.set_exception(RecorderUnavailable(reason))
