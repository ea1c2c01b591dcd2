"""Puts finished files into the bucket, the oldest first; tries again with growing pauses, and is in nobody's way."""

import asyncio
import contextlib
import logging
import os
import random
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from typing import Final

from gatehold.objects.aside import aside
from gatehold.objects.dropping import Dropping
from gatehold.objects.finished import Finished, Spool
from gatehold.objects.ledger import Ledger, Uploaded, object_name
from gatehold.objects.place import BucketUnavailable, ObjectDiffers, ObjectPlace
from gatehold.sinks.anchors import copy_name, newest_checkpoint
from gatehold.sinks.pump import backoff
from policy.errors import GateholdError
from recordings.acts import GatewayMove
from recordings.regular import NotRegularError, open_regular

logger = logging.getLogger(__name__)

EVERY: Final = 30.0
"""Seconds between two looks."""
ANCHOR_EVERY: Final = 20
"""Looks from one copy of the newest checkpoint to the next."""
LAST_TRY: Final = 10.0
"""Seconds that a stop waits for the last files to arrive."""
_SHORTEST_PAUSE: Final = 5.0

type Tell = Callable[[GatewayMove, str, dict[str, object]], Awaitable[None]]


class FileDiffers(GateholdError):
    """A finished file is not as it was sealed."""


class Uploading:
    """The task of a gateway. ``dropping``: removes files here that are there; None: all stay."""

    def __init__(
        self, data_dir: Path, place: ObjectPlace, ledger: Ledger, *, tell: Tell, dropping: Dropping | None = None
    ) -> None:
        self._data_dir = data_dir
        self._place = place
        self._ledger = ledger
        self._tell = tell
        self._dropping = dropping
        self._spool = Spool(data_dir, ledger)
        self._task: asyncio.Task[None] | None = None
        self._failures = 0
        self._turns = 0
        self._changed: set[str] = set()
        """Files that are not as they were sealed, and of which that was said."""

    def start(self) -> None:
        """Begin; waits for nobody."""
        self._task = asyncio.create_task(self._run(), name="gatehold object store")

    async def close(self) -> None:
        """End, once the recorder has: the last files are put where the bucket takes them now."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            if not self._failures:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LAST_TRY):
                        await self._attempt(self._upload_all)

    async def turn(self) -> bool:
        """Put what is finished, then drop what may go; False: the bucket does not take it."""
        return await self._attempt(self._whole_turn)

    async def _whole_turn(self) -> None:
        await self._upload_all()
        if self._turns % ANCHOR_EVERY == 0:
            await self._copy_checkpoint()
        self._turns += 1
        if self._dropping is not None:
            for words in await self._dropping.turn():
                await self._conflict(words)

    async def _upload_all(self) -> None:
        for file in await asyncio.to_thread(self._spool.waiting):
            if file.name not in self._changed:
                await self._upload(file)

    async def _upload(self, file: Finished) -> None:
        try:
            data = await asyncio.to_thread(read_finished, self._data_dir, file)
        except FileNotFoundError:
            return  # deleted in the meantime
        except FileDiffers as error:
            self._changed.add(file.name)
            await self._conflict(f"{error}: it is not copied")
            return
        digest = sha256(data).hexdigest()
        entry = Uploaded(name=file.name, chain=file.chain, size=len(data), sha256=digest)
        try:
            await aside(self._place.create, entry.key, data, digest)
        except ObjectDiffers as error:
            entry = Uploaded(name=file.name, chain=file.chain, size=len(data), sha256=digest, differs=True)
            await self._conflict(f"{error}: neither is it overwritten, nor is the file here ever dropped")
        await asyncio.to_thread(self._ledger.add, entry)

    async def _copy_checkpoint(self) -> None:
        """An anchor: it vouches for the journal file that is still open."""
        checkpoint = await asyncio.to_thread(newest_checkpoint, self._data_dir)
        if checkpoint is None:
            return
        data = checkpoint.line() + b"\n"
        name = object_name(checkpoint.chain, f"anchors/{copy_name(checkpoint)}")
        try:
            await aside(self._place.create, name, data, sha256(data).hexdigest())
        except ObjectDiffers as error:
            await self._conflict(f"{error}: it vouches for something else, so the data directory may be rolled back")

    async def _attempt(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Do it; that it cannot be done is an event, once."""
        try:
            await work()
        except (BucketUnavailable, OSError) as error:
            reason = (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
            await self._failed(reason)
            return False
        except Exception as error:  # noqa: BLE001 - told, and tried again
            await self._failed(type(error).__name__)
            return False
        failures, self._failures = self._failures, 0
        if failures:
            words = "recordings are copied again"
            await self._tell(GatewayMove.OBJECT_STORE_RECOVERED, words, {"bucket": self._place.host})
        return True

    async def _failed(self, reason: str) -> None:
        logger.warning("gatehold: object store: %s", reason)
        self._failures += 1
        if self._failures == 1:
            words = f"recordings are not copied: {reason}"
            await self._tell(GatewayMove.OBJECT_STORE_FAULT, words, {"bucket": self._place.host})

    async def _conflict(self, words: str) -> None:
        logger.warning("gatehold: object store: %s", words)  # an error would end the process while it starts
        await self._tell(GatewayMove.OBJECT_STORE_CONFLICT, words, {"bucket": self._place.host})

    async def _run(self) -> None:
        while True:
            pause = EVERY if await self.turn() else self._pause()
            await asyncio.sleep(pause)

    def _pause(self) -> float:
        return max(_SHORTEST_PAUSE, backoff(self._failures, random.random()))  # noqa: S311 (spreads attempts)


def read_finished(data_dir: Path, file: Finished) -> bytes:
    """The bytes of a finished file. Raises FileDiffers, OSError."""
    try:
        opened = open_regular(data_dir / file.name)
    except NotRegularError as error:
        raise FileDiffers(f"{file.name}: {error}") from None
    with opened:
        size = os.fstat(opened.fileno()).st_size
        if file.length is not None and size != file.length:
            raise FileDiffers(f"{file.name} has {size} bytes, but was sealed with {file.length}")
        return opened.read()
