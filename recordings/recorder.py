"""The recorder: what the data path waits for before an answer may leave.

The event loop gives records and gets futures. A future that is done means: written, and safe from a crash of the
gateway. ``durable`` means safe from a crash of the machine too, which costs an ``fsync`` shared by all that ask for one
at the same time; the others are synced once a second.

Two hands, one lock. A small record that asks for no ``fsync`` is written by the loop itself, and its future is done
before anybody waits for it: that takes some microseconds, less than to wait for a turn of the loop and be woken again.
Everything that may take long (durable or large records, new journal files, faults, looking after the files) is the
thread's; while it is at work, or has something to do, records queue up behind it, so that they keep their order.

``required``: what cannot be written fails with ``RecorderUnavailable``, and the call is refused. ``best-effort``: the
call goes on, the gap is counted, and becomes an event as soon as one can be written again. In both, ``healthy`` is
False from the first failure until a probe was written; probes are made once a second and with each new batch.
"""

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from policy.model import SessionId
from recordings.errors import RecorderUnavailable
from recordings.events import Event
from recordings.writer import Record, Writer, WriterLimits

type Mode = Literal["required", "best-effort"]
type Sync = Literal["interval", "always"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderLimits:
    """Bounds of the queue, and how often the thread looks after things (seconds)."""

    queue_records: int = 10_000
    queue_bytes: int = 64 * 1024 * 1024
    batch: int = 1000
    on_loop: int = 64 * 1024
    """Bytes of a flow that is written on the loop, at most."""
    interval: float = 1.0
    writer: WriterLimits = field(default_factory=WriterLimits)


@dataclass(slots=True)
class _Item:
    record: Record
    durable: bool
    future: asyncio.Future[None]

    @property
    def size(self) -> int:
        return len(self.record.flow or b"")


_QUEUED_TOO_MUCH: Final = "the recorder's queue is full"
_STOPPED: Final = "the recorder is not running"


class Recorder:
    """Writes flow files and journal of one data directory."""

    def __init__(
        self,
        directory: Path,
        *,
        mode: Mode = "required",
        sync: Sync = "interval",
        limits: RecorderLimits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._directory = directory
        self._mode = mode
        self._always_durable = sync == "always"
        self._limits = limits or RecorderLimits()
        self._clock = clock
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Future[None] | None = None
        self._writer: Writer | None = None
        self._lock = threading.Lock()
        """Held by whoever writes; the fields that tell of faults are set under it."""
        self._queued = 0  # only the loop counts up
        self._finished = 0  # only the thread counts up
        self._put_bytes = 0  # only the loop counts up
        self._taken_bytes = 0  # counted up by whoever writes
        self._turned_away = 0  # only the loop counts up
        self._reported = 0
        self._fault = ""
        self._lost = 0

    @property
    def healthy(self) -> bool:
        """Would a record be written now? False also before ``start`` and after ``stop``."""
        return self._thread is not None and not self._fault and self._turned_away == self._reported

    @property
    def fault(self) -> str:
        """Why it is not healthy, for operators."""
        if self._thread is None:
            return _STOPPED
        return self._fault or ("" if self.healthy else _QUEUED_TOO_MUCH)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Open the files (finishing what a crash left) and start the thread.

        ``RecorderBusyError`` where another gateway holds the directory, ``JournalDamagedError`` where it cannot be
        continued, ``OSError`` where it cannot be written to.
        """
        if self._thread is not None:
            raise RuntimeError("the recorder runs already")
        writer = self._writer = Writer.open(self._directory, limits=self._limits.writer, clock=self._clock)
        self._loop, self._ended = loop, loop.create_future()
        self._thread = threading.Thread(target=self._run, args=(writer,), name="recorder", daemon=True)
        self._thread.start()

    def append(
        self,
        *,
        events: Sequence[Event],
        flow: bytes | None = None,
        session: SessionId,
        durable: bool = False,
        signed: bool = False,
    ) -> asyncio.Future[None]:
        """Record events in order, and the flow that the last of them is about; called on the loop of ``start``.

        The future is done when they are written, and fails with ``RecorderUnavailable`` where they cannot be (never
        so in ``best-effort`` mode). ``signed`` is ``durable`` with a checkpoint that covers the events. ``ValueError``
        or ``TypeError`` at once where an event is not JSON.
        """
        if self._loop is None:
            raise RecorderUnavailable(_STOPPED)
        if not events:
            raise ValueError("nothing is recorded without an event")
        entries = tuple([event.entry() for event in events])
        record = Record(entries=entries, flow=flow, session=session, signed=signed)
        item = _Item(record, durable or signed or self._always_durable, self._loop.create_future())
        if self._thread is None:
            item.future.set_exception(RecorderUnavailable(_STOPPED))
        elif not self._written_here(item):
            self._enqueue(item)
        return item.future

    async def stop(self) -> None:
        """Write what is queued, seal the files, end the thread."""
        thread, self._thread = self._thread, None
        if thread is None or self._ended is None:
            return
        self._queue.put(None)
        await self._ended
        thread.join()

    def _enqueue(self, item: _Item) -> None:
        """Leave it to the thread, where that is not too far behind already."""
        queued = self._put_bytes - self._taken_bytes
        is_too_much = queued > 0 and queued + item.size > self._limits.queue_bytes
        if is_too_much or self._queue.qsize() >= self._limits.queue_records:
            self._turned_away += 1
            self._settle_lost([item], _QUEUED_TOO_MUCH)
            return
        self._put_bytes += item.size
        self._queued += 1
        self._queue.put(item)

    def _written_here(self, item: _Item) -> bool:
        """Write what takes no time, unless the thread is at work or has to do something first."""
        writer = self._writer
        if writer is None or item.durable or item.size > self._limits.on_loop:
            return False
        if not self.healthy or self._queued != self._finished or not self._lock.acquire(blocking=False):
            return False
        try:
            if writer.is_due:
                return False
            self._write_here(writer, item)
        finally:
            self._lock.release()
        return True

    def _write_here(self, writer: Writer, item: _Item) -> None:
        try:
            writer.write([item.record])
        except Exception as error:  # noqa: BLE001 (refuses the call that waits)
            self._fail(error)
            self._lost += 1
            self._settle_lost([item], self._fault)
        else:
            item.future.set_result(None)

    # From here on: the thread.

    def _run(self, writer: Writer) -> None:
        due = time.monotonic() + self._limits.interval
        running = True
        while running:
            batch, running = self._take(due - time.monotonic())
            if batch:
                with self._lock:
                    self._record(writer, batch)
                    self._finished += len(batch)
            if time.monotonic() >= due:
                with self._lock:
                    self._guarded(lambda: self._look_after(writer))
                due = time.monotonic() + self._limits.interval
        with self._lock:
            self._writer = None
            self._guarded(writer.close)
        self._fault = self._fault or _STOPPED
        if self._ended is not None:
            self._tell_loop([self._ended], _written)

    def _take(self, timeout: float) -> tuple[list[_Item], bool]:
        """All that is queued, waiting for the first; False when it is the end."""
        batch: list[_Item] = []
        try:
            item = self._queue.get(timeout=max(0.0, timeout))
            while item is not None:
                batch.append(item)
                self._taken_bytes += item.size
                if len(batch) >= self._limits.batch:
                    return batch, True
                item = self._queue.get_nowait()
        except queue.Empty:
            return batch, True
        return batch, False

    def _record(self, writer: Writer, batch: list[_Item]) -> None:
        """Write a batch, and tell the loop."""
        waiting = batch
        try:
            self._come_back(writer)
            writer.write([item.record for item in batch])
            waiting = [item for item in batch if item.durable]
            self._settle([item for item in batch if not item.durable])
            if waiting:
                writer.sync([item.record for item in waiting])
                self._settle(waiting)
                waiting = []
            writer.tidy()
        except Exception as error:  # noqa: BLE001 (refuses the calls that wait)
            self._fail(error)
            self._lost += len(waiting)
            self._settle_lost(waiting, self._fault)

    def _look_after(self, writer: Writer) -> None:
        """Once per interval: come out of a fault, sync, checkpoint, look whether the files are still ours."""
        self._come_back(writer)
        writer.sync()
        writer.tidy()
        writer.check()
        writer.seal_quiet()
        writer.rotate()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 (a recorder at fault refuses)
            self._fail(error)

    def _come_back(self, writer: Writer) -> None:
        """Where something was lost: say so in the journal, which is at the same time the probe."""
        turned_away = self._turned_away
        lost = self._lost + turned_away - self._reported
        if self._fault or lost:
            writer.recover(self._fault or _QUEUED_TOO_MUCH, lost)
            self._fault, self._lost, self._reported = "", 0, turned_away

    def _fail(self, error: Exception) -> None:
        words = f": {error.strerror or error}" if isinstance(error, OSError) else ""
        self._fault = type(error).__name__ + words

    def _settle(self, items: Sequence[_Item]) -> None:
        self._call_loop(items, _written)

    def _settle_lost(self, items: Sequence[_Item], reason: str) -> None:
        if self._mode == "best-effort":
            self._settle(items)
        else:
            self._call_loop(items, lambda future: future.set_exception(RecorderUnavailable(reason)))

    def _call_loop(self, items: Sequence[_Item], settle: Callable[[asyncio.Future[None]], None]) -> None:
        if items:
            self._tell_loop([item.future for item in items], settle)

    def _tell_loop(
        self, futures: Sequence[asyncio.Future[None]], settle: Callable[[asyncio.Future[None]], None]
    ) -> None:
        """Settle futures on the loop; a loop that is closed has nobody left who waits."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(_settle_all, futures, settle)


def _written(future: asyncio.Future[None]) -> None:
    future.set_result(None)


def _settle_all(futures: Sequence[asyncio.Future[None]], settle: Callable[[asyncio.Future[None]], None]) -> None:
    for future in futures:
        if not future.done():
            settle(future)
