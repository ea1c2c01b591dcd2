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


class RequestLog:
    """The last requests, oldest first. Appended by the server's thread, read by any."""

    def __init__(self, kept: int = KEPT) -> None:
        self._requests: deque[Received] = deque(maxlen=kept)
        self._lock = Lock()

    def append(self, request: Received) -> None:
        with self._lock:
            self._requests.append(request)

    def clear(self) -> None:
        with self._lock:
            self._requests.clear()

    def __iter__(self) -> Iterator[Received]:
        with self._lock:
            return iter(tuple(self._requests))

    def __len__(self) -> int:
        return len(self._requests)

    def __repr__(self) -> str:
        return f"RequestLog({len(self)} requests)"


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
