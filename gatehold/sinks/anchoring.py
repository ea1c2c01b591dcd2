"""Keeps the copies of checkpoints up to date: one task per anchor, every so often, and once at the end."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from gatehold.sinks.anchors import Behind, Store, behind, newest_checkpoint
from recordings.acts import GatewayMove

logger = logging.getLogger(__name__)

type Tell = Callable[[GatewayMove, str, dict[str, object]], Awaitable[None]]


class Anchor:
    """One place that keeps checkpoints; ``every``: seconds between two copies."""

    def __init__(self, name: str, store: Store, data_dir: Path, *, every: float, tell: Tell) -> None:
        self.name = name
        self._store = store
        self._data_dir = data_dir
        self._every = every
        self._tell = tell
        self._task: asyncio.Task[None] | None = None
        self._failed = False

    def behind(self) -> Behind | None:
        """Does the data directory live up to it? Before the gateway writes. Raises OSError."""
        return behind(self._data_dir, self._store)

    def start(self) -> None:
        """Begin; waits for nobody."""
        self._task = asyncio.create_task(self._run(), name=f"gatehold anchor {self.name}")

    async def close(self) -> None:
        """End with a copy of where the journal ends."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self.turn()

    async def turn(self) -> None:
        """Copy the newest checkpoint; that it cannot be is an event, once."""
        try:
            await asyncio.to_thread(self._copy)
        except OSError as error:
            await self.failed(error)
        else:
            failed, self._failed = self._failed, False
            if failed:
                words = f"anchor {self.name} keeps checkpoints again"
                await self._tell(GatewayMove.ANCHOR_RECOVERED, words, {"anchor": self.name})

    async def failed(self, error: OSError) -> None:
        """It cannot be reached."""
        reason = error.strerror or str(error) or type(error).__name__
        logger.warning("gatehold: anchor %s: %s", self.name, reason)
        before, self._failed = self._failed, True
        if not before:
            words = f"anchor {self.name} keeps no checkpoints: {reason}"
            await self._tell(GatewayMove.ANCHOR_FAULT, words, {"anchor": self.name})

    def _copy(self) -> None:
        checkpoint = newest_checkpoint(self._data_dir)
        if checkpoint is not None:
            self._store.keep(checkpoint)

    async def _run(self) -> None:
        while True:
            await self.turn()
            await asyncio.sleep(self._every)
