"""Feeds the index beside the calls: a little each second, so that it costs them nothing they would notice.

What it does not get done while much is called, it does later; who asks the index in between brings it up to date.
"""

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import Final

from recordings.index.asking import Index
from recordings.index.schema import Unusable

logger = logging.getLogger(__name__)

TURN: Final = 1.0
"""Seconds between two turns."""
SHARE: Final = 0.1
"""Seconds of a turn, half of which it lets others run."""


class Indexing:
    """The feeder of a gateway."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._index: Index | None = None
        self._fault = ""
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; a task of its own, because another process may hold the index for seconds."""
        self._task = asyncio.create_task(self._run(), name="gatehold index")

    async def turn(self) -> None:
        """Read on for a moment; a fault is told once, and the next turn begins anew."""
        await asyncio.to_thread(self._turn)

    async def close(self) -> None:
        """End, and let go of the file."""
        self._stopping.set()
        if self._task is not None:
            await self._task
        index, self._index = self._index, None
        if index is not None:
            await asyncio.to_thread(index.close)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            await self.turn()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TURN):
                    await self._stopping.wait()

    def _turn(self) -> None:
        try:
            if self._index is None:
                self._index = Index(self._data_dir)
            self._index.update(seconds=SHARE, gentle=True)
            self._fault = ""
        except Unusable as error:
            if self._index is not None:
                self._index.close()
                self._index = None
            if str(error) != self._fault:
                logger.warning("gatehold: the index of recordings cannot be used: %s", error)
            self._fault = str(error)
