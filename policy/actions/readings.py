"""What comes of reading a body: a value, or the private reason why there is none."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from policy.errors import GateholdError
from policy.model import UNKNOWN, Maybe

NO_BODY = "there is no body"
NOT_AVAILABLE = "the body is not available"


class Unreadable(GateholdError):
    """A body that cannot be read in one way only. The reason is for the audit trail and quotes nothing of the body."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Disputed(Unreadable):
    """A well-formed body that programs are known to read differently. Its target reads it in its own way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A value, or ``UNKNOWN`` and why."""

    value: Maybe[Any] = field(repr=False)
    reason: str = ""
    malformed: bool = False
    """Whether no target can be trusted to take the body for what it seems to be."""

    @classmethod
    def of(cls, read: Callable[[], Any]) -> "Reading":
        """What ``read`` returns, or unknown for its ``Unreadable``."""
        try:
            return cls(value=read())
        except Unreadable as error:
            return cls(value=UNKNOWN, reason=error.reason, malformed=not isinstance(error, Disputed))


class Once[T]:
    """A value that is computed when it is first asked for, and kept."""

    __slots__ = ("_compute", "_value")

    def __init__(self, compute: Callable[[], T]) -> None:
        self._compute: Callable[[], T] | None = compute
        self._value: T

    def __call__(self) -> T:
        if self._compute is not None:
            self._value = self._compute()
            self._compute = None
        return self._value

    def __repr__(self) -> str:
        return f"<{'not read yet' if self._compute else 'read'}>"
