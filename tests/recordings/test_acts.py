"""Events about everything that is not a call."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from policy.model import Agent, SessionId
from recordings.acts import (
    GatewayMove,
    approval_move,
    authentication_failure,
    entity_change,
    flow_files,
    gateway_event,
    incident,
    own_call,
    person,
    token_issued,
)
from recordings.events import Call, agent_user
from recordings.ocsf import Kind

type Check = Callable[[Mapping[str, Any]], None]


def test_approvals_are_entities_that_change(ocsf: Check, call: Call) -> None:
    """Opened by the agent, decided by a person; both name the approval, the call and the state."""
    opened = approval_move(
        approval="apr-1",
        state="open",
        by=agent_user(call.agent),
        time=1.0,
        agent=call.agent,
        target="main",
        operation="delete pod x",
        decision=call.id,
    )
    decided = approval_move(
        approval="apr-1",
        state="approved",
        previous="open",
        by=person("alice"),
        time=2.0,
        comment="ok for once",
        channel="cli",
        event_uid="evt_1",
    )
    ocsf(opened.data)
    ocsf(decided.data)
    assert (opened.kind, opened.session, opened.decision) == (Kind.APPROVAL, "s-1", "d-1")
    assert (opened.data["activity_id"], decided.data["activity_id"]) == (1, 3)
    assert decided.data["actor"]["user"]["name"] == "alice"
    assert decided.data["comment"] == "ok for once"
    assert decided.data["metadata"]["uid"] == "evt_1"
    assert decided.data["unmapped"]["gatehold"]["state"] == "approved"


@pytest.mark.parametrize("change", ["create", "update", "delete"])
def test_governance_is_told(ocsf: Check, change: Any) -> None:
    """Users, grants, revocations: who changed what."""
    event = entity_change(entity="User", uid="bob", change=change, by=person("root"), time=1.0, details={"groups": []})
    ocsf(event.data)
    assert event.kind == Kind.GOVERNANCE


@pytest.mark.parametrize("move", list(GatewayMove))
def test_the_gateway_tells_of_itself(ocsf: Check, move: GatewayMove) -> None:
    """Every move keeps to its class; faults are failures of high severity."""
    event = gateway_event(move, time=1.0, message="words", details={"revision": "r2"})
    ocsf(event.data)
    bad = move is GatewayMove.ROLLED_BACK or move.value.endswith(("fault", "failed", "gap", "conflict"))
    assert (event.data["status_id"] == 2) is bad
    assert event.data["unmapped"]["gatehold"]["move"] == move


@pytest.mark.parametrize("address", ["10.0.0.1", ""])
def test_failed_authentications_are_told(ocsf: Check, address: str) -> None:
    """How many, from where, why; nobody's name, because none is known."""
    event = authentication_failure(address=address, reason="expired", count=3, first=1.0, last=2.0, time=60.0)
    ocsf(event.data)
    assert (event.data["count"], event.data["start_time"], event.data["end_time"]) == (3, 1000, 2000)


@pytest.mark.parametrize("address", ["10.0.0.1", ""])
def test_tokens_that_were_made_are_told(ocsf: Check, address: str) -> None:
    """Whose, from where, in what way and until when; of the token only its id."""
    agent = Agent(issuer="corp", subject="planner-1", groups=("planners",), session=SessionId("s-1"))
    event = token_issued(agent=agent, token="jti-1", way="urn:x", address=address, ends=960.0, time=60.0)
    ocsf(event.data)
    assert event.data["user"] == agent_user(agent)
    assert event.data["session"] == {"uid": "s-1", "expiration_time": 960_000}
    assert (event.session, event.data["unmapped"]["gatehold"]["token"]) == ("s-1", "jti-1")


@pytest.mark.parametrize("kind", [Kind.FLOWS_OPEN, Kind.FLOWS_SEAL])
def test_files_are_told(ocsf: Check, kind: Kind) -> None:
    """The journal says of itself which files there are."""
    event = flow_files(kind, [{"file": "recordings/x.flow"}], time=1.0)
    ocsf(event.data)
    assert event.data["unmapped"]["gatehold"]["files"] == [{"file": "recordings/x.flow"}]


@pytest.mark.parametrize(("status", "problem"), [(200, ""), (404, "the cluster answers 404"), (0, "no answer in time")])
def test_own_calls_are_the_gateways(ocsf: Check, call: Call, status: int, problem: str) -> None:
    """On behalf of an agent, linked with the decision they were for."""
    assert call.agent is not None
    event = own_call(
        agent=call.agent,
        decision=call.id,
        target="main",
        host="kubernetes.default.svc",
        port=443,
        scheme="https",
        method="PATCH",
        path="/apis/apps/v1/namespaces/dev/deployments/x?dryRun=All",
        purpose="resulting-object",
        status=status,
        started=1.0,
        seconds=0.25,
        problem=problem,
        impersonated=True,
    )
    ocsf(event.data)
    assert (event.kind, event.decision, event.session) == (Kind.LOOKUP, "d-1", "s-1")
    assert event.data["actor"]["user"]["name"] == "Gatehold"
    own = event.data["unmapped"]["gatehold"]
    assert (own["onBehalfOf"]["uid"], own["purpose"], own["impersonated"]) == ("a1", "resulting-object", True)
    assert (event.data["status_id"], event.data["duration"]) == (2 if problem else 1, 250)
    assert event.data["http_request"]["url"]["query_string"] == "dryRun=All"


def test_an_incident_is_a_finding(ocsf: Check, call: Call) -> None:
    """Of high severity, with what was judged and what is."""
    event = incident(
        title="a write had another effect than was judged",
        agent=call.agent,
        decision=call.id,
        target="main",
        time=1.0,
        details={"differing": {"replicas": {"judged": 20, "real": 99}}},
        comment="replicas",
    )
    ocsf(event.data)
    assert (event.kind, event.decision, event.data["severity_id"]) == (Kind.INCIDENT, "d-1", 4)
    assert event.data["class_uid"] == 2004
    assert event.data["unmapped"]["gatehold"]["differing"]["replicas"]["real"] == 99
