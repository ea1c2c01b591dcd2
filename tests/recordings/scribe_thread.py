"""The scribe in a thread: for tests that make its writes fail, or that start too many recorders for processes."""

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

from recordings.recorder.jobs import Gap, Job, Report
from recordings.recorder.limits import RecorderLimits
from recordings.recorder.scribe import Scribe, Tell

_BATCH = 1000
"""Jobs that are written at once."""


class ScribeThread:
    """Its jobs wait in a queue, its reports are callbacks of the event loop."""

    def __init__(self, directory: Path, limits: RecorderLimits, clock: Callable[[], float] = time.time) -> None:
        self._directory = directory
        self._limits = limits
        self._clock = clock
        self._queue: queue.SimpleQueue[Job | Gap | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self, loop: asyncio.AbstractEventLoop, told: Tell) -> None:
        """Open the files; raises what ``Scribe.open`` does."""

        def tell(report: Report) -> None:
            with contextlib.suppress(RuntimeError):  # a loop that is closed has nobody left who waits
                loop.call_soon_threadsafe(told, report)

        scribe = Scribe.open(self._directory, self._limits.writer, tell, self._clock)
        self._thread = threading.Thread(target=self._run, args=(scribe,), name="recorder", daemon=True)
        self._thread.start()

    def restart(self) -> None:
        """A thread does not end before it is told to."""

    def give(self, job: Job | Gap) -> int:
        """One more thing to record; how large it is, is not looked at."""
        self._queue.put(job)
        return 0

    def end(self) -> None:
        """Let it write what is queued, seal the files and tell that it ended."""
        self._queue.put(None)

    def drop(self) -> None:
        """After its last report."""
        if self._thread is not None:
            self._thread.join()

    def _run(self, scribe: Scribe) -> None:
        scribe.work(self._take, interval=self._limits.interval)
        scribe.close()

    def _take(self, timeout: float) -> tuple[list[Job | Gap], bool]:
        """All that is queued, waiting for the first; False when it is the end."""
        batch: list[Job | Gap] = []
        try:
            job = self._queue.get(timeout=timeout)
            while job is not None:
                batch.append(job)
                if len(batch) >= _BATCH:
                    return batch, True
                job = self._queue.get_nowait()
        except queue.Empty:
            return batch, True
        return batch, False
