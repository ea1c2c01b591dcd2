"""Token in, ``Agent`` out: the one place where a token becomes somebody.

Two ways, so that the hot path never waits: ``verify_cached`` is synchronous and knows tokens that were verified before;
``verify`` takes the whole way and may wait for an issuer's keys. A cached answer is given only while the token has not
run out **and** what vouched for it still does; a key that was taken away takes its tokens with it. Either way ends with
whether the agent's access was revoked.

A token is an API key, a token that the gateway made itself, or a JWT of an issuer that the configuration lists; how it
begins or what it says in ``iss`` only chooses who has to vouch for it.
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from gatehold.config.issuers import IssuerSpec
from gatehold.identity.clusters import Clusters
from gatehold.identity.jose import UnverifiedToken, parse
from gatehold.identity.refusals import Reason, refused
from gatehold.identity.trusted import TrustedIssuers
from gatehold.identity.vouching import (
    API_KEY_PREFIX,
    OWN_ISSUER,
    ApiKeys,
    OwnTokens,
    Revoking,
    Use,
    Verified,
    is_refused,
)
from policy.model import Agent

CACHE_SIZE = 4096
"""Verified tokens that are remembered; the one not seen for longest goes first."""


class TokenVerifier:
    """Verifies agent tokens. Bound to the event loop that first uses it."""

    def __init__(  # noqa: PLR0913 - each vouches for one kind of token, or tells the time
        self,
        issuers: Sequence[IssuerSpec],
        clock: Callable[[], float] = time.time,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        revocations: Revoking | None = None,
        clusters: Clusters | None = None,
        api_keys: ApiKeys | None = None,
        own_tokens: OwnTokens | None = None,
        others: bool = False,
    ) -> None:
        """``clock`` gives Unix seconds, for what tokens say; ``monotonic`` seconds, for the age of keys.

        Without ``revocations`` nobody's access is ever revoked; without ``clusters`` no cluster is asked for keys or
        about tokens; without ``api_keys`` and ``own_tokens`` there are no such tokens. ``others``: groups are given
        elsewhere, too (SAML, API keys), so that an issuer asserts only those that it lists.

        Raises ``ValueError`` for issuers that cannot be verified safely.
        """
        self._clock = clock
        self._revocations = revocations
        self._api_keys = api_keys
        self._own_tokens = own_tokens
        self._issuers = TrustedIssuers(issuers, clusters, others=others, clock=clock, monotonic=monotonic)
        self._cache: OrderedDict[bytes, Verified] = OrderedDict()

    def __repr__(self) -> str:
        return f"<TokenVerifier {self._issuers!r}, {len(self._cache)} tokens known>"

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def start(self) -> None:
        """Keep the keys of all issuers fresh beside the traffic. Call it inside the running loop."""
        self._issuers.start()

    async def close(self) -> None:
        """Stop what ``start`` began and what is being fetched; known tokens are forgotten."""
        await self._issuers.close()
        self._cache.clear()

    @property
    def problems(self) -> tuple[str, ...]:
        """One line for each issuer whose keys cannot be had now; for readiness and ``doctor``."""
        return self._issuers.problems

    async def fetch_keys(self) -> None:
        """Fetch the keys of all issuers now; what could not be had is told by ``problems``."""
        await self._issuers.fetch_keys()

    def verify_cached(self, token: str) -> Agent | None:
        """The agent of a token that was verified before and still counts for calls; None: ``verify`` has to say."""
        agent = self._known(token, "calls")
        if agent is None or self._revocations is None:
            return agent
        return None if is_refused(self._revocations, agent) else agent

    def recall(self, token: str) -> Agent | None:
        """Whose token this is, for the record: of one that was verified before, be its agent revoked or not."""
        return self._known(token, None)

    async def verify(self, token: str, *, use: Use = "calls") -> Agent:
        """The agent that a token stands for, if it may be shown for ``use``.

        Raises ``Refusal``: ``unauthenticated``, its reason a ``Reason``; ``revoked``; ``gateway-error`` while it cannot
        be told who is revoked, or whether the token still counts.
        """
        agent = self._known(token, use) or await self._verify(token, use)
        if self._revocations is not None:
            self._revocations.check(agent)
        return agent

    def _known(self, token: str, use: Use | None) -> Agent | None:
        if token.startswith(API_KEY_PREFIX):
            return None if self._api_keys is None or use == "exchange" else self._api_keys.find_cached(token)
        digest = _digest(token)
        known = self._cache.get(digest)
        if known is None:
            return None
        if self._clock() >= known.agent.expires_at or not known.counts():
            del self._cache[digest]
            return None
        self._cache.move_to_end(digest)
        return known.agent if use is None or use in known.uses else None

    async def _verify(self, token: str, use: Use) -> Agent:
        if token.startswith(API_KEY_PREFIX):
            return await self._api_key(token, use)
        parts = parse(token)
        if parts.payload.get("iss") == OWN_ISSUER:
            verified = await self._own(parts, use)
        else:
            verified = await self._issuers.verify(token, parts, use)
        self._cache[_digest(token)] = verified
        if len(self._cache) > CACHE_SIZE:
            self._cache.popitem(last=False)
        return verified.agent

    async def _api_key(self, key: str, use: Use) -> Agent:
        if self._api_keys is None:
            raise refused(Reason.UNKNOWN_KEY)
        if use != "calls":
            raise refused(Reason.WRONG_USE)
        return await self._api_keys.find(key)

    async def _own(self, parts: UnverifiedToken, use: Use) -> Verified:
        if self._own_tokens is None:
            raise refused(Reason.UNKNOWN_ISSUER)
        if use != "calls":
            raise refused(Reason.WRONG_USE)
        agent, counts = await self._own_tokens.verify(parts, now=self._clock())
        return Verified(agent, counts, frozenset({"calls"}))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
