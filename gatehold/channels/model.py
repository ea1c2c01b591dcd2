"""What all channels have in common."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gatehold.approvals.model import Approval, ApprovalId
from policy.errors import GateholdError


class Event(StrEnum):
    """What is told of an approval, each once."""

    OPENED = "opened"
    """It waits for people."""
    ANSWERED = "answered"
    """The last needed answer came."""
    ENDED = "ended"
    """It was used, ran out or was taken back; a denial is told as an answer alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One thing to tell, taken by this process."""

    id: str
    """The same in every attempt."""
    channel: str
    approval: ApprovalId
    event: Event
    created: float
    attempts: int
    """With this one."""
    reference: str | None
    """The message that told of the opening, as the channel named it."""


class Undelivered(GateholdError):
    """It was not received. The text names no secret and is for operators."""

    def __init__(self, reason: str, *, retry_after: float = 0.0, final: bool = False) -> None:
        """``retry_after``: seconds before which it is useless; ``final``: it never will be received."""
        self.reason = reason
        self.retry_after = retry_after
        self.final = final
        super().__init__(reason)


class Channel(Protocol):
    """A way to tell people."""

    @property
    def name(self) -> str:
        """As it is configured; unique."""

    async def tell(self, delivery: Delivery, approval: Approval) -> str | None:
        """Tell it; returns what names the message there. Raises Undelivered."""

    async def start(self) -> None:
        """Begin to listen for answers, where it does; does not wait for anybody."""

    async def close(self) -> None:
        """End it."""
