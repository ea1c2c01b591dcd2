"""The emergency stop: while the file ``STOP`` lies in the data directory, every agent is refused.

It needs neither store nor console, only the file system or a signal, which makes the file. Whether the file is there is
looked at twice a second; a look that fails counts as a stop. It is lifted by removing the file, and survives a restart.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from recordings.acts import entity_change
from recordings.events import Event

logger = logging.getLogger(__name__)

FILE_NAME: Final = "STOP"
INTERVAL: Final = 0.5
"""Seconds between two looks."""
SIGNAL: Final = getattr(signal, "SIGRTMIN", None)
"""The signal that stops, where the system has it: one that neither mitmproxy nor a terminal sends or listens to."""

_SYSTEM: Final = 3
"""OCSF's type of a user that is no person."""

type OnChange = Callable[[bool], Awaitable[None]]


class Stop:
    """Whether everything is to stop. Bound to the event loop that starts it."""

    def __init__(self, data_dir: Path) -> None:
        self.file = data_dir / FILE_NAME
        self.pulled = True
        """Whether every agent is refused; so it is before the first look."""
        self._unwritten = False
        """A signal came, and the file could not be made: only a restart lifts that."""
        self._task: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<Stop {'pulled' if self.pulled else 'not pulled'}>"

    async def start(self, on_change: OnChange) -> None:
        """Look, and go on looking; ``on_change`` is told when it is pulled or lifted, at once where it is pulled."""
        self.look()
        if self.pulled:
            await on_change(True)
        self._task = asyncio.get_running_loop().create_task(self._go_on(on_change), name="gatehold stop")
        self._task.add_done_callback(self._looked_last)

    async def close(self) -> None:
        """Look no more; what it was, it stays."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def listen(self) -> None:
        """Stop on the signal, where the system has it. Call it in the main thread, inside the running loop."""
        if SIGNAL is not None:
            asyncio.get_running_loop().add_signal_handler(SIGNAL, self.pull)

    def pull(self) -> None:
        """Stop now, and leave the file behind."""
        self.pulled = True
        try:
            os.close(os.open(self.file, os.O_CREAT | os.O_WRONLY, 0o600))
        except OSError as error:
            self._unwritten = True
            logger.critical("gatehold: stopped, until it is started anew: %s: %s", self.file, error.strerror)

    def look(self) -> None:
        """Is the file there? Anything of that name counts, and so does a directory that cannot be looked into, or that
        is gone, for the file may be in it."""
        try:
            os.lstat(self.file)
        except FileNotFoundError:
            self.pulled = self._unwritten or not self.file.parent.is_dir()
        except OSError:
            self.pulled = True
        else:
            self.pulled = True

    async def _go_on(self, on_change: OnChange) -> None:
        told = self.pulled
        while True:
            await asyncio.sleep(INTERVAL)
            self.look()
            if self.pulled is not told:
                told = self.pulled
                await on_change(told)

    def _looked_last(self, task: "asyncio.Task[None]") -> None:
        if self._task is task:  # not closed: nobody looks any more
            self.pulled = True
            error = None if task.cancelled() else task.exception()
            logger.critical("gatehold: stopped: nobody looks at the emergency stop: %s", type(error).__name__)


def stop_event(pulled: bool, *, time: float) -> Event:
    """The journal's line for a stop that was pulled or lifted; who did it, the file system does not tell."""
    return entity_change(
        entity="Emergency stop",
        uid=FILE_NAME,
        change="create" if pulled else "delete",
        by={"name": "gatehold", "type_id": _SYSTEM},
        time=time,
        comment="everything is refused" if pulled else "agents are served again",
        details={"operation": "stop" if pulled else "go on"},
    )
