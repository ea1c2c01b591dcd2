"""What an HTTP/2 agent was sent and has no window for: mitmproxy keeps all of it, so no more is read for it meanwhile.

A slow HTTP/1 agent fills its socket, which holds up whoever reads for it. HTTP/2 says with windows how much may be
sent, stream by stream, and the socket stays empty. So whoever reads from a target waits while more than ``MAX`` bytes
of one of its answers lie here. Answers that share a connection to their target wait together.
"""

import asyncio
from weakref import WeakKeyDictionary, WeakValueDictionary

from mitmproxy.connection import Connection
from mitmproxy.proxy import events, server
from mitmproxy.proxy.layers.http import HttpLayer
from mitmproxy.proxy.layers.http._http2 import Http2Server

MAX = 512 * 1024
"""Bytes of an answer that may wait for a window."""

_layers: WeakValueDictionary[str, HttpLayer] = WeakValueDictionary()
"""By client connection; inside a tunnel, that of the calls in it."""
_moved: WeakKeyDictionary[HttpLayer, asyncio.Event] = WeakKeyDictionary()
"""Set when the agent said something, a wider window perhaps."""


def note(layer: HttpLayer, event: events.Event) -> None:
    """A layer has worked off an event."""
    if isinstance(event, events.Start):
        _layers[layer.context.client.id] = layer
    elif isinstance(event, events.ConnectionEvent) and event.connection == layer.context.client:
        moved = _moved.pop(layer, None)
        if moved is not None:
            moved.set()


async def taken(handler: server.ConnectionHandler) -> None:
    """Wait until what was read by this task for an agent was taken by it, but for so much."""
    layer = _layers.get(handler.client.id)
    peer = _read_by_us(handler) if layer is not None else None
    while layer is not None and peer is not None and peer != handler.client and unsent(layer, peer) > MAX:
        await _moved.setdefault(layer, asyncio.Event()).wait()


def unsent(layer: HttpLayer, peer: Connection) -> int:
    """Bytes of that answer from a peer of which most wait for a window."""
    agent = layer.connections.get(layer.context.client)
    if not isinstance(agent, Http2Server):
        return 0
    waiting = agent.h2_conn.stream_buffers
    ours = (number for number, stream in layer.streams.items() if stream.context.server == peer)
    return max((sum(len(each.data) for each in waiting.get(number, ())) for number in ours), default=0)


def _read_by_us(handler: server.ConnectionHandler) -> Connection | None:
    task = asyncio.current_task()
    return next((peer for peer, transport in handler.transports.items() if transport.handler is task), None)
