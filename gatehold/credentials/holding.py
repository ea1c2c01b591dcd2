"""One credential as it is now: had once however many wait, renewed in time, asked for with growing pauses."""

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass

from gatehold.config.values import CredentialUnavailable, Secret
from gatehold.credentials.injection import Injection
from gatehold.credentials.sources import CredentialDelayed, Source
from policy.codes import Code
from policy.errors import Refusal

CHECK_INTERVAL = 1.0
"""Seconds between looks at the files that a credential came from."""
RENEW_AT = 0.8
"""Share of a credential's life after which it is fetched anew."""
LAST_SECONDS, LAST_SHARE = 30.0, 0.05
"""The end of a credential's life (the shorter of the two) in which it is not used, for calls take time to arrive."""
LEAST_LIFE = 1.0
"""Seconds. What ends sooner would be asked for with every call."""
FORMER = 4
"""Credentials that were replaced and are still looked for in answers."""
MAX_WAIT = 40.0
"""Seconds that a call waits for a credential; fetching goes on beside."""
MAX_BACKOFF = 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """``now`` gives Unix seconds, for what credentials say; ``instant`` seconds, for pauses."""

    now: Callable[[], float]
    instant: Callable[[], float]


class Holder:
    """Holds one credential. Bound to the event loop that first uses it."""

    def __init__(self, name: str, source: Source, clocks: Clocks, on_change: Callable[[], None]) -> None:
        """``name`` is the target's; ``on_change`` is called when ``secrets`` may be other ones."""
        self.name = name
        self.current: Injection | None = None
        """What calls were given last, be it still good or not."""
        self.problem: CredentialUnavailable | None = None
        self._source = source
        self._clocks = clocks
        self._on_change = on_change
        self._former: tuple[Injection, ...] = ()
        self._renew_at = math.inf
        self._usable_until = math.inf
        self._checked_at = -math.inf
        self._failures = 0
        self._retry_at = -math.inf
        self._task: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        state = "held" if self.current is not None else "not held"
        return f"<credential of {self.name}: {state}{f', {self.problem}' if self.problem else ''}>"

    @property
    def is_busy(self) -> bool:
        """Whether it is being fetched."""
        return self._task is not None

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What must not come back: also of what was replaced, for calls that carry it may still be on their way."""
        held = (self.current, *self._former) if self.current else self._former
        return tuple(dict.fromkeys(secret for injection in held for secret in injection.secrets))

    def at_hand(self) -> Injection | None:
        """The credential, if nobody has to wait for it."""
        if self.current is None or self._is_outdated():
            return None
        now = self._clocks.now()
        if now >= self._renew_at and self._task is None and self._clocks.instant() >= self._retry_at:
            self.fetch()
        return self.current if now < self._usable_until else None

    async def get(self) -> Injection:
        """The credential. Raises ``Refusal`` (``credential-unavailable``) with the target's name."""
        if (known := self.at_hand()) is not None:
            return known
        if self._task is None and self._clocks.instant() < self._retry_at and not self._source.changed():
            raise self._refused()
        # The task goes on if the call is given up.
        done, _ = await asyncio.wait({self.fetch()}, timeout=MAX_WAIT)
        for finished in done:
            finished.result()
        if self.current is None or self._clocks.now() >= self._usable_until:
            raise self._refused()
        return self.current

    def fetch(self) -> asyncio.Task[None]:
        """Fetch it beside everything else; all who ask at the same time get the same task."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._obtain(), name=f"credential of {self.name}")
            self._task.add_done_callback(self._fetched)
        return self._task

    async def close(self) -> None:
        """Stop what is being fetched and forget everything."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self.current, self._former = None, ()
        self._on_change()

    def _fetched(self, _: asyncio.Task[None]) -> None:
        self._task = None

    async def _obtain(self) -> None:
        try:
            self._keep(await self._source.obtain())
        except CredentialUnavailable as problem:
            self._failed(problem)
        except Exception as fault:  # noqa: BLE001 - else every call would ask again
            self._failed(CredentialDelayed(f"it cannot be made ({type(fault).__name__})"))
        self._checked_at = self._clocks.instant()

    def _keep(self, injection: Injection) -> None:
        now = self._clocks.now()
        life = math.inf if injection.expires_at is None else injection.expires_at - now
        if life < LEAST_LIFE:
            raise CredentialDelayed("it has expired")
        known = self.secrets
        if self.current is not None and self.current.secrets != injection.secrets:
            self._former = (self.current, *self._former)[:FORMER]
        self.current = injection
        self._renew_at = now + max(1.0, life * RENEW_AT)
        self._usable_until = now + life - min(LAST_SECONDS, life * LAST_SHARE)
        self._failures, self._retry_at, self.problem = 0, -math.inf, None
        if self.secrets != known:
            self._on_change()

    def _failed(self, problem: CredentialUnavailable) -> None:
        """It could not be had; the next try is later each time."""
        if self.problem is None or str(self.problem) != str(problem):
            _log.warning("target %s: its credential cannot be had: %s", self.name, problem)
        self.problem = problem
        self._retry_at = self._clocks.instant() + min(MAX_BACKOFF, 2.0 ** min(self._failures, 10))
        self._failures += 1

    def _is_outdated(self) -> bool:
        """Whether the files it came from are other ones now; looked at once a second at most."""
        instant = self._clocks.instant()
        if instant - self._checked_at < CHECK_INTERVAL:
            return False
        self._checked_at = instant
        if self._source.changed():
            self._usable_until = -math.inf
        return self._usable_until == -math.inf

    def _refused(self) -> Refusal:
        pause = math.ceil(max(1.0, self._retry_at - self._clocks.instant()))
        return refusal(self.name, str(self.problem or "not in time"), pause)


def refusal(target: str, reason: str, retry_after: int | None = None) -> Refusal:
    """What a call is refused with; ``reason`` is for the audit trail, ``retry_after`` in seconds."""
    detail = f"The credential of target {target} cannot be had."
    return Refusal(
        Code.CREDENTIAL_UNAVAILABLE, detail, reason=f"credential of {target}: {reason}", retry_after=retry_after
    )
