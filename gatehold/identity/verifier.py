"""Token in, ``Agent`` out: the one place where a token becomes somebody.

Two ways, so that the hot path never waits: ``verify_cached`` is synchronous and knows tokens that were verified before;
``verify`` takes the whole way and may wait for an issuer's keys. A cached answer is given only while the token has not
run out **and** its issuer still publishes the key that signed it; a key that was taken away takes its tokens with it.
Either way ends with whether the agent's access was revoked.
"""

import asyncio
import contextlib
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from gatehold.config.issuers import IssuerSpec
from gatehold.identity.claims import agent_of
from gatehold.identity.issuers import Issuer, issuers_of
from gatehold.identity.jose import UnverifiedToken, parse
from gatehold.identity.jwks import KeyRing
from gatehold.identity.refusals import Reason, refused
from gatehold.identity.sources import DiscoverySource, Fetcher, FileSource, Source, UrlSource
from policy.errors import Refusal
from policy.model import Agent

CACHE_SIZE = 4096
"""Verified tokens that are remembered; the one not seen for longest goes first."""


class Revoking(Protocol):
    """Who may not act any more; see ``gatehold.identity.revocation``."""

    def check(self, agent: Agent) -> None:
        """Raises Refusal for an agent whose access was taken away."""


@dataclass(frozen=True, slots=True)
class _Verified:
    agent: Agent
    ring: KeyRing
    thumbprint: str


class TokenVerifier:
    """Verifies the tokens of a fixed set of issuers. Bound to the event loop that first uses it."""

    def __init__(
        self,
        issuers: Sequence[IssuerSpec],
        clock: Callable[[], float] = time.time,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        revocations: Revoking | None = None,
    ) -> None:
        """``clock`` gives Unix seconds, for what tokens say; ``monotonic`` seconds, for the age of keys.

        Without ``revocations`` nobody's access is ever revoked.

        Raises ``ValueError`` for issuers that cannot be verified safely.
        """
        self._clock = clock
        self._revocations = revocations
        self._fetcher = Fetcher()
        self._issuers: dict[str, tuple[Issuer, KeyRing]] = {}
        for issuer, spec in zip(issuers_of(issuers), issuers, strict=True):
            ring = KeyRing(issuer.name, self._source(spec), issuer.algorithms, monotonic=monotonic)
            self._issuers[issuer.url] = issuer, ring
        self._cache: OrderedDict[bytes, _Verified] = OrderedDict()
        self._tasks: list[asyncio.Task[None]] = []

    def __repr__(self) -> str:
        return f"<TokenVerifier {[ring for _, ring in self._issuers.values()]!r}, {len(self._cache)} tokens known>"

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def start(self) -> None:
        """Keep the keys of all issuers fresh beside the traffic. Call it inside the running loop."""
        if not self._tasks:
            create = asyncio.get_running_loop().create_task
            self._tasks = [create(ring.keep_fresh(), name="keep_fresh") for _, ring in self._issuers.values()]

    async def close(self) -> None:
        """Stop what ``start`` began and what is being fetched; known tokens are forgotten."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        for _, ring in self._issuers.values():
            await ring.close()
        await self._fetcher.close()
        self._cache.clear()

    @property
    def problems(self) -> tuple[str, ...]:
        """One line for each issuer whose keys cannot be had now; for readiness and ``doctor``."""
        rings = ((issuer.name, ring.problem) for issuer, ring in self._issuers.values())
        return tuple(f"issuer {name}: {problem}" for name, problem in rings if problem)

    async def fetch_keys(self) -> None:
        """Fetch the keys of all issuers now; what could not be had is told by ``problems``."""
        await asyncio.gather(*(ring.refresh() for _, ring in self._issuers.values()))

    def verify_cached(self, token: str) -> Agent | None:
        """The agent of a token that was verified before and still counts; None: ``verify`` has to say."""
        agent = self.recall(token)
        if agent is None or self._revocations is None:
            return agent
        try:
            self._revocations.check(agent)
        except Refusal:
            return None
        return agent

    def recall(self, token: str) -> Agent | None:
        """Whose token this is, for the record: of one that was verified before, be its agent revoked or not."""
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._cache.get(digest)
        if known is None:
            return None
        if self._clock() >= known.agent.expires_at or known.thumbprint not in known.ring.keys:
            del self._cache[digest]
            return None
        self._cache.move_to_end(digest)
        return known.agent

    async def verify(self, token: str) -> Agent:
        """The agent that a token stands for.

        Raises ``Refusal``: ``unauthenticated``, its reason a ``Reason``; ``revoked``; ``gateway-error`` while it cannot
        be told who is revoked.
        """
        agent = self.recall(token) or await self._verify(token)
        if self._revocations is not None:
            self._revocations.check(agent)
        return agent

    async def _verify(self, token: str) -> Agent:
        parts = parse(token)
        issuer, ring = self._issuer_of(parts)
        if parts.algorithm not in issuer.algorithms:
            raise refused(Reason.ALGORITHM)
        key = await ring.find(parts.key_id, parts.algorithm)
        if not key.verifies(parts.algorithm, parts.signed, parts.signature):
            raise refused(Reason.BAD_SIGNATURE)
        agent = agent_of(issuer, parts, now=self._clock())
        self._remember(token, _Verified(agent, ring, key.thumbprint))
        return agent

    def _issuer_of(self, parts: UnverifiedToken) -> tuple[Issuer, KeyRing]:
        url = parts.payload.get("iss")
        known = self._issuers.get(url) if isinstance(url, str) else None
        if known is None:
            raise refused(Reason.UNKNOWN_ISSUER)
        return known

    def _remember(self, token: str, verified: _Verified) -> None:
        self._cache[hashlib.sha256(token.encode()).digest()] = verified
        if len(self._cache) > CACHE_SIZE:
            self._cache.popitem(last=False)

    def _source(self, spec: IssuerSpec) -> Source:
        if spec.jwks.file is not None:
            return FileSource(spec.jwks.file)
        if spec.jwks.url is not None:
            return UrlSource(spec.jwks.url, self._fetcher)
        return DiscoverySource(spec.issuer, self._fetcher)
