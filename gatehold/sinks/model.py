"""What all places that are told have in common."""

from collections.abc import Sequence
from typing import Protocol

from policy.errors import GateholdError
from recordings.lines import Line


class NotTaken(GateholdError):
    """It was not received. The text names no secret and is for operators."""

    def __init__(self, reason: str, *, retry_after: float = 0.0) -> None:
        """``retry_after``: seconds before which it is useless."""
        self.reason = reason
        self.retry_after = retry_after
        super().__init__(reason)


class Place(Protocol):
    """Where lines go."""

    async def put(self, lines: Sequence[Line]) -> None:
        """Hand over all lines, in order; when it returns they were received. Raises NotTaken."""

    async def close(self) -> None:
        """Let go of what is open."""
