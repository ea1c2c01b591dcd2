"""Policy tests: results and coverage."""

from datetime import UTC, datetime
from typing import Any

from policy.engine import Engine
from policy.model import Family, TargetName, TargetTraits
from policy.rules.schema import PolicyDocument, PolicyTestDocument
from policy.testing import Coverage, Report, run

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
TARGETS = {
    "api": TargetTraits(name=TargetName("api"), family=Family.HTTP, mask=("pii",)),
    "main": TargetTraits(name=TargetName("main"), family=Family.KUBERNETES),
}
RULES: list[dict[str, Any]] = [
    {"name": "door", "effect": "allow", "agents": {"issuers": ["corp"]}, "http": {"paths": ["/**"]}},
    {"name": "wall", "effect": "deny", "http": {"paths": ["/pay"]}, "when": "body.amount > 100"},
    {"name": "old", "effect": "deny", "http": {}, "notAfter": "2026-01-01T00:00:00Z"},
    {"name": "write", "effect": "allow", "kubernetes": {"verbs": ["patch"]}},
    {
        "name": "gate",
        "effect": "constrain",
        "kubernetes": {"verbs": ["patch"]},
        "when": "k8s.replicas > k8s.oldReplicas && oldObject.kind == 'Scale' && object.kind == 'Scale'",
        "approval": {"groups": ["sre"]},
    },
    {"name": "hint", "effect": "deny", "mode": "shadow", "http": {"methods": ["DELETE"]}},
]


def report(*cases: dict[str, Any], rules: list[dict[str, Any]] = RULES) -> Report:
    head = {"apiVersion": "gatehold.dev/v1", "metadata": {"name": "t"}}
    engine = Engine.compile([PolicyDocument.model_validate({**head, "kind": "Policy", "rules": rules})], TARGETS)
    named = [{"name": f"c{at}", **case} for at, case in enumerate(cases)]
    document = PolicyTestDocument.model_validate({**head, "kind": "PolicyTest", "cases": named})
    return run(engine, [document], now=NOW, issuer="corp")


def got(case: dict[str, Any]) -> Any:
    keys = {"verdict": "allow", "rule": None, "code": "", "mask": []}
    (result,) = report({**case, "expect": keys}).results
    return tuple(result.got.values())


def test_a_search_of_the_request() -> None:
    """Both of it, one of it, or that there is none."""
    search = {"name": "search", "effect": "constrain", "http": {"paths": ["/sent"]}, "dlp": {"profiles": ["secrets"]}}
    wants = ({"profiles": ["secrets"], "action": "block"}, {"profiles": ["secrets"]}, {"action": "block"},
             {"action": "mask"}, {"profiles": ["pii"]}, None)  # fmt: skip
    cases = [
        {"request": {"target": "api", "path": "/sent"}, "expect": {"verdict": "allow", "dlp": want}} for want in wants
    ]
    plain = [{"request": {"target": "api", "path": "/users"}, "expect": {"verdict": "allow", "dlp": want}}
             for want in (None, {"action": "block"})]  # fmt: skip
    found = report(*cases, *plain, rules=[*RULES, search])
    assert [result.passed for result in found.results] == [True, True, True, False, False, False, True, False]


def test_want_and_got() -> None:
    """Only what a case names is compared; null for a rule means that none decided."""
    request = {"target": "api", "path": "/users"}
    found = report(
        {"request": request, "expect": {"verdict": "allow"}},
        {"request": request, "expect": {"verdict": "allow", "rule": "door", "mask": ["pii"]}},
        {"request": request, "expect": {"verdict": "allow", "rule": "other"}},
        {"request": request, "expect": {"verdict": "allow", "rule": None}},
        {"agent": {"issuer": "hub"}, "request": request, "expect": {"verdict": "deny", "rule": None}},
    )
    assert [result.passed for result in found.results] == [True, True, False, False, True]
    assert found.failed == 2
    assert found.results[2].want == {"verdict": "allow", "rule": "other"}
    assert found.results[2].got == {"verdict": "allow", "rule": "door"}
    assert (found.results[0].document, found.results[0].name) == ("t", "c0")


def test_requests() -> None:
    """A mapping is sent as JSON, a string as it is; headers may repeat; nothing left out is made up."""
    pay = {"target": "api", "method": "POST", "path": "/pay"}
    json_header = {"Content-Type": "application/json"}
    assert got({"request": {**pay, "body": {"amount": 500}}})[1:3] == ("wall", "denied-by-rule")
    assert got({"request": {**pay, "body": '{"amount": 500}', "headers": json_header}})[1:3] == (
        "wall",
        "denied-by-rule",
    )
    assert got({"request": {**pay, "body": '{"amount": 500}'}})[2] == "unevaluable"
    assert got({"request": pay})[2] == "unevaluable"
    assert got({"request": {**pay, "body": None}})[2] == "unevaluable"
    two = {"content-type": ["application/json", "text/plain"]}
    assert got({"request": {**pay, "body": '{"amount": 5}', "headers": two}})[2] == "unevaluable"
    assert got({"request": {"target": "api", "path": "/a/../b"}}) == ("deny", None, "malformed", [])
    assert got({"request": {"target": "nowhere", "path": "/"}}) == ("deny", None, "unregistered-target", [])
    assert got({"request": {"target": "api", "path": "/users"}, "now": "2025-01-01T00:00:00Z"})[1] == "old"


def test_objects_stand_for_the_cluster() -> None:
    """Objects that a case states feed the facts that the request alone does not tell."""
    scale = {
        "target": "main",
        "method": "PATCH",
        "path": "/apis/apps/v1/namespaces/x/deployments/a/scale",
        "headers": {"content-type": "application/merge-patch+json"},
        "body": {"spec": {"replicas": 5}},
    }

    def with_objects(old: Any, new: Any) -> Any:
        return got({"request": {**scale, "objects": {"old": old, "new": new}}})[:2]

    three, five = ({"kind": "Scale", "spec": {"replicas": count}} for count in (3, 5))
    assert got({"request": scale})[2] == "unevaluable"
    assert with_objects(three, five) == ("hold", "gate")
    assert with_objects(five, three) == ("allow", "write")
    assert with_objects({**three, "kind": "Other"}, five) == ("allow", "write")
    assert with_objects(None, five)[0] == "deny"
    assert with_objects({"kind": "Scale", "spec": {"replicas": "3"}}, five)[0] == "deny"


def test_objects_that_are_left_out_are_unknown() -> None:
    """And ``null`` says that there is none: before a server-side apply that creates there are no replicas."""
    apply = {
        "target": "main",
        "method": "PATCH",
        "path": "/apis/apps/v1/namespaces/x/deployments/a",
        "headers": {"content-type": "application/apply-patch+yaml"},
        "body": {"spec": {"replicas": 0}},
    }
    assert got({"request": {**apply, "objects": {"new": {"spec": {"replicas": 0}}}}})[2] == "unevaluable"
    assert got({"request": {**apply, "objects": {"old": None}}})[2] == "default-deny"


def test_coverage() -> None:
    """Per rule: how often its selectors matched, and the three outcomes of its condition."""
    pay = {"target": "api", "method": "POST", "path": "/pay"}
    found = report(
        {"request": {**pay, "body": {"amount": 500}}, "expect": {"verdict": "deny"}},
        {"request": {**pay, "body": {"amount": 5}}, "expect": {"verdict": "allow"}},
        {"request": pay, "expect": {"verdict": "deny"}},
        {"request": {"target": "api", "method": "DELETE", "path": "/"}, "expect": {"verdict": "allow"}},
    )
    assert found.failed == 0
    assert found.coverage == (
        Coverage(rule="door", matched=4, true=4),
        Coverage(rule="gate"),
        Coverage(rule="hint", matched=1, true=1),
        Coverage(rule="old"),
        Coverage(rule="wall", matched=3, true=1, false=1, error=1),
        Coverage(rule="write"),
    )
    assert found.covered == 0.5


def test_rules_read_the_purpose_of_an_agent() -> None:
    """As its issuer says it; empty where it says none."""
    rules = [{"name": "r", "effect": "allow", "http": {"paths": ["/**"]}, "when": "agent.purpose == 'nightly'"}]
    request = {"target": "api", "path": "/users"}
    agents = ({"purpose": "nightly"}, {"purpose": "Nightly"}, {})
    cases = [{"agent": each, "request": request, "expect": {"verdict": "allow"}} for each in agents]
    assert [result.passed for result in report(*cases, rules=rules).results] == [True, False, False]
