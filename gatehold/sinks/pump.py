"""Brings the journal to one sink: reads on, hands over, notes how far it came, tries again with longer pauses.

A task of its own per sink; files are read in threads. A line counts as told once the place has taken it, and the
position is saved after that: a crash in between tells it once more. Nothing is given up: what a sink cannot take today
stands in the journal tomorrow.
"""

import asyncio
import contextlib
import logging
import os
import random
import time
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Final

from gatehold.sinks.following import Batch, beginning, follow, oldest
from gatehold.sinks.model import NotTaken, Place
from gatehold.sinks.position import Position, load, position_file, save
from recordings.acts import GatewayMove

logger = logging.getLogger(__name__)

PAUSE: Final = 0.5
"""Seconds between two looks at a journal that had nothing new."""
LONGEST_PAUSE: Final = 300.0
FAULT_AFTER: Final = 3
"""Attempts in a row that failed, from which on it is an event."""
_FAR: Final = 1024 * 1024

type Tell = Callable[[GatewayMove, str, dict[str, object]], Awaitable[None]]
"""Puts an event into the journal: what happened, in words, and details."""


def backoff(attempts: int, chance: float) -> float:
    """Seconds until the next attempt after so many; ``chance`` in [0, 1) spreads them."""
    return min(LONGEST_PAUSE, 2.0 ** min(attempts - 1, 12)) * (0.5 + chance)


class Pump:
    """Serves one sink. ``kinds``: of journal lines that it gets. ``is_sound``: whether the journal may be read now."""

    def __init__(  # noqa: PLR0913 (what it serves, and whom it tells)
        self,
        name: str,
        place: Place,
        data_dir: Path,
        *,
        kinds: Collection[str],
        is_sound: Callable[[], bool],
        tell: Tell,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self.attempts = 0
        """That failed in a row."""
        self.reason = ""
        """Why the last of them failed."""
        self._place = place
        self._data_dir = data_dir
        self._kinds = frozenset(kinds)
        self._is_sound = is_sound
        self._tell = tell
        self._chance = chance
        self._file = position_file(data_dir, name)
        self._position: Position | None = None
        self._saved: Position | None = None
        self._task: asyncio.Task[None] | None = None
        self._failing_since = 0.0
        self._ending = asyncio.Event()

    def start(self) -> None:
        """Begin; waits for nobody."""
        self._task = asyncio.create_task(self._run(), name=f"gatehold sink {self.name}")

    async def close(self, patience: float = 0.0) -> None:
        """End, with so many seconds for a last try; what was not told yet is told after the next start."""
        self._ending.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=patience)
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._place.close()

    async def turn(self) -> bool:
        """Hand over what comes next; False where there was nothing. Raises NotTaken and OSError."""
        batch = await asyncio.to_thread(self._next)
        if batch is None:
            return False
        await self._say_oddities(batch)
        wanted = [line for line in batch.lines if line.kind in self._kinds]
        if wanted:
            await self._place.put(wanted)
        self._position = batch.position
        if wanted or self._is_far():
            await asyncio.to_thread(self._save)
        return bool(batch.lines or batch.skipped)

    def _next(self) -> Batch | None:
        if self._position is None:
            self._begin()
        if self._position is None or not self._is_sound():
            return None
        batch = follow(self._data_dir, self._position)
        # Lines that were read while a write failed may be taken back.
        return batch if self._is_sound() else None

    def _begin(self) -> None:
        """Where it stopped; a new sink begins here and now, also if it takes nothing before the next start.

        One whose position cannot be read is told all there is: twice is better than not at all.
        """
        self._saved = load(self._file)
        is_new = not os.path.lexists(self._file)
        self._position = self._saved or (beginning if is_new else oldest)(self._data_dir)
        self._save()

    def _is_far(self) -> bool:
        """Would much be read again, though nothing in it is for this sink?"""
        here, there = self._position, self._saved
        return here is not None and (there is None or here.file != there.file or here.offset - there.offset > _FAR)

    def _save(self) -> None:
        if self._position is not None and self._position != self._saved:
            save(self._file, self._position)
            self._saved = self._position

    async def _run(self) -> None:
        ended = False
        while not ended:
            pause = await self._round()
            ended = pause > 0 and await self._rests(pause)
        while await self._round() == 0:  # what came last
            pass

    async def _round(self) -> float:
        """A turn, and how long to wait for the next."""
        try:
            pause = 0.0 if await self.turn() else PAUSE
            await self._came_back()
        except (NotTaken, OSError) as error:
            return await self._failed(error)
        except Exception as error:  # noqa: BLE001 - told, and tried again
            return await self._failed(NotTaken(type(error).__name__))
        return pause

    async def _rests(self, seconds: float) -> bool:
        """A pause; True where it is the end."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)
        return self._ending.is_set()

    async def _failed(self, error: NotTaken | OSError) -> float:
        """Tell it; returns the seconds until the next attempt."""
        self.attempts += 1
        self.reason = error.reason if isinstance(error, NotTaken) else error.strerror or type(error).__name__
        logger.warning("gatehold: sink %s: %s", self.name, self.reason)
        if self.attempts == 1:
            self._failing_since = time.time()
        if self.attempts == FAULT_AFTER:
            await self._tell(
                GatewayMove.SINK_FAULT, f"sink {self.name} takes nothing: {self.reason}", {"sink": self.name}
            )
        wished = error.retry_after if isinstance(error, NotTaken) else 0.0
        return max(backoff(self.attempts, self._chance()), min(wished, LONGEST_PAUSE))

    async def _came_back(self) -> None:
        attempts, self.attempts, self.reason = self.attempts, 0, ""
        if attempts >= FAULT_AFTER:
            details: dict[str, object] = {"sink": self.name, "since": int(self._failing_since * 1000)}
            await self._tell(GatewayMove.SINK_RECOVERED, f"sink {self.name} takes events again", details)

    async def _say_oddities(self, batch: Batch) -> None:
        if batch.missing:
            first, last = batch.missing
            details: dict[str, object] = {"sink": self.name, "firstFile": first, "lastFile": last}
            await self._tell(
                GatewayMove.SINK_GAP, f"sink {self.name}: journal files were removed before it was told", details
            )
        if batch.again:
            logger.warning("gatehold: sink %s: %s is told again from its beginning", self.name, batch.position.file)
