"""Law: the flow of a call carries what its decision was made of, once, and nothing unmasked."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from addons.record import Record, Recording
from addons.runtime import Runtime
from gatehold.history.reading import read
from policy.codes import Code
from policy.history.judging import Judge
from policy.model import UNKNOWN, Agent, Verdict
from recordings.errors import RecorderUnavailable
from tests.addons.support import AGENT, make_flow, make_request, make_response, sealed

MAIL = "ada.lovelace@example.com"


async def recorded(runtime: Runtime, **more: object) -> bytes:
    """All flow files, after one call was answered."""
    request = make_request("https://crm.corp.example/masked/7?mail=" + MAIL, "GET")
    flow = make_flow(request)
    flow.response = make_response(b"{}", {"Content-Type": "application/json"})
    call = sealed(runtime, flow)
    for name, value in more.items():
        setattr(call, name, value)
    await Recording(runtime).outcome(flow, call)
    await runtime.gateway.recorder.stop()
    directory = runtime.gateway.configuration.data_dir / "recordings"
    return b"".join(path.read_bytes() for path in sorted(directory.rglob("*.flow")))


async def test_the_input_of_a_decision(runtime: Runtime) -> None:
    """Groups, claims, the moment, and what is hidden."""
    agent = replace(AGENT, claims={"team": "red", "mail": MAIL})
    content = await recorded(runtime, agent=agent, started=1000.0)
    assert b"lovelace" not in content
    (call,) = read(runtime.gateway.configuration.data_dir).calls()
    assert call.input is not None
    assert (call.input.at, call.agent.groups) == (1000.0, ("planners",))
    assert call.agent.claims["team"] == "red"
    assert call.input.hidden == {"query": (("mail",),), "claims": (("mail",),)}
    assert call.input.known.old is UNKNOWN


async def test_it_can_be_judged_again(runtime: Runtime) -> None:
    """From its record, by the engine that runs."""
    await recorded(runtime)
    (call,) = read(runtime.gateway.configuration.data_dir).calls()
    decision = Judge(runtime.gateway.ruling.engine).judge(call).decision
    assert decision is not None
    assert decision.verdict is Verdict.ALLOW


async def test_calls_of_nobody_have_none(runtime: Runtime) -> None:
    """What was not understood was not judged."""
    content = await recorded(runtime, action=None)
    assert b'"at":' not in content


async def test_one_agent_is_described_once(runtime: Runtime) -> None:
    """The agent's part is kept for as long as the agent is the same object; another one gets its own."""
    recording = Recording(runtime)
    agents = [Agent(issuer="corp", subject="a", claims={"n": n}, session=AGENT.session) for n in range(2)]
    for number, agent in enumerate((*agents, *agents)):
        flow = make_flow()
        flow.response = make_response(b"{}")
        call = sealed(runtime, flow)
        call.id, call.agent = type(call.id)(f"dec_{number}"), agent
        await recording.outcome(flow, call)
    await runtime.gateway.recorder.stop()
    found = list(read(Path(runtime.gateway.configuration.data_dir)).calls())
    assert [json.dumps(dict(call.agent.claims)) for call in found] == ['{"n": 0}', '{"n": 1}'] * 2


@pytest.mark.parametrize(("method", "code"), [("GET", Code.RECORDER_UNAVAILABLE), ("POST", None)])
async def test_an_answer_that_cannot_be_recorded_does_not_leave(
    runtime: Runtime, method: str, code: Code | None
) -> None:
    """A read may be sent again, and is told so; of a write, which its target has, nobody is told that."""
    flow = make_flow(make_request("https://crm.corp.example/customers/7", method))
    flow.response = make_response(b"{}")
    call = sealed(runtime, flow)
    await runtime.gateway.recorder.stop()
    record = Record(runtime, Recording(runtime)).response(flow)
    if code is None:
        with pytest.raises(RecorderUnavailable):
            await record
    else:
        await record
        assert call.refusal is not None
        assert call.refusal.code is code
        assert flow.response.status_code == 503
        assert b"recorder-unavailable" in (flow.response.content or b"")
