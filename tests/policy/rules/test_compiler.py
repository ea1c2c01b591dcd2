"""From documents to rules, or to everything that is wrong."""

from typing import Any

from policy.model import Family, LimitObligation, MaskObligation, RuleName, TargetName, TargetTraits
from policy.rules.compiler import RuleProblem, Surroundings, check, compile_rules, rule_hash
from policy.rules.rule import Effect, Rule
from policy.rules.schema import PolicyDocument, RuleSpec

TARGETS = {
    "crm": TargetTraits(name=TargetName("crm"), family=Family.HTTP),
    "main": TargetTraits(name=TargetName("main"), family=Family.KUBERNETES),
}


def policy(*rules: dict[str, Any], name: str = "p") -> PolicyDocument:
    head = {"apiVersion": "gatehold.dev/v1", "kind": "Policy", "metadata": {"name": name}}
    return PolicyDocument.model_validate({**head, "rules": rules})


def problems(rule: dict[str, Any], **known: Any) -> list[RuleProblem]:
    return check([policy({"name": "r", "effect": "allow", **rule})], TARGETS, **known)


def one(rule: dict[str, Any]) -> Rule:
    outcome = compile_rules([policy({"name": "r", "effect": "allow", **rule})], Surroundings(targets=TARGETS))
    assert not outcome.problems
    return outcome.rules[0]


def told(rule: dict[str, Any], **known: Any) -> list[tuple[Any, str]]:
    return [(problem.path[2:], problem.message) for problem in problems(rule, **known)]


def test_a_rule_is_compiled() -> None:
    """Every demand stands in the rule as a value of its own kind."""
    rule = one(
        {
            "effect": "constrain",
            "kubernetes": {"names": ["web-*"], "labels": {"a": "b"}},
            "agents": {"claims": {"tier": "gold"}},
            "when": "k8s.replicas > 3",
            "approval": {"groups": ["sre"], "grant": "15m", "message": "'scale'"},
            "limit": {"rate": "20/hour", "bytes": "1GiB/day", "per": "session"},
            "mask": {"profiles": ["pii", "pci", "pii"]},
            "mode": "shadow",
        }
    )
    assert (rule.effect, rule.shadow, rule.family) == (Effect.CONSTRAIN, True, Family.KUBERNETES)
    assert (rule.names, rule.labels, rule.claims) == (("web-*",), {"a": "b"}, {"tier": "gold"})
    assert rule.mask == MaskObligation(profiles=("pci", "pii"))
    assert rule.limits == (
        LimitObligation(rule=RuleName("r"), unit="rate", amount=20, window=3600.0, per="session"),
        LimitObligation(rule=RuleName("r"), unit="bytes", amount=1 << 30, window=86400.0, per="session"),
    )
    assert rule.approval is not None
    assert (rule.approval.groups, rule.approval.grant) == ((frozenset({"sre"}),), 900.0)
    assert rule.when is not None
    assert rule.when.needs_body


def test_a_star_among_names_means_any() -> None:
    """Then no name has to be known."""
    assert one({"kubernetes": {"names": ["web", "*"]}}).names is None


def test_dangling_references() -> None:
    """Targets, issuers and profiles have to be there; what was probably meant is named."""
    rule = {
        "effect": "constrain",
        "http": {"targets": ["crm", "crn", "x-*"]},
        "agents": {"issuers": ["corp", "crop"]},
        "mask": {"profiles": ["pii", "pji"]},
    }
    assert told(rule, known_profiles=["pii"], known_issuers=["corp"]) == [
        (("http", "targets", 1), "there is no target 'crn'; did you mean crm?"),
        (("agents", "issuers", 1), "there is no issuer 'crop'; did you mean corp?"),
        (("mask", "profiles", 1), "there is no mask profile 'pji'; did you mean pii?"),
    ]
    assert told({**rule, "http": {}}) == []


def test_a_target_of_the_other_family() -> None:
    """A rule for http cannot name a kubernetes target."""
    assert told({"http": {"targets": ["main"]}}) == [
        (("http", "targets", 0), "target main is of family kubernetes, this rule is for http")
    ]


def test_expressions_are_checked() -> None:
    """Unknown variables, variables of the other family and wrong types are found when the rule is compiled."""
    assert "did you mean k8s.replicas?" in told({"kubernetes": {}, "when": "k8s.replcas > 1"})[0][1]
    assert [path for path, _ in told({"kubernetes": {}, "when": "http.path == ''"})] == [("when",)]
    assert [path for path, _ in told({"http": {}, "when": "http.path"})] == [("when",)]
    asking = {"http": {}, "approval": {"groups": ["g"], "message": "1"}}
    assert [path for path, _ in told(asking)] == [("approval", "message")]


def test_parameters_need_a_pattern_that_names_them() -> None:
    """A condition on http.params in a rule without parameters could never be evaluated."""
    condition = "http.params.id == '1'"
    assert told({"http": {"paths": ["/a/{id}"]}, "when": condition}) == []
    assert [path for path, _ in told({"http": {"paths": ["/a/*"]}, "when": condition})] == [("when",)]
    assert [path for path, _ in told({"http": {}, "when": condition})] == [("when",)]


def test_names_are_unique_over_all_documents() -> None:
    """The second rule of a name is the problem, in whichever document it stands."""
    rule = {"name": "r", "effect": "allow", "http": {}}
    found = check([policy(rule, name="a"), policy({**rule, "name": "s"}, rule, name="b")], TARGETS)
    assert found == [RuleProblem(policy="b", rule="r", path=("rules", 1), message="policy a has a rule of this name")]


def test_the_hash_is_of_the_content() -> None:
    """It does not depend on how a rule is written, and on everything that it says."""
    rule = {"name": "r", "effect": "allow", "http": {"methods": ["GET"]}, "approval": {"groups": ["a", "b"]}}
    same = {
        "approval": {"groups": [["b", "a"]], "count": 1},
        "http": {"methods": ["GET"]},
        "effect": "allow",
        "name": "r",
    }
    changed = (
        {"name": "q"},
        {"effect": "constrain"},
        {"http": {"methods": ["PUT"]}},
        {"approval": {"groups": ["a"]}},
        {"when": "true"},
        {"reason": "x"},
        {"limit": {"rate": "1/day"}},
        {"mode": "shadow"},
        {"notAfter": "2026-01-01T00:00:00Z"},
    )
    hashes = [rule_hash(RuleSpec.model_validate({**rule, **change})) for change in changed]
    assert rule_hash(RuleSpec.model_validate(rule)) == rule_hash(RuleSpec.model_validate(same))
    assert len({*hashes, rule_hash(RuleSpec.model_validate(rule))}) == len(changed) + 1
