"""Who may not act any more, as this process sees it now.

The view is read from the store twice a second, so that a revocation made by any process counts here within a second.
A view that is too old answers for nobody: then everybody is refused, for a revocation could have been missed.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable
from typing import Final

from gatehold.store import Store
from gatehold.store.revocations import Reach, Revocation, in_force
from policy.codes import Code
from policy.errors import GateholdError, Refusal
from policy.model import Agent

logger = logging.getLogger(__name__)

INTERVAL: Final = 0.5
"""Seconds between two looks at the store."""
STALE: Final = 5.0
"""Seconds after which a view counts no more."""


class Revocations:
    """The revocations in force. Bound to the event loop that starts it."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float] = time.time,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._clock = clock
        self._monotonic = monotonic
        self._seen: dict[Reach, dict[str, list[Revocation]]] = {}
        self._read_at: float | None = None
        self._turn = asyncio.Event()
        """Set when the next view was read, and replaced."""
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read the first view and keep it fresh. Raises StoreError."""
        await self.refresh()
        self._task = asyncio.get_running_loop().create_task(self._keep_fresh(), name="gatehold revocations")

    async def close(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def refresh(self) -> None:
        """Read the store now."""
        self._take(await asyncio.to_thread(self._read))

    def check(self, agent: Agent) -> None:
        """Raises Refusal for an agent whose access was taken away, and for everybody while that cannot be known."""
        if self._read_at is None or self._monotonic() - self._read_at > STALE:
            raise Refusal(Code.GATEWAY_ERROR, "It cannot be told now whose access was revoked.", retry_after=1)
        if self._seen and self.is_revoked(agent):
            raise Refusal(Code.REVOKED, "Access was revoked.", reason="revoked")

    def is_revoked(self, agent: Agent) -> bool:
        """Whether an agent's access was taken away, as far as is known now."""
        return any(self._hits(each, agent) for each in self._about(agent))

    async def refused(self, agent: Agent) -> Refusal:
        """Wait until an agent may not act any more."""
        while True:
            turn = self._turn
            try:
                self.check(agent)
            except Refusal as refusal:
                return refusal
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STALE):
                    await turn.wait()

    def _about(self, agent: Agent) -> Iterable[Revocation]:
        keys = ((Reach.ALL, ""), (Reach.ISSUER, agent.issuer), (Reach.SUBJECT, agent.subject))
        for reach, value in (*keys, (Reach.SESSION, agent.session)):
            yield from self._seen.get(reach, {}).get(value, ())

    def _hits(self, revocation: Revocation, agent: Agent) -> bool:
        lasts = revocation.until is None or self._clock() < revocation.until
        return lasts and revocation.issuer in ("", agent.issuer)

    def _read(self) -> tuple[float, list[Revocation]]:
        began = self._monotonic()
        with self._store.reading() as connection:
            return began, in_force(connection, now=self._clock())

    def _take(self, view: tuple[float, list[Revocation]]) -> None:
        self._read_at, found = view
        seen: dict[Reach, dict[str, list[Revocation]]] = {}
        for each in found:
            seen.setdefault(each.reach, {}).setdefault(each.value, []).append(each)
        self._seen = seen
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()

    async def _keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            try:
                await self.refresh()
            except GateholdError as error:
                logger.error("gatehold: revocations cannot be read: %s", type(error).__name__)  # noqa: TRY400
