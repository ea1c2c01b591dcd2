"""One current credential for each target.

``get_cached`` is synchronous and is what a call asks first; ``get`` waits where something has to be fetched. However
many calls wait, a credential is fetched once. It is fetched anew when a fifth of its life is left, beside the traffic,
and after failures with growing pauses, in which calls are refused at once instead of waiting.
"""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from gatehold.config.model import Target
from gatehold.config.values import CredentialUnavailable, Secret
from gatehold.credentials.echoes import spellings
from gatehold.credentials.injection import Injection, origins
from gatehold.credentials.kubernetes import kubernetes_source
from gatehold.credentials.minting import Endpoint
from gatehold.credentials.sources import Bound, CredentialDelayed, Source, template_source
from policy.codes import Code
from policy.errors import Refusal
from policy.model import TargetName

CHECK_INTERVAL = 1.0
"""Seconds between looks at the files that a credential came from."""
RENEW_AT = 0.8
"""Share of a credential's life after which it is fetched anew."""
LAST_SECONDS, LAST_SHARE = 30.0, 0.05
"""The end of a credential's life (the shorter of the two) in which it is not used, for calls take time to arrive."""
MAX_WAIT = 40.0
"""Seconds that a call waits for a credential; fetching goes on beside."""
MAX_BACKOFF = 60.0

_log = logging.getLogger(__name__)


class _Slot:
    """The credential of one target, now."""

    def __init__(self, name: str, source: Source) -> None:
        self.name = name
        self.source = source
        self.current: Injection | None = None
        self.before: tuple[Secret, ...] = ()
        """What ``current`` replaced: calls that carry it may still be on their way."""
        self.renew_at = math.inf
        self.usable_until = math.inf
        self.checked_at = -math.inf
        self.failures = 0
        self.retry_at = -math.inf
        self.problem: CredentialUnavailable | None = None
        self.task: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        state = "held" if self.current is not None else "not held"
        return f"<credential of {self.name}: {state}{f', {self.problem}' if self.problem else ''}>"

    def keep(self, injection: Injection, now: float) -> None:
        """``injection`` is the credential from here on. Raises ``CredentialUnavailable`` if it is over already."""
        life = math.inf if injection.expires_at is None else injection.expires_at - now
        if life <= 0:
            raise CredentialDelayed("it has expired")
        if self.current is not None and self.current.secrets != injection.secrets:
            self.before = self.current.secrets
        self.current = injection
        self.renew_at = now + max(1.0, life * RENEW_AT)
        self.usable_until = now + life - min(LAST_SECONDS, life * LAST_SHARE)
        self.failures, self.retry_at, self.problem = 0, -math.inf, None

    def failed(self, problem: CredentialUnavailable, instant: float) -> None:
        """It could not be had; the next try is later each time."""
        if self.problem is None or str(self.problem) != str(problem):
            _log.warning("target %s: its credential cannot be had: %s", self.name, problem)
        self.problem = problem
        self.retry_at = instant + min(MAX_BACKOFF, 2.0 ** min(self.failures, 10))
        self.failures += 1


class CredentialBroker:
    """The credentials of a configuration's targets. Bound to the event loop that first uses it."""

    def __init__(
        self,
        targets: Mapping[str, Target],
        *,
        data_dir: Path,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock`` gives Unix seconds, for what credentials say; ``monotonic`` seconds, for pauses."""
        self._clock = clock
        self._monotonic = monotonic
        self._slots: dict[str, _Slot] = {}
        self._plain: dict[str, Injection] = {}
        self._spellings: tuple[bytes, ...] | None = None
        for name, target in targets.items():
            source = _source(target, data_dir / "keys")
            if source is None:
                self._plain[name] = Injection(bound=_bound(target))
            else:
                self._slots[name] = _Slot(name, source)

    def __repr__(self) -> str:
        return f"<CredentialBroker {list(self._slots.values())!r}>"

    def get_cached(self, target: TargetName) -> Injection | None:
        """The target's credential if it is at hand (empty for a target that has none); None: ``get`` has to say."""
        slot = self._slots.get(target)
        if slot is None:
            return self._plain.get(target)
        if slot.current is None or self._is_outdated(slot):
            return None
        now = self._clock()
        if now >= slot.renew_at:
            self._renew_beside(slot)
        return slot.current if now < slot.usable_until else None

    def in_use(self, target: TargetName) -> Injection | None:
        """What calls to the target were given last, for their connections: nothing is looked at anew."""
        slot = self._slots.get(target)
        return self._plain.get(target) if slot is None else slot.current

    async def get(self, target: TargetName) -> Injection:
        """The target's credential. Raises ``Refusal`` (``credential-unavailable``) with the target's name."""
        known = self.get_cached(target)
        if known is not None:
            return known
        slot = self._slots.get(target)
        if slot is None:
            raise _refusal(target, "no such target", None)
        if slot.task is None and self._monotonic() < slot.retry_at and not slot.source.changed():
            raise self._refused(slot)
        await self._wait_for(self._obtaining(slot))
        if slot.current is None or self._clock() >= slot.usable_until:
            raise self._refused(slot)
        return slot.current

    async def prepare(self) -> tuple[str, ...]:
        """Obtain all credentials; gives a line for each that is missing by configuration, not just for the moment."""
        await asyncio.gather(*(self._obtaining(slot) for slot in self._slots.values()))
        return tuple(
            f"target {slot.name}: {slot.problem}"
            for slot in self._slots.values()
            if slot.problem is not None and not isinstance(slot.problem, CredentialDelayed)
        )

    def known_secrets(self) -> tuple[bytes, ...]:
        """Every spelling of every credential in use, the longest first; the same object until one changes."""
        if self._spellings is None:
            slots = self._slots.values()
            secrets = (*(slot.current.secrets for slot in slots if slot.current), *(slot.before for slot in slots))
            self._spellings = spellings(secret.reveal() for several in secrets for secret in several)
        return self._spellings

    async def close(self) -> None:
        """Stop what is being fetched and forget everything."""
        for slot in self._slots.values():
            if slot.task is not None:
                slot.task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await slot.task
            slot.current, slot.before = None, ()
        self._spellings = None

    async def _wait_for(self, task: asyncio.Task[None]) -> None:
        """Until it is done, or for so long as a call may take; the task goes on if the call is given up."""
        done, _ = await asyncio.wait({task}, timeout=MAX_WAIT)
        for finished in done:
            finished.result()

    def _is_outdated(self, slot: _Slot) -> bool:
        """Whether the files it came from are other ones now; looked at once a second at most."""
        instant = self._monotonic()
        if instant - slot.checked_at < CHECK_INTERVAL:
            return False
        slot.checked_at = instant
        if slot.source.changed():
            slot.usable_until = -math.inf
        return slot.usable_until == -math.inf

    def _renew_beside(self, slot: _Slot) -> None:
        if slot.task is None and self._monotonic() >= slot.retry_at:
            self._obtaining(slot)

    def _obtaining(self, slot: _Slot) -> asyncio.Task[None]:
        if slot.task is None:
            slot.task = asyncio.get_running_loop().create_task(self._obtain(slot), name=f"credential of {slot.name}")
            slot.task.add_done_callback(lambda _: setattr(slot, "task", None))
        return slot.task

    async def _obtain(self, slot: _Slot) -> None:
        try:
            slot.keep(await slot.source.obtain(), self._clock())
        except CredentialUnavailable as problem:
            slot.failed(problem, self._monotonic())
        slot.checked_at = self._monotonic()
        self._spellings = None

    def _refused(self, slot: _Slot) -> Refusal:
        pause = math.ceil(max(1.0, slot.retry_at - self._monotonic()))
        return _refusal(slot.name, str(slot.problem or "not in time"), pause)


def _refusal(target: str, reason: str, retry_after: int | None) -> Refusal:
    detail = f"The credential of target {target} cannot be had."
    return Refusal(
        Code.CREDENTIAL_UNAVAILABLE, detail, reason=f"credential of {target}: {reason}", retry_after=retry_after
    )


def _source(target: Target, keys: Path) -> Source | None:
    spec = target.spec
    if spec.credential is None:
        return None
    if spec.credential.kubernetes is None:
        return template_source(spec.credential, _bound(target))
    endpoint = Endpoint(
        scheme=spec.scheme, host=spec.hosts[0], connect=spec.connect, ca=spec.tls.ca if spec.tls else None
    )
    return kubernetes_source(
        spec.credential.kubernetes, _bound(target), owner=target.name, keys=keys, endpoint=endpoint
    )


def _bound(target: Target) -> Bound:
    hosts = (address.rpartition(":") for address in target.spec.hosts)
    return origins(target.spec.scheme, ((host, int(port)) for host, _, port in hosts))
