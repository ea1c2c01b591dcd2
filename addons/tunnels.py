"""The protocol layer of a WebSocket: two legs, a conversation between them, and bounds on all that waits.

Takes the place of mitmproxy's own layer, which keeps every message, relays on after a hook failed, prints what pings
carry and joins fragments without a limit. Five laws:

Rule 1  A message goes on only as the conversation of its call says; a tunnel without a conversation is closed.
Rule 2  Whatever raises, in a hook or in here, ends the tunnel on both sides.
Rule 3  A message is cut off at ``MAX_MESSAGE`` while its fragments come, whatever its frames announce.
Rule 4  Pings are answered here, and an empty one goes to the other side: their payload is a channel nobody judges.
Rule 5  No more is read from either side while messages wait to be judged, or while a slow reader has not taken what
        was sent; else the tunnel would pile up in memory.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from mitmproxy import connection, ctx, http
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.proxy import commands, context, events, layer
from mitmproxy.proxy import server as proxy_server
from mitmproxy.proxy.layers import websocket
from mitmproxy.websocket import WebSocketMessage
from wsproto import ConnectionType
from wsproto import events as frames
from wsproto.connection import Connection, ConnectionState
from wsproto.frame_protocol import Opcode

from addons import h2_backlog
from addons.conversations import FAILED, GOING_AWAY, NORMAL, TOO_BIG, UNSUPPORTED, Conversation, Ending
from addons.failsafe import place
from addons.runtime import Runtime

logger = logging.getLogger(__name__)

MAX_MESSAGE = 1024 * 1024
"""Bytes of a message, all fragments together."""
_LOCAL_CODES = frozenset({1005, 1006, 1015})
"""Codes that never stand in a frame."""
_FAILURE = Ending(code=FAILED, why="the gateway failed")

type Commands = Generator[commands.Command, Any]


@dataclass
class Wake(events.MessageInjected[None]):
    """A conversation has something to send, or has ended, though nothing came."""


class Leg:
    """One side of the tunnel."""

    def __init__(self, peer: connection.Connection, kind: ConnectionType) -> None:
        self.peer = peer
        self.frames = Connection(kind)
        self.message = bytearray()
        """Fragments of a message that is not whole yet; those of text in UTF-8."""

    def send(self, event: frames.Event) -> commands.SendData:
        """The bytes of one frame."""
        return commands.SendData(self.peer, bytes(self.frames.send(event)))

    @property
    def is_open(self) -> bool:
        """May messages still go there?"""
        return self.frames.state is ConnectionState.OPEN


class Tunnel(layer.Layer):
    """Relays the messages of one flow."""

    def __init__(self, context: context.Context, flow: http.HTTPFlow, runtime: Runtime) -> None:
        super().__init__(context)
        self.flow = flow
        self.runtime = runtime
        self.client = Leg(context.client, ConnectionType.SERVER)
        self.server = Leg(context.server, ConnectionType.CLIENT)
        self.idle = asyncio.Event()
        """Nothing waits to be judged."""
        self.idle.set()
        self._waiting = 0

    def handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        """Note what comes, also while the layer waits for a hook."""
        if isinstance(event, events.DataReceived):
            self._waiting += 1
            self.idle.clear()
        yield from super().handle_event(event)

    def _handle_event(self, _event: events.Event) -> Commands:
        """The first event: the tunnel begins."""
        if self.flow.websocket is None:
            raise ValueError("the flow has no WebSocket")
        _open[self.context.client.id] = self
        yield websocket.WebsocketStartHook(self.flow)
        self._handle_event = self._relay  # type: ignore[assignment, method-assign]
        if self._conversation() is None or self.flow.error is not None:
            yield from self._close(_FAILURE, from_client=False)

    def _conversation(self) -> Conversation | None:
        call = self.runtime.ledger.get(self.flow)
        return call.conversation if call is not None and call.sealed else None

    def _relay(self, event: events.Event) -> Commands:
        try:
            yield from self._relayed(event)
        except Exception as error:  # noqa: BLE001 - the tunnel ends
            logger.error("gatehold: a tunnel failed and was closed: %s", place(error))  # noqa: TRY400
            yield from self._close(_FAILURE, from_client=False)
        finally:
            self._judged(event)

    def _judged(self, event: events.Event) -> None:
        if isinstance(event, events.DataReceived):
            self._waiting -= 1
            if not self._waiting:
                self.idle.set()

    def _relayed(self, event: events.Event) -> Commands:
        conversation = self._conversation()
        if conversation is None:
            raise LookupError("the call of a tunnel is gone")
        if isinstance(event, Wake):
            yield from self._look(conversation)
            return
        if not isinstance(event, events.DataReceived | events.ConnectionClosed):
            return
        leg = self.client if event.connection == self.context.client else self.server
        leg.frames.receive_data(event.data if isinstance(event, events.DataReceived) else None)
        for frame in leg.frames.events():
            yield from self._frame(conversation, leg, frame)
            if self._handle_event == self._done:
                return

    def _frame(self, conversation: Conversation, leg: Leg, frame: frames.Event) -> Commands:
        match frame:
            case frames.BytesMessage() | frames.TextMessage():
                is_text = isinstance(frame, frames.TextMessage)
                leg.message += frame.data.encode() if isinstance(frame.data, str) else frame.data
                if is_text and not conversation.takes_text:
                    conversation.cut("text messages are not supported", UNSUPPORTED)
                    yield from self._deliver(conversation)
                elif len(leg.message) > MAX_MESSAGE:
                    conversation.cut(f"a message is larger than {MAX_MESSAGE} bytes", TOO_BIG)
                    yield from self._deliver(conversation)
                elif frame.message_finished:
                    yield from self._message(conversation, leg, Opcode.TEXT if is_text else Opcode.BINARY)
            case frames.Ping():
                other = self.server if leg is self.client else self.client
                yield leg.send(frames.Pong(payload=frame.payload))
                if other.is_open:
                    yield other.send(frames.Ping())
            case frames.Pong():
                pass
            case frames.CloseConnection():
                code = FAILED if int(frame.code) in _LOCAL_CODES else int(frame.code)
                yield from self._close(Ending(code=code, why=""), from_client=leg is self.client)
            case _:
                raise TypeError(f"a tunnel has no {type(frame).__name__}")

    def _message(self, conversation: Conversation, leg: Leg, kind: Opcode) -> Commands:
        message = WebSocketMessage(kind, leg is self.client, bytes(leg.message))
        leg.message.clear()
        messages = self.flow.websocket.messages if self.flow.websocket else []
        messages.append(message)
        yield websocket.WebsocketMessageHook(self.flow)
        messages.clear()
        if self.flow.error is not None:
            yield from self._close(_FAILURE, from_client=False)
        else:
            yield from self._deliver(conversation)

    def _look(self, conversation: Conversation) -> Commands:
        """Nobody said anything: have what is held back looked at where that may take long, and send what is to be."""
        if conversation.held:
            yield websocket.WebsocketMessageHook(self.flow)
        if self.flow.error is not None:
            yield from self._close(_FAILURE, from_client=False)
        else:
            yield from self._deliver(conversation)

    def _deliver(self, conversation: Conversation) -> Commands:
        """Send what is to be sent; close where the conversation has ended."""
        yield from self._send(conversation)
        if conversation.ended is not None:
            yield from self._close(conversation.ended, from_client=False)

    def _send(self, conversation: Conversation) -> Commands:
        for outgoing in conversation.take():
            leg = self.client if outgoing.to_client else self.server
            if not leg.is_open:
                continue
            if outgoing.is_text:
                yield leg.send(frames.TextMessage(data=outgoing.content.decode()))
            else:
                yield leg.send(frames.BytesMessage(data=outgoing.content))

    def _close(self, ending: Ending, *, from_client: bool) -> Commands:
        """End both legs, once; the record is written before."""
        self._handle_event = self._done  # type: ignore[assignment, method-assign]
        socket, conversation = self.flow.websocket, self._conversation()
        if socket is not None:
            socket.timestamp_end, socket.closed_by_client = time.time(), from_client
        if conversation is not None and ending is not _FAILURE:
            if conversation.held:
                yield websocket.WebsocketMessageHook(self.flow)
            if self.flow.error is not None:
                ending = _FAILURE
            else:
                conversation.finish()
                yield from self._send(conversation)
                ending = conversation.ended or ending
        if socket is not None:
            socket.close_code = ending.code
        yield websocket.WebsocketEndHook(self.flow)
        # The words of either side stay on that side; what the gateway itself says holds no data.
        for leg, told in ((self.client, ending.code), (self.server, NORMAL if not ending.why else GOING_AWAY)):
            if leg.frames.state in (ConnectionState.OPEN, ConnectionState.REMOTE_CLOSING):
                reason = f"gatehold: {ending.why}" if ending.why and leg is self.client else ""
                yield leg.send(frames.CloseConnection(code=told, reason=reason))
            yield commands.CloseConnection(leg.peer)
        self.flow.live = False

    def _done(self, event: events.Event) -> Commands:
        self._judged(event)
        yield from ()


def wake(flow: http.HTTPFlow) -> None:
    """Make the tunnel of a flow look at its conversation; nothing where it is gone."""

    proxyserver = ctx.master.addons.get("proxyserver")
    if isinstance(proxyserver, Proxyserver) and flow.client_conn.id in proxyserver.connections:
        proxyserver.inject_event(Wake(flow, None))


def install(runtime: Runtime) -> None:
    """Put this layer in the place of mitmproxy's own, and let readers wait for it."""

    def make(context: context.Context, flow: http.HTTPFlow) -> Tunnel:
        return Tunnel(context, flow, runtime)

    websocket.WebsocketLayer = make  # type: ignore[assignment, misc]

    proxy_server.ConnectionHandler.drain_writers = draining(runtime)  # type: ignore[method-assign]


def draining(runtime: Runtime) -> Callable[[proxy_server.ConnectionHandler], Coroutine[Any, Any, None]]:
    """What a reader does before it reads on: wait until what it read was taken, and was judged."""

    async def drain(self: proxy_server.ConnectionHandler) -> None:
        await _stock_drain(self)  # type: ignore[no-untyped-call]
        tunnel = _open.get(self.client.id)
        if tunnel is not None and not tunnel.idle.is_set():
            await tunnel.idle.wait()
            await _stock_drain(self)  # type: ignore[no-untyped-call]
        await runtime.open_streams.idle(self.client.id)
        await h2_backlog.taken(self)

    return drain


_open: WeakValueDictionary[str, Tunnel] = WeakValueDictionary()
"""By client connection: a WebSocket has its connection to itself."""
_stock_drain = proxy_server.ConnectionHandler.drain_writers
