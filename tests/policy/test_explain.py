"""Why a call is answered as it is."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from policy.actions.decoding import decode
from policy.engine import Engine
from policy.explain import Explanation, conjuncts, explain
from policy.model import Agent, Family, TargetName, TargetTraits, WireRequest
from policy.rules.schema import PolicyDocument

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
TARGETS = {
    "api": TargetTraits(name=TargetName("api"), family=Family.HTTP),
    "main": TargetTraits(name=TargetName("main"), family=Family.KUBERNETES),
}
RULES: list[dict[str, Any]] = [
    {"name": "door", "effect": "allow", "http": {"methods": ["POST"], "paths": ["/pay/{id}"]}},
    {
        "name": "gate",
        "effect": "constrain",
        "http": {"paths": ["/pay/**"]},
        "when": "body.amount > 100 && (http.method == 'POST' || body.force) && agent.claims.tier == 'gold'",
        "approval": {"groups": ["sre"], "grant": "15m", "message": "'pay ' + string(body.amount)"},
        "limit": {"rate": "20/hour", "bytes": "1MiB/day"},
        "mask": {"profiles": ["pii"]},
    },
    {"name": "late", "effect": "deny", "http": {}, "notAfter": "2026-01-01T00:00:00Z"},
    {"name": "others", "effect": "deny", "agents": {"groups": ["x"]}, "http": {"targets": ["api"], "methods": ["PUT"]}},
    {"name": "claims", "effect": "deny", "agents": {"claims": {"tier": "silver"}}, "http": {}},
    {"name": "shadow", "effect": "deny", "mode": "shadow", "http": {}},
    {"name": "kube", "effect": "allow", "kubernetes": {"namespaces": ["dev-*"], "resources": ["pods"], "names": ["a"]}},
    {"name": "paths", "effect": "allow", "kubernetes": {"nonResourcePaths": ["/api"]}},
]


def explained(target: str, method: str, path: str, body: bytes = b"", rules: Any = RULES, **agent: Any) -> Explanation:
    head = {"apiVersion": "gatehold.dev/v1", "kind": "Policy", "metadata": {"name": "p"}}
    engine = Engine.compile([PolicyDocument.model_validate({**head, "rules": rules})], TARGETS)
    headers = (("content-type", "application/json"),)
    action = decode(TARGETS[target], WireRequest(method=method, path=path, headers=headers, body=body))
    caller = Agent(**{"issuer": "corp", "subject": "s", "claims": {"tier": "gold"}, **agent})
    return explain(engine, caller, TargetName(target), action, now=NOW)


def failed(explanation: Explanation, rule: str) -> list[tuple[str, Any, Any]]:
    (step,) = [step for step in explanation.trace if step.rule.name == rule]
    return [(obstacle.selector, obstacle.wanted, obstacle.got) for obstacle in step.obstacles]


def test_json_of_a_hold() -> None:
    """Verdict, code, rules, obligations and facts, in the shape that programs read."""
    found = explained("api", "POST", "/pay/7", b'{"amount": 500}').to_json()
    assert json.loads(json.dumps(found)) == found
    assert {key: found[key] for key in ("verdict", "code", "rule", "rules", "shadow")} == {
        "verdict": "hold",
        "code": "approval-required",
        "rule": "gate",
        "rules": ["door", "gate"],
        "shadow": ["shadow"],
    }
    assert found["obligations"] == {
        "approval": {
            "groups": [["sre"]],
            "count": 1,
            "grant": "15m",
            "scope": "request",
            "message": "pay 500",
            "rules": ["gate"],
        },
        "mask": ["pii"],
        "limit": [
            {"rule": "gate", "rate": "20/hour", "per": "agent"},
            {"rule": "gate", "bytes": "1MiB/day", "per": "agent"},
        ],
    }
    assert found["action"]["path"] == "/pay/7"


def test_json_of_a_denial() -> None:
    """Nothing is null that is a list, and nothing is owed."""
    found = explained("main", "GET", "/version").to_json()
    assert (found["verdict"], found["code"], found["rule"], found["rules"]) == ("deny", "default-deny", None, [])
    assert found["obligations"] == {"approval": None, "mask": [], "limit": None}
    assert found["action"]["resourceRequest"] is False


def test_json_of_a_part() -> None:
    """What a door shows of a list is told; without a filter there is no such key."""
    found = explained("main", "GET", "/api/v1/namespaces/dev-1/pods").to_json()
    assert (found["verdict"], found["wanted"]) == ("allow", [])
    assert found["obligations"]["filter"] == [{"names": ["a"], "labels": None}]
    assert "filter" not in explained("main", "GET", "/api/v1/namespaces/dev-1/pods/a").to_json()["obligations"]


def test_json_of_a_refusal_that_a_look_may_turn() -> None:
    """Explaining looks at nothing, and says at what a decision would."""
    rules = [{"name": "door", "effect": "allow", "kubernetes": {"labels": {"a": "b"}}}]
    head = {"apiVersion": "gatehold.dev/v1", "kind": "Policy", "metadata": {"name": "p"}}
    engine = Engine.compile([PolicyDocument.model_validate({**head, "rules": rules})], TARGETS)
    headers = (("content-type", "application/merge-patch+json"),)
    request = WireRequest(method="PATCH", path="/api/v1/namespaces/x/pods/a", headers=headers, body=b"{}")
    action = decode(TARGETS["main"], request)
    found = explain(engine, Agent(issuer="i", subject="s"), TargetName("main"), action, now=NOW).to_json()
    assert (found["code"], found["wanted"]) == ("default-deny", ["new", "old"])


def test_the_trace_is_ordered_by_nearness() -> None:
    """Matches first, then what could not be evaluated, then by the number of obstacles, then by name."""
    found = explained("api", "POST", "/pay/7", b"")
    assert [(step.rule.name, step.outcome.value, len(step.obstacles)) for step in found.trace] == [
        ("door", "match", 0),
        ("shadow", "match", 0),
        ("gate", "error", 1),
        ("claims", "no-match", 1),
        ("late", "no-match", 1),
        ("others", "no-match", 2),
    ]


def test_every_selector_that_failed_is_told_with_values() -> None:
    """What the rule wants stands beside what the call has."""
    found = explained("api", "GET", "/users")
    assert failed(found, "door") == [("methods", ["POST"], ["GET"]), ("paths", ["/pay/{id}"], "/users")]
    assert failed(found, "late") == [("validity", None, "2026-03-04T12:00:00+00:00")]
    assert failed(found, "others") == [("agents.groups", ["x"], []), ("methods", ["PUT"], ["GET"])]
    assert failed(found, "claims") == [("agents.claims", {"tier": "silver"}, ["tier"])]


@pytest.mark.parametrize(
    ("path", "rule", "obstacles"),
    [
        ("/api/v1/namespaces/prod/pods/a", "kube", [("namespaces", ["dev-*"], "prod")]),
        ("/api/v1/pods", "kube", [("namespaces", ["dev-*"], "any")]),
        ("/api/v1/namespaces/dev-1/pods/a/log", "kube", [("resources", ["pods"], "pods/log")]),
        ("/api/v1/namespaces/dev-1/pods", "kube", []),
        ("/api/v1/namespaces/dev-1/pods/b", "kube", [("names", ["a"], "b")]),
        ("/version", "kube", [("resources", ["pods"], "")]),
        ("/version", "paths", [("nonResourcePaths", ["/api"], "/version")]),
        ("/api/v1/namespaces/dev-1/pods", "paths", [("nonResourcePaths", ["/api"], "")]),
    ],
)
def test_kubernetes_selectors(path: str, rule: str, obstacles: Any) -> None:
    """The same for kubernetes, where a call may cover all namespaces or names."""
    assert failed(explained("main", "GET", path), rule) == obstacles


def test_the_part_of_a_condition_that_failed() -> None:
    """Of parts joined by && each one that is not true is told, with the variables that it reads."""
    small = explained("api", "POST", "/pay/7", b'{"amount": 5}')
    assert failed(small, "gate") == [("when", "body.amount > 100", {"body": "(dict)"})]
    silver = explained("api", "POST", "/pay/7", b'{"amount": 500}', claims={"tier": "silver"})
    assert failed(silver, "gate") == [("when", "agent.claims.tier == 'gold'", {"agent.claims": "(dict)"})]
    unknown = explained("api", "POST", "/pay/7", b"{")
    assert failed(unknown, "gate")[0] == ("when", "body.amount > 100", {"body": "unknown"})


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("a", ("a",)),
        ("a && b", ("a", "b")),
        ("a&&b && (c || d)", ("a", "b", "(c || d)")),
        ("a || b && c", ("a || b && c",)),
        ("a && b ? c : d", ("a && b ? c : d",)),
        ("f(a && b) && 'x && y' == z", ("f(a && b)", "'x && y' == z")),
        ("[a && b][0] && {'k': a || b}.k", ("[a && b][0]", "{'k': a || b}.k")),
        ("", ("",)),
    ],
)
def test_conjuncts(source: str, parts: tuple[str, ...]) -> None:
    """A condition is taken apart only where && joins the whole of it."""
    assert conjuncts(source) == parts


def test_an_unregistered_target_has_no_trace() -> None:
    """There are no rules to speak of."""
    engine = Engine.compile([], TARGETS)
    action = decode(TARGETS["api"], WireRequest(method="GET", path="/", body=b""))
    found = explain(engine, Agent(issuer="i", subject="s"), TargetName("nowhere"), action, now=NOW)
    assert (found.decision.code.value, found.trace) == ("unregistered-target", ())
