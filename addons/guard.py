"""The door: only registered targets, one name for each of them, and nothing that two readers could read differently.

Inside a CONNECT tunnel the host of CONNECT, the TLS name and the Host header must be one; on a reverse listener TLS
name and Host must be the listener's own. What is judged is always ``request.host`` and port, where the call would
really go.
"""

from mitmproxy import connection, http
from mitmproxy.proxy import layer, layers
from mitmproxy.tls import ClientHelloData

from addons import answers, header_rules
from addons.calls import Call, Stage
from addons.connections import ClientConnection
from addons.runtime import Runtime, wire_request
from addons.upgrades import is_opened
from gatehold.config import Target
from gatehold.registry import Registry, host_headers, is_address
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Family

_VERSIONS = ("HTTP/1.0", "HTTP/1.1", "HTTP/2.0")
_TUNNELS = (layers.TCPLayer, layers.UDPLayer, layers.DNSLayer, layers.RawQuicLayer, layers.ClientQuicLayer)
_MAX_HELLO = 64 * 1024
"""Bytes of a connection that may come before it is clear what it speaks."""
_SILENCE = 30.0
"""Seconds in which a connection must have shown a valid token."""
_MAX_UPSTREAM = 100
"""Connections per upstream host for one client connection. mitmproxy's own 5 makes the sixth stream of an h2 client
wait for ever while five others are held."""


class Guard:
    """Opens the evidence of a call and refuses what has no single meaning."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def client_connected(self, client: connection.Client) -> None:
        """Note the connection; one on which nobody says who they are is closed after a while."""
        opened = self.runtime.connections.add(client)
        self.runtime.later(_SILENCE, lambda: self._close_if_anonymous(client.id, opened))
        self.runtime.widen(client, _MAX_UPSTREAM)

    def _close_if_anonymous(self, client_id: str, opened: ClientConnection) -> None:
        if not opened.identified:
            self.runtime.hang_up(client_id)

    def client_disconnected(self, client: connection.Client) -> None:
        """Wake what waits for this client, and forget it."""
        for call in self.runtime.ledger.of_client(client.id):
            call.client_gone.set()
        self.runtime.connections.drop(client)

    def next_layer(self, data: layer.NextLayer) -> None:
        """Close a connection that would become a raw tunnel."""
        if data.layer is None and len(data.data_client()) > _MAX_HELLO:
            raise Refusal(Code.MALFORMED, "the first bytes of the connection do not end")
        if isinstance(data.layer, _TUNNELS):
            raise Refusal(Code.MALFORMED, "raw tunnels are not allowed")

    def tls_clienthello(self, data: ClientHelloData) -> None:
        """Compare the TLS name with what the client connected to."""
        opened = self.runtime.connections.get(data.context.client)
        opened.misdirected = _name_problem(opened, data.client_hello.sni)

    def http_connect(self, flow: http.HTTPFlow) -> None:
        """Remember where the tunnel leads; whether it may is said inside, where clients can read the answer."""
        opened = self.runtime.connections.get(flow.client_conn)
        call = self.runtime.ledger.open(flow)
        try:
            if flow.request.data.method != b"CONNECT":
                raise Refusal(Code.MALFORMED, "malformed request: the method CONNECT is upper case")
            _check_proxy_leg(flow, opened)
            header_rules.check(flow.request.headers.fields)
            _check_host(flow, (flow.request.host, flow.request.port), "https")
        except Refusal as refusal:
            call.refusal = refusal
            flow.response = answers.respond(call, refusal, proxy=True)
            return
        opened.connect = (flow.request.host.lower(), flow.request.port)
        opened.misdirected = "the TLS name was not checked"  # what was said to TLS with the proxy itself is over

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Start the call; nothing of a body is ever streamed upstream before it was judged."""
        call = self.runtime.ledger.open(flow)
        flow.request.stream = False
        # mitmproxy answers 100 by itself and then cannot refuse an oversized body any more.
        flow.request.headers.pop("expect", None)
        opened = self.runtime.connections.get(flow.client_conn)
        call.wire = wire_request(flow, body=None)
        call.target = self._target(flow, opened, self.runtime.ruling(call).registry)

    def request(self, flow: http.HTTPFlow) -> None:
        """Check the whole request."""
        call = self.runtime.open_call(flow)
        if call is None:
            return
        opened = self.runtime.connections.get(flow.client_conn)
        # A body may come as slowly as an agent likes: what is judged now is judged by what is in force now.
        call.ruling = self.runtime.gateway.ruling
        call.target = self._target(flow, opened, call.ruling.registry)
        try:
            target = self._check(flow, opened, call)
        except Refusal as refusal:
            self.runtime.refuse(flow, refusal)
            return
        call.target = target
        call.wire = wire_request(flow, body=flow.request.raw_content)
        call.stamp(Stage.GUARD)

    def _judges_upgrades(self, request: http.Request, call: Call) -> bool:
        """May policy be asked about a switch of protocols? HTTP/2 has none (RFC 9113, 8.6)."""
        target = call.target
        if target is None or request.http_version != "HTTP/1.1" or "upgrade" not in request.headers:
            return False
        return target.spec.family is Family.KUBERNETES or is_opened(self.runtime.ruling(call).engine, target, request)

    @staticmethod
    def _target(flow: http.HTTPFlow, opened: ClientConnection, registry: Registry) -> Target | None:
        if opened.listener.target is not None:
            return registry.named(opened.listener.target)
        return registry.find(flow.request.host, flow.request.port)

    def _check(self, flow: http.HTTPFlow, opened: ClientConnection, call: Call) -> Target:
        request = flow.request
        if not flow.live or flow.is_replay:
            raise Refusal(Code.MALFORMED, "only live requests are governed")
        _check_proxy_leg(flow, opened)
        if opened.misdirected and flow.client_conn.tls_established:
            raise Refusal(Code.MISDIRECTED, opened.misdirected)
        if request.is_http2 != (flow.client_conn.alpn == b"h2"):
            raise Refusal(Code.MALFORMED, "malformed request: the version is not that of the connection")
        _check_message(request, upgrades=self._judges_upgrades(request, call))
        if call.target is None:
            raise Refusal(
                Code.UNREGISTERED_TARGET, f"{request.host}:{request.port} is not registered with this gateway"
            )
        _check_leg(flow, opened, call.target)
        limit = self.runtime.gateway.configuration.gateway.spec.limits.max_request_body
        if len(request.raw_content or b"") > limit:
            raise Refusal(Code.TOO_LARGE, f"the request body is larger than {limit} bytes")
        return call.target


def _check_message(request: http.Request, *, upgrades: bool) -> None:
    if request.data.method != request.data.method.upper():
        raise Refusal(Code.MALFORMED, "malformed request: the method must be upper case")
    if request.http_version not in _VERSIONS:
        raise Refusal(Code.MALFORMED, "malformed request: HTTP/1.x or HTTP/2 is required")
    if request.headers.get("transfer-encoding", "chunked").strip().lower() != "chunked":
        raise Refusal(Code.MALFORMED, "malformed request: the only transfer coding is chunked")
    if request.trailers:
        raise Refusal(Code.MALFORMED, "malformed request: trailers are not allowed")
    if request.authority and not request.is_http2:
        raise Refusal(Code.MALFORMED, "malformed request: an absolute URL inside a connection to its own host")
    header_rules.check(request.headers.fields, upgrades=upgrades)


def _check_proxy_leg(flow: http.HTTPFlow, opened: ClientConnection) -> None:
    """Where a proxy requires TLS, nobody's token is looked at that came without."""
    if opened.is_before_tunnel and opened.listener.requires_tls and not flow.client_conn.tls_established:
        raise Refusal(Code.MISDIRECTED, "this proxy is reached over TLS only; its address begins with https://")


def _check_leg(flow: http.HTTPFlow, opened: ClientConnection, target: Target) -> None:
    """The agent's leg must be as protected as the target's, and must name the same host."""
    request, scheme = flow.request, target.spec.scheme
    if request.scheme != scheme:
        raise Refusal(Code.MISDIRECTED, f"the target {target.name} is served over {scheme} only")
    if scheme == "https" and not flow.client_conn.tls_established:
        raise Refusal(Code.MISDIRECTED, f"the target {target.name} is served over TLS only")
    if opened.listener.mode == "reverse":
        for header in _named_hosts(request):
            if not opened.listener.accepts_host(header):
                raise Refusal(Code.MISDIRECTED, "the Host header does not name this listener")
    else:
        _check_host(flow, (request.host, request.port), scheme)


def _check_host(flow: http.HTTPFlow, address: tuple[str, int], scheme: str) -> None:
    host, port = address
    if not host.isascii() or host != host.strip(".").strip():
        raise Refusal(Code.MISDIRECTED, "the host is not written as it is registered")
    expected = tuple(host_headers(host.lower(), port, scheme))
    for header in _named_hosts(flow.request):
        if header.lower() not in expected:
            raise Refusal(Code.MISDIRECTED, "the Host header does not name the host that was connected to")


def _named_hosts(request: http.Request) -> list[str]:
    hosts = request.headers.get_all("host")
    if len(hosts) > 1 or (not hosts and not request.authority):
        raise Refusal(Code.MALFORMED, "malformed request: exactly one Host header is required")
    return [*hosts, *([request.authority] if request.authority else [])]


def _name_problem(opened: ClientConnection, sni: str | None) -> str:
    """Why a TLS name does not fit its connection; empty where it does."""
    if opened.listener.mode == "reverse":
        return "" if opened.listener.answers_to(sni) else "the TLS name does not name this listener"
    if opened.connect is None:
        return ""  # TLS to the proxy itself
    host = opened.connect[0]
    if sni is None:
        return "" if is_address(host) else "the TLS handshake names no host"
    return "" if sni.lower() == host else "the TLS name is not the host that was connected to"
