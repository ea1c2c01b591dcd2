"""Law: what names two hosts, or could be read in two ways, is refused before anybody is asked who calls."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from mitmproxy import http
from mitmproxy.proxy import context, layer, layers
from mitmproxy.test import taddons

from addons import chain
from addons.calls import Stage
from addons.connections import ClientConnection
from addons.guard import Guard, _name_problem
from addons.runtime import Runtime
from gatehold.registry import Listener, Registry
from policy.codes import Code
from policy.errors import Refusal
from tests.addons.support import make_client, make_flow, make_request


@pytest.fixture
async def guard(runtime: Runtime) -> Guard:
    taddons.context()  # looks are taken at the proxy's own connections
    return Guard(runtime)


def _connected(
    guard: Guard, request: http.Request, *, listener: int = 0, connect: bool = True, tls: bool = True
) -> http.HTTPFlow:
    """A flow inside a tunnel to its host, or on a reverse listener, whose TLS name was found right."""
    alpn = b"h2" if request.is_http2 else b"http/1.1"
    client = make_client(chain.mode_specs(guard.runtime.gateway)[listener], tls=tls, alpn=alpn)
    guard.client_connected(client)
    opened = guard.runtime.connections.get(client)
    opened.misdirected = ""
    if connect and not listener:
        opened.connect = (request.host, request.port)
    return make_flow(request, client)


def _judged(guard: Guard, flow: http.HTTPFlow) -> Code | None:
    guard.requestheaders(flow)
    guard.request(flow)
    call = guard.runtime.call(flow)
    assert (call.stamps == [Stage.GUARD]) is (call.refusal is None)
    assert (flow.response is None) is (call.refusal is None)
    return call.refusal.code if call.refusal else None


def _requiring(opened: ClientConnection) -> None:
    opened.listener = Listener(mode="regular", host="10.0.0.5", port=8080, requires_tls=True)


@pytest.mark.parametrize(("tls", "code"), [(False, Code.MISDIRECTED), (True, None)])
def test_a_proxy_that_requires_tls(guard: Guard, tls: bool, code: Code | None) -> None:
    """Neither a tunnel nor a request comes in the open; inside a tunnel the target says what it needs."""
    client = make_client(chain.mode_specs(guard.runtime.gateway)[0], tls=tls)
    guard.client_connected(client)
    opened = guard.runtime.connections.get(client)
    _requiring(opened)
    flow = make_flow(make_request("https://crm.corp.example:443", "CONNECT", host="crm.corp.example:443"), client)
    guard.http_connect(flow)
    refusal = guard.runtime.call(flow).refusal
    assert (refusal.code if refusal else None) == code
    assert (opened.connect is None) is (code is not None)
    plain = _connected(guard, make_request("http://plain.corp.example/"), connect=False, tls=tls)
    _requiring(guard.runtime.connections.get(plain.client_conn))
    assert _judged(guard, plain) == code
    inside = _connected(guard, make_request("http://plain.corp.example/"), tls=False)
    _requiring(guard.runtime.connections.get(inside.client_conn))
    assert _judged(guard, inside) is None


def test_a_request_that_comes_slowly_is_judged_by_what_is_in_force_when_it_is_whole(guard: Guard) -> None:
    """Nobody keeps what was allowed by not finishing; before it is whole nothing was decided."""
    gateway = guard.runtime.gateway
    flow = _connected(guard, make_request(method="POST", content=b"{}"))
    guard.requestheaders(flow)
    before = gateway.ruling
    assert guard.runtime.call(flow).ruling is before
    gateway.in_force.ruling = replace(before, registry=Registry({}))
    guard.request(flow)
    call = guard.runtime.call(flow)
    assert call.ruling is gateway.ruling is not before
    assert call.refusal is not None
    assert call.refusal.code is Code.UNREGISTERED_TARGET


@pytest.mark.parametrize("host", ["crm.corp.example", "CRM.corp.example:443", "crm.corp.example:443"])
def test_an_ordinary_request_passes(guard: Guard, host: str) -> None:
    """What it says is kept as it stood on the wire; nothing of it is streamed, and no 100 is promised."""
    flow = _connected(guard, make_request(method="POST", content=b"{}", host=host, headers={"Expect": "100-continue"}))
    assert _judged(guard, flow) is None
    call = guard.runtime.call(flow)
    assert call.wire is not None
    assert (call.wire.method, call.wire.path, call.wire.body) == ("POST", "/customers", b"{}")
    assert call.target is not None
    assert call.target.name == "crm"
    assert flow.request.stream is False
    assert "expect" not in flow.request.headers


def _without_host() -> http.Request:
    request = make_request()
    del request.headers["host"]
    return request


def _two_hosts() -> http.Request:
    request = make_request()
    request.headers.add("Host", "evil.example")
    return request


def _lower_method() -> http.Request:
    request = make_request()
    request.data.method = b"get"
    return request


REFUSED: dict[str, tuple[Any, Code]] = {
    "another Host": (lambda: make_request(host="evil.example"), Code.MISDIRECTED),
    "another port in Host": (lambda: make_request(host="crm.corp.example:8443"), Code.MISDIRECTED),
    "a dot behind Host": (lambda: make_request(host="crm.corp.example."), Code.MISDIRECTED),
    "no Host": (_without_host, Code.MALFORMED),
    "two Hosts": (_two_hosts, Code.MALFORMED),
    "lower-case method": (_lower_method, Code.MALFORMED),
    "HTTP/0.9": (lambda: make_request(http_version="HTTP/0.9"), Code.MALFORMED),
    "HTTP/3": (lambda: make_request(http_version="HTTP/3"), Code.MALFORMED),
    "trailers": (lambda: make_request(trailers=http.Headers(x="y")), Code.MALFORMED),
    "absolute form in a tunnel": (lambda: make_request(authority="crm.corp.example"), Code.MALFORMED),
    "another authority in h2": (lambda: make_request(http_version="HTTP/2.0", authority="evil.example"), Code.MISDIRECTED),
    "impersonation": (lambda: make_request(headers={"Impersonate-User": "root"}), Code.MALFORMED),
    "upgrade": (lambda: make_request(headers={"Upgrade": "websocket"}), Code.MALFORMED),
    "another scheme": (lambda: make_request("http://crm.corp.example:443/", host="crm.corp.example:443"), Code.MISDIRECTED),
    "unregistered": (lambda: make_request("https://other.example/"), Code.UNREGISTERED_TARGET),
    "unregistered port": (lambda: make_request("https://crm.corp.example:8443/"), Code.UNREGISTERED_TARGET),
    "large body": (lambda: make_request(method="POST", content=b"a" * 1025), Code.TOO_LARGE),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_single_meaning_is_refused(guard: Guard, name: str) -> None:
    """Each was forwarded by a stock proxy."""
    make, code = REFUSED[name]
    assert _judged(guard, _connected(guard, make())) is code


@pytest.mark.parametrize(
    ("host", "upgrade", "code"),
    [("kubernetes.corp.example:6443", "websocket", None), ("kubernetes.corp.example:6443", "SPDY/3.1", None),
     ("kubernetes.corp.example:6443", "h2c", Code.MALFORMED), ("crm.corp.example", "websocket", Code.MALFORMED)],
)  # fmt: skip
def test_policy_judges_upgrades_of_clusters(guard: Guard, host: str, upgrade: str, code: Code | None) -> None:
    """Of nothing else, and none but those that it knows."""
    headers = {"Connection": "Upgrade", "Upgrade": upgrade}
    assert (
        _judged(guard, _connected(guard, make_request(f"https://{host}/api/v1/pods", host=host, headers=headers)))
        is code
    )


@pytest.mark.parametrize("version", ["HTTP/2.0", "HTTP/1.0"])
def test_only_http_1_1_is_upgraded(guard: Guard, version: str) -> None:
    """HTTP/2 has no such header, HTTP/1.0 no tunnel."""
    headers = {"Connection": "Upgrade", "Upgrade": "websocket"}
    request = make_request("https://kubernetes.corp.example:6443/api", headers=headers, http_version=version)
    assert _judged(guard, _connected(guard, request)) is Code.MALFORMED


def test_a_target_behind_tls_needs_tls(guard: Guard) -> None:
    """Otherwise its credential would be put into a call that anybody can read."""
    assert _judged(guard, _connected(guard, make_request(), tls=False)) is Code.MISDIRECTED


def test_a_tls_name_that_was_not_checked_refuses(guard: Guard) -> None:
    """Nobody said that it is right."""
    flow = _connected(guard, make_request())
    guard.runtime.connections.get(flow.client_conn).misdirected = "not checked"
    assert _judged(guard, flow) is Code.MISDIRECTED


@pytest.mark.parametrize("change", [("live", False), ("is_replay", "request")])
def test_only_live_requests_are_governed(guard: Guard, change: tuple[str, Any]) -> None:
    """Loaded and replayed flows come through the same hooks."""
    flow = _connected(guard, make_request())
    setattr(flow, *change)
    assert _judged(guard, flow) is Code.MALFORMED


@pytest.mark.parametrize(("host", "code"), [("crm-gateway.internal", None), ("127.0.0.1:18443", None), ("crm.corp.example", Code.MISDIRECTED), ("evil.example", Code.MISDIRECTED)])  # fmt: skip
def test_a_reverse_listener_goes_by_its_own_names(guard: Guard, host: str, code: Code | None) -> None:
    """And always leads to its own target."""
    flow = _connected(guard, make_request(host=host), listener=1)
    assert _judged(guard, flow) is code
    target = guard.runtime.call(flow).target
    assert target is not None
    assert target.name == "crm"


REGULAR = Listener(mode="regular", host="127.0.0.1", port=1)
REVERSE = Listener(mode="reverse", host="gw.internal", port=1, target="crm")


@pytest.mark.parametrize(
    ("listener", "connect", "sni", "fits"),
    [(REGULAR, ("a.example", 443), "a.example", True), (REGULAR, ("a.example", 443), "A.Example", True),
     (REGULAR, ("a.example", 443), "b.example", False), (REGULAR, ("a.example", 443), None, False),
     (REGULAR, ("127.0.0.1", 443), None, True), (REGULAR, ("127.0.0.1", 443), "a.example", False),
     (REGULAR, ("a.example", 443), "", False), (REGULAR, None, "anything", True), (REVERSE, None, "gw.internal", True),
     (REVERSE, None, "crm.corp.example", False), (REVERSE, None, None, False)],
)  # fmt: skip
def test_tls_names(listener: Listener, connect: tuple[str, int] | None, sni: str | None, fits: bool) -> None:
    """Inside a tunnel the host of CONNECT; on a reverse listener its own; no name only where an address will do."""
    opened = ClientConnection(listener=listener, peer="192.0.2.7", connect=connect)
    assert (_name_problem(opened, sni) == "") is fits


def _tunnel(guard: Guard, method: bytes = b"CONNECT", **headers: str) -> tuple[http.HTTPFlow, ClientConnection]:
    request = make_request("https://crm.corp.example/", host="crm.corp.example:443", headers=headers)
    request.data.method = method
    flow = _connected(guard, request, connect=False, tls=False)
    guard.http_connect(flow)
    return flow, guard.runtime.connections.get(flow.client_conn)


def test_a_tunnel_is_remembered(guard: Guard) -> None:
    """Its TLS name has yet to be checked, whatever was said to TLS with the proxy itself."""
    flow, opened = _tunnel(guard)
    assert flow.response is None
    assert opened.connect == ("crm.corp.example", 443)
    assert opened.misdirected


@pytest.mark.parametrize(("method", "headers"), [(b"connect", {}), (b"CONNECT", {"Upgrade": "h2c"}), (b"CONNECT", {"Impersonate-User": "a"})])  # fmt: skip
def test_an_odd_tunnel_is_refused(guard: Guard, method: bytes, headers: dict[str, str]) -> None:
    """And not remembered."""
    flow, opened = _tunnel(guard, method, **headers)
    assert flow.response is not None
    assert flow.response.status_code == 400
    assert opened.connect is None


@pytest.mark.parametrize("tunnel", [layers.TCPLayer, layers.UDPLayer, layers.DNSLayer])
def test_raw_tunnels_are_refused(guard: Guard, tunnel: Any) -> None:
    """An exception, which dispatch turns into a closing layer; HTTP and TLS pass."""
    made = context.Context(make_client(), None)  # type: ignore[arg-type]
    data = layer.NextLayer(made)
    data.layer = tunnel(made)
    with pytest.raises(Refusal):
        guard.next_layer(data)
    data.layer = layers.HttpLayer(made, layers.http.HTTPMode.regular)
    guard.next_layer(data)


def test_who_hangs_up_wakes_what_waits(guard: Guard) -> None:
    """Its held calls end, and nothing is known of it any more."""
    flow = _connected(guard, make_request())
    call = guard.runtime.ledger.open(flow)
    guard.client_disconnected(flow.client_conn)
    assert call.client_gone.is_set()
    assert guard.runtime.connections.find(flow.client_conn) is None


def test_a_connection_of_nobody_is_closed(
    guard: Guard, later: list[tuple[float, Callable[[], None]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever does not say who they are is hung up on after a while; whoever did is not."""
    closed: list[str] = []
    monkeypatch.setattr(Runtime, "hang_up", staticmethod(closed.append))
    silent, known = (make_client(chain.mode_specs(guard.runtime.gateway)[0]) for _ in range(2))
    for client in (silent, known):
        guard.client_connected(client)
    guard.runtime.connections.get(known).identified = True
    for _, work in later:
        work()
    assert closed == [silent.id]
