"""What "refuse" means in each hook, when there is nobody left to say why.

Used when a governance addon raised or is gone. Every event of mitmproxy 12.2 that carries data towards an upstream or
back to an agent has its row; what has none ends its connection.
"""

import logging
import re
import traceback
from collections.abc import Callable
from typing import Any

from mitmproxy import flow as mitmproxy_flow
from mitmproxy import http, tcp, udp
from mitmproxy.proxy import commands, events, layer

from addons import answers
from addons.calls import Ledger
from policy.codes import Code
from policy.errors import Refusal

logger = logging.getLogger(__name__)

_QUOTED = re.compile(r"""(?s):? *(?:\bbytearray\(|\bb['"]|(?<=: )\[?['"]).*""")
"""Bytes, or a text, as Python writes them into a message."""
_WHY = "the gateway failed while it judged this call"


class ClosingLayer(layer.Layer):
    """A protocol layer that closes the client connection on its first event."""

    def _handle_event(self, _event: events.Event) -> layer.CommandGenerator[None]:
        yield commands.CloseConnection(self.context.client)


def place(error: BaseException) -> str:
    """Type and innermost code line of an exception, without its text (which may hold data of a call)."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


def without_data(message: str) -> str:
    """What mitmproxy says of an error, without the bytes that it quotes: those of an upstream are never masked."""
    return _QUOTED.sub(" (left out)", message)


def refuse(event: str, subject: Any, ledger: Ledger) -> None:
    """Refuse what a hook was about; ``subject`` is the hook's argument. Never raises."""
    try:
        _refuse(event, subject, ledger)
    except Exception as error:  # noqa: BLE001 - the last line of defence: whatever it is, the call ends here
        logger.critical("gatehold: refusing failed in %s: %s", event, place(error))
        if isinstance(subject, http.HTTPFlow) and event in _ANSWERED:
            subject.response = http.Response.make(503)
        if isinstance(subject, mitmproxy_flow.Flow):
            _kill(subject)


def _refuse(event: str, subject: Any, ledger: Ledger) -> None:
    if event in _ANSWERED:
        _answer(subject, ledger)
    elif event == "response":
        _answer_instead(subject, ledger)
    elif event in _OTHERWISE:
        _OTHERWISE[event](subject)
    elif isinstance(subject, mitmproxy_flow.Flow):
        _kill(subject)


def _answer(flow: http.HTTPFlow, ledger: Ledger) -> None:
    flow.request.stream = False
    call = ledger.get(flow) or ledger.open(flow)
    call.refusal = call.refusal or Refusal(Code.GATEWAY_ERROR, _WHY)
    flow.response = answers.respond(call, call.refusal)


def _answer_instead(flow: http.HTTPFlow, ledger: Ledger) -> None:
    if flow.response is not None and flow.response.stream:
        _kill(flow)  # bytes have left already: an honest end is an aborted one
    else:
        _answer(flow, ledger)


def _kill(flow: mitmproxy_flow.Flow) -> None:
    if flow.killable:
        flow.kill()


def _drop_message(flow: http.HTTPFlow) -> None:
    if flow.websocket is not None and flow.websocket.messages:
        flow.websocket.messages[-1].drop()
    _kill(flow)


def _empty_message(flow: tcp.TCPFlow | udp.UDPFlow) -> None:
    if flow.messages:
        flow.messages[-1].content = b""
    _kill(flow)


def _connection_error(data: Any) -> None:
    connection = getattr(data, "server", data)
    connection.error = _WHY


def _close_layer(data: layer.NextLayer) -> None:
    data.layer = ClosingLayer(data.context)


def _no_tls(data: Any) -> None:
    data.ssl_conn = None


def _ignore(_subject: Any) -> None:
    """The event tells of something that is over."""


_ANSWERED = frozenset({"http_connect", "requestheaders", "request"})

_OTHERWISE: dict[str, Callable[[Any], None]] = {
    "client_connected": _connection_error,
    "client_disconnected": _ignore,
    "server_connect": _connection_error,
    "server_connected": _connection_error,
    "server_connect_error": _ignore,
    "server_disconnected": _ignore,
    "next_layer": _close_layer,
    "tls_clienthello": _ignore,
    "tls_start_client": _no_tls,
    "tls_start_server": _no_tls,
    "tls_established_client": _ignore,
    "tls_established_server": _ignore,
    "tls_failed_client": _ignore,
    "tls_failed_server": _ignore,
    "http_connected": _ignore,
    "http_connect_error": _ignore,
    "responseheaders": _kill,
    "error": _ignore,
    "websocket_start": _kill,
    "websocket_message": _drop_message,
    "websocket_end": _ignore,
    "tcp_start": _kill,
    "tcp_message": _empty_message,
    "tcp_end": _ignore,
    "tcp_error": _ignore,
    "udp_start": _kill,
    "udp_message": _empty_message,
    "running": _ignore,
    "configure": _ignore,
    "done": _ignore,
    "load": _ignore,
}
