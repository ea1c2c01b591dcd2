"""Connections to targets that are over: mitmproxy keeps each one, with its TLS session, as long as its client stays.

An HTTP/2 client's calls to a target that speaks HTTP/1.1 have a connection each, so they would cost some 70 KiB of
memory each for hours. A connection is forgotten once it was closed and no call is left that was sent on it.
"""

from mitmproxy.connection import ConnectionState, Server
from mitmproxy.proxy import events
from mitmproxy.proxy.layers.http import HttpLayer


def note(layer: HttpLayer, event: events.Event) -> None:
    """A layer has worked off an event."""
    if isinstance(event, events.ConnectionClosed) and isinstance(event.connection, Server):
        in_use = {layer.context.server.id, *(stream.context.server.id for stream in layer.streams.values())}
        for connection in [each for each in layer.connections if _is_over(each)]:
            if connection.id not in in_use and connection not in layer.waiting_for_establishment:
                del layer.connections[connection]


def _is_over(connection: object) -> bool:
    """Was it closed? One that failed is kept: the next call is told so at once."""
    return isinstance(connection, Server) and connection.state is ConnectionState.CLOSED and connection.error is None
