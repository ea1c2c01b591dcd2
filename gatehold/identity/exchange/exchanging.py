"""A request for a token, answered: who shows something, is it good, was it used, and what is made of it."""

import asyncio
import time
from collections.abc import Callable
from typing import Final, Protocol

from gatehold.config.issuers import IdentitySpec
from gatehold.identity.exchange.keys import SigningKeys
from gatehold.identity.exchange.replay import UsedAssertions
from gatehold.identity.exchange.requests import Error, ExchangeRequest, UnusableRequest
from gatehold.identity.exchange.saml import SamlProviders, Shown
from gatehold.identity.exchange.tokens import ExchangedTokens, Issued
from gatehold.identity.vouching import API_KEY_ISSUER, OWN_ISSUER, Revoking, Use
from gatehold.store import Store
from gatehold.store.errors import StoreError
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent

_AT_ONCE: Final = 2
"""Assertions that are read at the same time, each in a thread."""


class Verifies(Protocol):
    """The way from a token to its agent; see ``gatehold.identity.verifier``."""

    async def verify(self, token: str, *, use: Use = "calls") -> Agent:
        """The agent of a token; raises Refusal."""


class Exchange:
    """Makes tokens of the gateway from foreign ones. Belongs to one event loop."""

    def __init__(  # noqa: PLR0913 (what it is made of)
        self,
        spec: IdentitySpec,
        store: Store,
        tokens: ExchangedTokens,
        *,
        verifier: Verifies,
        revocations: Revoking,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Raises ``ValueError`` for a SAML provider whose certificates cannot be used, or that has another's name."""
        names = {each.name for each in spec.issuers} | {API_KEY_ISSUER}
        if any(each.name in names for each in spec.saml):
            raise ValueError("a SAML provider has the name of an issuer")
        self._ttl = spec.exchange.ttl
        self._tokens = tokens
        self._verifier = verifier
        self._revocations = revocations
        self._clock = clock
        self._providers = SamlProviders(spec.saml)
        self._used = UsedAssertions(store, clock)
        self._readers = asyncio.Semaphore(_AT_ONCE)
        audiences = *(each.audience for each in spec.issuers), *(each.audience for each in spec.saml)
        self._audiences = frozenset({*audiences, OWN_ISSUER})

    @property
    def reads_assertions(self) -> bool:
        """Is there any provider of assertions?"""
        return len(self._providers) > 0

    async def identify(self, request: ExchangeRequest) -> Agent:
        """Whom the subject token stands for; an assertion is used up by this. Raises Refusal, UnusableRequest."""
        if request.audience is not None and request.audience not in self._audiences:
            raise UnusableRequest(Error.INVALID_TARGET, "tokens are for this gateway; name its audience, or none")
        if request.kind == "jwt":
            return await self._verifier.verify(request.subject_token, use="exchange")
        async with self._readers:
            shown = await asyncio.to_thread(self._providers.verify, request.subject_token, now=self._clock())
            self._revocations.check(shown.agent)
            await asyncio.to_thread(self._use, shown)
        return shown.agent

    async def make(self, agent: Agent) -> Issued:
        """A token for whom ``identify`` found. Raises Refusal."""
        return await self._tokens.make(agent, ttl=self._ttl)

    def _use(self, shown: Shown) -> None:
        try:
            self._used.use(shown)
        except StoreError as error:
            told = "It cannot be told now which assertions were used."
            raise Refusal(Code.GATEWAY_ERROR, told, retry_after=1) from error


def exchanged_tokens(spec: IdentitySpec, store: Store, clock: Callable[[], float] = time.time) -> ExchangedTokens:
    """What makes and knows the tokens of the gateway, for the sources of a configuration."""
    sources = [each.name for each in spec.issuers if each.use != "calls"] + [each.name for each in spec.saml]
    return ExchangedTokens(SigningKeys(store, clock), sources, clock)
