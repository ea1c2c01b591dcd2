"""Where mitmproxy's protocol layers are made to answer as a gateway must.

Twelve repairs of mitmproxy 12.2, each held by a test of its own that fails when the layer below changes:

1. An upstream that cannot be reached, or breaks off before its answer was passed on, becomes a governed answer
   (recorded, in the target's form) in place of an HTML page that names addresses.
2. Error pages that come before there is a flow (unreadable heads, bodies over the limit) are problem documents.
3. An HTTP/1 message with trailers is a protocol error; stock raises, and the connection hangs.
4. An HTTP/1 request head that does not end is cut off at ``MAX_HEAD``; stock buffers it for ever.
5. Bytes that nobody reads are bounded: chunk heads without end, what follows a request that is still held, a TLS hello
   without end; stock keeps them all. Request chunks that come together go on as one, for each costs a pass through all
   layers.
6. Interim answers (100, 103) are skipped; stock takes them for the answer.
7. After a protocol error a connection is over; stock reports its end once more, to a stream that is gone, and crashes.
8. An exception in a response stream's callable aborts that stream; stock leaves the client hanging.
9. What a response stream holds back goes on after a pause, though no chunk comes; stock asks it with chunks only.
10. An answer that is kept until it is whole is given up when it does not become it (``addons.slow_bodies``).
11. What an HTTP/2 agent has no window for is bounded (``addons.h2_backlog``); stock keeps whatever comes.
12. Where an answer and its connection end is decided by its head as it came; stock asks the one that addons cleaned,
    and sends the next call into a connection that the target said it closes.
13. A connection to a target that is over is forgotten (``addons.closed_connections``); stock keeps it for ever.
"""

import json
import logging
import re
import secrets
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from mitmproxy import http
from mitmproxy.net.http import http1
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layers import tls
from mitmproxy.proxy.layers.http import HttpLayer, HttpStream, SendHttp, _http1, _http2
from mitmproxy.proxy.layers.http._base import HttpEvent, ReceiveHttp
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestData,
    RequestProtocolError,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.http._hooks import HttpResponseHeadersHook

from addons import answers, closed_connections, h2_backlog, slow_bodies
from addons.failsafe import place
from addons.response_streams import ResponseStream, StreamPaused
from addons.runtime import Runtime
from addons.slow_bodies import BodyStalled
from policy.codes import ANSWERS, Code
from policy.errors import Refusal

logger = logging.getLogger(__name__)

MAX_HEAD = 128 * 1024
"""Bytes of an HTTP/1 request line and headers."""

_CODES = {400: Code.MALFORMED, 413: Code.TOO_LARGE, 502: Code.UPSTREAM_UNAVAILABLE}

_INTERIM = re.compile(rb"HTTP/1\.[01] 1(?!01)\d\d[ \r\n]")
"""Begins an interim answer, other than a switch of protocols."""

type Commands = Generator[commands.Command, Any]


def install(runtime: Runtime) -> None:
    """Put the repairs in place, for this process; doing it again replaces the runtime that they answer for."""
    replacements: tuple[tuple[Any, str, Callable[..., Any]], ...] = (
        (_http1, "make_error_response", error_response),
        (_http2, "format_error", lambda status, _message: problem(status)[1]),
        (HttpStream, "handle_protocol_error", _answering(runtime)),
        (HttpStream, "state_stream_response_body", _stream_response_body),
        (HttpStream, "_handle_event", _stream_events(runtime)),
        (HttpLayer, "_handle_event", _layer_event),
        (_http1.Http1Connection, "read_body", _read_body),
        (_http1.Http1Connection, "wait", _wait),
        (_http1.Http1Server, "read_headers", _read_headers),
        (_http1.Http1Client, "read_headers", _read_response_headers),
        (tls.ClientTLSLayer, "receive_handshake_data", _receive_hello),
    )
    for owner, name, replacement in replacements:
        setattr(owner, name, replacement)


def problem(status: int) -> tuple[str, bytes]:
    """A fresh decision id and the problem document for a call that could not even be read."""
    code = _CODES.get(status, Code.GATEWAY_ERROR)
    answer = ANSWERS[code]
    decision = f"dec_{secrets.token_urlsafe(12)}"
    logger.warning("gatehold: refused before a call could be read: %s (decision %s)", code, decision)
    body = {
        "type": f"https://gatehold.dev/problems/{answer.problem}",
        "title": answer.title,
        "status": status,
        "detail": answer.title,
        "code": code,
        "decision": decision,
        "rule": None,
        "retryable": answer.retryable,
        "next": answer.next,
    }
    return decision, json.dumps(body).encode()


def error_response(status_code: int, message: str = "") -> bytes:  # noqa: ARG001 - mitmproxy's own signature
    """An error page on the wire; the text is mitmproxy's and stays out of it."""
    decision, body = problem(status_code)
    headers = {"Content-Type": "application/problem+json", "Connection": "close", answers.DECISION: decision}
    return bytes(http1.assemble_response(http.Response.make(status_code, body, headers)))


def _answering(runtime: Runtime) -> Callable[[HttpStream, Any], Commands]:
    def handle_protocol_error(self: HttpStream, event: Any) -> Commands:
        call = runtime.ledger.get(self.flow)
        if call is None or not isinstance(event, ResponseProtocolError) or not _unanswered(self):
            yield from _stock_protocol_error(self, event)
            return
        name = call.target.name if call.target else "unknown"
        detail = f"the target {name} cannot be reached or broke off its answer"
        call.refusal = Refusal(Code.UPSTREAM_UNAVAILABLE, detail, reason=f"{detail}: {event.message}")
        self.flow.response = answers.respond(call, call.refusal)
        yield HttpResponseHeadersHook(self.flow)
        if (yield from self.check_killed(True)):
            return
        yield from self.send_response()

    return handle_protocol_error


@dataclass
class StreamChunkHook(commands.StartHook):
    """A chunk of a streamed answer, or its end, takes long to be worked off; done before the stream is called."""

    flow: http.HTTPFlow


def _unanswered(stream: HttpStream) -> bool:
    """Has nothing of an answer gone to the client yet, and does the client still wait for one?"""
    waiting = stream.server_state in (stream.state_wait_for_response_headers, stream.state_consume_response_body)
    return waiting and stream.client_state == stream.state_done and not stream.flow.error


def _stream_response_body(self: HttpStream, event: Any) -> Commands:
    try:
        chunk = event.data if isinstance(event, ResponseData) else b""
        stream = self.flow.response.stream if self.flow.response else None
        is_stream = isinstance(stream, ResponseStream) and isinstance(event, ResponseData | ResponseEndOfMessage)
        if is_stream and stream.takes_long(chunk):  # type: ignore[union-attr]
            stream.chunk = chunk  # type: ignore[union-attr]
            yield StreamChunkHook(self.flow)
            if self.flow.error is not None:
                raise RuntimeError("the stream was ended")
        yield from _stock_stream_response_body(self, event)
    except Exception as error:  # noqa: BLE001 - the stream is aborted
        yield from _abort(self, error)


def _abort(self: HttpStream, error: Exception) -> Commands:
    logger.error("gatehold: a response stream failed and was aborted: %s", place(error))
    aborted = ResponseProtocolError(self.stream_id, "the response stream failed", ErrorCode.GENERIC_SERVER_ERROR)
    yield from _stock_protocol_error(self, aborted)
    yield from _hang_up(self)


def _hang_up(self: HttpStream) -> Commands:
    """No more of an answer is wanted: an HTTP/1 connection is closed, an HTTP/2 stream reset."""
    cancelled = RequestProtocolError(self.stream_id, "the answer is not wanted any more", ErrorCode.CANCEL)
    yield SendHttp(cancelled, self.context.server)


@dataclass
class _Pause(HttpEvent):
    """A ``StreamPaused``, for the one stream that it is about."""


@dataclass
class _Stall(HttpEvent):
    """A ``BodyStalled``, for the one stream that it is about."""


def _layer_event(self: HttpLayer, event: events.Event) -> Commands:
    if not isinstance(event, StreamPaused | BodyStalled):
        yield from _stock_layer_event(self, event)
        h2_backlog.note(self, event)
        closed_connections.note(self, event)
        return
    for stream in list(self.streams.values()):
        if stream._handle_event == stream.passthrough:  # noqa: SLF001 - a tunnel, with the stream somewhere in it
            yield from self.event_to_child(stream, event)
        elif getattr(stream, "flow", None) is event.flow:
            kind = _Pause if isinstance(event, StreamPaused) else _Stall
            yield from self.event_to_child(stream, kind(stream.stream_id))


def _stream_events(runtime: Runtime) -> Callable[[HttpStream, events.Event], Commands]:
    def handle_event(self: HttpStream, event: events.Event) -> Commands:
        if isinstance(event, _Stall):
            if self.server_state == self.state_consume_response_body:
                yield from _given_up(self)
        elif not isinstance(event, _Pause):
            yield from _stock_stream_event(self, event)
        elif self.server_state == self.state_stream_response_body:
            yield from _after_pause(self)
        slow_bodies.note(runtime, self)

    return handle_event


def _given_up(self: HttpStream) -> Commands:
    """Answer in place of a target whose answer does not become whole."""
    stalled = ResponseProtocolError(self.stream_id, "the answer came to a halt", ErrorCode.GENERIC_SERVER_ERROR)
    yield from self.handle_protocol_error(stalled)
    yield from _hang_up(self)


def _after_pause(self: HttpStream) -> Commands:
    """Send what a stream held back; whatever goes wrong aborts it."""
    stream = self.flow.response.stream if self.flow.response else None
    if not isinstance(stream, ResponseStream) or not stream.waits or self.flow.error is not None:
        return
    try:
        if stream.takes_long(None):
            stream.chunk = None
            yield StreamChunkHook(self.flow)
            if self.flow.error is not None:
                raise RuntimeError("the stream was ended")
        data = stream(None)
        if isinstance(data, bytes):
            yield SendHttp(ResponseData(self.stream_id, data), self.context.client)
    except Exception as error:  # noqa: BLE001 - the stream is aborted
        yield from _abort(self, error)


def _read_body(self: _http1.Http1Connection, event: events.Event) -> Commands:
    data, stream = bytearray(), self.stream_id or 0
    try:
        for command in _stock_read_body(self, event):
            received = command.event if isinstance(command, ReceiveHttp) else None
            if isinstance(received, RequestData) and received.stream_id == stream:
                data += received.data
                continue
            if data:
                yield ReceiveHttp(RequestData(stream, bytes(data)))
                data.clear()
            if isinstance(received, self.ReceiveProtocolError):
                self.state = self.done
            yield command
    except NotImplementedError:
        yield from _broken(self, "HTTP/1 trailers are not supported")
        return
    if data:
        yield ReceiveHttp(RequestData(stream, bytes(data)))
    if len(self.buf) > MAX_HEAD and self.state == self.read_body:
        yield from _broken(self, "a chunk head does not end")


def _broken(self: _http1.Http1Connection, message: str) -> Commands:
    self.state = self.done
    yield commands.CloseConnection(self.conn)
    yield ReceiveHttp(self.ReceiveProtocolError(self.stream_id or 0, message, code=self.ReceiveProtocolError.code))


def _wait(self: _http1.Http1Connection, event: events.Event) -> Commands:
    yield from _stock_wait(self, event)
    if len(self.buf) > MAX_HEAD and self.state == self.wait:
        yield from _broken(self, "too much follows a message that is not answered yet")


def _receive_hello(self: tls.ClientTLSLayer, data: bytes) -> layer.CommandGenerator[tuple[bool, str | None]]:
    if not self.client_hello_parsed and len(self.recv_buffer) + len(data) > MAX_HEAD:
        return False, "the TLS hello does not end"
    return (yield from _stock_receive_hello(self, data))


def _read_response_headers(self: _http1.Http1Client, event: events.ConnectionEvent) -> layer.CommandGenerator[None]:
    if isinstance(event, events.DataReceived) and self.request:
        while _INTERIM.match(bytes(self.buf)[:13]):
            if not self.buf.maybe_extract_lines():
                break
    for command in _stock_read_response_headers(self, event):
        if isinstance(command, ReceiveHttp) and isinstance(command.event, ResponseProtocolError):
            self.state = self.done
        if isinstance(command, ReceiveHttp) and isinstance(command.event, ResponseHeaders):
            self.response = _own_head(command.event.response)
        yield command
    if len(self.buf) > MAX_HEAD and self.state == self.read_headers:
        yield from _broken(self, "the head of the answer does not end")


def _own_head(response: http.Response) -> http.Response:
    """The head as it came, whatever addons make of it: by it is decided where the answer and its connection end."""
    data = response.data
    return http.Response(
        data.http_version, data.status_code, data.reason, data.headers.copy(), None, None, data.timestamp_start, None
    )


def _read_headers(self: _http1.Http1Server, event: events.ConnectionEvent) -> layer.CommandGenerator[None]:
    yield from _stock_read_headers(self, event)
    if len(self.buf) > MAX_HEAD and self.state == self.read_headers:
        yield commands.SendData(self.conn, error_response(400))
        yield commands.CloseConnection(self.conn)
        self.state = self.done


_stock_layer_event = HttpLayer._handle_event  # noqa: SLF001
_stock_stream_event = HttpStream._handle_event  # noqa: SLF001
_stock_protocol_error = HttpStream.handle_protocol_error
_stock_stream_response_body = HttpStream.state_stream_response_body
_stock_read_body = _http1.Http1Connection.read_body
_stock_wait = _http1.Http1Connection.wait
_stock_read_headers = _http1.Http1Server.read_headers
_stock_read_response_headers = _http1.Http1Client.read_headers
_stock_receive_hello = tls.ClientTLSLayer.receive_handshake_data
