"""Processes that are not our children: the scribes of gateways that are killed."""

import os
import select
import signal
from types import TracebackType
from typing import Self


class Stranger:
    """A process that runs; closed by its end, which is waited for."""

    def __init__(self, pid: int) -> None:
        self._handle = os.pidfd_open(pid)

    def send(self, number: int) -> None:
        """Send it a signal; nothing where it has ended."""
        if not self.has_ended(0.0):
            signal.pidfd_send_signal(self._handle, number)

    def wait(self) -> None:
        """Wait until it has ended."""
        self.has_ended(None)

    def has_ended(self, seconds: float | None) -> bool:
        """Whether it ends within so many seconds."""
        return bool(select.select([self._handle], [], [], seconds)[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.send(signal.SIGKILL)
        self.wait()
        os.close(self._handle)
