"""Held calls wait here for people, in the event loop, without costing the other calls anything.

One task asks the store every ``interval`` which questions are still open, whatever the number of waiting calls, in a
thread of its own; it lives only while somebody waits. A decision made in this process wakes it at once (``notify``).
Nobody who waits can miss a decision: an approval is looked for among the open ones, not among the changes.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from gatehold.approvals import rows
from gatehold.approvals.errors import UnknownApproval
from gatehold.approvals.states import ApprovalState
from gatehold.store import Store
from gatehold.store.errors import StoreUnavailable
from policy.codes import Code
from policy.errors import Refusal

INTERVAL: Final = 0.1
"""Seconds between two looks at the store."""

MOST_FAILURES: Final = 30
"""Looks that may fail in a row before everybody who waits is told."""

logger = logging.getLogger(__name__)

type _Future = asyncio.Future[ApprovalState]


class Waiter:
    """Waits for answers. One per event loop; all but ``notify`` is called in that loop."""

    def __init__(self, store: Store, *, interval: float = INTERVAL) -> None:
        self._store = store
        self._interval = interval
        self._waiting: defaultdict[str, set[_Future]] = defaultdict(set)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="gatehold-approvals")
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._poll: asyncio.Task[None] | None = None
        self._stopped = False

    def __len__(self) -> int:
        return sum(len(futures) for futures in self._waiting.values())

    def __repr__(self) -> str:
        return f"<Waiter {'stopped' if self._stopped else 'open'}, {len(self)} waiting>"

    async def wait(self, approval_id: str, timeout: float) -> ApprovalState:  # noqa: ASYNC109 - its end is an answer
        """The state once it is no longer pending, or ``pending`` after so many seconds.

        May be cancelled. Raises Refusal when the waiter is stopped, UnknownApproval, StoreUnavailable.
        """
        if self._stopped:
            raise _stopping()
        loop = self._loop = asyncio.get_running_loop()
        future: _Future = loop.create_future()
        self._waiting[approval_id].add(future)
        end = loop.call_later(timeout, _resolve, future, ApprovalState.PENDING)
        try:
            self._start_polling(loop)
            return await future
        finally:
            end.cancel()
            self._forget(approval_id, future)

    def notify(self) -> None:
        """Something was decided in this process: look at once. May be called from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)

    async def stop(self) -> None:
        """Refuse everybody who waits, and whoever comes later."""
        self._stopped = True
        self._fail_all(_stopping)
        self._wake.set()
        if self._poll is not None:
            await self._poll
        self._thread.shutdown(wait=False)

    def _start_polling(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._poll is None or self._poll.done():
            self._poll = loop.create_task(self._poll_while_needed(loop), name="approvals")

    async def _poll_while_needed(self, loop: asyncio.AbstractEventLoop) -> None:
        failures = 0
        while self._waiting and not self._stopped:
            self._wake.clear()
            try:
                ids = frozenset(self._waiting)
                self._deliver(await loop.run_in_executor(self._thread, _no_longer_open, self._store, ids))
                failures = 0
            except StoreUnavailable as error:
                failures += 1
                if failures >= MOST_FAILURES:
                    self._fail_all(partial(StoreUnavailable, str(error)))
            except asyncio.CancelledError:
                self._fail_all(_stopping)
                raise
            except Exception:
                logger.exception("cannot look for answers to approvals; all held calls are refused")
                self._fail_all(_broken)
            await self._pause(loop)

    async def _pause(self, loop: asyncio.AbstractEventLoop) -> None:
        alarm = loop.call_later(self._interval, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            alarm.cancel()

    def _deliver(self, found: Mapping[str, ApprovalState | None]) -> None:
        for approval_id, state in found.items():
            for future in tuple(self._waiting.get(approval_id, ())):
                if state is not None:
                    _resolve(future, state)
                elif not future.done():
                    future.set_exception(UnknownApproval(approval_id))

    def _fail_all(self, error: Callable[[], Exception]) -> None:
        for futures in tuple(self._waiting.values()):
            for future in tuple(futures):
                if not future.done():
                    future.set_exception(error())

    def _forget(self, approval_id: str, future: _Future) -> None:
        futures = self._waiting[approval_id]
        futures.discard(future)
        if not futures:
            del self._waiting[approval_id]


def _no_longer_open(store: Store, ids: frozenset[str]) -> dict[str, ApprovalState | None]:
    """Those of the approvals that are not pending, with their state; None for one that does not exist."""
    with store.reading() as connection:
        moved = ids - rows.pending_ids(connection)
        if not moved:
            return {}
        states = rows.states(connection, moved)
    return {approval_id: states.get(approval_id) for approval_id in moved}


def _resolve(future: _Future, state: ApprovalState) -> None:
    if not future.done():
        future.set_result(state)


def _broken() -> Refusal:
    return Refusal(Code.GATEWAY_ERROR, reason="looking for answers to approvals failed")


def _stopping() -> Refusal:
    return Refusal(Code.GATEWAY_ERROR, "The gateway is stopping.", reason="stopped while a call was held")
