"""What vouches for a token, as the verifier sees it; each kind of token has one who does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from gatehold.config.issuer_urls import API_KEYS
from gatehold.identity.jose import UnverifiedToken
from policy.errors import Refusal
from policy.model import Agent

type Use = Literal["calls", "exchange"]
"""What a token is shown for: a call, or an exchange for a token of the gateway."""

API_KEY_PREFIX: Final = "ghk_"
"""How every API key begins; no JWT does."""
OWN_ISSUER: Final = "gatehold:exchange"
"""``iss`` of the tokens that the gateway makes itself; no configured issuer has it."""
API_KEY_ISSUER: Final = API_KEYS
"""``Agent.issuer`` of whoever shows an API key; no configured issuer is called so."""


@dataclass(frozen=True, slots=True)
class Verified:
    """Whose a token is, and for how long that may be believed without another look."""

    agent: Agent
    counts: Callable[[], bool]
    """Whether what vouched for the token still does: its key is still published, its issuer still stands by it."""
    uses: frozenset[Use]
    """What it may be shown for."""


class ApiKeys(Protocol):
    """The keys that ``gatehold keys`` makes. A key is shown for calls only."""

    def find_cached(self, key: str) -> Agent | None:
        """The agent of a key that was found before and still counts; None: ``find`` has to say."""

    async def find(self, key: str) -> Agent:
        """The agent of a key. Raises Refusal: ``unknown-key``, ``expired``; ``gateway-error`` without the store."""


class OwnTokens(Protocol):
    """The tokens that the gateway makes itself. They are shown for calls only, never exchanged again."""

    async def verify(self, token: UnverifiedToken, *, now: float) -> tuple[Agent, Callable[[], bool]]:
        """Whose a token is, which says ``iss`` is ``OWN_ISSUER``, and whether its key still counts, asked at any time.

        Nothing of the token has been verified before. Raises Refusal.
        """


class Revoking(Protocol):
    """Who may not act any more; see ``gatehold.identity.revocation``."""

    def check(self, agent: Agent) -> None:
        """Raises Refusal for an agent whose access was taken away."""


def is_refused(revoking: Revoking, agent: Agent) -> bool:
    """Whether an agent may not act now."""
    try:
        revoking.check(agent)
    except Refusal:
        return True
    return False
