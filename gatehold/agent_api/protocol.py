"""HTTP/1.1 as uvicorn speaks it, with two bounds that it lacks: how long a request may take to come, how many clients.

uvicorn closes a connection that is idle after an answer, but waits for ever for one that never asks or asks a byte at
a time. Descriptors are shared with the proxy, so what is held here for nothing would be missing there.
"""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10.0
"""From the connection or the last answer to the end of a request's head."""
MOST_CONNECTIONS = 512


class PromptProtocol(H11Protocol):
    """One connection of a client that asks in time."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Wait for a first request, unless there are too many connections."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        else:
            self._expect_a_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._drop_deadline()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Wait for a next request."""
        super().on_response_complete()
        if not self.transport.is_closing():
            self._expect_a_request()

    def _expect_a_request(self) -> None:
        self._drop_deadline()
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _give_up(self) -> None:
        """Nothing was asked in time; a request that is being answered has no deadline here."""
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()

    def _drop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
