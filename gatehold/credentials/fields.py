"""Fields: what the source of a credential gives, and whom it is asked for.

A source gives texts with names; the form of the credential says where in a call they stand. Most sources give the same
to everybody; one that is ``per_agent`` gives every agent its own, and nothing to nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gatehold.config.values import Secret
from policy.model import Agent


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Whose call a credential is for."""

    token: str = field(repr=False)
    """What the agent showed; it was verified."""
    agent: Agent


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """What a source gave. Its repr tells names, never values."""

    values: Mapping[str, Secret]
    expires_at: float | None = None
    """Unix time at which they end; None: not known to end."""
    secrets: tuple[Secret, ...] = field(default=(), repr=False)
    """What must not come back in an answer, besides those of the values that are put into a call."""


class FieldSource(Protocol):
    """One configured source, of one target."""

    per_agent: bool
    """Whether ``obtain`` gives every asker something of its own, and has to know it."""

    async def obtain(self, asker: Asker | None) -> Fields:
        """Ask it. Raises ``CredentialUnavailable``, whose text holds no part of a secret or of an answer."""
