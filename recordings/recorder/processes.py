"""The scribe in a process of its own, as the gateway sees it.

Two pipes: jobs go one way, reports come the other. Nothing waits here but the first start: what the pipe has no room
for yet is kept, in its order, and sent when there is. The process ends when its jobs do: when it is told to, or when
the gateway is gone, after it has written what had reached it. Where it ends by itself, ``restart`` starts another one.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import subprocess
from collections import deque
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any, Final

from recordings.errors import JournalDamagedError, RecorderBusyError
from recordings.interpreter import start_python
from recordings.recorder.jobs import Frames, Gap, Job, Report, frame, pack
from recordings.recorder.limits import RecorderLimits
from recordings.recorder.scribe import Tell

logger = logging.getLogger(__name__)

ENDED: Final = "the recorder's process ended"
_READ: Final = 64 * 1024
_PIPE: Final = 1 << 20
"""Bytes that the pipe of jobs holds, where the system allows it."""
_MOMENT: Final = 0.05
"""Seconds that a process may take to be gone after its pipes are."""
_KILLED: Final = 2.0
"""The same after it was killed."""
_VECTORS: Final = 512
"""Frames that are sent with one call of the system."""
_ERRORS: Final = {kind.__name__: kind for kind in (RecorderBusyError, JournalDamagedError)}


class ScribeProcess:
    """One process at a time; everything is called on the event loop of ``start``."""

    def __init__(self, directory: Path, limits: RecorderLimits) -> None:
        self._setup = frame((str(directory), limits.plain()))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told: Tell | None = None
        self._child: _Child | None = None
        self._is_ready = False
        self._is_over = False

    @property
    def pid(self) -> int | None:
        """Of the process that runs."""
        return self._child.process.pid if self._child else None

    def start(self, loop: asyncio.AbstractEventLoop, told: Tell) -> None:
        """Start it, and wait until its files are open; raises what ``Scribe.open`` does."""
        self._loop, self._told = loop, told
        child = self._begin(loop)
        try:
            _check_answer(child.first_value())
        except BaseException:
            self.drop()
            raise
        self._is_ready = True
        child.watch(self._said, self._gone)

    def restart(self) -> None:
        """Start another one in place of one that ended; a report tells that it is ready, or that it ended, too."""
        self.drop()
        if self._loop is None:
            return
        try:
            self._begin(self._loop).watch(self._said, self._gone)
        except OSError as error:
            self._end(f"{ENDED}, and another one cannot be started: {error.strerror}")

    def give(self, job: Job | Gap) -> int:
        """One more thing to record, which takes so many bytes; raises what ``pack`` does."""
        frames = pack(job)
        if self._child is not None:
            self._child.send(*frames)
        return sum(map(len, frames))

    def end(self) -> None:
        """Let it write what it was given, seal the files and end."""
        if self._child is not None:
            self._child.send(frame(None))

    def drop(self) -> None:
        """Let go of it; nothing more is written."""
        child, self._child = self._child, None
        if child is not None:
            child.drop()

    def _begin(self, loop: asyncio.AbstractEventLoop) -> "_Child":
        self._is_ready = self._is_over = False
        child = self._child = _Child(loop)
        child.send(self._setup)
        return child

    def _said(self, plain: Any) -> None:
        if self._is_ready:
            report = Report(*plain)
            self._is_over = report.ended
            self._tell(report)
            return
        try:
            _check_answer(plain)
        except Exception as error:  # noqa: BLE001 (told; the process ends, and it is tried again)
            self._end(f"{ENDED} while it started: {error}")
        else:
            self._is_ready = True
            self._tell(Report())

    def _gone(self) -> None:
        """It closed its reports: after the last one, or in the middle."""
        if not self._is_over and self._child is not None:
            self._end(f"{ENDED}{self._child.fate()}")

    def _end(self, fault: str) -> None:
        self._is_over = True
        logger.warning("gatehold: %s", fault)
        self._tell(Report(fault=fault, ended=True))

    def _tell(self, report: Report) -> None:
        if self._told is not None:
            self._told(report)


class _Child:
    """A process, and the loop's ends of its pipes."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.process = process = start_python("recordings.recorder")
        if process.stdin is None or process.stdout is None:
            raise OSError("a process without pipes")
        self._input, self._output = process.stdin.fileno(), process.stdout.fileno()
        with contextlib.suppress(OSError, AttributeError):
            fcntl.fcntl(self._input, fcntl.F_SETPIPE_SZ, _PIPE)
        os.set_blocking(self._input, False)
        self._frames = Frames()
        self._unsent: deque[bytes | memoryview] = deque()
        self._is_sending = False
        """A turn of the loop will send, or the pipe is full and watched."""
        self._is_open = True

    def send(self, *data: bytes) -> None:
        """Send it with everything else of this turn of the loop."""
        self._unsent += data
        if not self._is_sending:
            self._is_sending = True
            self._loop.call_soon(self._flush)

    def first_value(self) -> Any:
        """Send, and wait for an answer; ``OSError`` where the process ends instead."""
        self._flush()
        while True:
            piece = os.read(self._output, _READ)
            if not piece:
                raise OSError(f"{ENDED} while it started")
            if values := self._frames.feed(piece):
                return values[0]

    def watch(self, said: Callable[[Any], None], gone: Callable[[], None]) -> None:
        """Call back with each value, and once when there will be no more."""
        self._loop.add_reader(self._output, self._read, said, gone)

    def fate(self) -> str:
        """How it ended, for people, as far as that is known already."""
        try:
            status = self.process.wait(_MOMENT)
        except subprocess.TimeoutExpired:
            return ""
        return f" (signal {-status})" if status < 0 else f" (exit {status})"

    def drop(self) -> None:
        """End the process where it has not, and let go of the pipes."""
        self._unwatch()
        self._is_open = False
        self.process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):  # one that hangs in the disk cannot be killed
            self.process.wait(_KILLED)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()

    def _read(self, said: Callable[[Any], None], gone: Callable[[], None]) -> None:
        piece = os.read(self._output, _READ)
        for value in self._frames.feed(piece):
            said(value)
        if not piece:
            self._unwatch()
            gone()

    def _unwatch(self) -> None:
        if self._is_open:
            self._loop.remove_reader(self._output)
            self._loop.remove_writer(self._input)

    def _flush(self) -> None:
        """As much as the pipe takes at once; the rest when the loop comes by again."""
        if not self._is_open:
            return
        try:
            self._sent(os.writev(self._input, [*islice(self._unsent, _VECTORS)]))
        except BlockingIOError:
            pass
        except OSError:
            self._unsent.clear()  # it is gone, which its other pipe tells
        if self._unsent:
            self._loop.add_writer(self._input, self._flush)
        else:
            self._loop.remove_writer(self._input)
            self._is_sending = False

    def _sent(self, size: int) -> None:
        while size:
            first = self._unsent.popleft()
            if len(first) > size:
                self._unsent.appendleft(memoryview(first)[size:])
            size -= min(size, len(first))


def _check_answer(plain: tuple[str, int, str]) -> None:
    """The first value of a process: empty, or an error."""
    kind, number, words = plain
    if kind in _ERRORS:
        raise _ERRORS[kind](words)
    if kind:
        raise OSError(number, words)
