"""Who may not act any more, as this process sees it now.

The view is read from the store twice a second, so that a revocation made by any process counts here within a second;
so does the end of a session. A view that is too old answers for nobody: then everybody is refused, for a revocation
could have been missed. The emergency stop comes before all of that, for it needs no store.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from gatehold.identity.vouching import API_KEY_ISSUER
from gatehold.identity.watching import Watch
from gatehold.sessions.registry import SessionRegistry, session_ended
from gatehold.sessions.rows import Key
from gatehold.sessions.stopping import Stop
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


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the store said at one moment."""

    began: float
    """When reading began, on the monotonic clock."""
    in_force: list[Revocation]
    ended: tuple[float, Mapping[Key, str]] | None = None
    """What the registry of sessions read; see there."""


class Revocations:
    """The revocations in force. Bound to the event loop that starts it."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float] = time.time,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sessions: SessionRegistry | None = None,
        stop: Stop | None = None,
    ) -> None:
        """Without ``sessions`` none ever ends by itself, without ``stop`` there is no emergency stop."""
        self._store = store
        self._sessions = sessions
        self._stop = stop
        self._clock = clock
        self._monotonic = monotonic
        self._seen: dict[Reach, dict[str, list[Revocation]]] = {}
        self._read_at: float | None = None
        self._watch = Watch(self.check, _told_apart)
        self._task: asyncio.Task[None] | None = None
        # Its own: a view must not get old because calls keep the threads of the others busy.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="gatehold-revocations")

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
        self._thread.shutdown(wait=False)

    async def refresh(self) -> None:
        """Read the store now."""
        self._take(await asyncio.get_running_loop().run_in_executor(self._thread, self._read))

    def check(self, agent: Agent) -> None:
        """Raises Refusal for an agent whose access was taken away, and for everybody while that cannot be known."""
        if self._stop is not None and self._stop.pulled:
            raise Refusal(Code.REVOKED, "Everything was stopped by the gateway's operators.", reason="stopped")
        if self._read_at is None or self._monotonic() - self._read_at > STALE:
            raise Refusal(Code.GATEWAY_ERROR, "It cannot be told now whose access was revoked.", retry_after=1)
        hits = [each for each in self._about(agent) if self._hits(each, agent)] if self._seen else ()
        if hits:
            raise Refusal(Code.REVOKED, _words(hits), reason="revoked")
        if self._sessions is not None and (why := self._sessions.why_ended(agent)):
            raise session_ended(why)

    def is_revoked(self, agent: Agent) -> bool:
        """Whether an agent's access was taken away, or its session ended, as far as is known now."""
        if any(self._hits(each, agent) for each in self._about(agent)):
            return True
        return self._sessions is not None and bool(self._sessions.why_ended(agent))

    def wake(self) -> None:
        """Have whoever waits look again, for something was learned in another way."""
        self._watch.look(patience=STALE)

    async def refused(self, agent: Agent) -> Refusal:
        """Wait until an agent may not act any more."""
        return await self._watch.refused(agent, patience=STALE)

    def _about(self, agent: Agent) -> Iterable[Revocation]:
        keys = ((Reach.ALL, ""), (Reach.ISSUER, agent.issuer), (Reach.SUBJECT, agent.subject))
        for reach, value in (*keys, (Reach.SESSION, agent.session), (Reach.KEY, _key_of(agent))):
            yield from self._seen.get(reach, {}).get(value, ())

    def _hits(self, revocation: Revocation, agent: Agent) -> bool:
        lasts = revocation.until is None or self._clock() < revocation.until
        is_old = revocation.issued_before is None or _issued(agent) < revocation.issued_before
        return lasts and is_old and revocation.issuer in ("", agent.issuer)

    def _read(self) -> View:
        began = self._monotonic()
        with self._store.reading() as connection:
            found = in_force(connection, now=self._clock())
            ended = self._sessions.read(connection) if self._sessions is not None else None
        return View(began=began, in_force=found, ended=ended)

    def _take(self, view: View) -> None:
        self._read_at = view.began
        seen: dict[Reach, dict[str, list[Revocation]]] = {}
        for each in view.in_force:
            seen.setdefault(each.reach, {}).setdefault(each.value, []).append(each)
        self._seen = seen
        if self._sessions is not None and view.ended is not None:
            self._sessions.take(view.ended)
        self.wake()

    async def _keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            try:
                await self.refresh()
            except GateholdError as error:
                logger.error("gatehold: revocations cannot be read: %s", type(error).__name__)  # noqa: TRY400


def _told_apart(agent: Agent) -> tuple[str, str, str, float]:
    """All of an agent that ``Revocations.check`` looks at."""
    return agent.issuer, agent.subject, agent.session, _issued(agent)


def _key_of(agent: Agent) -> str:
    """The id of the API key that was shown; empty for every other agent. A session belongs to one key."""
    return str(agent.claims.get("key", "")) if agent.issuer == API_KEY_ISSUER else ""


def _issued(agent: Agent) -> float:
    """When the token was issued, Unix seconds; one that does not say so counts as old."""
    issued = agent.claims.get("iat")
    return float(issued) if isinstance(issued, int | float) and not isinstance(issued, bool) else 0.0


def _words(hits: Iterable[Revocation]) -> str:
    """What the agent is told: also from when on a new token helps, where one does."""
    moments = [each.issued_before for each in hits]
    known = [moment for moment in moments if moment is not None]
    if len(known) < len(moments):
        return "Access was revoked."
    when = datetime.fromtimestamp(max(known), UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return f"Access was revoked; tokens that are issued after {when} count again."
