"""Remarks on flows."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from mitmproxy import flowfilter
from mitmproxy.io import FlowReader
from mitmproxy.test.tflow import tflow
from mitmproxy.utils.emoji import emoji

from policy.codes import Code
from policy.model import Decision, MaskObligation, Obligations, Verdict
from recordings.annotations import annotate
from recordings.events import Call
from recordings.flows import encode_flow


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
    note = annotate(call, code=Code.ALLOWED, masked={"EMAIL_ADDRESS": 1, "PERSON": 2}, approval="apr-1", part=2)
    assert note.comment == "allow planners-read-dev-pods (agent a1) approval apr-1 masked PERSON 2, EMAIL_ADDRESS 1"
    assert note.metadata["gatehold"]["masked"] == {"EMAIL_ADDRESS": 1, "PERSON": 2}
    assert note.metadata["gatehold"]["part"] == 2


def masking_call(call: Call) -> Call:
    """A call whose answer has to be masked."""
    assert call.judged is not None
    masks = Obligations(mask=MaskObligation(profiles=("customer-data", "pci")))
    return replace(call, judged=replace(call.judged, obligations=masks))


def test_profiles_are_shown(call: Call) -> None:
    """In metadata also where nothing was found, so that an auditor sees that somebody looked."""
    note = annotate(masking_call(call), code=Code.ALLOWED, masked={"CREDIT_CARD": 1, "EMAIL_ADDRESS": 3})
    assert note.comment.endswith("(agent a1) masked EMAIL_ADDRESS 3, CREDIT_CARD 1 (customer-data, pci)")
    assert note.marked == ":lock:"
    silent = annotate(masking_call(call), code=Code.ALLOWED)
    assert silent.metadata["gatehold"]["mask"] == ["customer-data", "pci"]
    assert "masked" not in silent.comment


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("~comment EMAIL_ADDRESS", True),
        ("~comment customer-data", True),
        ("~meta CREDIT_CARD", True),
        ("~meta customer-data", True),
        ("~marker lock", True),
        ("~marked", True),
        ("~comment US_SSN", False),
        ("~meta US_SSN", False),
    ],
)
def test_filters_of_mitmproxy_find_what_was_masked(call: Call, tmp_path: Path, expression: str, found: bool) -> None:
    """In a flow file, read by mitmproxy's own reader."""
    note = annotate(masking_call(call), code=Code.ALLOWED, masked={"CREDIT_CARD": 1, "EMAIL_ADDRESS": 3})
    encoded = encode_flow(tflow(resp=True), metadata=note.metadata, comment=note.comment, marked=note.marked)
    (tmp_path / "a.flow").write_bytes(encoded)
    with (tmp_path / "a.flow").open("rb") as file:
        [flow] = FlowReader(file).stream()
    assert bool(flowfilter.match(expression, flow)) is found


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
