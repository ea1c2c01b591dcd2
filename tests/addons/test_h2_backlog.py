"""Law: what an HTTP/2 agent has no window for holds up whoever reads it, and nobody else."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from mitmproxy import options
from mitmproxy.addons import proxyserver
from mitmproxy.proxy import context, events
from mitmproxy.proxy.layers.http import HttpLayer, HTTPMode, HttpStream
from mitmproxy.proxy.layers.http._http2 import Http2Server
from mitmproxy.proxy.layers.http._http_h2 import SendH2Data
from mitmproxy.test import taddons, tflow

from addons import h2_backlog
from tests.addons.support import make_client


def _layer() -> tuple[HttpLayer, Any, Any]:
    """A layer with one stream from one of two targets."""
    made = context.Context(make_client(tls=True, alpn=b"h2"), taddons.context(proxyserver.Proxyserver()).options)
    layer = HttpLayer(made, HTTPMode.transparent)
    layer.connections[made.client] = Http2Server(made.fork())
    ours, other = tflow.tserver_conn(), tflow.tserver_conn()
    branch = made.fork()
    branch.server = ours
    layer.streams[1] = HttpStream(branch, 1)
    h2_backlog.note(layer, events.Start())
    return layer, ours, other


def _fill(layer: HttpLayer, size: int) -> None:
    agent = layer.connections[layer.context.client]
    assert isinstance(agent, Http2Server)
    agent.h2_conn.stream_buffers[1].append(SendH2Data(b"x" * size, False))


def _reads(layer: HttpLayer, peer: Any) -> asyncio.Task[None]:
    """A task that reads from a peer."""
    handler = SimpleNamespace(client=layer.context.client, transports={})

    async def read() -> None:
        handler.transports[peer] = SimpleNamespace(handler=asyncio.current_task())
        await h2_backlog.taken(cast("Any", handler))

    return asyncio.get_running_loop().create_task(read())


async def test_the_reader_of_a_stream_without_a_window_waits() -> None:
    """Until the agent says something and there is less; readers of others, and of the agent, go on."""
    layer, ours, other = _layer()
    _fill(layer, h2_backlog.MAX + 1)
    waiting = _reads(layer, ours)
    await _reads(layer, other)
    await _reads(layer, layer.context.client)
    assert not waiting.done()
    h2_backlog.note(layer, events.DataReceived(layer.context.client, b""))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not waiting.done()
    cast("Http2Server", layer.connections[layer.context.client]).h2_conn.stream_buffers.clear()
    h2_backlog.note(layer, events.DataReceived(layer.context.client, b""))
    await waiting


async def test_a_little_is_waited_for_by_nobody() -> None:
    """Nor anything of a connection that is not known."""
    layer, ours, _ = _layer()
    _fill(layer, h2_backlog.MAX)
    await _reads(layer, ours)
    other = HttpLayer(context.Context(make_client(), options.Options()), HTTPMode.regular)
    await _reads(other, ours)


async def test_a_stream_that_is_gone_holds_nobody_up() -> None:
    """Its agent hung up."""
    layer, ours, _ = _layer()
    _fill(layer, h2_backlog.MAX + 1)
    waiting = _reads(layer, ours)
    await asyncio.sleep(0)
    layer.streams.clear()
    h2_backlog.note(layer, events.ConnectionClosed(layer.context.client))
    await waiting
