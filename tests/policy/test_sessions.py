"""Law: how long a session may last is said by every turnstile that its call matches, whichever door opens."""

from datetime import UTC, datetime
from typing import Any

import pytest

from policy.actions.decoding import decode
from policy.engine import Engine
from policy.explain import obligations_to_json
from policy.model import Agent, Decision, Family, SessionObligation, TargetName, TargetTraits, Verdict, WireRequest
from policy.rules.schema import PolicyDocument

API = TargetName("api")
TARGETS = {"api": TargetTraits(name=API, family=Family.HTTP)}
RULES: tuple[dict[str, Any], ...] = (
    {"name": "door", "effect": "allow", "http": {"methods": ["GET"]}},
    {"name": "night", "effect": "constrain", "agents": {"groups": ["night"]}, "http": {}, "session": {"max": "8h"}},
    {"name": "idle", "effect": "constrain", "http": {"paths": ["/a"]}, "session": {"max": "9h", "idle": "30m"}},
    {"name": "asked", "effect": "constrain", "http": {"paths": ["/asked"]}, "approval": {"groups": ["sre"]}},
    {"name": "shadow", "effect": "constrain", "mode": "shadow", "http": {}, "session": {"max": "1m"}},
)


def decide(path: str, *groups: str, method: str = "GET") -> Decision:
    head = {"apiVersion": "gatehold.dev/v1", "kind": "Policy", "metadata": {"name": "p"}}
    engine = Engine.compile([PolicyDocument.model_validate({**head, "rules": RULES})], TARGETS)
    action = decode(TARGETS["api"], WireRequest(method=method, path=path))
    agent = Agent(issuer="corp", subject="a1", groups=groups)
    return engine.decide(agent, API, action, now=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("path", "groups", "longest", "idle"),
    [
        ("/b", (), None, None),
        ("/b", ("night",), 28800.0, None),
        ("/a", (), 32400.0, 1800.0),
        ("/a", ("night",), 28800.0, 1800.0),
        ("/asked", ("night",), 28800.0, None),
    ],
)
def test_what_is_demanded(path: str, groups: tuple[str, ...], longest: float | None, idle: float | None) -> None:
    """The shortest of each bound, also of a call that a person has to approve; a rule in shadow mode demands nothing."""
    found = decide(path, *groups).obligations
    expected = None if longest is None else SessionObligation(longest=longest, idle=idle)
    assert found.session == expected
    assert ("session" in obligations_to_json(found)) is (expected is not None)


def test_as_programs_read_it() -> None:
    """In the words of rules."""
    assert obligations_to_json(decide("/a", "night").obligations)["session"] == {"max": "8h", "idle": "30m"}
    assert obligations_to_json(decide("/b", "night").obligations)["session"] == {"max": "8h", "idle": None}


def test_a_call_that_is_denied_demands_nothing() -> None:
    """Its session is not bound by what it may not do."""
    decision = decide("/a", "night", method="POST")
    assert decision.verdict is Verdict.DENY
    assert decision.obligations.session is None
