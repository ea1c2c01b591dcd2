"""Law: what was judged by looking is bound to what was seen, and a refusal tells nothing of it."""

import dataclasses
import json
from typing import Any, cast

import pytest

from addons.looking import Looking, denial
from addons.record import Recording
from addons.runtime import Runtime
from gatehold.lookups.ladder import Found, Ladder
from gatehold.lookups.slots import Slots
from gatehold.ruling import Ruling
from policy.actions.knowledge import KnownObjects
from policy.actions.kubernetes import KubernetesAction
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Decision, RuleName, Verdict, Wanted
from tests.addons.clusters import FakeLadder, cluster_call, cluster_flow, deployment
from tests.addons.support import AGENT

SEEN = Found(known=KnownObjects(old=deployment(3)), version="7")
UNSURE = Decision(
    verdict=Verdict.DENY,
    code=Code.UNEVALUABLE,
    rule=RuleName("gate"),
    reason="A rule could not be evaluated.",
    wanted=frozenset({Wanted.OLD}),
)
ALLOWED = Decision(verdict=Verdict.ALLOW, code=Code.ALLOWED, rule=RuleName("door"))


@pytest.fixture
async def looking(runtime: Runtime) -> Looking:
    return Looking(runtime, Recording(runtime))


def plan(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, *decisions: Decision, found: Found = SEEN
) -> tuple[FakeLadder, list[KubernetesAction]]:
    """Decide so, one after the other; find this."""
    ladder, asked, left = FakeLadder(found), cast("list[KubernetesAction]", []), list(decisions)

    def decide(_self: Any, _agent: Any, _target: Any, action: KubernetesAction) -> Decision:
        asked.append(action)
        return left.pop(0)

    monkeypatch.setattr(Ruling, "decide", decide)
    runtime.gateway.ladder = cast("Ladder", ladder)
    return ladder, asked


async def test_most_calls_are_not_looked_into(
    runtime: Runtime, looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a decision that wants it costs a look."""
    flow = cluster_flow({"spec": {"replicas": 5}})
    call = cluster_call(runtime, flow)
    ladder, asked = plan(runtime, monkeypatch, ALLOWED)
    assert await looking.judge(flow, call, AGENT) is ALLOWED
    assert (ladder.wanted, len(asked), call.found) == ([], 1, None)


async def test_a_judged_write_is_bound_to_what_was_seen(
    runtime: Runtime, looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Judged again with it, and sent with its version; the record keeps what the agent sent."""
    flow = cluster_flow({"spec": {"replicas": 20}})
    call = cluster_call(runtime, flow)
    ladder, asked = plan(runtime, monkeypatch, UNSURE, ALLOWED)
    assert await looking.judge(flow, call, AGENT) is ALLOWED
    assert ladder.wanted == [frozenset({Wanted.OLD})]
    assert asked[1].old_replicas == 3
    assert json.loads(call.body_to_send or b"") == {"spec": {"replicas": 20}, "metadata": {"resourceVersion": "7"}}
    assert call.pinned == "7"
    assert call.needs_json
    assert json.loads((call.wire and call.wire.body) or b"") == {"spec": {"replicas": 20}}


@pytest.mark.parametrize("code", [Code.UNEVALUABLE, Code.DEFAULT_DENY, Code.DENIED_BY_RULE])
async def test_a_refusal_reads_as_before(
    runtime: Runtime, looking: Looking, monkeypatch: pytest.MonkeyPatch, code: Code
) -> None:
    """Whatever was found; the audit trail has it all."""
    flow = cluster_flow({"spec": {"replicas": 20}})
    call = cluster_call(runtime, flow)
    refused = Decision(verdict=Verdict.DENY, code=code, rule=RuleName("wall"), reason="found", detail="because")
    plan(runtime, monkeypatch, UNSURE, refused, found=Found(problems=("the cluster answers 404",)))
    decision = await looking.judge(flow, call, AGENT)
    assert (decision.code, decision.rule, decision.reason) == (UNSURE.code, UNSURE.rule, UNSURE.reason)
    told = denial(decision)
    assert told.detail == UNSURE.reason
    assert all(part in told.reason for part in (code.value, "wall", "because", "the cluster answers 404"))
    assert call.outgoing_body is None


async def test_want_of_room_is_told(runtime: Runtime, looking: Looking, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the agent's own doing, and waiting helps."""
    flow = cluster_flow({"spec": {"replicas": 20}})
    limited = Decision(verdict=Verdict.DENY, code=Code.RATE_LIMITED)
    plan(runtime, monkeypatch, UNSURE, limited)
    assert await looking.judge(flow, cluster_call(runtime, flow), AGENT) is limited


async def test_what_cannot_be_bound_is_refused(
    runtime: Runtime, looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the decision rests on what was seen; a stale request is a conflict of its own."""
    flow = cluster_flow(b"k8s\0\x0a", "PUT", "application/vnd.kubernetes.protobuf")
    call = cluster_call(runtime, flow)
    plan(runtime, monkeypatch, UNSURE, ALLOWED)
    with pytest.raises(Refusal) as refused:
        await looking.judge(flow, call, AGENT)
    assert refused.value.code is Code.UNEVALUABLE
    call.rests_on_found = False
    looking.bind(call)
    assert call.outgoing_body is None
    flow = cluster_flow({"spec": {"replicas": 20}})
    plan(runtime, monkeypatch, UNSURE, ALLOWED, found=Found(known=SEEN.known, version="7", stale=True))
    with pytest.raises(Refusal) as refused:
        await looking.judge(flow, cluster_call(runtime, flow), AGENT)
    assert refused.value.code is Code.STALE


async def test_looks_are_bounded(runtime: Runtime, looking: Looking, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent cannot make the gateway flood a cluster."""
    flow = cluster_flow({"spec": {"replicas": 20}})
    ladder, _ = plan(runtime, monkeypatch, UNSURE, ALLOWED)
    runtime.gateway.slots = Slots(per_agent=0)
    with pytest.raises(Refusal) as refused:
        await looking.judge(flow, cluster_call(runtime, flow), AGENT)
    assert (refused.value.code, ladder.wanted) == (Code.RATE_LIMITED, [])


async def test_a_write_is_tried_out_only_where_that_decides(
    runtime: Runtime, looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a refusal owes to the object as it is costs no try, and webhooks never hear of it."""
    both = dataclasses.replace(UNSURE, wanted=frozenset({Wanted.OLD, Wanted.NEW}))
    refused = dataclasses.replace(UNSURE, code=Code.DEFAULT_DENY, wanted=frozenset())
    flow = cluster_flow({"metadata": {"annotations": {"a": "b"}}})
    ladder, _ = plan(runtime, monkeypatch, both, refused)
    assert (await looking.judge(flow, cluster_call(runtime, flow), AGENT)).verdict is Verdict.DENY
    assert ladder.wanted == [{Wanted.OLD}]
    open_still = dataclasses.replace(UNSURE, wanted=frozenset({Wanted.NEW}))
    ladder, _ = plan(runtime, monkeypatch, both, open_still, ALLOWED)
    assert await looking.judge(flow, cluster_call(runtime, flow), AGENT) is ALLOWED
    assert ladder.wanted == [{Wanted.OLD}, {Wanted.OLD, Wanted.NEW}]
