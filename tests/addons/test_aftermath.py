"""Law: a conflict of the gateway's own making is retried, and a write with another effect than judged is an incident."""

import dataclasses
import json
from typing import Any, cast

import pytest
import yaml

from addons.aftermath import Aftermath
from addons.calls import Call, Stage
from addons.looking import Looking
from addons.record import Recording
from addons.runtime import Runtime
from gatehold.lookups.ladder import Found, Ladder
from policy.actions.knowledge import KnownObjects
from policy.codes import Code
from policy.engine import Engine
from policy.model import TargetName, Verdict
from policy.rules.schema import PolicyDocument
from tests.addons.clusters import FakeLadder, cluster_call, cluster_flow, deployment
from tests.addons.support import AGENT, make_response

SEEN = Found(known=KnownObjects(old=deployment(3), new=deployment(20)), version="7")


class Noted(Recording):
    """Keeps incidents where a test can see them."""

    incidents: list[dict[str, Any]]

    async def incident(self, call: Call, title: str, differing: Any) -> None:
        await super().incident(call, title, differing)
        self.incidents.append(differing)


@pytest.fixture
async def recording(runtime: Runtime) -> Noted:
    noted = Noted(runtime)
    noted.incidents = []
    return noted


async def answered(
    runtime: Runtime, recording: Recording, status: int, body: Any, *, found: Found | None = SEEN, now: str = "7", pinned: str = "7"
) -> Call:  # fmt: skip
    """A sealed write that was answered so, while the object has version ``now``."""
    flow = cluster_flow({"spec": {"replicas": 20}})
    call = cluster_call(runtime, flow)
    call.stamp(Stage.SEAL)
    call.found, call.pinned = found, pinned
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    flow.response = make_response(raw, {"Content-Type": "application/json"})
    flow.response.status_code = status
    runtime.gateway.ladder = cast("Ladder", FakeLadder(version=now))
    await Aftermath(runtime, recording, Looking(runtime, recording)).response(flow)
    return call


@pytest.mark.parametrize("status", [409, 422])
async def test_our_own_conflict_is_retried(runtime: Runtime, recording: Noted, status: int) -> None:
    """The object has another version now: whoever asked again would be judged anew."""
    call = await answered(runtime, recording, status, {"kind": "Status"}, now="8")
    assert call.refusal is not None
    assert (call.refusal.code, call.refusal.retry_after, call.refusal.answer.status) == (Code.CONFLICT, 1, 429)


@pytest.mark.parametrize("options", [{"now": "7"}, {"now": "8", "pinned": ""}, {"now": "8", "found": None}])
async def test_another_conflict_is_passed_on(runtime: Runtime, recording: Noted, options: dict[str, Any]) -> None:
    """Field managers, invalid objects, versions that the agent itself stated."""
    assert (await answered(runtime, recording, 409, {"kind": "Status"}, **options)).refusal is None


async def test_what_was_judged_is_no_incident(runtime: Runtime, recording: Noted) -> None:
    """Nor is an answer that the cluster refused."""
    await answered(runtime, recording, 200, deployment(20))
    await answered(runtime, recording, 403, deployment(99))
    assert recording.incidents == []


async def test_another_effect_is_an_incident(
    runtime: Runtime, recording: Noted, caplog: pytest.LogCaptureFixture
) -> None:
    """In the journal with both values, in the log with neither."""
    call = await answered(runtime, recording, 200, deployment(99))
    assert recording.incidents == [{"replicas": {"judged": 20, "real": 99}}]
    assert f"incident: a write had another effect than was judged, decision {call.id}: replicas" in caplog.text
    assert "99" not in caplog.text.replace(call.id, "")


@pytest.mark.parametrize("body", [b"no json", b"[]", {"kind": "Table"}])
async def test_what_cannot_be_compared_is_one(runtime: Runtime, recording: Noted, body: Any) -> None:
    """An answer in another form is no way around."""
    await answered(runtime, recording, 200, body)
    assert "cannot be compared" in recording.incidents[0]["answer"]["problem"]


async def test_an_object_that_came_between_is_one(runtime: Runtime, recording: Noted) -> None:
    """Judged as a creation, answered as a change: nothing could bind that write."""
    found = Found(known=KnownObjects(old=None, new=deployment(20)))
    await answered(runtime, recording, 201, deployment(20), found=found, pinned="")
    assert recording.incidents == []
    await answered(runtime, recording, 200, deployment(20), found=found, pinned="")
    assert recording.incidents == [{"existed": {"judged": False, "real": True}}]


GATED = """
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: gated}
rules:
  - {name: door, effect: allow, kubernetes: {targets: [main], verbs: ["*"]}}
  - name: wall
    effect: deny
    kubernetes: {targets: [main], resources: [deployments], verbs: [create, update, patch]}
    when: k8s.replicas > 50
"""


@pytest.mark.parametrize(("replicas", "incidents"), [(20, 0), (99, 1)])
async def test_an_object_that_other_rules_are_about_is_one(
    runtime: Runtime, recording: Noted, replicas: int, incidents: int
) -> None:
    """Nobody looked, as the request told enough; what came of it, no rule would have let pass."""
    document = PolicyDocument.model_validate(yaml.safe_load(GATED))
    engine = Engine.compile([document], runtime.gateway.configuration.traits)
    runtime.gateway.in_force.ruling = dataclasses.replace(runtime.gateway.ruling, engine=engine)
    flow = cluster_flow({"spec": {"replicas": 20}})
    call = cluster_call(runtime, flow)
    call.decision = runtime.gateway.ruling.decide(AGENT, TargetName("main"), call.known_action)
    assert call.decision.verdict is Verdict.ALLOW
    call.stamp(Stage.SEAL)
    flow.response = make_response(json.dumps(deployment(replicas)).encode(), {"Content-Type": "application/json"})
    await Aftermath(runtime, recording, Looking(runtime, recording)).response(flow)
    assert len(recording.incidents) == incidents
    assert all(each["rules"] == {"judged": "door", "real": "deny by door, wall"} for each in recording.incidents)
