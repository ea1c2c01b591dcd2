"""Serves an ASGI application from a background thread with a loop of its own.

Works inside a test and inside a process that has a loop already. The socket is bound before the thread starts, so the
port is known at once, and connections made early wait in its backlog. Stopping closes what is still open: an endless
stream (a watch, followed logs, server-sent events) would never drain by itself.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import uvicorn
from starlette.types import ASGIApp

from gatehold.demo.certificates import ServerCertificate, make_certificate
from gatehold.demo.peers import KnownPeer, KnownWebSocketPeer

__all__ = ["RunningServer", "ServerCertificate", "make_certificate", "serve"]

START_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningServer:
    """Where a server listens."""

    scheme: str
    host: str
    port: int

    @property
    def url(self) -> str:
        """`scheme://host:port`, without a trailing slash."""
        return f"{self.scheme}://{self.host}:{self.port}"


class _Server(uvicorn.Server):
    """uvicorn's server that tells when it is ready and lets go of connections at the end."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)


@contextmanager
def serve(
    app: ASGIApp,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    certificate: tuple[Path, Path] | None = None,
    clients: Path | None = None,
) -> Iterator[RunningServer]:
    """Serve `app` until the block ends. Port 0 takes a free one; a certificate (chain, key) turns TLS on.

    With `clients`, an authority's certificate, nobody gets in without a client certificate that it signed.
    """
    listener = socket.create_server((host, port))
    # asyncio does so by itself only for sockets that it made: else a body waits 40 ms for the ACK of its head.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = _Server(_configuration(app, certificate, clients))
    thread = Thread(target=_run, args=(server, listener), name="demo-server", daemon=True)
    thread.start()
    try:
        if not server.ready.wait(START_SECONDS) or not server.started:
            raise RuntimeError("the demo server did not start")
        yield RunningServer(scheme="https" if certificate else "http", host=host, port=int(listener.getsockname()[1]))
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def _run(server: _Server, listener: socket.socket) -> None:
    try:
        with suppress(SystemExit):  # uvicorn's answer to an application that does not start
            asyncio.run(server.serve(sockets=[listener]))
    finally:
        server.ready.set()


def _configuration(app: ASGIApp, certificate: tuple[Path, Path] | None, clients: Path | None) -> uvicorn.Config:
    chain, key = certificate or (None, None)
    return uvicorn.Config(
        app,
        http=KnownPeer,
        ws=KnownWebSocketPeer,
        lifespan="on",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        ssl_certfile=chain,
        ssl_keyfile=key,
        ssl_ca_certs=None if clients is None else str(clients),
        ssl_cert_reqs=ssl.CERT_NONE if clients is None else ssl.CERT_REQUIRED,
        timeout_keep_alive=30,
    )
