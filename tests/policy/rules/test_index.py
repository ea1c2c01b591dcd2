"""The index against a linear scan over the same rules, which knows nothing of masks."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from policy.actions.decoding import Action, decode
from policy.actions.http import HttpAction
from policy.actions.kubernetes import KubernetesAction
from policy.model import Agent, Family, TargetName, TargetTraits, WireRequest
from policy.rules.compiler import Surroundings, compile_rules
from policy.rules.index import HttpIndex, KubernetesIndex, build_index, candidates
from policy.rules.rule import Rule
from policy.rules.schema import HttpSpec, KubernetesSpec, PolicyDocument

HTTP = {name: TargetTraits(name=TargetName(name), family=Family.HTTP) for name in ("api", "api-2")}
KUBERNETES = {name: TargetTraits(name=TargetName(name), family=Family.KUBERNETES) for name in ("main", "edge-1")}


def some(*values: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)


agents = st.fixed_dictionaries(
    {}, optional={"subjects": some("s", "t"), "groups": some("a", "b", "c"), "issuers": some("corp", "hub")}
)
http = st.fixed_dictionaries(
    {},
    optional={
        "targets": some("api", "api-*", "*-2", "*"),
        "methods": some("GET", "HEAD", "POST", "*"),
        "paths": some("/", "/x", "/x/*", "/{id}/y", "/x/**", "/**", "/x/y/z"),
    },
)
on_resources = st.fixed_dictionaries(
    {},
    optional={
        "targets": some("main", "edge-*", "*"),
        "namespaces": some("prod", "dev-*", "*-eu", "*"),
        "apiGroups": some("", "apps", "*.k8s.io", "*"),
        "resources": some("pods", "pods/exec", "pods/*", "*/scale", "*/portforward", "deployments", "roles", "*"),
        "verbs": some("get", "list", "create", "update", "patch", "head", "*"),
    },
)
on_paths = st.fixed_dictionaries(
    {"nonResourcePaths": some("/api", "/apis/*", "/version", "*")}, optional={"verbs": some("get", "head", "post")}
)


def rules(match: st.SearchStrategy[Any], family: str) -> st.SearchStrategy[list[Rule]]:
    spec = st.builds(
        lambda match, who, effect: {
            "effect": effect,
            family: match,
            **({"agents": who} if who else {}),
            **({"mask": {"profiles": ["p"]}} if effect == "constrain" else {}),
        },
        match,
        agents,
        st.sampled_from(("allow", "deny", "constrain")),
    )
    return st.lists(spec, min_size=1, max_size=12).map(compiled)


def compiled(specs: list[Any]) -> list[Rule]:
    named = [{"name": f"r{at:02}", **spec} for at, spec in enumerate(specs)]
    head = {"apiVersion": "gatehold.dev/v1", "kind": "Policy", "metadata": {"name": "p"}}
    document = PolicyDocument.model_validate({**head, "rules": named})
    outcome = compile_rules([document], Surroundings(targets={**HTTP, **KUBERNETES}))
    assert not outcome.problems
    return list(outcome.rules)


callers = st.builds(
    lambda issuer, subject, groups: Agent(issuer=issuer, subject=subject, groups=tuple(sorted(groups))),
    st.sampled_from(("corp", "hub")),
    st.sampled_from(("s", "t", "u")),
    st.sets(st.sampled_from(("a", "b", "c", "d"))),
)


def glob(patterns: Any, value: str) -> bool:
    return patterns is None or any(
        re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), value) for pattern in patterns
    )


def agent_matches(rule: Rule, agent: Agent) -> bool:
    wanted = rule.agents
    return (
        (wanted.subjects is None or agent.subject in wanted.subjects)
        and (wanted.issuers is None or agent.issuer in wanted.issuers)
        and (wanted.groups is None or bool(set(wanted.groups) & set(agent.groups)))
    )


def path_matches(pattern: str, path: str) -> bool:
    inner = "".join(
        "(?:/[^/]+)*" if part == "**" else "/[^/]+" if part[0] in "*{" else "/" + re.escape(part)
        for part in pattern.split("/")
        if part
    )
    return re.fullmatch(inner + "/?", path) is not None


def http_matches(rule: Rule, target: str, action: HttpAction) -> bool:
    spec = rule.match
    assert isinstance(spec, HttpSpec)
    methods = {"HEAD", "GET"} if action.method == "HEAD" else {action.method}
    return (
        glob(spec.targets, target)
        and (spec.methods is None or "*" in spec.methods or bool(methods & set(spec.methods)))
        and (spec.paths is None or any(path_matches(pattern, action.path) for pattern in spec.paths))
    )


def resource_matches(patterns: Any, resource: str, subresource: str, *, forbids: bool) -> bool:
    if subresource == "portforward" and not forbids:
        patterns = [pattern for pattern in patterns or () if pattern.endswith("/portforward")]

    def one(pattern: str) -> bool:
        wanted, slash, part = pattern.partition("/")
        if pattern == "*":
            return True
        if not slash:
            return wanted == resource and not subresource
        return bool(subresource) and wanted in {"*", resource} and part in {"*", subresource}

    return patterns is None or any(one(pattern) for pattern in patterns)


def verbs_match(rule: Rule, patterns: Any, action: KubernetesAction) -> bool:
    if patterns is None or "*" in patterns:
        return True
    verbs = {action.verb, *action.also_verbs}
    if rule.forbids or action.verb == "head":
        return bool(verbs & set(patterns))
    if action.verb == "update" and action.resource in {"pods", "deployments"}:
        return "update" in patterns
    return verbs <= set(patterns)


def kubernetes_matches(rule: Rule, target: str, action: KubernetesAction) -> bool:
    spec = rule.match
    assert isinstance(spec, KubernetesSpec)
    if not (glob(spec.targets, target) and verbs_match(rule, spec.verbs, action)):
        return False
    about_resources = any((spec.namespaces, spec.api_groups, spec.resources))
    if not action.resource_request:
        paths = spec.non_resource_paths
        return not about_resources and (glob(paths, action.path) or glob(paths, action.path.removesuffix("/")))
    if spec.non_resource_paths:
        return False
    if action.covers_all_namespaces:
        in_namespace = rule.forbids or spec.namespaces is None or "*" in spec.namespaces
    else:
        in_namespace = glob(spec.namespaces, action.namespace)
    return (
        in_namespace
        and glob(spec.api_groups, action.group)
        and resource_matches(spec.resources, action.resource, action.subresource, forbids=rule.forbids)
    )


def request(method: str, path: str, content_type: str = "application/json") -> WireRequest:
    return WireRequest(method=method, path=path, headers=(("content-type", content_type),), body=b"")


@given(
    rules(http, "http"),
    callers,
    st.sampled_from(sorted(HTTP)),
    st.sampled_from(("GET", "HEAD", "POST", "DELETE")),
    st.sampled_from(("/", "/x", "/x/", "/x/1", "/1/y", "/x/y", "/x/y/z", "/%78/y", "/q/w/e/r")),
)
def test_http(found: list[Rule], agent: Agent, target: str, method: str, path: str) -> None:
    """The candidates are exactly the rules of which every selector matches, in name order."""
    action = decode(HTTP[target], request(method, path))
    assert isinstance(action, HttpAction)
    index = build_index(Family.HTTP, found)
    assert isinstance(index, HttpIndex)
    want = [rule for rule in found if agent_matches(rule, agent) and http_matches(rule, target, action)]
    assert candidates(index, index.masks(agent, HTTP[target], action)) == want


@given(
    rules(st.one_of(on_resources, on_paths), "kubernetes"),
    callers,
    st.sampled_from(sorted(KUBERNETES)),
    st.sampled_from(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")),
    st.sampled_from(
        (
            *("/api", "/api/", "/apis/apps/v1", "/version", "/api/v1/pods", "/api/v1/namespaces/prod/pods"),
            *("/api/v1/namespaces/dev-1/pods/web", "/api/v1/namespaces/prod/pods/web/exec", "/api/v1/nodes"),
            "/api/v1/namespaces/prod/pods/web/portforward",
            *("/apis/apps/v1/namespaces/a-eu/deployments/web", "/apis/apps/v1/namespaces/prod/deployments/web/scale"),
            "/apis/rbac.authorization.k8s.io/v1/namespaces/prod/roles/a",
        )
    ),
    st.sampled_from(("application/apply-patch+yaml", "application/merge-patch+json")),
)
def test_kubernetes(  # noqa: PLR0917
    found: list[Rule], agent: Agent, target: str, method: str, path: str, content_type: str
) -> None:
    """The same, where one request may cover many namespaces and verbs: walls match one of them, doors all."""
    action = decode(KUBERNETES[target], request(method, path, content_type))
    assert isinstance(action, KubernetesAction)
    index = build_index(Family.KUBERNETES, found)
    assert isinstance(index, KubernetesIndex)
    want = [rule for rule in found if agent_matches(rule, agent) and kubernetes_matches(rule, target, action)]
    assert candidates(index, index.masks(agent, KUBERNETES[target], action)) == want


@given(rules(http, "http"), st.randoms())
def test_order_of_rules_means_nothing(found: list[Rule], random: Any) -> None:
    """An index is the same whatever order its rules come in, and holds those of its family only."""
    shuffled = list(found)
    random.shuffle(shuffled)
    assert build_index(Family.HTTP, shuffled).rules == build_index(Family.HTTP, found).rules
    assert build_index(Family.KUBERNETES, shuffled).rules == ()


def test_an_empty_index_has_no_candidates() -> None:
    """Without rules nothing matches."""
    index = build_index(Family.HTTP, [])
    action: Action = decode(HTTP["api"], request("GET", "/"))
    assert isinstance(index, HttpIndex)
    assert isinstance(action, HttpAction)
    assert candidates(index, index.masks(Agent(issuer="i", subject="s"), HTTP["api"], action)) == []
