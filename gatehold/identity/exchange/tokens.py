"""Tokens that the gateway makes: whose they are is copied from what they were made from, and nothing is added.

They are JWTs whose ``iss`` is ``gatehold:exchange``. What makes their agent stands in one claim, ``gatehold``; ``sub``
and the times are those of any token. Whoever holds one can read all of that, as with the token that it came from.
"""

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gatehold.identity.claims import LEEWAY
from gatehold.identity.exchange.keys import ALGORITHM, SigningKeys
from gatehold.identity.jose import UnverifiedToken, parse
from gatehold.identity.refusals import Reason, refused
from gatehold.identity.vouching import OWN_ISSUER
from policy.model import Agent, SessionId

_OWN: Final = "gatehold"
_MEMBERS: Final = frozenset({"issuer", "groups", "session", "claims", "purpose"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A token that was just made."""

    text: str = field(repr=False)
    id: str
    """Its ``jti``, for the record."""
    agent: Agent
    lasts: int
    """Seconds."""


class ExchangedTokens:
    """Makes tokens, and knows those again that any gateway on the same store made."""

    def __init__(self, keys: SigningKeys, sources: Collection[str], clock: Callable[[], float]) -> None:
        """``sources``: names of the issuers and providers from whose tokens and assertions these may come."""
        self._keys = keys
        self._sources = frozenset(sources)
        self._clock = clock

    def __repr__(self) -> str:
        return f"<ExchangedTokens from {sorted(self._sources)}>"

    async def make(self, agent: Agent, *, ttl: float) -> Issued:
        """A token for ``agent`` of ``ttl`` seconds, or fewer where what it comes from ends before.

        Raises Refusal: ``expired``; ``too-large`` or ``malformed`` where its claims make no token that could be read
        again; ``gateway-error``.
        """
        now = self._clock()
        issued, ends = int(now), int(min(now + ttl, agent.expires_at))
        if ends <= now:
            raise refused(Reason.EXPIRED)
        token_id = secrets.token_urlsafe(16)
        payload = {
            "iss": OWN_ISSUER,
            "aud": OWN_ISSUER,
            "sub": agent.subject,
            "iat": issued,
            "exp": ends,
            "jti": token_id,
            _OWN: {
                "issuer": agent.issuer,
                "groups": list(agent.groups),
                "session": agent.session,
                "claims": dict(agent.claims),
                "purpose": agent.purpose,
            },
        }
        text = await self._keys.sign(payload)
        parse(text)
        return Issued(text=text, id=token_id, agent=agent, lasts=ends - issued)

    async def verify(self, token: UnverifiedToken, *, now: float) -> tuple[Agent, Callable[[], bool]]:
        """Whose a token is that says ``iss: gatehold:exchange``, and whether its key still counts.

        Raises Refusal.
        """
        if token.algorithm != ALGORITHM:
            raise refused(Reason.ALGORITHM)
        key = await self._keys.find(token.key_id)
        if not key.verifies(token.algorithm, token.signed, token.signature):
            raise refused(Reason.BAD_SIGNATURE)
        agent = self._agent(token.payload, now)
        kid = key.thumbprint
        return agent, lambda: self._keys.counts(kid)

    def _agent(self, payload: Mapping[str, Any], now: float) -> Agent:
        own, subject = payload.get(_OWN), payload.get("sub")
        issued, ends = payload.get("iat"), payload.get("exp")
        if not isinstance(own, dict) or own.keys() != _MEMBERS or payload.get("aud") != OWN_ISSUER:
            raise refused(Reason.CLAIMS)
        if type(issued) is not int or type(ends) is not int or not isinstance(own["claims"], dict):
            raise refused(Reason.CLAIMS)
        texts = [subject, own["issuer"], own["session"], own["purpose"]]
        if not _are_texts(texts) or not all(texts[:3]) or not _are_texts(own["groups"]):
            raise refused(Reason.CLAIMS)
        if issued > now + LEEWAY:
            raise refused(Reason.NOT_YET_VALID)
        if now >= ends:
            raise refused(Reason.EXPIRED)
        if own["issuer"] not in self._sources:
            raise refused(Reason.UNKNOWN_ISSUER)
        return Agent(
            issuer=own["issuer"],
            subject=str(subject),
            groups=tuple(own["groups"]),
            claims=own["claims"],
            session=SessionId(own["session"]),
            expires_at=float(ends),
            purpose=own["purpose"],
        )


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
