"""Feeds the index beside the calls: a little each second, so that it costs them nothing they would notice.

While much is called most turns are left out: what was not done is done later, and who asks the index in between brings
it up to date, or reads the journal.
"""

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import Final

from recordings.index.asking import Index
from recordings.index.schema import Unusable
from recordings.journal import JOURNAL, WRITER, journal_files

logger = logging.getLogger(__name__)

TURN: Final = 1.0
"""Seconds between two turns."""
SHARE: Final = 0.1
"""Seconds of a turn, half of which it lets others run."""
BUSY: Final = 256 * 1024
"""Bytes by which the journal grows in a turn while much is called: some hundred lines."""
LEFT_OUT: Final = 9
"""Turns in a row that are left out then."""


class Indexing:
    """The feeder of a gateway."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._index: Index | None = None
        self._fault = ""
        self._size: int | None = None
        """Of the newest journal files at the last turn, in bytes."""
        self._left_out = 0
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
        if self._leaves_out():
            return
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

    def _leaves_out(self) -> bool:
        before, self._size = self._size, self._newest()
        is_busy = before is not None and self._size - before > BUSY
        self._left_out = self._left_out + 1 if is_busy and self._left_out < LEFT_OUT else 0
        return self._left_out > 0

    def _newest(self) -> int:
        size = 0
        for path in journal_files(self._data_dir / JOURNAL / WRITER)[-2:]:
            with contextlib.suppress(OSError):  # retention may have deleted it
                size += path.stat().st_size
        return size
