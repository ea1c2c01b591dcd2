"""One call that the gateway makes for itself, and what came of it. Pure."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gatehold.config import Target
from gatehold.credentials.fields import Asker
from policy.errors import GateholdError
from policy.model import Agent


class Purpose(StrEnum):
    """What an own call is for."""

    CURRENT = "current-object"
    PARENT = "parent-object"
    RESULT = "resulting-object"
    DEFINITION = "resource-definition"
    CONFLICT = "conflict-check"
    ISSUER_KEYS = "issuer-keys"
    TOKEN_REVIEW = "token-review"  # noqa: S105 - a purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a call goes: a target, by the host and port that the agent named."""

    target: Target
    host: str
    port: int
    asker: Asker | None = None
    """For whose call it is done; None: for none. Targets of which every agent has its own credential need to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRequest:
    """A call to a Kubernetes API server."""

    purpose: Purpose
    method: str
    path: str
    """With query, exactly as it is sent."""
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)
    agent: Agent | None = None
    """For whom it is; None: for the gateway itself, never impersonating."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCall:
    """An own call that is over, for the journal."""

    request: OwnRequest
    started: float
    """Unix seconds."""
    seconds: float
    status: int = 0
    """0: there was no answer."""
    problem: str = ""
    """Why it tells nothing; holds nothing of the answer."""


class LookupFailed(GateholdError):
    """An own call told nothing. The reason is for the audit trail."""

    def __init__(self, reason: str, status: int = 0) -> None:
        self.reason = reason
        self.status = status
        super().__init__(reason)


type KubernetesObject = dict[str, Any]
