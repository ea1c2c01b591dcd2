"""Law: in every hook there is a way to say no without a reason, and saying no never raises."""

import json
from typing import Any, NoReturn

import mitmproxy.addons
import mitmproxy.tools.dump
import pytest
from mitmproxy import dns, flow, hooks, http, tcp, tls, udp
from mitmproxy.proxy import commands, context, events, layer, server_hooks
from mitmproxy.test import tflow, tutils

from addons import answers, failsafe
from addons.calls import Ledger
from policy.codes import Code
from policy.errors import Refusal
from tests.addons.support import is_killed, make_client, make_flow

assert mitmproxy.addons  # every hook is declared once all of mitmproxy was imported
assert mitmproxy.tools.dump

HARMLESS = {
    "add_log": "a line of the log",
    "update": "for user interfaces; a guarded proxy does not send it",
    "socks5_auth": "invalid unless an addon says otherwise",
    "quic_start_client": "no TLS settings unless an addon gives some",
    "quic_start_server": "no TLS settings unless an addon gives some",
}
ANSWERED = ("http_connect", "requestheaders", "request")


def _context() -> context.Context:
    return context.Context(make_client(), None)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(set(hooks.all_hooks) - set(HARMLESS)))
def test_every_hook_of_mitmproxy_has_a_refusal(name: str) -> None:
    """A hook that a later mitmproxy adds fails here until somebody looked at it."""
    (subject, *_) = [field.type for field in hooks.all_hooks[name].__dataclass_fields__.values()] or [None]  # type: ignore[attr-defined]
    known = name in (*ANSWERED, "response", *failsafe._OTHERWISE)
    assert known or (isinstance(subject, type) and issubclass(subject, flow.Flow)), f"mitmproxy has a new hook: {name}"


def test_hooks_without_a_row_are_closed_by_themselves() -> None:
    """Nothing passes in them unless an addon does something."""
    assert mitmproxy.proxy.layers.modes.Socks5AuthData.__dataclass_fields__["valid"].default is False
    assert mitmproxy.proxy.layers.quic.QuicTlsData.__dataclass_fields__["settings"].default is None


@pytest.mark.parametrize("event", ANSWERED)
def test_a_request_is_answered(event: str) -> None:
    """503, in the form of a governed answer, and nothing of its body is streamed on."""
    ledger, refused = Ledger(), make_flow()
    refused.request.stream = True
    failsafe.refuse(event, refused, ledger)
    assert refused.response is not None
    assert refused.response.status_code == 503
    assert json.loads(refused.response.content or b"")["code"] == "gateway-error"
    assert refused.request.stream is False
    assert not ledger.sealed(refused)


def test_a_refusal_that_was_there_first_stays() -> None:
    """What refused a call is what it is told, whatever failed afterwards."""
    ledger, refused = Ledger(), make_flow()
    ledger.open(refused).refusal = Refusal(Code.DENIED_BY_RULE, rule="wall")
    failsafe.refuse("request", refused, ledger)
    assert refused.response is not None
    assert refused.response.status_code == 403


def test_an_answer_that_was_not_governed_is_replaced() -> None:
    """Not a byte of it remains."""
    ledger, refused = Ledger(), make_flow()
    refused.response = http.Response.make(200, b"planted", {"X-Planted": "planted"})
    failsafe.refuse("response", refused, ledger)
    assert refused.response.status_code == 503
    assert b"planted" not in (refused.response.raw_content or b"") + repr(refused.response.headers).encode()


def test_an_answer_that_is_under_way_is_aborted() -> None:
    """Its first bytes have left; an ending that looks whole would be a lie."""
    refused = make_flow()
    refused.response = http.Response.make(200)
    refused.response.stream = True
    failsafe.refuse("response", refused, Ledger())
    assert is_killed(refused)


@pytest.mark.parametrize(
    ("event", "subject"),
    [("responseheaders", make_flow()), ("websocket_start", make_flow()), ("tcp_start", tflow.ttcpflow()),
     ("udp_start", tflow.tudpflow()), ("dns_request", tflow.tdnsflow()), ("udp_end", tflow.tudpflow()),
     ("an_event_of_the_future", make_flow())],
)  # fmt: skip
def test_other_flows_end(event: str, subject: flow.Flow) -> None:
    """Also in events that are not known."""
    failsafe.refuse(event, subject, Ledger())
    assert is_killed(subject)
    failsafe.refuse(event, subject, Ledger())


def test_messages_are_dropped() -> None:
    """The last message does not go on, and the connection ends."""
    socket = tflow.twebsocketflow()
    assert socket.websocket is not None
    failsafe.refuse("websocket_message", socket, Ledger())
    assert socket.websocket.messages[-1].dropped
    assert is_killed(socket)


@pytest.mark.parametrize(("event", "make"), [("tcp_message", tflow.ttcpflow), ("udp_message", tflow.tudpflow)])
def test_raw_bytes_are_emptied(event: str, make: Any) -> None:
    """There is no way to drop them."""
    raw: tcp.TCPFlow | udp.UDPFlow = make()
    failsafe.refuse(event, raw, Ledger())
    assert raw.messages[-1].content == b""
    assert is_killed(raw)


def test_connections_are_refused() -> None:
    """mitmproxy closes a connection that has an error."""
    client, server = make_client(), tflow.tserver_conn()
    failsafe.refuse("client_connected", client, Ledger())
    failsafe.refuse("server_connect", server_hooks.ServerConnectionHookData(server, client), Ledger())
    assert client.error
    assert server.error


@pytest.mark.parametrize("event", ["tls_start_client", "tls_start_server"])
def test_no_handshake_begins(event: str) -> None:
    """Without a TLS object mitmproxy closes the connection."""
    data = tls.TlsData(make_client(), _context(), ssl_conn=object())  # type: ignore[arg-type]
    failsafe.refuse(event, data, Ledger())
    assert data.ssl_conn is None


def test_the_next_layer_closes() -> None:
    """On its first event, whatever was chosen before."""
    data = layer.NextLayer(_context())
    data.layer = layer.NextLayer(_context())
    failsafe.refuse("next_layer", data, Ledger())
    assert isinstance(data.layer, failsafe.ClosingLayer)
    (command,) = data.layer.handle_event(events.Start())
    assert isinstance(command, commands.CloseConnection)
    assert command.connection is data.context.client


@pytest.mark.parametrize("event", [*ANSWERED, "response"])
def test_refusing_never_raises(event: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """When even an answer cannot be made: an empty 503 where one fits, and the flow ends. The error's text is not logged."""

    def fail(*_arguments: Any, **_options: Any) -> NoReturn:
        raise RuntimeError("planted")

    monkeypatch.setattr(answers, "respond", fail)
    refused = make_flow()
    if event == "response":
        refused.response = http.Response.make(200, b"not governed")
    failsafe.refuse(event, refused, Ledger())
    assert is_killed(refused)
    if event != "response":
        assert refused.response is not None
        assert refused.response.status_code == 503
    assert "RuntimeError" in caplog.text
    assert "planted" not in caplog.text


@pytest.mark.parametrize("event", [*ANSWERED, "response", "responseheaders", *sorted(failsafe._OTHERWISE)])
@pytest.mark.parametrize(
    "subject", [None, object(), set(), dns.DNSFlow(make_client(), tflow.tserver_conn()), tutils.treq()]
)
def test_a_subject_of_the_wrong_kind_does_not_raise(event: str, subject: Any) -> None:
    """Whatever it is handed."""
    failsafe.refuse(event, subject, Ledger())


def test_a_place_holds_no_text() -> None:
    """Type, file and line."""
    try:
        raise ValueError("planted")
    except ValueError as error:
        told = failsafe.place(error)
    assert told.startswith("ValueError at ")
    assert "test_failsafe.py:" in told
    assert "planted" not in told
    assert failsafe.place(ValueError("planted")) == "ValueError"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("Cannot parse HTTP response: Invalid header line: b'ada@x.example'", "Cannot parse HTTP response: Invalid header line (left out)"),
        ("HTTP/1 protocol error: illegal chunk header: bytearray(b'ada@x.example')", "HTTP/1 protocol error: illegal chunk header (left out)"),
        ("invalid content-length header: 'ada@x.example'", "invalid content-length header (left out)"),
        ('Invalid header line: b"ada\'s"', "Invalid header line (left out)"),
        ("multiple content-length headers: ['ada@x.example']", "multiple content-length headers (left out)"),
        ("[Errno 111] Connect call failed ('127.0.0.1', 9)", "[Errno 111] Connect call failed ('127.0.0.1', 9)"),
        ("server closed connection", "server closed connection"),
    ],
)  # fmt: skip
def test_errors_of_a_protocol_hold_no_data(message: str, told: str) -> None:
    """They quote what an upstream sent; records must not."""
    assert failsafe.without_data(message) == told
