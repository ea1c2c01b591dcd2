"""Law: what would get around a mask is refused before policy is asked, and so is what cannot be said in the agent's name."""

import dataclasses
from typing import Any

import pytest

from addons import preconditions
from addons.calls import need
from addons.runtime import Runtime
from gatehold.ruling import Ruling
from policy.actions.decoding import decode
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent, SessionId
from tests.addons.clusters import cluster_call, cluster_flow

SECRET = "/api/v1/namespaces/prod/secrets/db"
COPY = [{"op": "copy", "from": "/data/password", "path": "/metadata/annotations/x"}]


def _check(runtime: Runtime, body: Any, agent: Agent | None = None) -> None:
    call = cluster_call(runtime, cluster_flow(body, content_type="application/json-patch+json", path=SECRET))
    call.action = decode(runtime.gateway.configuration.traits[need(call.target).name], need(call.wire))
    call.agent = agent or call.agent
    preconditions.check(runtime, call)


def test_a_patch_that_reads_what_is_hidden_is_refused(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where values of Secrets are hidden; elsewhere there is nothing to get around."""
    monkeypatch.setattr(Ruling, "hides_secrets", lambda *_: True)
    with pytest.raises(Refusal) as refusal:
        _check(runtime, COPY)
    assert refusal.value.code is Code.DLP_BLOCKED
    _check(runtime, [{"op": "add", "path": "/data/password", "value": "eA=="}])
    monkeypatch.setattr(Ruling, "hides_secrets", lambda *_: False)
    _check(runtime, COPY)


def test_a_name_that_no_cluster_may_hear_is_refused(runtime: Runtime) -> None:
    """Before anything is looked up in that name."""
    agent = Agent(issuer="corp", subject="a1", groups=("system:masters",), session=SessionId("s"))
    with pytest.raises(Refusal, match="system:") as refusal:
        _check(runtime, [], agent)
    assert refusal.value.code is Code.MALFORMED
    _check(runtime, [{"op": "remove", "path": "/data/a"}], dataclasses.replace(agent, groups=("planners",)))


def test_what_no_server_can_carry_out_is_refused(runtime: Runtime) -> None:
    """As malformed, with what is wrong."""
    with pytest.raises(Refusal, match="list of operations") as refusal:
        _check(runtime, {})
    assert refusal.value.code is Code.MALFORMED


def test_only_profiles_that_name_secrets_hide_them(runtime: Runtime) -> None:
    """By their kind; the detectors alone do not."""
    masking = runtime.gateway.ruling.masking
    assert masking.hides_kind("Secret", ("pii", "kubernetes"))
    assert not masking.hides_kind("Secret", ("pii", "secrets"))
    assert not masking.hides_kind("Secret", ())
