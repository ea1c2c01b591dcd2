"""Brings what is to be told to one channel: looks, takes, sends, and tries again with longer and longer pauses.

A task of its own per channel, so that one that hangs holds up no other; the store is read and written in threads.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable
from typing import Final

from gatehold.approvals.model import Approval
from gatehold.channels import deliveries
from gatehold.channels.deliveries import Concerns
from gatehold.channels.model import Channel, Delivery, Undelivered
from gatehold.store import Store
from gatehold.store.errors import StoreUnavailable

logger = logging.getLogger(__name__)

PAUSE: Final = 0.5
"""Seconds between two looks."""
TOGETHER: Final = 8
"""Messages under way to one channel."""
PATIENCE: Final = 40.0
"""Seconds that one attempt may take; less than the lease."""
MOST_ATTEMPTS: Final = 14
"""Within about half an hour."""
LONGEST_PAUSE: Final = 300.0

_AFTERWARDS: Final = 3600.0
"""Seconds for which ends of approvals are looked for after the last one may have come."""
_TIDYING: Final = 3600.0


def backoff(attempts: int, chance: float) -> float:
    """Seconds until the next attempt after so many; ``chance`` in [0, 1) spreads them."""
    return min(LONGEST_PAUSE, 2.0 ** (attempts - 1)) * (0.5 + chance)


class Courier:
    """Serves one channel. ``life``: seconds from an approval's opening to its end, at most."""

    def __init__(  # noqa: PLR0913 (what it serves, and two sources of chance for tests)
        self,
        channel: Channel,
        store: Store,
        concerns: Concerns,
        *,
        life: float,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.channel = channel
        self._store = store
        self._concerns = concerns
        self._life = life
        self._clock = clock
        self._chance = chance
        self._task: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._tidied = 0.0
        self._looked = False

    async def start(self) -> None:
        """Begin."""
        await self.channel.start()
        self._task = asyncio.create_task(self._run(), name=f"gatehold channel {self.channel.name}")

    def wake(self) -> None:
        """Something happened: look now. In the loop."""
        self._woken.set()

    async def close(self) -> None:
        """End; what is under way is tried again by whoever comes next."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self.channel.close()

    async def turn(self) -> int:
        """Tell what is due; returns how many attempts were made."""
        taken = await asyncio.to_thread(self._take)
        async with asyncio.TaskGroup() as group:
            for delivery, approval in taken:
                group.create_task(self._send(delivery, approval))
        return len(taken)

    async def _run(self) -> None:
        while True:
            try:
                busy = await self.turn() > 0
            except* StoreUnavailable:
                busy = False  # whoever holds calls says so loudly enough
            except* Exception as errors:  # noqa: BLE001 - told, and tried again
                busy = False
                kinds = ", ".join(type(error).__name__ for error in errors.exceptions)
                logger.warning("gatehold: channel %s: %s", self.channel.name, kinds)
            if not busy:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), PAUSE)
                self._woken.clear()

    def _take(self) -> list[tuple[Delivery, Approval]]:
        now, channel = self._clock(), self.channel.name
        if now - self._tidied > _TIDYING:
            deliveries.forget(self._store, before=now - deliveries.KEPT)
            self._tidied = now
        # What ended while no gateway ran is told by the first look.
        back = self._life + _AFTERWARDS if self._looked else max(deliveries.KEPT, self._life)
        deliveries.note(self._store, channel, self._concerns, now=now, since=now - back)
        self._looked = True
        return deliveries.take(self._store, channel, now=now, limit=TOGETHER)

    async def _send(self, delivery: Delivery, approval: Approval) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                reference = await self.channel.tell(delivery, approval)
        except TimeoutError:
            await asyncio.to_thread(self._failed, delivery, Undelivered("no answer in time"))
        except Undelivered as undelivered:
            await asyncio.to_thread(self._failed, delivery, undelivered)
        else:
            await asyncio.to_thread(deliveries.done, self._store, delivery, now=self._clock(), reference=reference)

    def _failed(self, delivery: Delivery, undelivered: Undelivered) -> None:
        now, reason = self._clock(), undelivered.reason
        what = f"{delivery.event} of {delivery.approval}"
        if undelivered.final or delivery.attempts >= MOST_ATTEMPTS:
            deliveries.give_up(self._store, delivery, now=now, reason=reason)
            logger.warning("gatehold: channel %s: %s is given up: %s", delivery.channel, what, reason)
            return
        pause = max(backoff(delivery.attempts, self._chance()), min(undelivered.retry_after, LONGEST_PAUSE))
        deliveries.again(self._store, delivery, due=now + pause)
        logger.warning("gatehold: channel %s: %s was not received: %s", delivery.channel, what, reason)
