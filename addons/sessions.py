"""Sessions of agents: every call is noted in its session, and none passes whose session is over.

Between the decision, which says how long the session may last, and everything that is done for the call. Refused calls
are noted too, for an agent that is refused is not idle. Noting is done in memory; only a session that this process does
not know, or that seems to be over, makes its call wait for the store. Also listens to the signal of the emergency stop.
"""

import contextlib
from collections.abc import Coroutine
from typing import Any

from mitmproxy import http

from addons.calls import Call, Stage, need
from addons.runtime import Runtime
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent

_OUT = (Code.UNAUTHENTICATED, Code.REVOKED)
"""Refusals after which nobody is there whose session it could be."""


class Sessions:
    """Notes calls."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def running(self) -> None:
        """Listen to the signal."""
        self.runtime.gateway.stop_switch.listen()

    def request(self, flow: http.HTTPFlow) -> Coroutine[Any, Any, None] | None:
        """Note one call; returns what is left to be waited for, None for most calls."""
        call = self.runtime.call(flow)
        if flow.response is not None:
            return self._refused(call)
        asked, held = call.obligations.session, call.obligations.approval is not None
        agent = need(call.agent)
        if self.runtime.gateway.sessions.note(agent, asked, held=held):
            call.stamp(Stage.SESSION)
            return None
        return self._enter(flow, call, agent)

    def response(self, flow: http.HTTPFlow) -> None:
        """Count a call that was refused."""
        call = self.runtime.call(flow)
        if call.agent is not None and call.refusal is not None and call.refusal.code not in _OUT:
            self.runtime.gateway.sessions.deny(call.agent)

    def websocket_message(self, flow: http.HTTPFlow) -> None:
        """Who says something in an open shell is not idle."""
        call, socket = self.runtime.call(flow), flow.websocket
        if call.agent is not None and socket is not None and socket.messages and socket.messages[-1].from_client:
            self.runtime.gateway.sessions.touch(call.agent)

    async def _enter(self, flow: http.HTTPFlow, call: Call, agent: Agent) -> None:
        asked, held = call.obligations.session, call.obligations.approval is not None
        try:
            await self.runtime.gateway.sessions.enter(agent, asked, held=held)
        except Refusal as refusal:
            self.runtime.refuse(flow, refusal)
            return
        call.stamp(Stage.SESSION)

    def _refused(self, call: Call) -> Coroutine[Any, Any, None] | None:
        sessions, agent = self.runtime.gateway.sessions, call.agent
        is_out = call.refusal is not None and call.refusal.code in _OUT
        if agent is None or is_out or sessions.note(agent):
            return None
        return self._enter_refused(agent)

    async def _enter_refused(self, agent: Agent) -> None:
        with contextlib.suppress(Refusal):  # the call is refused already
            await self.runtime.gateway.sessions.enter(agent)
