"""Law: a connection to a target is forgotten when it is over, not while a call is left on it."""

from mitmproxy.connection import ConnectionState, Server
from mitmproxy.proxy import context, events
from mitmproxy.proxy.layers.http import HttpClient, HttpLayer, HTTPMode, HttpStream
from mitmproxy.proxy.layers.http._http2 import Http2Server

from addons import closed_connections
from tests.addons.support import make_client
from tests.addons.test_h2_backlog import _layer as layer_of_two


def _server(layer: HttpLayer, state: ConnectionState = ConnectionState.CLOSED) -> Server:
    branch = layer.context.fork()
    branch.server = Server(address=("crm.corp.example", 443))
    branch.server.state = state
    layer.connections[branch.server] = HttpClient(branch)
    return branch.server


def _layer() -> HttpLayer:
    options = layer_of_two()[0].context.options
    made = context.Context(make_client(tls=True, alpn=b"h2"), options)
    layer = HttpLayer(made, HTTPMode.transparent)
    layer.connections[made.client] = Http2Server(made.fork())
    return layer


async def test_a_connection_that_is_over_is_forgotten() -> None:
    """With all others that were left over; those that are open, or opened just now, stay."""
    layer = _layer()
    one, other, own = _server(layer), _server(layer), layer.context.client
    opened, opening = _server(layer, ConnectionState.OPEN), _server(layer)
    layer.waiting_for_establishment[opening].clear()
    closed_connections.note(layer, events.DataReceived(one, b""))
    closed_connections.note(layer, events.ConnectionClosed(own))
    assert {one, other} < layer.connections.keys()
    closed_connections.note(layer, events.ConnectionClosed(one))
    assert layer.connections.keys() == {own, opened, opening}


async def test_a_connection_with_a_call_stays() -> None:
    """Its agent may still leave, which is said to the target; afterwards it is forgotten."""
    layer = _layer()
    server = _server(layer)
    branch = layer.context.fork()
    branch.server = server
    layer.streams[1] = HttpStream(branch, 1)
    closed_connections.note(layer, events.ConnectionClosed(server))
    assert server in layer.connections
    layer.streams.clear()
    closed_connections.note(layer, events.ConnectionClosed(server))
    assert server not in layer.connections


async def test_a_failure_is_remembered() -> None:
    """Its client is told of it at once when it asks again; so is one that the layer began with."""
    layer = _layer()
    failed = _server(layer)
    failed.error = "refused"
    layer.connections[layer.context.server] = HttpClient(layer.context)
    closed_connections.note(layer, events.ConnectionClosed(_server(layer)))
    assert layer.connections.keys() == {layer.context.client, failed, layer.context.server}
