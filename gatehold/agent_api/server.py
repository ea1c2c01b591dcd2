"""Serves the agent API in the event loop of the gateway.

uvicorn's own ``serve`` takes over the signals of the process and ends it where it cannot listen; both belong to the
gateway. So the sockets are bound here, and the server's steps are called one by one.
"""

import asyncio
import errno
import os
import socket
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from gatehold.agent_api.protocol import PromptProtocol
from policy.errors import GateholdError

MAX_HEAD: Final = 32 * 1024
"""Bytes of a request's head that are kept while it is incomplete; a token may have 16 KiB."""
CLOSING_SECONDS: Final = 2
"""How long answers under way may take when the gateway stops."""


class ListenError(GateholdError):
    """The agent API cannot listen where it should."""


class AgentApi:
    """The listener of the agent API. ``open`` and ``close`` are called in the gateway's loop."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._server: uvicorn.Server | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._sockets: list[socket.socket] = []

    def __repr__(self) -> str:
        return f"<AgentApi {'at' if self._server else 'closed, for'} {self.url}>"

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
        self._ticking = asyncio.create_task(server.main_loop(), name="gatehold agent API")

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
            raise ListenError(f"the agent API cannot listen at {self.url}: {error.strerror or error}") from error
        return bound

    async def _addresses(self) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys((family, (str(address[0]), self._port)) for family, *_, address in found))


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


def _configuration(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
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
