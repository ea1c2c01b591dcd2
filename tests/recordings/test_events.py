"""Events about calls."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.codes import ANSWERS, Code
from policy.model import (
    ApprovalObligation,
    Decision,
    LimitObligation,
    MaskObligation,
    Obligations,
    RuleName,
    Verdict,
)
from recordings.events import Call, Event, intent, outcome, refusal
from recordings.ocsf import Kind
from tests.recordings.strategies import CALLS

type Check = Callable[[Mapping[str, Any]], None]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(call=CALLS, time=st.floats(0, 4e9), status=st.integers(100, 599), code=st.sampled_from(sorted(ANSWERS)))
def test_events_are_api_activities(ocsf: Check, call: Call, time: float, status: int, code: Code) -> None:
    """Whatever a call was: intent, outcome and refusal keep to the class, and can be written."""
    events = [
        intent(call, time=time, fingerprint="f"),
        outcome(call, status=status, time=time, masked={"EMAIL_ADDRESS": 2}, approval="a-1", length=5, error="reset"),
        refusal(call, code=code, status=status, reason="because", time=time),
    ]
    for event in events:
        ocsf(event.data)
        assert event.entry().kind == event.kind == event.data["unmapped"]["gatehold"]["kind"]
        assert event.decision == call.id
        assert len(event.entry().body) < 80_000


def test_an_outcome_says_who_did_what_and_why(call: Call) -> None:
    """Agent, session, operation, target, rule and what was hidden are where OCSF readers look for them."""
    data = outcome(call, status=200, time=call.time + 0.25, masked={"PERSON": 1}, length=7).data
    assert data["actor"]["user"]["uid"] == "a1"
    assert data["actor"]["user"]["domain"] == "corp"
    assert data["actor"]["session"] == {"issuer": "corp", "uid": "s-1"}
    assert data["api"]["operation"] == "list pods"
    assert data["api"]["service"] == {"name": "main"}
    assert data["http_request"]["url"]["query_string"] == "limit=5"
    assert data["http_response"] == {"code": 200, "length": 7}
    assert data["policy"] == {"name": "planners-read-dev-pods", "uid": "r1"}
    assert (data["activity_id"], data["action_id"], data["disposition_id"], data["status_id"]) == (2, 1, 1, 1)
    assert data["duration"] == 250
    assert data["unmapped"]["gatehold"]["masked"] == {"PERSON": 1}
    assert data["unmapped"]["gatehold"]["verdict"] == "allow"


@pytest.mark.parametrize("code", sorted(ANSWERS))
def test_a_refusal_is_denied(call: Call, code: Code) -> None:
    """Action Denied, status Failure, the code and the private reason."""
    data = refusal(call, code=code, status=403, reason="private reason", time=call.time).data
    assert (data["action_id"], data["status_id"], data["status_code"]) == (2, 2, code.value)
    assert data["status_detail"] == "private reason"


def test_a_call_that_was_approved_says_so(call: Call) -> None:
    """Disposition Approved, and the approval's id."""
    data = outcome(call, status=200, time=call.time, approval="apr-1").data
    assert data["disposition_id"] == 8
    assert data["unmapped"]["gatehold"]["approval"] == "apr-1"


def test_obligations_are_told(call: Call) -> None:
    """An auditor sees what policy asked for."""
    approval = ApprovalObligation(rules=(RuleName("r"),), groups=(frozenset({"b", "a"}),))
    limit = LimitObligation(rule=RuleName("l"), unit="calls", amount=3, window=60.0)
    due = Obligations(approval=approval, mask=MaskObligation(profiles=("pii",)), limits=(limit,))
    judged = Decision(verdict=Verdict.HOLD, code=Code.APPROVAL_REQUIRED, obligations=due)
    own = intent(replace(call, judged=judged), time=call.time).data["unmapped"]["gatehold"]
    assert own["obligations"] == {
        "approval": {"count": 1, "groups": [["a", "b"]], "rules": ["r"]},
        "limit": [{"amount": 3, "rule": "l", "unit": "calls", "window": 60.0}],
        "mask": ["pii"],
    }


def test_an_upstream_that_broke_off_is_a_failure(call: Call) -> None:
    """Status Failure, with the error; the action was still Allowed."""
    data = outcome(call, status=502, time=call.time, error="connection reset").data
    assert (data["action_id"], data["status_id"], data["api"]["response"]["error"]) == (1, 2, "connection reset")


def test_claims_and_facts_do_not_show(call: Call) -> None:
    """A token's claims are in no event; neither they nor the facts in a repr."""
    assert call.agent is not None
    secret = replace(call, agent=replace(call.agent, claims={"email": "SECRET"}), facts={"body": "SECRET"})
    event = outcome(secret, status=200, time=call.time)
    assert "SECRET" not in repr(secret) + repr(event)
    assert b"SECRET" not in outcome(replace(secret, facts={}), status=200, time=call.time).entry().body


def test_what_is_no_json_is_refused() -> None:
    """By whoever makes the line of it."""
    with pytest.raises(ValueError, match="JSON compliant"):
        Event(kind=Kind.OUTCOME, data={"x": float("nan")}).entry()
    with pytest.raises(TypeError):
        Event(kind=Kind.OUTCOME, data={"x": object()}).entry()


def test_facts_without_end_are_left_out(call: Call) -> None:
    """One agent cannot fill the journal with one call."""
    event = outcome(replace(call, facts={"query": {f"k{n}": ["x" * 100] for n in range(1000)}}), status=200, time=1.0)
    body = json.loads(event.entry().body)
    assert len(event.entry().body) < 10_000
    assert body["unmapped"]["gatehold"]["facts"] == "too large"
    assert body["unmapped"]["gatehold"]["verdict"] == "allow"
