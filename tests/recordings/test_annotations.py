"""Remarks on flows."""

import json
from dataclasses import replace

import pytest
from mitmproxy.utils.emoji import emoji

from policy.codes import Code
from policy.model import Decision, Verdict
from recordings.annotations import annotate
from recordings.events import Call


def test_an_allowed_call(call: Call) -> None:
    """The comment reads as a sentence; metadata holds what ``~meta`` looks for."""
    note = annotate(call, code=Code.ALLOWED)
    assert note.comment == "allow planners-read-dev-pods (agent a1)"
    assert note.marked == ""
    assert note.metadata == {
        "gatehold": {
            "agent": "a1",
            "code": "allowed",
            "decision": "d-1",
            "issuer": "corp",
            "revision": "r1",
            "rule": "planners-read-dev-pods",
            "rules": ["planners-read-dev-pods"],
            "session": "s-1",
            "target": "main",
            "verdict": "allow",
        }
    }


def test_masked_and_approved(call: Call) -> None:
    """Counts and the approval are shown."""
    note = annotate(call, code=Code.ALLOWED, masked={"PERSON": 2, "EMAIL_ADDRESS": 1}, approval="apr-1", part=2)
    assert note.comment == "allow planners-read-dev-pods (agent a1) approval apr-1 masked 3"
    assert note.metadata["gatehold"]["masked"] == {"EMAIL_ADDRESS": 1, "PERSON": 2}
    assert note.metadata["gatehold"]["part"] == 2


def test_refused_before_anything_was_known(call: Call) -> None:
    """No agent, no rule, no decision: deny."""
    note = annotate(replace(call, agent=None, judged=None), code=Code.MISDIRECTED)
    assert note.comment == "misdirected (no agent)"
    assert note.metadata["gatehold"]["verdict"] == "deny"


def test_refused_by_a_rule_for_another_reason(call: Call) -> None:
    """The code is shown beside the rule."""
    assert annotate(call, code=Code.UNMASKABLE).comment == "allow planners-read-dev-pods [unmaskable] (agent a1)"


@pytest.mark.parametrize("code", list(Code))
@pytest.mark.parametrize("approval", ["", "apr-1"])
@pytest.mark.parametrize("masked", [{}, {"PERSON": 1}])
def test_markers_are_known_to_mitmproxy(call: Call, code: Code, approval: str, masked: dict[str, int]) -> None:
    """Every marker is an emoji of mitmproxy or none, every remark JSON."""
    judged = Decision(verdict=Verdict.DENY, code=code)
    note = annotate(replace(call, judged=judged), code=code, approval=approval, masked=masked)
    assert note.marked in emoji or note.marked == ""
    assert (note.marked == "") == (code is Code.ALLOWED and not approval and not masked)
    assert json.loads(json.dumps(note.metadata)) == note.metadata
