"""What an upstream received: the requests as they arrived, for tests and for people who want to see."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from starlette.types import Receive, Scope

KEPT = 2_000
"""Requests a log keeps; older ones fall out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request as it arrived. Headers and body stay out of the repr: they hold credentials."""

    method: str
    path: str
    """The raw target: percent-encoded path, `?` and query as sent."""
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    """Names in lower case, in the order of arrival, repeated ones repeated."""
    body: bytes = field(default=b"", repr=False)

    def header(self, name: str) -> str | None:
        """The first value of a header, None if it was not sent."""
        return next((value for key, value in self.headers if key == name.lower()), None)


class Log[Item]:
    """The last of something, oldest first. Appended by the server's thread, read by any."""

    def __init__(self, kept: int = KEPT) -> None:
        self._items: deque[Item] = deque(maxlen=kept)
        self._lock = Lock()

    def append(self, item: Item) -> None:
        with self._lock:
            self._items.append(item)

    def clear(self) -> None:
        with self._lock:
            self._items.clear()

    def __iter__(self) -> Iterator[Item]:
        with self._lock:
            return iter(tuple(self._items))

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} requests)"


class RequestLog(Log[Received]):
    """The last requests."""


def record_of(scope: Scope, body: bytes) -> Received:
    """The log entry of an HTTP request or a WebSocket handshake."""
    query = scope["query_string"]
    target = scope["raw_path"] + (b"?" + query if query else b"")
    return Received(
        method=scope.get("method", "GET"),
        path=target.decode("latin-1"),
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]),
        body=body,
    )


def replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that hands out a body that was read already, then what the connection still says."""
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def again() -> Any:
        return next(messages, None) or await receive()

    return again
