"""Who calls: the agent's token, from the CONNECT request or from the inner Authorization header.

The token of CONNECT is bound to the client connection and verified again on every request, so that one that expired or
was revoked inside a keep-alive tunnel is refused at once. On reverse and plain-HTTP listeners identity belongs to each
request. Nobody is never somebody: what cannot be resolved to an agent is refused.
"""

from mitmproxy import http

from addons import answers
from addons.calls import Call, Stage
from addons.connections import ClientConnection
from addons.runtime import Runtime
from gatehold.identity.extraction import token_from
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent

_PROXY, _INNER = "proxy-authorization", "authorization"
_MAX_ANONYMOUS_TUNNELS = 256
"""Open tunnels per client address that have not said who they are."""


class Authenticate:
    """Turns tokens into agents."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    async def http_connect(self, flow: http.HTTPFlow) -> None:
        """Bind the token of a CONNECT request to its connection, or ask for one."""
        header = flow.request.headers.pop(_PROXY, None)
        if flow.response is not None:
            return
        call = self.runtime.call(flow)
        opened = self.runtime.connections.get(flow.client_conn)
        target = self.runtime.ruling(call).registry.find(flow.request.host, flow.request.port)
        call.target = target
        try:
            token = token_from(header)
            if token is not None:
                call.agent = await self.runtime.gateway.verifier.verify(token)
                self._bind(opened, token, call.agent)
                opened.identified = True
            elif target is None or target.spec.identity == "proxy":
                raise Refusal(Code.UNAUTHENTICATED, "the proxy asks for an agent token", reason="missing")
            elif self.runtime.connections.anonymous(opened.peer) > _MAX_ANONYMOUS_TUNNELS:
                raise Refusal(Code.RATE_LIMITED, "too many tunnels without an agent token", retry_after=5)
        except Refusal as refusal:
            call.refusal = refusal
            opened.connect = None  # there is no tunnel
            call.target = None  # the proxy answers, not the target: no Status object here
            flow.response = answers.respond(call, refusal, proxy=True)

    async def request(self, flow: http.HTTPFlow) -> None:
        """Resolve the agent of one request."""
        call = self.runtime.open_call(flow)
        if call is None:
            return
        opened = self.runtime.connections.get(flow.client_conn)
        plain_proxy = opened.connect is None and opened.listener.mode == "regular"
        try:
            call.agent = await self._agent(flow, call, opened, plain_proxy=plain_proxy)
            opened.identified = True
        except Refusal as refusal:
            self.runtime.refuse(flow, refusal, proxy=plain_proxy)
            return
        call.stamp(Stage.AUTHENTICATE)

    async def _agent(self, flow: http.HTTPFlow, call: Call, opened: ClientConnection, *, plain_proxy: bool) -> Agent:
        accepts_inner = opened.listener.mode == "reverse" or (
            call.target is not None and call.target.spec.identity in ("inner", "either")
        )
        inner = flow.request.headers.get(_INNER) if accepts_inner else None
        outer = token_from(flow.request.headers.get(_PROXY)) if plain_proxy else opened.token
        if outer is not None and not (call.target is not None and call.target.spec.identity == "inner"):
            agent = await self._verify(outer)
            call.token = outer
            await self._same_agent(agent, inner)
            if plain_proxy:
                self._bind(opened, outer, agent)
            return agent
        token = token_from(inner)
        if token is None:
            raise Refusal(Code.UNAUTHENTICATED, "an agent token is required", reason="missing")
        call.token = token
        return await self._verify(token)

    async def _verify(self, token: str) -> Agent:
        verifier = self.runtime.gateway.verifier
        return verifier.verify_cached(token) or await verifier.verify(token)

    async def _same_agent(self, agent: Agent, inner: str | None) -> None:
        """An inner token that this gateway knows must be the tunnel's agent; a foreign one is only taken out."""
        try:
            token = token_from(inner)
            other = await self._verify(token) if token is not None else agent
        except Refusal:
            return
        if (other.issuer, other.subject) != (agent.issuer, agent.subject):
            raise Refusal(Code.UNAUTHENTICATED, "two different agents in one request", reason="two-agents")

    def _bind(self, opened: ClientConnection, token: str, agent: Agent) -> None:
        """On one connection an agent may renew its token, also one that is over, but not become another agent.

        With the token its session may change: limits, grants and pseudonyms are of the call's own session.
        """
        owner = (agent.issuer, agent.subject)
        if opened.owner not in (None, owner):
            raise Refusal(Code.UNAUTHENTICATED, "another agent spoke on this connection", reason="two-agents")
        opened.token, opened.owner = token, owner
