"""Calls, flows and layers for tests of the addons."""

from collections.abc import Callable, Mapping
from typing import Any

from mitmproxy import connection, hooks, http
from mitmproxy.proxy import commands, events, layer, mode_specs
from mitmproxy.test import tflow

from addons.calls import BEFORE_SEAL, Call, Stage
from addons.runtime import Runtime, wire_request
from gatehold.config import Target
from gatehold.config.target import TargetSpec
from policy.actions.decoding import decode
from policy.codes import Code
from policy.model import Agent, Decision, DecisionId, MaskObligation, Obligations, SessionId, TargetName, Verdict

AGENT = Agent(issuer="corp", subject="planner-1", groups=("planners",), session=SessionId("s1"), expires_at=2e10)


def make_target(name: str, *hosts: str, family: str = "http", **more: Any) -> Target:
    """A target as a configuration would hold it; ``more`` in the spelling of its document."""
    addresses = list(hosts) or [f"{name}.corp.example:443"]
    return Target(name=TargetName(name), spec=TargetSpec.model_validate({"family": family, "hosts": addresses, **more}))


def make_call(**more: Any) -> Call:
    """A call with a decision id that tests know."""
    return Call(**{"id": DecisionId("dec_1"), "started": 1_000.0} | more)


def make_client(mode: str = "regular", *, tls: bool = False, alpn: bytes = b"http/1.1") -> connection.Client:
    """A client connection that is open."""
    client = tflow.tclient_conn()
    client.proxy_mode = mode_specs.ProxyMode.parse(mode)
    client.peername, client.sockname = ("192.0.2.7", 50_000), ("127.0.0.1", 8080)
    client.tls, client.alpn, client.sni = tls, alpn, None
    client.timestamp_tls_setup = 1.0 if tls else None
    return client


def make_request(url: str = "https://crm.corp.example/customers", method: str = "GET", **more: Any) -> http.Request:
    """A request as it stands in a flow after mitmproxy read it; Host is set as clients do."""
    headers = dict(more.pop("headers", {}))
    request = http.Request.make(method, url, more.pop("content", b""), headers)
    request.headers.insert(0, "Host", more.pop("host", request.host_header or request.host))
    for name, value in more.items():
        setattr(request, name, value)
    return request


def make_flow(request: http.Request | None = None, client: connection.Client | None = None) -> http.HTTPFlow:
    """A live flow without an answer."""
    flow = http.HTTPFlow(client or make_client(tls=True), tflow.tserver_conn())
    flow.request = request or make_request()
    flow.live = True
    return flow


def make_response(raw: bytes = b"", headers: Mapping[str, str] | None = None) -> http.Response:
    """An answer as it stands on the wire: the body is not encoded, and no header is made up."""
    response = http.Response.make(200)
    response.headers = http.Headers([(name.encode(), value.encode()) for name, value in (headers or {}).items()])
    response.raw_content = raw
    return response


def is_killed(flow: Any) -> bool:
    """Did somebody end this flow without an answer?"""
    return flow.error is not None and flow.error.msg == flow.error.KILLED_MESSAGE


def judged(
    runtime: Runtime, flow: http.HTTPFlow, *, target: str = "crm", profiles: tuple[str, ...] = (), **obligations: Any
) -> Call:
    """The evidence of a call that was decoded and allowed, with every stamp before the seal."""
    call = runtime.ledger.open(flow)
    call.target = runtime.gateway.registry.named(target)
    call.wire = wire_request(flow, body=flow.request.raw_content)
    call.agent = AGENT
    assert call.target is not None
    call.action = decode(call.target.traits, call.wire)
    asked = Obligations(mask=MaskObligation(profiles=profiles), **obligations)
    call.decision = Decision(verdict=Verdict.ALLOW, code=Code.ALLOWED, obligations=asked)
    call.stamps = list(BEFORE_SEAL)
    return call


def sealed(
    runtime: Runtime, flow: http.HTTPFlow, *, target: str = "crm", profiles: tuple[str, ...] = (), **obligations: Any
) -> Call:
    """The same, sealed and sent."""
    call = judged(runtime, flow, target=target, profiles=profiles, **obligations)
    call.stamp(Stage.SEAL)
    call.forwarded = True
    return call


type OnHook = Callable[[hooks.Hook], None]


class Wire:
    """Drives a layer without sockets: feeds events, answers blocking commands, notes what comes out."""

    def __init__(self, driven: layer.Layer, on_hook: OnHook, *, unreachable: str | None = None) -> None:
        self.driven, self._on_hook, self._unreachable = driven, on_hook, unreachable
        self.commands: list[commands.Command] = []
        self.hooks: list[str] = []
        self.server: connection.Server | None = None
        self.feed(events.Start())

    def feed(self, *given: events.Event) -> None:
        """Hand over events, and everything that they bring about."""
        waiting = list(given)
        while waiting:
            for command in self.driven.handle_event(waiting.pop(0)):
                self.commands.append(command)
                waiting += self._reaction(command)

    def client_sends(self, data: bytes) -> None:
        """Bytes from the client."""
        self.feed(events.DataReceived(self.driven.context.client, data))

    def server_sends(self, data: bytes) -> None:
        """Bytes from the target."""
        assert self.server is not None
        self.feed(events.DataReceived(self.server, data))

    def server_closes(self) -> None:
        """The target hangs up."""
        assert self.server is not None
        self.server.state = connection.ConnectionState.CLOSED
        self.feed(events.ConnectionClosed(self.server))

    def sent_to(self, peer: connection.Connection | None) -> bytes:
        """All bytes that went to one side."""
        sent = [each for each in self.commands if isinstance(each, commands.SendData) and each.connection is peer]
        return b"".join(each.data for each in sent)

    @property
    def to_client(self) -> bytes:
        """All bytes that the client got."""
        return self.sent_to(self.driven.context.client)

    def closed(self, peer: connection.Connection | None) -> bool:
        """Was the connection to one side closed by us?"""
        return any(isinstance(each, commands.CloseConnection) and each.connection is peer for each in self.commands)

    def _reaction(self, command: commands.Command) -> list[events.Event]:
        if isinstance(command, commands.StartHook):
            self.hooks.append(command.name)
            self._on_hook(command)
            return [events.HookCompleted(command)] if command.blocking else []
        if isinstance(command, commands.OpenConnection):
            if self._unreachable is None:
                self.server = command.connection
                self.server.state = connection.ConnectionState.OPEN
            return [events.OpenConnectionCompleted(command, self._unreachable)]
        if isinstance(command, commands.CloseConnection):
            command.connection.state = connection.ConnectionState.CLOSED
        return []
