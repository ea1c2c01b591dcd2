"""The agent's own token exchanged for one that the target takes (RFC 8693): the target sees the agent.

What is had for one agent's token is given to calls with that token only, and ends with it at the latest.
"""

import time
from collections.abc import Callable

import jwt

from gatehold.config.credential_sources import ExchangedSpec
from gatehold.config.values import CredentialUnavailable
from gatehold.credentials.fields import Asker, Fields
from gatehold.credentials.oauth import TOKEN, TokenEndpoint
from gatehold.identity.vouching import OWN_ISSUER

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_KINDS = frozenset({"bearer", "n_a"})
"""``N_A`` is what RFC 8693, 2.2.1 has for tokens that are no access tokens."""


class ExchangeSource:
    """A token for each token of an agent."""

    per_agent = True

    def __init__(self, spec: ExchangedSpec, clock: Callable[[], float] = time.time) -> None:
        self._spec = spec
        self._endpoint = TokenEndpoint(spec, clock)

    async def obtain(self, asker: Asker | None) -> Fields:
        """Exchange the asker's token."""
        if asker is None:
            raise CredentialUnavailable("it is made of an agent's token, and no agent asks")
        _refuse_own(asker.token)
        answer = await self._endpoint.ask(
            {
                "grant_type": GRANT,
                "subject_token": asker.token,
                "subject_token_type": self._spec.subject_token_type,
                "requested_token_type": self._spec.requested_token_type,
            }
        )
        token, ends = self._endpoint.token_of(answer, kinds=_KINDS)
        if answer.value.get("issued_token_type") != self._spec.requested_token_type:
            raise answer.unreadable("token of the type that was asked for")
        if token.reveal() == asker.token:
            raise answer.unreadable("exchange: it gives the agent's own token back")
        return Fields(values={TOKEN: token}, expires_at=min(ends, asker.agent.expires_at))


def _refuse_own(token: str) -> None:
    """Keys and tokens that only a gateway can verify are shown to nobody else."""
    try:
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
    except jwt.InvalidTokenError:
        raise CredentialUnavailable("the agent shows no token of an identity provider") from None
    if issuer == OWN_ISSUER:
        raise CredentialUnavailable("the agent shows a token that the gateway made, which no other server knows")
