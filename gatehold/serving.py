"""An HTTP listener in the event loop of the gateway: the agents' API and the console each have one.

uvicorn's own ``serve`` takes over the signals of the process and ends it where it cannot listen; both belong to the
gateway. So the sockets are bound here, and the server's steps are called one by one. uvicorn closes a connection that
is idle after an answer, but waits for ever for one that never asks, asks a byte at a time, or does not read its answer;
``PromptProtocol`` does not. Where there are too many, those that keep the gateway waiting make room.
"""

import asyncio
import errno
import os
import socket
from typing import Final

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from policy.errors import GateholdError

MAX_HEAD: Final = 32 * 1024
"""Bytes of a request's head that are kept while it is incomplete; a token may have 16 KiB."""
CLOSING_SECONDS: Final = 2
"""How long answers under way may take when the gateway stops."""
HEAD_SECONDS: Final = 10.0
"""From the connection or the last answer to the end of a request's head."""
READ_SECONDS: Final = 30.0
"""How long a client may leave an answer unread that fills all buffers on its way."""
MOST_CONNECTIONS: Final = 512
"""Of one listener: descriptors are shared with the proxy, so what is held here for nothing would be missing there."""


class ListenError(GateholdError):
    """A listener cannot listen where it should."""


class HttpListener:
    """Serves an application at one address. ``open`` and ``close`` are called in the gateway's loop."""

    def __init__(self, app: ASGIApp, host: str, port: int, *, name: str) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._name = name
        self._server: uvicorn.Server | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._sockets: list[socket.socket] = []

    def __repr__(self) -> str:
        return f"<HttpListener of {self._name} {'at' if self._server else 'closed, for'} {self.url}>"

    @property
    def url(self) -> str:
        """``http://host:port``; with the real port, once it listens."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        port = self._sockets[0].getsockname()[1] if self._sockets else self._port
        return f"http://{host}:{port}"

    async def open(self) -> None:
        """Listen. Raises ListenError."""
        self._sockets = await self._bind()
        config = _configuration(self._app)
        config.load()
        self._server = server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup(self._sockets)
        self._ticking = asyncio.create_task(server.main_loop(), name=f"gatehold {self._name}")

    async def close(self) -> None:
        """Stop listening; answers under way are given a moment. Does nothing where it is not open."""
        server, ticking, sockets = self._server, self._ticking, self._sockets
        self._server, self._ticking, self._sockets = None, None, []
        if server is None or ticking is None:
            return
        server.should_exit = True
        await ticking
        await server.shutdown(sockets)
        for connection in list(server.server_state.connections):
            connection.transport.abort()

    async def _bind(self) -> list[socket.socket]:
        """A socket for every address of the host that this machine has."""
        bound: list[socket.socket] = []
        try:
            for family, address in await self._addresses():
                bound += _listening(family, address)
            if not bound:
                raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
        except OSError as error:
            for each in bound:
                each.close()
            raise ListenError(f"the {self._name} cannot listen at {self.url}: {error.strerror or error}") from error
        return bound

    async def _addresses(self) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys((family, (str(address[0]), self._port)) for family, *_, address in found))


class PromptProtocol(H11Protocol):
    """One connection of a client that asks in time."""

    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    since = 0.0
    """When the client's turn began, in the time of the loop."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Wait for a first request; where there are too many connections, one has to go."""
        super().connection_made(transport)
        self._expect_a_request()
        if len(self.connections) > MOST_CONNECTIONS:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadlines."""
        self._drop_deadline()
        self._is_read()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not read; it has so long to do so."""
        super().pause_writing()
        self.since = self.loop.time()
        self._unread = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It has read."""
        super().resume_writing()
        self._is_read()

    def on_response_complete(self) -> None:
        """Wait for a next request."""
        super().on_response_complete()
        if not self.transport.is_closing():
            self._expect_a_request()

    def _make_room(self) -> None:
        """Drop who has kept the gateway waiting longest: else a few clients that do nothing would shut everybody out.

        Where all are being answered, this new one goes.
        """
        others = (each for each in self.connections if isinstance(each, PromptProtocol) and each is not self)
        dropped = min((each for each in others if each.is_due), key=lambda each: each.since, default=self)
        self.connections.discard(dropped)
        dropped.transport.abort()

    @property
    def is_due(self) -> bool:
        """Is it the client's turn: to ask, to send the rest, or to read? Who sends requests in advance counts, too: no
        browser and no proxy does."""
        cycle, waits = self.cycle, self._unread is not None or self.flow.read_paused
        return waits or cycle is None or cycle.response_complete or cycle.more_body

    def _is_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _expect_a_request(self) -> None:
        self.since = self.loop.time()
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


def _listening(family: socket.AddressFamily, address: tuple[str, int]) -> list[socket.socket]:
    try:
        listening = socket.create_server(address, family=family)
    except OSError as error:
        # A name may stand for addresses that are not there: ``localhost`` is ``::1`` too where IPv6 is switched off.
        if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            return []
        raise
    # Accepted sockets inherit it. asyncio leaves it off for sockets made like this one, and a body written after its
    # head would wait 40 ms for the client's acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return [listening]


def _in_turn(app: ASGIApp) -> ASGIApp:
    """Let the loop go round before each answer, and refuse requests whose length is told in two ways.

    Where tasks start eagerly, as in mitmproxy's loop, a thousand small requests in one packet would else be answered
    in one go, while everything else waits. A proxy in front may read the other length (RFC 9112, section 6.1).
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0)
        names = {name for name, _ in scope.get("headers", ())}
        if {b"content-length", b"transfer-encoding"} <= names:
            answer = PlainTextResponse("Its length is told in two ways.", 400, headers={"Connection": "close"})
            await answer(scope, receive, send)
        else:
            await app(scope, receive, send)

    return serve


def _configuration(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        _in_turn(app),
        http=PromptProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="critical",  # its messages are chatter, or repeat what a client sent wrong
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=CLOSING_SECONDS,
        h11_max_incomplete_event_size=MAX_HEAD,
    )
