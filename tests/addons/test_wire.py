"""Law: each private part of mitmproxy that is touched here is as it was, and each repair does what it is for.

A test whose name begins with ``test_mitmproxy`` fails when mitmproxy changed: look at the repair before widening the pin.
"""

import ast
import asyncio
import collections
import inspect
import json
import logging
import time
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest
from mitmproxy import addonmanager, hooks, http, options
from mitmproxy import master as mitmproxy_master
from mitmproxy.addons import proxyserver, tlsconfig
from mitmproxy.net import tls as net_tls
from mitmproxy.proxy import context, events, layers, mode_servers, server
from mitmproxy.proxy.layers.http import HttpLayer, HTTPMode, HttpStream, _base, _events, _http1, _http2
from mitmproxy.test import taddons
from OpenSSL import SSL

from addons import answers, certificates, dialling, slow_bodies, wire
from addons.calls import Ledger
from addons.response_streams import ResponseStream, StreamPaused
from addons.runtime import Runtime
from addons.slow_bodies import BodyStalled
from tests.addons.support import Wire, make_client, make_flow, make_target

PLANTED = "planted: 192.0.2.99"
GET = b"GET http://crm.corp.example/customers HTTP/1.1\r\nHost: crm.corp.example\r\n\r\n"
PATCHED = (
    (_http1, "make_error_response"),
    (_http2, "format_error"),
    (HttpStream, "handle_protocol_error"),
    (HttpStream, "state_stream_response_body"),
    (HttpStream, "_handle_event"),
    (HttpLayer, "_handle_event"),
    (_http1.Http1Connection, "read_body"),
    (_http1.Http1Server, "read_headers"),
    (_http1.Http1Client, "read_headers"),
)


def _same(found: object, expected: object, what: str) -> None:
    assert found == expected, f"mitmproxy changed {what}: {found!r} was {expected!r}; look at addons/ before going on"


def _parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


# What is touched.


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (HttpStream.handle_protocol_error, ["self", "event"]),
        (HttpStream.state_stream_response_body, ["self", "event"]),
        (HttpStream.check_killed, ["self", "emit_error_hook"]),
        (HttpStream.send_response, ["self", "already_streamed"]),
        (_http1.make_error_response, ["status_code", "message"]),
        (_http2.format_error, ["status_code", "message"]),
        (_http1.Http1Connection.read_body, ["self", "event"]),
        (_http1.Http1Server.read_headers, ["self", "event"]),
        (_http1.Http1Client.read_headers, ["self", "event"]),
        (_events.ResponseProtocolError, ["stream_id", "message", "code"]),
        (addonmanager.AddonManager._iter_hooks, ["self", "addon", "event"]),
        (addonmanager.AddonManager.register, ["self", "addon"]),
        (addonmanager.AddonManager.remove, ["self", "addon"]),
        (addonmanager.AddonManager.clear, ["self"]),
        (addonmanager.AddonManager.trigger_event, ["self", "event"]),
        (addonmanager.AddonManager.handle_lifecycle, ["self", "event"]),
        (addonmanager.traverse, ["chain"]),
        (addonmanager._get_name, ["itm"]),
        (tlsconfig.TlsConfig.get_cert, ["self", "conn_context"]),
        (tlsconfig.TlsConfig.tls_start_server, ["self", "tls_start"]),
        (tlsconfig.TlsConfig.configure, ["self", "updated"]),
    ],
    ids=lambda value: getattr(value, "__qualname__", ""),
)
def test_mitmproxy_signatures(function: Callable[..., Any], parameters: list[str]) -> None:
    """What is replaced or called takes what it took."""
    _same(_parameters(function), parameters, function.__qualname__)


@pytest.mark.parametrize(
    ("states", "owner"),
    [
        (("state_wait_for_response_headers", "state_consume_response_body", "state_done", "state_errored"), HttpStream),
        (
            ("read_headers", "read_body", "done", "buf"),
            _http1.Http1Server(context.Context(make_client(), options.Options())),
        ),
    ],
)
def test_mitmproxy_states(states: tuple[str, ...], owner: object) -> None:
    """The states that repairs look at are there under their names."""
    for state in states:
        assert hasattr(owner, state), f"mitmproxy has no {state} any more; look at addons/wire.py"


def _names_read(function: Callable[..., Any] | ModuleType) -> set[str]:
    tree = ast.parse(
        inspect.cleandoc("\n" + inspect.getsource(function))
        if not inspect.ismodule(function)
        else inspect.getsource(function)
    )
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def test_mitmproxy_error_pages_are_module_globals() -> None:
    """They are replaced in the modules that call them: a call through another module would miss the replacement."""
    assert "make_error_response" in _names_read(_http1), "mitmproxy calls make_error_response in another way"
    assert "format_error" in _names_read(_http2), "mitmproxy calls format_error in another way"
    _same(_http2.format_error.__module__ in (_base.__name__, wire.__name__), True, "_http2.format_error")


def test_mitmproxy_dials_by_open_connection() -> None:
    """Once, by ``asyncio.open_connection(*address, local_addr=...)``, through the module's own name ``asyncio``."""
    calls = [
        node
        for node in ast.walk(ast.parse(inspect.getsource(server)))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "asyncio.open_connection"
    ]
    _same(
        [ast.unparse(call) for call in calls],
        ["asyncio.open_connection(*command.connection.address, local_addr=command.connection.sockname)"],
        "how mitmproxy.proxy.server dials",
    )
    others = inspect.getsource(server).count("create_connection")
    _same(others, 0, "how mitmproxy.proxy.server dials")
    assert isinstance(vars(server)["asyncio"], ModuleType | dialling._Asyncio), "mitmproxy.proxy.server has no asyncio"


async def test_mitmproxy_bounds_upstream_connections_by_a_defaultdict() -> None:
    """``max_conns`` is made anew for each client connection, 5 for each address, and its factory may be replaced."""
    writer = SimpleNamespace(get_extra_info=lambda name, default=None: default or ("127.0.0.1", 1))
    handler = server.SimpleConnectionHandler(
        cast("asyncio.StreamReader", None),
        cast("asyncio.StreamWriter", writer),
        options.Options(),
        make_client().proxy_mode,
        {},
    )
    _same(type(handler.max_conns), collections.defaultdict, "ConnectionHandler.max_conns")
    _same(handler.max_conns[("a", 1)]._value, 5, "ConnectionHandler.max_conns")
    handler.max_conns.default_factory = lambda: asyncio.Semaphore(100)
    _same(handler.max_conns[("b", 1)]._value, 100, "ConnectionHandler.max_conns")
    assert issubclass(mode_servers.ProxyConnectionHandler, server.ConnectionHandler)


def test_mitmproxy_keeps_connections_and_listeners() -> None:
    """``Proxyserver.connections`` by client id, ``servers._instances`` by mode, and the task that opens them by name."""
    addon = proxyserver.Proxyserver()
    _same(addon.connections, {}, "Proxyserver.connections")
    _same(addon.servers._instances, {}, "Proxyserver.servers")
    assert "self.connections[connection_id]" in inspect.getsource(proxyserver), "mitmproxy keys connections otherwise"
    assert 'name="setup_servers"' in inspect.getsource(mitmproxy_master), "mitmproxy opens listeners in another task"


async def test_mitmproxy_walks_addons_depth_first() -> None:
    """An addon before its children; hooks with the addon that they belong to; names by attribute or class."""

    class Child:
        name = "child"

        def running(self) -> None:
            """A hook."""

    class Parent:
        addons = [Child()]  # noqa: RUF012

        def running(self) -> None:
            """A hook."""

    parent = Parent()
    found = list(addonmanager.traverse([parent]))
    _same(found, [parent, parent.addons[0]], "traverse")
    _same([addonmanager._get_name(each) for each in found], ["parent", "child"], "_get_name")
    manager = taddons.context(loadcore=False).master.addons
    bound = [(addon, hook.__self__) for addon, hook in manager._iter_hooks(parent, hooks.RunningHook())]
    _same(bound, [(each, each) for each in found], "AddonManager._iter_hooks")
    manager.add(parent)
    _same(set(manager.lookup), {"parent", "child"}, "AddonManager.lookup")
    _same(manager.chain, [parent], "AddonManager.chain")


@pytest.mark.parametrize("name", ["SSL_get0_param", "X509_VERIFY_PARAM_set_hostflags", "X509_VERIFY_PARAM_set1_host", "X509_VERIFY_PARAM_set1_ip"])  # fmt: skip
def test_openssl_functions(name: str) -> None:
    """pyOpenSSL has no public way to have a name verified."""
    assert callable(getattr(certificates._OPENSSL, name, None)), f"pyOpenSSL has no {name} any more"
    assert hasattr(SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD)), "_ssl")


def test_mitmproxy_host_flags() -> None:
    """No partial wildcards, and no common name in place of a name."""
    flags = SSL._lib.X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | SSL._lib.X509_CHECK_FLAG_NEVER_CHECK_SUBJECT
    _same(tlsconfig.DEFAULT_HOSTFLAGS, flags, "tlsconfig.DEFAULT_HOSTFLAGS")


def test_mitmproxy_server_context() -> None:
    """It is made by just these arguments, and kept by them."""
    expected = ["method", "min_version", "max_version", "cipher_list", "ecdh_curve", "verify", "ca_path", "ca_pemfile", "client_cert", "legacy_server_connect"]  # fmt: skip
    _same(_parameters(net_tls.create_proxy_server_context), expected, "create_proxy_server_context")
    assert hasattr(net_tls.create_proxy_server_context, "cache_info")


# What the repairs do.


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """The evidence that the repairs look at; they are in place until the test ends."""
    for owner, name in PATCHED:
        monkeypatch.setattr(owner, name, getattr(owner, name))
    ledger = Ledger()
    wire.install(cast("Runtime", SimpleNamespace(ledger=ledger)))
    return ledger


type Answer = Callable[[http.HTTPFlow], None]


@pytest.fixture
async def connect(ledger: Ledger) -> Iterator[Callable[..., Wire]]:
    """A client connection whose calls are known; ``answer`` is called in ``responseheaders``."""

    def make(*, answer: Answer | None = None, unreachable: str | None = None, known: bool = True) -> Wire:
        chosen = taddons.context(proxyserver.Proxyserver()).options

        def on_hook(hook: hooks.Hook) -> None:
            flow = getattr(hook, "flow", None)
            if hook.name == "requestheaders" and known:
                ledger.open(flow).target = make_target("crm")  # type: ignore[arg-type]
            if hook.name == "responseheaders" and answer:
                answer(flow)  # type: ignore[arg-type]

        client = make_client()
        made = context.Context(client, chosen)
        made.layers.append(layers.modes.HttpProxy(made))
        return Wire(layers.HttpLayer(made, HTTPMode.regular), on_hook, unreachable=unreachable)

    return make  # type: ignore[return-value]


def _problem(raw: bytes, status: int, code: str) -> dict[str, Any]:
    head, _, body = raw.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), raw
    assert b"application/problem+json" in head
    assert PLANTED.encode() not in raw
    assert b"192.0.2.99" not in raw
    document = json.loads(body)
    assert (document["status"], document["code"]) == (status, code)
    return cast("dict[str, Any]", document)


async def test_a_target_that_cannot_be_reached_is_a_governed_answer(connect: Callable[..., Wire]) -> None:
    """It runs through the hooks of answers, so that it is recorded; it names the target, not its address."""
    wired = connect(unreachable=PLANTED)
    wired.client_sends(GET)
    document = _problem(wired.to_client, 502, "upstream-unavailable")
    assert "crm" in document["detail"]
    assert wired.hooks == ["requestheaders", "request", "responseheaders", "response"]


@pytest.mark.parametrize("says_so", [True, False])
async def test_a_connection_that_its_target_closes_is_not_used_again(
    connect: Callable[..., Wire], says_so: bool
) -> None:
    """Though its answer, as agents see it, does not say so; the head may come long before the rest."""

    def clean(flow: http.HTTPFlow) -> None:
        assert flow.response is not None
        flow.response.headers.pop("connection", None)

    wired = connect(answer=clean)
    wired.client_sends(GET)
    first = wired.server
    wired.server_sends(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n%s\r\n" % (b"Connection: close\r\n" * says_so))
    wired.server_sends(b"ok")
    assert wired.closed(first) == says_so
    wired.client_sends(GET)
    assert (wired.server is first) != says_so


@pytest.mark.parametrize(
    "part", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nplan", b"garbage\r\n\r\n"]
)
async def test_a_target_that_breaks_off_is_a_governed_answer(connect: Callable[..., Wire], part: bytes) -> None:
    """Whatever it had sent: nothing of a broken answer is passed on."""
    wired = connect()
    wired.client_sends(GET)
    wired.server_sends(part)
    wired.server_closes()
    _problem(wired.to_client, 502, "upstream-unavailable")
    assert b"plan" not in wired.to_client.partition(b"\r\n\r\n")[2][:4]
    assert wired.hooks[-1] == "response"
    assert "error" not in wired.hooks


async def test_a_connection_serves_on_after_such_an_answer(connect: Callable[..., Wire]) -> None:
    """A dead target ends its call, not its client's connection."""
    wired = connect(unreachable=PLANTED)
    wired.client_sends(GET)
    wired.client_sends(GET)
    assert wired.to_client.count(b"HTTP/1.1 502 ") == 2


async def test_without_evidence_there_is_a_problem_document(connect: Callable[..., Wire]) -> None:
    """Not mitmproxy's page, whose text names addresses."""
    wired = connect(known=False, unreachable=PLANTED)
    wired.client_sends(GET)
    _problem(wired.to_client, 502, "upstream-unavailable")
    assert "error" in wired.hooks


@pytest.mark.parametrize(
    "head",
    [b"garbage\r\n\r\n", b"GET http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
     b"GET http://a/ HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", b"GET / HTTP/1.1\r\nHost: \r\n\r\n"],
)  # fmt: skip
async def test_what_cannot_be_read_gets_a_problem_document(
    connect: Callable[..., Wire], head: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """With a decision id, which the log names as well."""
    wired = connect()
    with caplog.at_level(logging.WARNING):
        wired.client_sends(head)
    document = _problem(wired.to_client, 400, "malformed")
    assert f"{answers.DECISION}: {document['decision']}".encode() in wired.to_client
    assert document["decision"] in caplog.text


def test_the_body_of_an_h2_error_is_a_problem_document(ledger: Ledger) -> None:
    """The text is mitmproxy's own and stays out of it."""
    raw = _http2.format_error(413, PLANTED)
    assert PLANTED.encode() not in raw
    assert json.loads(raw)["code"] == "too-large"


@pytest.mark.parametrize(("status", "code"), [(400, "malformed"), (413, "too-large"), (502, "upstream-unavailable"), (599, "gateway-error")])  # fmt: skip
def test_error_pages(status: int, code: str) -> None:
    """Each with an id of its own; the connection closes after it."""
    first, second = wire.error_response(status, PLANTED), wire.error_response(status, PLANTED)
    raw = first.replace(b"HTTP/1.1 599", b"HTTP/1.1 599 ") if status == 599 else first
    ids = {_problem(each, status, code)["decision"] for each in (raw, second if status != 599 else raw)}
    assert len(ids) == (1 if status == 599 else 2)
    assert b"Connection: close" in first


CHUNKED_WITH_TRAILERS = b"3\r\nabc\r\n0\r\nX-Trailer: planted\r\n\r\n"


async def test_a_request_with_trailers_is_a_protocol_error(connect: Callable[..., Wire]) -> None:
    """Stock raises, and the connection hangs; here it is closed, and nothing was dialled."""
    wired = connect()
    head = b"POST http://crm.corp.example/ HTTP/1.1\r\nHost: crm.corp.example\r\nTransfer-Encoding: chunked\r\n\r\n"
    wired.client_sends(head + CHUNKED_WITH_TRAILERS)
    assert wired.closed(wired.driven.context.client)
    assert wired.server is None
    assert "request" not in wired.hooks


async def test_an_answer_with_trailers_is_a_protocol_error(connect: Callable[..., Wire]) -> None:
    """The target broke off, for all that the agent can tell."""
    wired = connect()
    wired.client_sends(GET)
    wired.server_sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED_WITH_TRAILERS)
    _problem(wired.to_client, 502, "upstream-unavailable")
    assert wired.closed(wired.server)
    assert b"planted" not in wired.to_client


async def test_mitmproxy_still_raises_on_trailers() -> None:
    """The repair catches just that; where mitmproxy learns trailers, the guard has to see them."""
    assert "NotImplementedError" in inspect.getsource(wire._stock_read_body), "mitmproxy reads trailers now"


@pytest.mark.parametrize("piece", [1_000, 64 * 1024])
async def test_a_head_that_does_not_end_is_cut_off(connect: Callable[..., Wire], piece: int) -> None:
    """After ``MAX_HEAD`` bytes, with an answer; what comes after is not kept."""
    wired = connect()
    wired.client_sends(b"GET http://crm.corp.example/ HTTP/1.1\r\nX-Long: ")
    sent = 0
    while sent < wire.MAX_HEAD - 2 * piece:
        wired.client_sends(b"a" * piece)
        sent += piece
    assert wired.to_client == b""
    for _ in range(3):
        wired.client_sends(b"a" * piece)
    _problem(wired.to_client, 400, "malformed")
    assert wired.closed(wired.driven.context.client)


async def test_mitmproxy_still_buffers_heads_for_ever() -> None:
    """Where mitmproxy bounds them itself, the repair may go."""
    stock = _http1.Http1Server(context.Context(make_client(), options.Options()))
    stock.state = stock.read_headers
    stock.buf += b"GET / HTTP/1.1\r\nX-Long: " + b"a" * (2 * wire.MAX_HEAD)
    commands = list(wire._stock_read_headers(stock, events.DataReceived(stock.conn, b"")))
    _same((commands, stock.state), ([], stock.read_headers), "Http1Server.read_headers")


STREAMED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def _streaming(stream: Callable[[bytes], Any]) -> Answer:
    def answer(flow: http.HTTPFlow) -> None:
        if flow.response is not None and flow.response.status_code == 200:
            flow.response.stream = stream

    return answer


@pytest.mark.parametrize("fails_at", [b"second", b""])
async def test_a_stream_that_fails_is_aborted(
    connect: Callable[..., Wire], fails_at: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Both sides are closed, the chunked body has no end, and the error's text is not logged."""

    def stream(chunk: bytes) -> bytes:
        if chunk == fails_at:
            raise RuntimeError(PLANTED)
        return chunk

    wired = connect(answer=_streaming(stream))
    wired.client_sends(GET)
    wired.server_sends(STREAMED + b"5\r\nfirst\r\n")
    assert b"5\r\nfirst\r\n" in wired.to_client
    wired.server_sends(b"6\r\nsecond\r\n")
    wired.server_sends(b"0\r\n\r\n")
    assert wired.closed(wired.driven.context.client)
    assert wired.closed(wired.server)
    assert b"0\r\n\r\n" not in wired.to_client
    assert "response" not in wired.hooks
    assert "RuntimeError at " in caplog.text
    assert PLANTED not in caplog.text


class _Waiting(ResponseStream):
    """A stream that holds everything back until a pause."""

    def __init__(self, *, fails: bool) -> None:
        self.held, self.fails, self.chunk = b"", fails, b""

    @property
    def waits(self) -> bool:
        return bool(self.held)

    def takes_long(self, chunk: bytes | None) -> bool:
        return chunk is None and len(self.held) > 8

    def __call__(self, chunk: bytes | None) -> bytes | list[bytes]:
        if chunk is not None:
            self.held += chunk
            return []
        if self.fails:
            raise RuntimeError(PLANTED)
        given, self.held = self.held, b""
        return given


@pytest.mark.parametrize("size", [5, 9])
async def test_what_waits_goes_on_after_a_pause(connect: Callable[..., Wire], size: int) -> None:
    """Though no chunk comes; what takes long is worked off before. Other streams, and one that is over, hear nothing."""
    stream, flows = _Waiting(fails=False), []

    def answer(flow: http.HTTPFlow) -> None:
        _streaming(stream)(flow)
        flows.append(flow)

    wired = connect(answer=answer)
    wired.client_sends(GET)
    wired.server_sends(STREAMED + b"%d\r\n%b\r\n" % (size, b"x" * size))
    wired.feed(StreamPaused(make_flow(), None))
    assert wired.to_client.endswith(b"chunked\r\n\r\n")
    wired.feed(StreamPaused(flows[0], None))
    assert wired.to_client.endswith(b"\r\n\r\n%d\r\n%b\r\n" % (size, b"x" * size))
    assert ("stream_chunk" in wired.hooks) is (size > 8)
    wired.feed(StreamPaused(flows[0], None))
    wired.server_sends(b"0\r\n\r\n")
    wired.feed(StreamPaused(flows[0], None))
    assert wired.hooks[-1] == "response"


async def test_a_stream_that_fails_after_a_pause_is_aborted(
    connect: Callable[..., Wire], caplog: pytest.LogCaptureFixture
) -> None:
    """As at a chunk."""
    stream, flows = _Waiting(fails=True), []

    def answer(flow: http.HTTPFlow) -> None:
        _streaming(stream)(flow)
        flows.append(flow)

    wired = connect(answer=answer)
    wired.client_sends(GET)
    wired.server_sends(STREAMED + b"5\r\nfirst\r\n")
    wired.feed(StreamPaused(flows[0], None))
    assert wired.closed(wired.driven.context.client)
    assert wired.closed(wired.server)
    assert b"first" not in wired.to_client
    assert PLANTED not in caplog.text


def test_mitmproxy_still_hands_injected_events_down() -> None:
    """``MessageInjected`` goes through every layer to the HTTP layer, which knows its streams by number."""
    assert issubclass(StreamPaused, events.MessageInjected)
    _same(_parameters(wire._stock_layer_event), ["self", "event"], "HttpLayer._handle_event")
    _same(_parameters(wire._stock_stream_event), ["self", "event"], "HttpStream._handle_event")
    assert "self.server_state(event)" in inspect.getsource(wire._stock_stream_event)
    assert "self._handle_event = self.passthrough" in inspect.getsource(HttpStream)


async def test_a_stream_whose_target_breaks_off_is_aborted(connect: Callable[..., Wire]) -> None:
    """No answer can be made any more; the client sees that it is not whole."""
    wired = connect(answer=_streaming(lambda chunk: chunk))
    wired.client_sends(GET)
    wired.server_sends(STREAMED + b"5\r\nfirst\r\n")
    wired.server_closes()
    assert wired.closed(wired.driven.context.client)
    assert b"0\r\n\r\n" not in wired.to_client
    assert b"502" not in wired.to_client


async def test_mitmproxy_ends_a_stream_at_an_empty_chunk(connect: Callable[..., Wire]) -> None:
    """So "nothing now" must be no chunk at all; a list may be."""
    wired = connect(answer=_streaming(lambda chunk: [] if chunk == b"hidden" else chunk))
    wired.client_sends(GET)
    wired.server_sends(STREAMED + b"6\r\nhidden\r\n5\r\nshown\r\n0\r\n\r\n")
    assert wired.to_client.endswith(b"\r\n\r\n5\r\nshown\r\n0\r\n\r\n")
    assert wired.hooks[-1] == "response"


async def test_installing_again_replaces_the_evidence(ledger: Ledger, connect: Callable[..., Wire]) -> None:
    """And does not wrap what is there: one broken call is one answer."""
    wire.install(cast("Runtime", SimpleNamespace(ledger=ledger)))
    wired = connect(unreachable=PLANTED)
    wired.client_sends(GET)
    assert wired.hooks.count("response") == 1


WHOLE = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def _halted(connect: Callable[..., Wire], *, body: bytes) -> tuple[Wire, Callable[[], None]]:
    """An answer that is kept until it is whole, some of which came; and what looks whether more did."""
    flows: list[http.HTTPFlow] = []
    wired = connect(answer=flows.append)
    wired.client_sends(GET)
    wired.server_sends(WHOLE + body)

    def stall() -> None:
        wired.feed(BodyStalled(flows[0], None))

    return wired, stall


async def test_an_answer_that_does_not_become_whole_is_given_up(connect: Callable[..., Wire]) -> None:
    """Answered in its place, with nothing of it; its connection is closed, and the agent's serves on."""
    wired, stall = await _halted(connect, body=b"5\r\nfirst\r\n")
    stall()
    _problem(wired.to_client, 502, "upstream-unavailable")
    assert b"first" not in wired.to_client
    assert wired.closed(wired.server)
    assert wired.hooks[-1] == "response"
    stall()
    assert wired.to_client.count(b"HTTP/1.1 ") == 1
    wired.client_sends(GET)
    wired.server_sends(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert wired.to_client.endswith(b"ok")


async def test_an_answer_that_became_whole_is_not_given_up(connect: Callable[..., Wire]) -> None:
    """A look that comes too late finds nothing."""
    wired, stall = await _halted(connect, body=b"5\r\nfirst\r\n0\r\n\r\n")
    stall()
    assert wired.to_client.count(b"HTTP/1.1 ") == 1
    assert b"first" in wired.to_client


async def test_a_slow_answer_is_waited_for(
    connect: Callable[..., Wire], later: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as pieces come, and the agent's token counts."""
    stalled: list[HttpStream] = []
    monkeypatch.setattr(slow_bodies, "_give_up", stalled.append)
    wired, _ = await _halted(connect, body=b"5\r\nfirst\r\n")
    (due, look) = later[-1]
    assert due == pytest.approx(slow_bodies.SILENCE, abs=5)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + slow_bodies.SILENCE - 1)
    wired.server_sends(b"5\r\nfirst\r\n")
    monkeypatch.setattr(time, "monotonic", lambda: now + slow_bodies.SILENCE + 1)
    look()
    assert not stalled
    monkeypatch.setattr(time, "monotonic", lambda: now + 2 * slow_bodies.SILENCE)
    later[-1][1]()
    assert len(stalled) == 1


async def test_mitmproxy_still_keeps_what_has_no_window(ledger: Ledger) -> None:
    """Where it is bounded there, ``addons.h2_backlog`` may go."""
    source = inspect.getsource(_http2.BufferedH2Connection)
    assert "self.stream_buffers[stream_id].append(SendH2Data(data, end_stream))" in source
    assert "max_buffer" not in source
