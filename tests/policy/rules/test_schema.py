"""The shape of documents: what is accepted, what is refused and where."""

from typing import Any

import pytest
from pydantic import ValidationError

from policy.rules.schema import PackUse, PolicyDocument, PolicyTestDocument, RuleSpec

HEAD = {"apiVersion": "gatehold.dev/v1", "kind": "Policy", "metadata": {"name": "p"}}


def rule(**keys: Any) -> RuleSpec:
    return RuleSpec.model_validate({"name": "r", "effect": "allow", "http": {}, **keys})


def test_a_document_is_read() -> None:
    """Keys are camelCase in documents and snake_case in values; everything is immutable."""
    document = PolicyDocument.model_validate(
        {
            **HEAD,
            "rules": [
                {
                    "name": "pack/r.1",
                    "effect": "constrain",
                    "kubernetes": {"apiGroups": ["", "*.acme.example"], "resources": ["pods", "*/scale", "pods/*"]},
                    "approval": {"groups": ["b", "a"], "count": 2, "grant": "15m", "scope": "rule"},
                    "mask": {"profiles": ["pii"], "onUnmaskable": "drop"},
                    "notBefore": "2026-01-01T00:00:00Z",
                }
            ],
        }
    )
    (found,) = document.rules
    assert found.kubernetes is not None
    assert found.kubernetes.api_groups == ("", "*.acme.example")
    assert found.approval is not None
    assert (found.approval.groups, found.approval.grant) == ((("a", "b"),), 900.0)
    assert found.mask is not None
    assert found.mask.on_unmaskable == "drop"
    with pytest.raises(ValidationError):
        found.name = "x"


def test_groups_are_alternatives_or_sets_of_them() -> None:
    """[a, b] is one set; [[a], [b]] are two that must both be satisfied."""
    one = rule(approval={"groups": ["b", "a"]}).approval
    two = rule(approval={"groups": [["b"], ["a", "c"], ["b"]]}).approval
    assert one is not None
    assert one.groups == (("a", "b"),)
    assert two is not None
    assert two.groups == (("a", "c"), ("b",))


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"prioritty": 1}, "Extra inputs"),
    "both families": ({"kubernetes": {}}, "exactly one"),
    "no family": ({"http": None}, "is empty"),
    "deny with approval": ({"effect": "deny", "approval": {"groups": ["a"]}}, "use effect: constrain"),
    "deny with limit": ({"effect": "deny", "limit": {"rate": "1/day"}}, "use effect: constrain"),
    "deny with mask": ({"effect": "deny", "mask": {"profiles": ["pii"]}}, "use effect: constrain"),
    "deny with session": ({"effect": "deny", "session": {"max": "8h"}}, "use effect: constrain"),
    "session in a door": ({"session": {"max": "8h"}}, "use effect: constrain"),
    "no bound": ({"effect": "constrain", "session": {}}, "give one of `max` and `idle`"),
    "idle that never ends": ({"effect": "constrain", "session": {"max": "1h", "idle": "1h"}}, "would never end"),
    "no time": ({"effect": "constrain", "session": {"idle": "0s"}}, "not a duration"),
    "constrain without a demand": ({"effect": "constrain"}, "demands something"),
    "empty agents": ({"agents": None}, "`agents` is empty"),
    "empty list": ({"http": {"methods": []}}, "at least 1 item"),
    "empty target": ({"http": {"targets": [""]}}, "not a name or glob"),
    "lower-case method": ({"http": {"methods": ["get"]}}, "not a method"),
    "operations": ({"http": {"operations": ["issues/create"]}}, "not supported by this version"),
    "upgrade": ({"upgrade": "websocket"}, "not supported by this version"),
    "glob in a group": ({"agents": {"groups": ["ci-*"]}}, "by equality"),
    "snake case": ({"not_before": "2026-01-01T00:00:00Z"}, "Extra inputs"),
    "no time zone": ({"notBefore": "2026-01-01T00:00:00"}, "timezone"),
    "never valid": ({"notBefore": "2026-01-02T00:00:00Z", "notAfter": "2026-01-01T00:00:00Z"}, "not before"),
    "unknown zone": ({"windows": [{"timezone": "Mars/Base"}]}, "not a time zone"),
    "zone by path": ({"windows": [{"timezone": "../../etc/passwd"}]}, "not a time zone"),
    "no zone": ({"windows": [{"days": ["mon"]}]}, "Field required"),
    "empty window": ({"windows": [{"from": "09:00", "to": "09:00", "timezone": "UTC"}]}, "same time"),
    "no amount": ({"limit": {"per": "agent"}}, "give one of"),
    "bad amount": ({"limit": {"rate": "20"}}, "amount per time"),
    "scope without grant": ({"approval": {"groups": ["a"], "scope": "rule"}}, "needs `grant`"),
    "nobody approves": ({"approval": {"groups": []}}, "at least 1 item"),
    "an empty set": ({"approval": {"groups": [[], ["a"]]}}, "at least 1 item"),
    "no one needed": ({"approval": {"groups": ["a"], "count": 0}}, "greater than"),
    "count as text": ({"approval": {"groups": ["a"], "count": "2"}}, "valid integer"),
    "bad name": ({"name": "a b"}, "not a name"),
    "bad effect": ({"effect": "permit"}, "'deny', 'constrain' or 'allow'"),
    "name with a line break": ({"name": "a\n"}, "not a name"),
}


@pytest.mark.parametrize(("keys", "message"), BAD.values(), ids=BAD.keys())
def test_refused(keys: dict[str, Any], message: str) -> None:
    """What cannot be meant, or would never match, is an error with words that help."""
    with pytest.raises(ValidationError, match=message):
        rule(**keys)


KUBERNETES: dict[str, tuple[dict[str, Any], str]] = {
    "both kinds": ({"nonResourcePaths": ["/api"], "resources": ["pods"]}, "two rules"),
    "glob in a resource": ({"resources": ["deploy*"]}, "not a resource"),
    "upper case": ({"resources": ["Pods"]}, "not a resource"),
    "unknown verb": ({"verbs": ["read"]}, "not a verb"),
    "star inside a path": ({"nonResourcePaths": ["/a/*/b"]}, "non-resource path"),
    "relative path": ({"nonResourcePaths": ["api"]}, "non-resource path"),
    "empty namespace": ({"namespaces": [""]}, "not a namespace"),
    "no labels": ({"labels": {}}, "at least 1 item"),
}


@pytest.mark.parametrize(("keys", "message"), KUBERNETES.values(), ids=KUBERNETES.keys())
def test_refused_in_kubernetes(keys: dict[str, Any], message: str) -> None:
    """The same for kubernetes selectors."""
    with pytest.raises(ValidationError, match=message):
        RuleSpec.model_validate({"name": "r", "effect": "allow", "kubernetes": keys})


def test_every_problem_has_its_place() -> None:
    """All problems of a document come at once, each with the keys and indices that lead to it."""
    bad = [{"name": "a", "effect": "allow", "http": {"methods": ["GET", "get"]}}, {"name": "b", "effect": "deny"}]
    with pytest.raises(ValidationError) as raised:
        PolicyDocument.model_validate({**HEAD, "rules": bad})
    places = {error["loc"] for error in raised.value.errors()}
    assert {("rules", 0, "http", "methods", 1), ("rules", 1)} <= places


def test_use_of_a_pack() -> None:
    """A pack is used by its name alone, or narrowed, or under another name."""
    assert PackUse.model_validate("kubernetes-discovery").name == "kubernetes-discovery"
    use = PackUse.model_validate({"use": "p", "as": "q", "agents": {"groups": ["g"]}, "namespaces": ["dev-*"]})
    assert (use.name, use.prefix, use.namespaces) == ("p", "q", ("dev-*",))
    with pytest.raises(ValidationError):
        PackUse.model_validate({"use": "p", "agents": None})


def test_a_test_document_is_read() -> None:
    """What is left out of a case is told apart from null."""
    document = PolicyTestDocument.model_validate(
        {
            **HEAD,
            "kind": "PolicyTest",
            "cases": [
                {
                    "name": "c",
                    "agent": {"subject": "a1", "groups": ["planners"]},
                    "request": {"target": "main", "method": "GET", "path": "/api"},
                    "expect": {"verdict": "deny", "rule": None},
                }
            ],
        }
    )
    (case,) = document.cases
    assert case.expect.model_fields_set == {"verdict", "rule"}
    assert "body" not in case.request.model_fields_set
