"""What every stage shares: the gateway's services, the evidence of the calls under way, the open connections."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from mitmproxy import connection, ctx, http
from mitmproxy.addons.proxyserver import Proxyserver

from addons import answers
from addons.call_echoes import with_signature
from addons.calls import Call, Ledger, need, pinned
from addons.connections import Connections
from addons.open_streams import OpenStreams
from gatehold.far_bodies import left_there
from gatehold.identity.extraction import token_from
from gatehold.ruling import Ruling
from gatehold.wiring import Gateway
from masking.literals import Replacing
from masking.pseudonyms import Pseudonyms
from policy.actions.decoding import Action, decode
from policy.errors import Refusal
from policy.model import Agent, Family, WireRequest


@dataclass(slots=True, kw_only=True)
class Runtime:
    """One running gateway, as its addons see it."""

    gateway: Gateway
    connections: Connections
    ledger: Ledger = field(default_factory=Ledger)
    open_streams: OpenStreams = field(default_factory=OpenStreams)

    def call(self, flow: http.HTTPFlow) -> Call:
        """The evidence of a flow; raises KeyError, and so refuses, where the guard opened none."""
        call = self.ledger.get(flow)
        if call is None:
            raise KeyError("no evidence was opened for this flow")
        return call

    def ruling(self, call: Call) -> Ruling:
        """By what a call is judged, masked and given a credential, whatever comes into force meanwhile."""
        return pinned(self.gateway, call)

    def open_call(self, flow: http.HTTPFlow) -> Call | None:
        """The evidence of a flow that still has to be judged; None where it was answered already."""
        return None if flow.response is not None else self.call(flow)

    def decoded(self, call: Call) -> Action:
        """What a call asks of its target, with a large body left to other processes; raises Refusal (malformed)."""
        wire, ruling = need(call.wire), self.ruling(call)
        traits = ruling.configuration.traits[need(call.target).name]
        return left_there(decode(traits, wire), wire, ruling.masking.workers)

    def pseudonyms(self, call: Call) -> Pseudonyms | None:
        """Whose tokens stand for what is hidden in the answer to a call: those of the agent's session."""
        agent = call.agent
        return self.gateway.pseudonyms.of(agent.session, agent) if agent and agent.session else None

    def echoes(self, call: Call) -> Replacing:
        """What the answer to a call must not show, as it is known at any time: credentials, and what was put back."""
        return with_signature(self.gateway.echoes_to(call.agent), call)

    def refuse(self, flow: http.HTTPFlow, refusal: Refusal, *, proxy: bool = False) -> None:
        """Answer a flow with a refusal, so that it never goes upstream."""
        call = self.call(flow)
        call.refusal = refusal
        call.agent = call.agent or self._attributed(flow)
        call.approval = refusal.approval or call.approval
        status_url = self.gateway.status_url(refusal.approval) if refusal.approval else ""
        flow.response = answers.respond(call, refusal, proxy=proxy, status_url=status_url)

    def _attributed(self, flow: http.HTTPFlow) -> Agent | None:
        """Whose call was refused before it was authenticated, for the record only: known where its token is."""
        opened = self.connections.find(flow.client_conn)
        try:
            token = opened.token if opened and opened.token else token_from(flow.request.headers.get("authorization"))
        except Refusal:
            return None
        return self.gateway.verifier.recall(token) if token else None

    @staticmethod
    def family(call: Call) -> Family:
        """The family of a call's target; http where there is none."""
        return call.target.spec.family if call.target else Family.HTTP

    @staticmethod
    def later(seconds: float, work: Callable[[], None]) -> asyncio.TimerHandle:
        """Do something on the loop after so many seconds."""
        return asyncio.get_running_loop().call_later(seconds, work)

    @staticmethod
    def hang_up(client_id: str) -> None:
        """Close a client connection with everything on it; nothing where it is gone already."""
        proxyserver = ctx.master.addons.get("proxyserver")
        if isinstance(proxyserver, Proxyserver) and client_id in proxyserver.connections:
            handler = proxyserver.connections[client_id]
            handler.close_connection(handler.client)

    @staticmethod
    def widen(client: connection.Client, limit: int) -> None:
        """Raise the number of upstream connections that one client connection may hold."""
        proxyserver = ctx.master.addons.get("proxyserver")
        if isinstance(proxyserver, Proxyserver) and client.id in proxyserver.connections:
            handler = proxyserver.connections[client.id]
            handler.max_conns.default_factory = lambda: asyncio.Semaphore(limit)


def wire_request(flow: http.HTTPFlow, body: bytes | None) -> WireRequest:
    """The request of a flow as it stands on the wire."""
    request = flow.request
    headers = tuple(request.headers.items(multi=True))
    return WireRequest(method=request.method, path=request.path, headers=headers, body=body)
