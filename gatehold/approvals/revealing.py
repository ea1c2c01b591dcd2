"""The bytes of calls that wait in this process, for an approver who asks to see what the agent wrote.

They are kept nowhere else, and no longer than the call waits: the store knows calls masked only.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

MOST_BYTES: Final = 64 * 1024 * 1024
"""Of all bodies together; what does not fit cannot be revealed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRequest:
    """A request as its agent wrote it, without what authenticates the agent. For people only, never for a log."""

    method: str
    path: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes that it takes, roughly."""
        return len(self.path) + len(self.body) + sum(len(name) + len(value) for name, value in self.headers)


class HeldRequests:
    """The requests that wait, by approval. Used in the event loop only."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._size = 0
        self._held: dict[str, list[HeldRequest]] = {}

    @contextmanager
    def waiting(self, approval_id: str, request: HeldRequest) -> Iterator[None]:
        """Keep a request while it waits."""
        if self._size + request.size > self._most:
            yield
            return
        ours = self._held.setdefault(approval_id, [])
        ours.append(request)
        self._size += request.size
        try:
            yield
        finally:
            self._size -= request.size
            ours.pop(next(place for place, each in enumerate(ours) if each is request))
            if not ours:
                del self._held[approval_id]

    def reveal(self, approval_id: str) -> HeldRequest | None:
        """The request of an approval, all of whose repetitions are alike; None where none waits here."""
        held = self._held.get(approval_id)
        return held[0] if held else None
