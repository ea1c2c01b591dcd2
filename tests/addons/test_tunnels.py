"""Law: a tunnel relays what its conversation says and nothing else, keeps nothing, and ends on both sides at any failure.

A test whose name begins with ``test_mitmproxy`` fails when mitmproxy changed: look at the layer before widening the pin.
"""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from mitmproxy import connection, hooks, http
from mitmproxy.flow import Error
from mitmproxy.proxy import context, events, layers, server
from mitmproxy.proxy.layers import websocket
from mitmproxy.test import tflow
from mitmproxy.websocket import WebSocketData
from wsproto import ConnectionType
from wsproto import events as frames
from wsproto.connection import Connection

from addons import tunnels
from addons.conversations import Forwarding
from addons.runtime import Runtime
from addons.tunnels import MAX_MESSAGE, Tunnel, Wake
from tests.addons.support import Wire, make_flow, make_request, sealed

type OnHook = Callable[[hooks.Hook, http.HTTPFlow], None]


class Ends:
    """A client and a server with a tunnel between them."""

    def __init__(self, runtime: Runtime, on_hook: OnHook | None = None, *, conversation: bool = True) -> None:
        self.flow = make_flow(make_request("https://kubernetes.corp.example:6443/api/v1/namespaces/a/pods/b/exec"))
        self.flow.websocket = WebSocketData()
        self.call = sealed(runtime, self.flow, target="main")
        if conversation:
            self.call.conversation = Forwarding()
        around = context.Context(self.flow.client_conn, None)  # type: ignore[arg-type]
        around.server = self.flow.server_conn = tflow.tserver_conn()
        around.server.state = connection.ConnectionState.OPEN
        self.client, self.server = Connection(ConnectionType.CLIENT), Connection(ConnectionType.SERVER)
        self.kept: list[int] = []
        self.tunnel = Tunnel(around, self.flow, runtime)
        self.wire = Wire(self.tunnel, lambda hook: self._hooked(hook, on_hook))
        self.wire.server = around.server

    def _hooked(self, hook: hooks.Hook, on_hook: OnHook | None) -> None:
        if hook.name == "websocket_message" and self.call.conversation is not None and self.flow.websocket is not None:
            self.kept.append(len(self.flow.websocket.messages))
            message = self.flow.websocket.messages[-1]
            said = message.content, message.is_text
            self.call.conversation.receive(said[0], from_client=message.from_client, is_text=said[1])
        if on_hook is not None:
            on_hook(hook, self.flow)

    def client_says(self, *said: frames.Event) -> None:
        self.wire.client_sends(b"".join(self.client.send(each) for each in said))

    def server_says(self, *said: frames.Event) -> None:
        self.wire.server_sends(b"".join(self.server.send(each) for each in said))

    def heard(self, *, by_client: bool) -> list[frames.Event]:
        """Everything that one end got so far."""
        peer = self.wire.driven.context.client if by_client else self.wire.server
        reader = Connection(ConnectionType.CLIENT if by_client else ConnectionType.SERVER)
        reader.receive_data(self.wire.sent_to(peer))
        return list(reader.events())

    @property
    def closed(self) -> bool:
        return self.wire.closed(self.wire.driven.context.client) and self.wire.closed(self.wire.server)


def data(*said: frames.Event) -> list[bytes]:
    return [bytes(each.data) for each in said if isinstance(each, frames.BytesMessage)]


def codes(said: list[frames.Event]) -> list[int]:
    return [int(each.code) for each in said if isinstance(each, frames.CloseConnection)]


def message(content: bytes, *, whole: bool = True) -> frames.Event:
    return frames.BytesMessage(data=content, message_finished=whole)


async def test_messages_go_both_ways_and_are_not_kept(runtime: Runtime) -> None:
    """Fragments are one message."""
    ends = Ends(runtime)
    ends.client_says(message(b"one"), message(b"tw", whole=False), message(b"o"))
    ends.server_says(message(b"three"))
    assert data(*ends.heard(by_client=False)) == [b"one", b"two"]
    assert data(*ends.heard(by_client=True)) == [b"three"]
    assert ends.kept == [1, 1, 1]
    assert ends.flow.websocket is not None
    assert not ends.flow.websocket.messages


@pytest.mark.parametrize("event", ["websocket_start", "websocket_message"])
async def test_a_failed_hook_ends_the_tunnel(runtime: Runtime, event: str) -> None:
    """As the failsafe leaves the flow: killed. Stock relays on."""

    def fail(hook: hooks.Hook, flow: http.HTTPFlow) -> None:
        if hook.name == event:
            flow.error = Error(Error.KILLED_MESSAGE)

    ends = Ends(runtime, fail)
    ends.client_says(message(b"one"), message(b"two"))
    assert ends.closed
    assert not data(*ends.heard(by_client=False))
    assert codes(ends.heard(by_client=True)) == [1011]


async def test_a_tunnel_without_a_conversation_is_closed(runtime: Runtime) -> None:
    """Nobody judges what would be said."""
    ends = Ends(runtime, conversation=False)
    assert ends.closed


@pytest.mark.parametrize("state", ["unsealed", "refused"])
async def test_a_tunnel_of_a_call_that_was_not_let_out_is_closed(runtime: Runtime, state: str) -> None:
    """The seal counts for as long as the tunnel is open."""
    ends = Ends(runtime)
    ends.call.stamps.pop()
    ends.client_says(message(b"one"))
    assert ends.closed
    assert not data(*ends.heard(by_client=False))


async def test_whatever_raises_ends_the_tunnel(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    """And what was said is not in the log."""

    class Broken(Forwarding):
        def take(self) -> Any:
            raise ValueError("planted secret")

    ends = Ends(runtime)
    ends.call.conversation = Broken()
    ends.client_says(message(b"one"))
    assert ends.closed
    assert "planted" not in caplog.text


@pytest.mark.parametrize("size", [MAX_MESSAGE + 1, 8 * MAX_MESSAGE])
async def test_a_message_is_cut_off_while_it_comes(runtime: Runtime, size: int) -> None:
    """In one frame or in many; the rest of it is not waited for."""
    ends = Ends(runtime)
    for _ in range(0, size, 65536):
        if not ends.closed:
            ends.server_says(message(b"x" * 65536, whole=False))
    assert ends.closed
    assert codes(ends.heard(by_client=True)) == [1009]
    assert "websocket_message" not in ends.wire.hooks


async def test_one_frame_that_announces_too_much_is_cut_off(runtime: Runtime) -> None:
    """Before it is all there."""
    ends = Ends(runtime)
    whole = ends.server.send(message(b"x" * (4 * MAX_MESSAGE)))
    ends.wire.server_sends(whole[: MAX_MESSAGE + 100])
    assert ends.closed


async def test_text_goes_where_the_conversation_takes_it(runtime: Runtime) -> None:
    """As text, its fragments as one; a letter may be cut in two."""

    class Texts(Forwarding):
        takes_text = True

        def receive(self, content: bytes, *, from_client: bool, is_text: bool = False) -> None:
            self._send(content, to_client=not from_client, is_text=is_text)

    ends = Ends(runtime)
    ends.call.conversation = Texts()
    ends.client_says(frames.TextMessage(data="gr\u00fc", message_finished=False), frames.TextMessage(data="n"))
    ends.client_says(message(b"bytes"))
    heard = ends.heard(by_client=False)
    assert [each.data for each in heard if isinstance(each, frames.TextMessage)] == ["gr\u00fcn"]
    assert data(*heard) == [b"bytes"]
    ends.client_says(*[frames.TextMessage(data="\u20ac" * 100_000, message_finished=False)] * 4)
    assert codes(ends.heard(by_client=True)) == [1009]


async def test_text_is_refused(runtime: Runtime) -> None:
    """The base64 protocols are not spoken here."""
    ends = Ends(runtime)
    ends.server_says(frames.TextMessage(data="1aGVsbG8="))
    assert codes(ends.heard(by_client=True)) == [1003]


async def test_pings_carry_nothing_over(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    """They are answered, both ways are kept alive, and nothing of them is logged."""
    ends = Ends(runtime)
    ends.server_says(frames.Ping(payload=b"covert"))
    ends.server_says(frames.Pong(payload=b"covert"))
    (ping,) = ends.heard(by_client=True)
    assert isinstance(ping, frames.Ping)
    assert not ping.payload
    (pong,) = ends.heard(by_client=False)
    assert isinstance(pong, frames.Pong)
    assert bytes(pong.payload) == b"covert"
    assert "covert" not in caplog.text


async def test_a_close_ends_both_sides_and_its_words_stay_behind(runtime: Runtime) -> None:
    """The code goes on; the record is written before the agent sees it."""
    ends = Ends(runtime)
    ends.server_says(frames.CloseConnection(code=1000, reason="jane.doe@example.com"))
    assert ends.closed
    (close,) = ends.heard(by_client=True)
    assert isinstance(close, frames.CloseConnection)
    assert (int(close.code), close.reason or "") == (1000, "")
    assert ends.wire.hooks == ["websocket_start", "websocket_end"]
    assert not ends.flow.live


async def test_a_side_that_is_gone_ends_the_other(runtime: Runtime) -> None:
    """Without a close frame that is an error to the agent."""
    ends = Ends(runtime)
    ends.wire.server_closes()
    assert codes(ends.heard(by_client=True)) == [1011]
    assert ends.closed


async def test_broken_frames_end_the_tunnel(runtime: Runtime) -> None:
    """Reserved bits, bad opcodes, unmasked client frames."""
    for raw in (b"\xf2\x80", b"\x8b\x00", b"\x82\x01x"):
        ends = Ends(runtime)
        ends.wire.client_sends(raw)
        assert ends.closed


async def test_a_cut_is_seen_when_the_tunnel_is_woken(runtime: Runtime) -> None:
    """Nothing has to come for it."""
    ends = Ends(runtime)
    assert ends.call.conversation is not None
    ends.call.conversation.cut("the token has expired")
    ends.wire.feed(Wake(ends.flow, None))
    (close,) = ends.heard(by_client=True)
    assert isinstance(close, frames.CloseConnection)
    assert (int(close.code), close.reason) == (1008, "gatehold: the token has expired")
    ends.client_says(message(b"late"))
    assert not data(*ends.heard(by_client=False))


async def test_readers_wait_for_what_is_being_judged(runtime: Runtime) -> None:
    """The tunnel is busy from the first byte of an event to the last message in it, also of what came meanwhile."""
    ends = Ends(runtime)
    tunnel, seen = ends.tunnel, []

    def look(_hook: hooks.Hook, _flow: http.HTTPFlow) -> None:
        seen.append(tunnel.idle.is_set())

    busy = Ends(runtime, look)
    tunnel = busy.tunnel
    busy.client_says(message(b"one"), message(b"two"))
    assert seen[1:] == [False, False]
    assert tunnel.idle.is_set()
    busy.client_says(frames.CloseConnection(code=1000))
    busy.wire.client_sends(b"after the end")
    assert tunnel.idle.is_set()


async def test_a_reader_is_held_until_the_tunnel_is_idle(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 5, in the reader's own loop."""
    ends = Ends(runtime)
    drained = []

    async def drain(_handler: object) -> None:
        drained.append(1)

    monkeypatch.setattr(tunnels, "_stock_drain", drain)
    handler = type("Handler", (), {"client": ends.flow.client_conn})()
    await tunnels.draining(runtime)(handler)
    ends.tunnel.idle.clear()
    held = asyncio.ensure_future(tunnels.draining(runtime)(handler))
    await asyncio.sleep(0)
    assert not held.done()
    ends.tunnel.idle.set()
    await held
    assert len(drained) == 3


def test_mitmproxy_still_makes_the_layer_by_this_name() -> None:
    """``websocket.WebsocketLayer(context, flow)``, looked up in the module when it is needed."""
    source = inspect.getsource(layers.http.HttpStream.flow_done)
    assert "websocket.WebsocketLayer(self.context, self.flow)" in source
    assert [hook.name for hook in (websocket.WebsocketStartHook, websocket.WebsocketMessageHook, websocket.WebsocketEndHook)] == [
        "websocket_start", "websocket_message", "websocket_end",
    ]  # fmt: skip


def test_mitmproxy_still_drains_after_every_read() -> None:
    """And hands injected events to the stream that they are for."""
    assert "await self.drain_writers()" in inspect.getsource(server.ConnectionHandler.handle_connection)
    assert "MessageInjected" in inspect.getsource(layers.HttpLayer._handle_event)
    assert issubclass(Wake, events.MessageInjected)
