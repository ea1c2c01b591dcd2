"""The scribe's process: ``python -m recordings.recorder``; see ``recordings.recorder.processes``.

The first frame on its standard input says where and how to write; it is answered with three empty values, or with the
name of an error, its number and its words. Then jobs come until the end, and reports go.
"""

import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from recordings.errors import RecorderBusyError
from recordings.recorder.jobs import Frames, Gap, Job, Report, frame, unpack
from recordings.recorder.limits import RecorderLimits
from recordings.recorder.scribe import Scribe

_AGAIN: Final = 0.02
_INPUT: Final = 0
_OUTPUT: Final = 1
_READ: Final = 1 << 20
_IGNORED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The gateway ends this process; whoever ends both at once must not end it before the last call is written."""


class Jobs:
    """What comes in."""

    def __init__(self) -> None:
        self.was_ended = False
        """The gateway said so; else it is gone."""
        self._frames = Frames()
        self._bodies: list[bytes] = []
        """Of the job that comes next."""

    def first(self) -> Any:
        """The first value; ``EOFError`` where there is none."""
        while True:
            piece = os.read(_INPUT, _READ)
            if not piece:
                raise EOFError
            if values := self._frames.feed(piece):
                return values[0]

    def take(self, timeout: float) -> tuple[list[Job | Gap], bool]:
        """All that has come, waiting for the first; False when it is the end."""
        ready, _, _ = select.select([_INPUT], [], [], timeout)
        if not ready:
            return [], True
        piece = os.read(_INPUT, _READ)
        jobs = []
        for value in self._frames.feed(piece):
            if isinstance(value, bytes):
                self._bodies.append(value)
            elif value is None:
                self.was_ended = True
            else:
                jobs.append(unpack(value, self._bodies))
                self._bodies = []
        return jobs, bool(piece) and not self.was_ended


def tell(report: Report) -> None:
    """Send a report, if there is anybody to read it."""
    _send(tuple(report))


def main() -> None:
    """Answer, write until the end, seal."""
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    jobs = Jobs()
    directory, plain = jobs.first()
    limits = RecorderLimits.named(plain)
    try:
        scribe = opened(lambda: Scribe.open(Path(directory), limits.writer, tell), limits.patience)
    except Exception as error:  # noqa: BLE001 (raised again on the other side)
        _send((type(error).__name__, getattr(error, "errno", None) or 0, _words(error)))
        return
    _send(("", 0, ""))
    try:
        scribe.work(jobs.take, interval=limits.interval)
    except Exception as error:  # noqa: BLE001 (nobody reads what is written to standard error)
        tell(Report(fault=f"the recorder's process failed: {type(error).__name__}", ended=True))
        raise SystemExit(1) from None
    scribe.close(seal=jobs.was_ended)


def opened(scribe: Callable[[], Scribe], patience: float) -> Scribe:
    """The files, as soon as nobody else has them; ``RecorderBusyError`` after so many seconds.

    A gateway that was killed has left them to its scribe, which ends when it has written what had reached it: the next
    gateway may be there before.
    """
    until = time.monotonic() + patience
    while True:
        try:
            return scribe()
        except RecorderBusyError:
            if time.monotonic() >= until:
                raise
            time.sleep(_AGAIN)


def _words(error: Exception) -> str:
    return str(error.strerror or error) if isinstance(error, OSError) else str(error)


def _send(value: Any) -> None:
    data = memoryview(frame(value))
    with suppress(BrokenPipeError):
        while data:
            data = data[os.write(_OUTPUT, data) :]


if __name__ == "__main__":
    main()
