"""Who is at the other end of a TLS connection: the client certificate, told to the application.

uvicorn keeps it to itself. Here it stands in the scope of every request of that connection, as ASGI's TLS extension has
it: `scope["extensions"]["tls"]["client_cert_chain"]`, PEM, empty where the client showed none.
"""

import asyncio
import ssl
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol


class KnownPeer(H11Protocol):
    """uvicorn's HTTP over a connection whose client is told to the application."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app = _telling(self.app, transport)


class KnownWebSocketPeer(WSProtocol):
    """uvicorn's WebSocket over such a connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app = _telling(self.app, transport)


def client_certificate(scope: Scope) -> str:
    """The client's own certificate, PEM; empty where there is none."""
    chain = scope.get("extensions", {}).get("tls", {}).get("client_cert_chain", ())
    return str(chain[0]) if chain else ""


def _telling(app: Any, transport: asyncio.Transport) -> Any:
    connection: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    if connection is None:
        return app
    shown = connection.getpeercert(binary_form=True)
    chain = [ssl.DER_cert_to_PEM_cert(shown)] if shown else []
    return _with_chain(app, chain)


def _with_chain(app: ASGIApp, chain: list[str]) -> ASGIApp:
    async def telling(scope: Scope, receive: Receive, send: Send) -> None:
        extensions = {**(scope.get("extensions") or {}), "tls": {"client_cert_chain": chain}}
        await app({**scope, "extensions": extensions}, receive, send)

    return telling
