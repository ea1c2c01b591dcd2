"""Law: a call is stamped only in a session that goes on; refused calls are noted, too, and nobody's calls are not."""

import time
from inspect import isawaitable

import pytest
from mitmproxy.test import tflow
from mitmproxy.websocket import WebSocketMessage
from wsproto.frame_protocol import Opcode

from addons.calls import BEFORE_SEAL, Call, Stage
from addons.runtime import Runtime
from addons.sessions import Sessions
from gatehold.sessions.rows import AgentSession, find, key_of
from policy.codes import Code
from policy.errors import Refusal
from policy.model import ApprovalObligation, SessionObligation
from tests.addons.support import AGENT, judged, make_flow

ENDED = SessionObligation(longest=0.0)
ASKS = ApprovalObligation(rules=(), groups=(frozenset({"sre"}),))


def _call(runtime: Runtime, **obligations: object) -> tuple[Call, object]:
    flow = make_flow()
    call = judged(runtime, flow, **obligations)  # type: ignore[arg-type]
    call.stamps = list(BEFORE_SEAL[: BEFORE_SEAL.index(Stage.SESSION)])
    return call, flow


async def _pass(runtime: Runtime, flow: object) -> bool:
    """Let a call pass; whether it had to wait."""
    waiting = Sessions(runtime).request(flow)  # type: ignore[arg-type]
    if waiting is not None:
        assert isawaitable(waiting)
        await waiting
    return waiting is not None


async def _stored(runtime: Runtime) -> AgentSession:
    await runtime.gateway.sessions.turn()
    with runtime.gateway.store.reading() as connection:
        return find(connection, [key_of(AGENT)])[key_of(AGENT)]


async def test_only_the_first_call_waits(runtime: Runtime) -> None:
    """Each is stamped and counted."""
    waits = []
    for obligations in ({}, {"approval": ASKS}, {"session": SessionObligation(longest=60.0)}):
        call, flow = _call(runtime, **obligations)
        waits.append(await _pass(runtime, flow))
        assert call.stamps[-1] is Stage.SESSION
    assert waits == [True, False, False]
    found = await _stored(runtime)
    assert (found.calls, found.held, found.denied, found.bounds.longest) == (3, 1, 0, 60.0)


async def test_a_session_that_is_over(runtime: Runtime) -> None:
    """Its call is refused and not stamped."""
    call, flow = _call(runtime, session=ENDED)
    assert await _pass(runtime, flow)
    assert call.refusal is not None
    assert call.refusal.code is Code.REVOKED
    assert Stage.SESSION not in call.stamps


async def test_a_call_of_nobody_is_a_fault(runtime: Runtime) -> None:
    """No call gets here whose agent is not known."""
    call, flow = _call(runtime)
    call.agent = None
    with pytest.raises(LookupError):
        await _pass(runtime, flow)


@pytest.mark.parametrize(
    ("code", "calls", "denied"),
    [(Code.DENIED_BY_RULE, 1, 1), (Code.REVOKED, 0, 0), (Code.UNAUTHENTICATED, 0, 0)],
)
async def test_refused_calls(runtime: Runtime, code: Code, calls: int, denied: int) -> None:
    """Are calls of their agent, but where it is refused that there is one."""
    _, first = _call(runtime)
    await _pass(runtime, first)
    call, flow = _call(runtime)
    runtime.refuse(flow, Refusal(code))  # type: ignore[arg-type]
    assert not await _pass(runtime, flow)
    Sessions(runtime).response(flow)  # type: ignore[arg-type]
    assert Stage.SESSION not in call.stamps
    found = await _stored(runtime)
    assert (found.calls, found.denied) == (1 + calls, denied)


async def test_a_refused_call_begins_a_session(runtime: Runtime) -> None:
    """What an agent tries first is of interest."""
    _, flow = _call(runtime)
    runtime.refuse(flow, Refusal(Code.DEFAULT_DENY))  # type: ignore[arg-type]
    assert await _pass(runtime, flow)
    assert (await _stored(runtime)).calls == 1


@pytest.mark.parametrize("from_client", [True, False])
async def test_what_is_said_in_an_open_shell(runtime: Runtime, from_client: bool) -> None:
    """Of the agent it is use, of the target it is not."""
    flow = tflow.twebsocketflow()
    call = judged(runtime, flow)
    call.stamps = list(BEFORE_SEAL[: BEFORE_SEAL.index(Stage.SESSION)])
    flow.response, answered = None, flow.response
    await _pass(runtime, flow)
    flow.response = answered
    began = (await _stored(runtime)).seen
    assert flow.websocket is not None
    flow.websocket.messages = [WebSocketMessage(Opcode.TEXT, from_client, b"ls")]
    while time.time() <= began:
        pass
    Sessions(runtime).websocket_message(flow)
    assert ((await _stored(runtime)).seen > began) is from_client
