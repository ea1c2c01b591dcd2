"""The semantics of decisions: golden cases for every rule of them, and the laws that hold for all policies."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from policy.actions.decoding import decode
from policy.codes import ANSWERS, Code
from policy.engine import Engine, PolicyError
from policy.errors import GateholdError, Refusal
from policy.explain import obligations_to_json
from policy.model import (
    Agent,
    Decision,
    Family,
    LimitObligation,
    Obligations,
    PathOptions,
    TargetName,
    TargetTraits,
    Verdict,
    WireRequest,
)
from policy.rules.schema import CaseAgent, CaseRequest, PolicyDocument
from policy.testing import action_of, agent_of

CASES = Path(__file__).parents[1] / "cases" / "policy"
untimed = settings(deadline=None)
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def policy(rules: list[Any], name: str = "test") -> PolicyDocument:
    document = {"apiVersion": "gatehold.dev/v1", "kind": "Policy", "metadata": {"name": name}, "rules": rules}
    return PolicyDocument.model_validate(document)


def traits(name: str, family: str, mask: Any = (), on_unmaskable: Any = "block", paths: Any = None) -> TargetTraits:
    options = TypeAdapter(PathOptions).validate_python(paths or {})
    return TargetTraits(
        name=TargetName(name), family=Family(family), mask=tuple(mask), on_unmaskable=on_unmaskable, paths=options
    )


class Spent:
    """Limits of which those of some rules have no room."""

    def __init__(self, rules: Any) -> None:
        self.rules = set(rules)

    def wait(self, obligation: LimitObligation, agent: Agent, target: TargetName) -> float:
        return 30.0 if obligation.rule in self.rules else 0.0


def answer(decision: Decision) -> dict[str, Any]:
    return {
        "verdict": decision.verdict.value,
        "code": decision.code.value,
        "rule": decision.rule,
        "rules": list(decision.rules),
        "shadow": list(decision.shadow),
        "reason": decision.reason,
        "wanted": sorted(decision.wanted),
        "filter": None,
        **obligations_to_json(decision.obligations),
    }


def golden() -> list[Any]:
    found = []
    for file in sorted(CASES.glob("case_*.yaml")):
        document = yaml.safe_load(file.read_text())
        found += [pytest.param(document, case, id=f"{file.stem}: {case['name']}") for case in document["cases"]]
    return found


@pytest.mark.parametrize(("document", "case"), golden())
def test_golden(document: dict[str, Any], case: dict[str, Any]) -> None:
    """Every case of a file comes out as it says, under the law that the file states."""
    targets = {name: traits(name, **given) for name, given in document["targets"].items()}
    engine = Engine.compile([policy(document["rules"])], targets, known_issuers=document.get("issuers"))
    target, agent = case["request"]["target"], agent_of(CaseAgent.model_validate(case.get("agent", {})), "corp")
    now = datetime.fromisoformat(str(case.get("now", document.get("now", NOW))))
    request = CaseRequest.model_validate(case["request"])
    try:
        action = action_of(request, targets.get(target, traits(target, "http")))
        spent = Spent(case.get("exhausted", document.get("exhausted", ())))
        decision = engine.decide(agent, TargetName(target), action, now=now, limits=spent)
    except Refusal as refusal:
        decision = Decision(verdict=Verdict.DENY, code=refusal.code)
    got = answer(decision)
    assert {key: got[key] for key in case["expect"]} == case["expect"], decision.detail


TARGETS = {name: traits(name, family) for name, family in (("api", "http"), ("crm", "http"), ("main", "kubernetes"))}
GROUPS, PATHS, NAMESPACES = ("a", "b", "c"), ("/x", "/x/*", "/x/**", "/{id}/y", "/**"), ("dev-*", "prod", "*")


def compile_rules(rules: list[Any]) -> Engine:
    return Engine.compile([policy([rule]) for rule in rules], TARGETS)


def some(values: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)


http_rules = st.fixed_dictionaries(
    {
        "http": st.fixed_dictionaries(
            {},
            optional={
                "targets": some(("api", "crm", "*")),
                "methods": some(("GET", "POST", "DELETE")),
                "paths": some(PATHS),
            },
        )
    },
    optional={"when": st.sampled_from(("body.n > 3", "http.method == 'GET'", "http.query.q == ['1']"))},
)
kubernetes_rules = st.fixed_dictionaries(
    {
        "kubernetes": st.fixed_dictionaries(
            {},
            optional={
                "namespaces": some(NAMESPACES),
                "resources": some(("pods", "pods/exec", "*", "*/scale", "deployments")),
                "verbs": some(("get", "list", "create", "update", "patch", "*")),
                "names": some(("web", "web-*", "*")),
                "labels": st.sampled_from(({"a": "b"}, {"a": "c"})),
            },
        )
    },
    optional={"when": st.sampled_from(("k8s.replicas > 3", "k8s.namespace == 'prod'", "object.spec.x"))},
)
terms = st.one_of(
    st.just({"effect": "deny"}),
    st.just({"effect": "deny", "mode": "shadow"}),
    st.just({"effect": "allow"}),
    st.just({"effect": "allow", "approval": {"groups": ["sre"]}}),
    st.just({"effect": "allow", "limit": {"rate": "1/hour"}}),
    st.just({"effect": "constrain", "mask": {"profiles": ["pii"]}}),
    st.just({"effect": "constrain", "approval": {"groups": ["lead"], "count": 2}}),
    st.just({"effect": "constrain", "limit": {"calls": "5/day"}}),
)
agents = st.one_of(st.just({}), st.fixed_dictionaries({"agents": st.fixed_dictionaries({"groups": some(GROUPS)})}))


def rules_of(terms: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Rules without a name."""
    return st.builds(lambda *parts: {**parts[0], **parts[1], **parts[2]}, http_rules | kubernetes_rules, terms, agents)


rule_lists = st.lists(rules_of(terms), min_size=1, max_size=8).map(
    lambda rules: [{"name": f"r{at}", **rule} for at, rule in enumerate(rules)]
)
callers = st.builds(
    lambda groups: Agent(issuer="corp", subject="s", groups=tuple(sorted(groups))), st.sets(st.sampled_from(GROUPS))
)
http_requests = st.builds(
    lambda method, path, body: WireRequest(
        method=method,
        path=path,
        headers=(("content-type", "application/json"),),
        body=b"" if method in {"GET", "HEAD"} else body,
    ),
    st.sampled_from(("GET", "HEAD", "POST", "DELETE")),
    st.sampled_from(("/", "/x", "/x/1", "/x/1/2", "/1/y?q=1", "/z?q=1;")),
    st.sampled_from((b"", b'{"n": 5}', b'{"n": 1}', b"{", b'{"n": 1, "n": 5}')),
)
kubernetes_requests = st.builds(
    lambda method, path, body: WireRequest(
        method=method,
        path=path,
        headers=(("content-type", "application/merge-patch+json" if method == "PATCH" else "application/json"),),
        body=b"" if method in {"GET", "HEAD"} else body,
    ),
    st.sampled_from(("GET", "POST", "PUT", "PATCH", "DELETE")),
    st.sampled_from(
        (
            "/api",
            "/api/v1/pods",
            "/api/v1/namespaces/prod/pods/web",
            "/api/v1/namespaces/dev-1/pods",
            "/api/v1/namespaces/prod/pods/web/exec?command=sh",
            "/apis/apps/v1/namespaces/prod/deployments/web",
            "/apis/apps/v1/namespaces/prod/deployments/web/scale",
        )
    ),
    st.sampled_from(
        (
            *(b"", b'{"spec": {"replicas": 5}}', b'{"metadata": {"name": "web"}}', b"["),
            b'{"metadata": {"name": "web", "labels": {"a": "b"}}}',
        )
    ),
)
calls = st.one_of(
    st.tuples(st.sampled_from(("api", "crm")), http_requests), st.tuples(st.just("main"), kubernetes_requests)
)


def decide(engine: Engine, agent: Agent, call: Any, limits: Any = None) -> Decision:
    target, request = call
    action = decode(TARGETS[target], request)
    return engine.decide(agent, TargetName(target), action, now=NOW, limits=limits)


def strictness(decision: Decision) -> int:
    return [Verdict.ALLOW, Verdict.HOLD, Verdict.DENY].index(decision.verdict)


@untimed
@given(rules=rule_lists, agent=callers, call=calls, data=st.data())
def test_order_means_nothing(rules: list[Any], agent: Agent, call: Any, data: st.DataObject) -> None:
    """Neither the order of rules nor the documents they stand in change a decision, or the revision."""
    shuffled = data.draw(st.permutations(rules))
    one, other = compile_rules(rules), Engine.compile([policy(shuffled)], TARGETS)
    assert decide(one, agent, call) == decide(other, agent, call)


@untimed
@given(rules=rule_lists, wall=rules_of(terms.filter(lambda term: term["effect"] != "allow")), agent=callers, call=calls)
def test_a_further_wall_or_gate_never_allows_more(rules: list[Any], wall: Any, agent: Agent, call: Any) -> None:
    """With one more deny or constrain a call is answered as before or more strictly, and nothing is unmasked."""
    before = decide(compile_rules(rules), agent, call)
    after = decide(compile_rules([*rules, {**wall, "name": "wall"}]), agent, call)
    assert strictness(after) >= strictness(before)
    if after.verdict is not Verdict.DENY:
        assert set(before.obligations.mask.profiles) <= set(after.obligations.mask.profiles)


@untimed
@given(rules=rule_lists, agent=callers, call=calls)
def test_shadow_never_changes_the_answer(rules: list[Any], agent: Agent, call: Any) -> None:
    """With all rules in shadow beside the live ones every answer but the list of shadow rules is the same."""
    shadows = [{**rule, "name": f"s-{rule['name']}", "mode": "shadow"} for rule in rules]
    live, both = compile_rules(rules), compile_rules([*rules, *shadows])
    want, got = answer(decide(live, agent, call)), answer(decide(both, agent, call))
    assert {**want, "shadow": 0} == {**got, "shadow": 0}


@untimed
@given(rules=rule_lists, agent=callers, call=calls)
def test_allowed_needs_a_door_and_no_wall(rules: list[Any], agent: Agent, call: Any) -> None:
    """What is not denied has a matching allow, no matching deny, and holds exactly if an approval is owed."""
    decision = decide(compile_rules(rules), agent, call)
    effects = {rule["effect"] for rule in rules if rule["name"] in decision.rules}
    if decision.verdict is not Verdict.DENY:
        assert "allow" in effects
        assert "deny" not in effects
        assert (decision.verdict is Verdict.HOLD) == (decision.obligations.approval is not None)
    else:
        assert decision.code in ANSWERS
        assert decision.obligations.approval is None


@untimed
@given(rules=rule_lists, agent=callers, call=calls)
def test_spent_limits_never_allow_more(rules: list[Any], agent: Agent, call: Any) -> None:
    """Without room a call is answered as with it or more strictly, and the limits without room are named."""
    engine = compile_rules(rules)
    roomy, spent = decide(engine, agent, call), decide(engine, agent, call, Spent([rule["name"] for rule in rules]))
    assert strictness(spent) >= strictness(roomy)
    if spent.code in {Code.RATE_LIMITED, Code.BUDGET_SPENT}:
        assert spent.rule == spent.obligations.limits[0].rule


@untimed
@given(rules=rule_lists, agent=callers, call=calls)
def test_a_filter_shows_what_open_doors_show(rules: list[Any], agent: Agent, call: Any) -> None:
    """It stands on answers to GET only, every part of it is an open door's, and no open door to all is free."""
    decision = decide(compile_rules(rules), agent, call)
    if decision.obligations.filter is None:
        return
    assert (call[0], call[1].method) == ("main", "GET")
    opened = [rule for rule in rules if rule["name"] in decision.rules and rule["effect"] == "allow"]
    limited = [(rule, rule.get("kubernetes", {})) for rule in opened]
    views = {
        (tuple(match["names"]) if "names" in match else None, tuple(sorted(match.get("labels", {}).items())) or None)
        for _, match in limited
    }
    for view in decision.obligations.filter.visible:
        assert (view.names, view.labels) in views or (None, view.labels) in {(None, labels) for _, labels in views}
    assert all("approval" in rule or {"names", "labels"} & match.keys() for rule, match in limited)


@untimed
@given(rules=rule_lists, agent=callers, call=calls)
def test_only_final_refusals_want_nothing(rules: list[Any], agent: Agent, call: Any) -> None:
    """What is wanted changes neither the verdict nor its code, and belongs to a refusal of a write or subresource."""
    decision = decide(compile_rules(rules), agent, call)
    if decision.wanted:
        assert decision.code in {Code.UNEVALUABLE, Code.DEFAULT_DENY, Code.DENIED_BY_RULE}
        assert call[0] == "main"
        assert decision.obligations == Obligations()


def test_every_problem_is_told() -> None:
    """Documents that do not compile give all their problems at once."""
    bad = {"name": "bad", "effect": "deny", "http": {"targets": ["nowhere"], "paths": ["x"]}, "when": "http.pth == ''"}
    with pytest.raises(PolicyError) as raised:
        Engine.compile([policy([bad])], TARGETS)
    assert [problem.path for problem in raised.value.problems] == [
        ("rules", 0, "http", "targets", 0),
        ("rules", 0, "http", "paths", 0),
        ("rules", 0, "when"),
    ]


def test_an_action_of_another_family_is_a_fault() -> None:
    """A target is never judged by an action of another family."""
    action = decode(TARGETS["main"], WireRequest(method="GET", path="/api", body=b""))
    with pytest.raises(GateholdError):
        compile_rules([{"name": "a", "effect": "allow", "http": {}}]).decide(
            Agent(issuer="i", subject="s"), TargetName("api"), action, now=NOW
        )


def test_revision_and_hash_follow_the_content() -> None:
    """An edited rule is another rule; a rule written differently is the same."""
    rule = {"name": "a", "effect": "allow", "http": {"targets": ["api"]}}
    one = compile_rules([rule])
    same = compile_rules([{"http": {"targets": ["api"]}, "effect": "allow", "name": "a", "mode": "enforce"}])
    edited = compile_rules([{**rule, "reason": "so"}])
    masked = Engine.compile([policy([rule])], {**TARGETS, "api": traits("api", "http", mask=["pii"])})
    assert (one.rule_hash("a"), one.revision) == (same.rule_hash("a"), same.revision)
    assert one.rule_hash("a") != edited.rule_hash("a")
    assert len({one.revision, edited.revision, masked.revision}) == 3
    with pytest.raises(KeyError):
        one.rule_hash("b")


def test_the_body_is_read_only_for_a_candidate_that_needs_it() -> None:
    """No rule that is ruled out makes the body be read."""
    engine = compile_rules(
        [
            {"name": "a", "effect": "allow", "http": {}},
            {"name": "b", "effect": "deny", "http": {"paths": ["/pay"]}, "when": "body.n > 1"},
        ]
    )
    headers = (("content-type", "application/json"),)
    for path, read in (("/users", False), ("/pay", True)):
        action = decode(TARGETS["api"], WireRequest(method="POST", path=path, headers=headers, body=b'{"n": 1}'))
        engine.decide(Agent(issuer="i", subject="s"), TargetName("api"), action, now=NOW)
        assert ("not read yet" not in repr(action.reading)) is read  # type: ignore[union-attr]
