"""Laws of explaining: a call is what its parts say, and what policy does not get to see is a refusal like any other."""

from pathlib import Path

import pytest

from gatehold.config import load
from gatehold.explaining import NEUTRAL, Explainer, InvalidCallError

CONFIGURATION = """
apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {name: default}
spec: {}
---
apiVersion: gatehold.dev/v1
kind: Target
metadata: {name: crm}
spec: {family: http, hosts: ["crm.corp.example:443"]}
---
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: crm}
rules:
  - {name: writes, effect: allow, http: {targets: [crm], methods: [POST], paths: ["/**"]}, when: body.n == 1}
"""


@pytest.fixture
def explainer(tmp_path: Path) -> Explainer:
    """Of a policy that reads bodies."""
    (tmp_path / "gateway.yaml").write_text(CONFIGURATION)
    return Explainer(load(tmp_path), issuer=None)


def test_a_body_has_the_type_that_is_stated(explainer: Explainer) -> None:
    """By a header, else by whoever describes the call; it is decided by its content."""
    agent = explainer.agent(None, [])
    assert agent.subject == NEUTRAL
    for headers, kind, verdict in (
        ([], "application/json", "allow"),
        (["Content-Type: text/plain"], "application/json", "deny"),
        (["content-type: application/json"], None, "allow"),
    ):
        call = explainer.call("crm", "POST", "/x", agent=agent, headers=headers, body=b'{"n": 1}', media_type=kind)
        answer = explainer.explain(call)
        assert answer["verdict"] == verdict
        short = explainer.decide(call)
        assert {key: answer[key] for key in short} == short


def test_what_policy_does_not_see_is_refused(explainer: Explainer) -> None:
    """As a running gateway would: an unknown target, a path that has no single meaning."""
    agent = explainer.agent("a1", ["x"])
    for target, path in (("none", "/"), ("crm", "/a%2")):
        answer = explainer.explain(explainer.call(target, "GET", path, agent=agent))
        assert (answer["verdict"], answer["trace"]) == ("deny", [])


@pytest.mark.parametrize("header", ["none", ": x", ""])
def test_a_header_that_is_none(explainer: Explainer, header: str) -> None:
    """It is said how one is written."""
    with pytest.raises(InvalidCallError, match="Name: value"):
        explainer.call("crm", "GET", "/", agent=explainer.agent(None, []), headers=[header])
