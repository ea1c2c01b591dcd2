"""What runs beside the calls: budgets to the store, events of other processes to the journal, approvals to their end.

One task, one turn a second, each turn in a thread. A turn that fails is told and tried again; the calls do not wait
for it.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from gatehold.approvals.desk import ApprovalDesk
from gatehold.auditing import journal_event
from gatehold.store import Store, limits, outbox
from policy.limits import LimitLedger
from policy.model import SessionId
from recordings.recorder import Recorder

logger = logging.getLogger(__name__)

TURN = 1.0
"""Seconds between two turns: what a crash can lose of a budget."""


class Background:
    """The gateway's own work."""

    def __init__(
        self,
        store: Store,
        desk: ApprovalDesk,
        ledger: LimitLedger,
        recorder: Recorder,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._desk = desk
        self.ledger = ledger
        self._recorder = recorder
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._more: list[Callable[[], Awaitable[None]]] = []
        self._beside: asyncio.Task[object] | None = None
        self._afterwards: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read back the budgets and begin."""
        rows = await asyncio.to_thread(limits.load, self._store, now=self._clock())
        self.ledger.restore(rows)
        self._task = asyncio.create_task(self._run(), name="gatehold background")

    def every_turn(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something each turn as well, on the loop."""
        self._more.append(work)

    def alongside(self, work: Callable[[], object]) -> None:
        """Do something once, in a thread, that nobody waits for."""
        self._beside = asyncio.create_task(asyncio.to_thread(work), name="gatehold alongside")
        self._beside.add_done_callback(_tell_failure)

    def afterwards(self, works: Iterable[Callable[[], object]]) -> None:
        """Do more once that is done, one thing after the other, each in a thread."""
        self._afterwards = asyncio.create_task(self._in_turn(works), name="gatehold afterwards")
        self._afterwards.add_done_callback(_tell_failure)

    async def _in_turn(self, works: Iterable[Callable[[], object]]) -> None:
        if self._beside is not None:
            await asyncio.wait((self._beside,))
        for work in works:
            await asyncio.to_thread(work)

    async def all_done(self) -> None:
        """Wait for what is done alongside and afterwards."""
        tasks = [task for task in (self._beside, self._afterwards) if task is not None]
        if tasks:
            await asyncio.wait(tasks)

    @property
    def did_alongside(self) -> bool:
        """Is that done, and without an error?"""
        beside = self._beside
        return beside is not None and beside.done() and not beside.cancelled() and beside.exception() is None

    async def stop(self) -> None:
        """Do a last turn and end."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._afterwards is not None:
            self._afterwards.cancel()
            await asyncio.wait((self._afterwards,))
        if self._beside is not None:
            await asyncio.wait((self._beside,))
        await self._guarded_turn()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(TURN)
            await self._guarded_turn()

    async def _guarded_turn(self) -> None:
        try:
            await self._turn()
        except Exception as error:  # noqa: BLE001 - told, and tried again in a second
            logger.error("gatehold: background work failed: %s", type(error).__name__)  # noqa: TRY400

    async def _turn(self) -> None:
        await asyncio.to_thread(self._desk.expire_due)
        await self._flush_limits()
        await self._drain_outbox()
        for work in self._more:
            await work()

    async def _flush_limits(self) -> None:
        """The ledger belongs to the loop; only writing goes to a thread."""
        states = self.ledger.export_dirty(self._clock())
        try:
            await asyncio.to_thread(limits.save, self._store, states)
        except BaseException:
            self.ledger.export_again(states)
            raise

    async def _drain_outbox(self) -> None:
        rows = await asyncio.to_thread(outbox.take, self._store, now=self._clock())
        if rows:
            await self._recorder.append(
                events=[journal_event(row) for row in rows], flow=None, session=SessionId(""), durable=True
            )
            await asyncio.to_thread(outbox.done, self._store, [row.id for row in rows])


def _tell_failure(beside: asyncio.Task[Any]) -> None:
    error = None if beside.cancelled() else beside.exception()
    if error is not None:
        logger.error("gatehold: background work failed: %s", type(error).__name__)
