"""Laws of likeness: whatever the approver saw and is not bounded has to come again, in every shape of a write."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.approvals.fingerprint import BoundCall
from gatehold.approvals.grants import CallTraits, Grant, GrantId
from gatehold.approvals.likeness import resource_of, terms, traits
from gatehold.approvals.model import ApprovalId, RuleRef
from policy.actions.decoding import decode
from policy.model import (
    Agent,
    ApprovalObligation,
    Family,
    RuleName,
    SessionId,
    TargetName,
    TargetTraits,
    WireRequest,
)

KEY = b"k" * 32
AGENT = Agent(issuer="corp", subject="a1", session=SessionId("s1"))
MAIN = TargetTraits(name=TargetName("main"), family=Family.KUBERNETES)
CRM = TargetTraits(name=TargetName("crm"), family=Family.HTTP)
RULE = RuleRef(name=RuleName("asks"), digest="d1")
MERGE, APPLY, JSON_PATCH = "application/merge-patch+json", "application/apply-patch+yaml", "application/json-patch+json"
DEPLOYMENT = "/apis/apps/v1/namespaces/prod/deployments/api"
SCALE = f"{DEPLOYMENT}/scale"


def call(
    method: str,
    path: str,
    body: Any = b"",
    content_type: str = "application/json",
    target: TargetTraits = MAIN,
    **headers: str,
) -> CallTraits:
    """The traits of one request."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = (("Content-Type", content_type), *((name.replace("_", "-"), value) for name, value in headers.items()))
    action = decode(target, WireRequest(method=method, path=path, headers=fields, body=raw))
    bound = BoundCall(
        issuer="corp",
        subject="a1",
        target=target.name,
        scheme="https",
        host="h",
        port=443,
        credential="value",
        method=method,
        path=action.wire_path,
        headers=fields,
        body=raw,
        rules=(RULE,),
        facts=action.facts(),
    )
    return traits(action, AGENT, target.name, bound=bound, patterns=["/customers/*"], key=KEY)


def covers(seen: CallTraits, later: CallTraits, scope: Any) -> bool:
    """Whether a yes to the one spares the other."""
    obligation = ApprovalObligation(rules=(RULE.name,), groups=(frozenset({"sre"}),), grant=900.0, scope=scope)
    left = terms(seen, obligation, longest=600.0)
    if left is None:
        return False
    assert left.seconds == 600.0
    grant = Grant(
        id=GrantId("gr_1"),
        approval=ApprovalId("apr_1"),
        issuer="corp",
        subject="a1",
        session=SessionId("s1"),
        target=seen.target,
        rules=(RULE,),
        terms=left,
        created=0.0,
        expires=600.0,
    )
    return grant.covers(later, RULE, now=1.0)


def scaled(replicas: Any, **more: Any) -> dict[str, Any]:
    """A merge patch."""
    return {"spec": {"replicas": replicas}, **more}


SEEN = call("PATCH", SCALE, scaled(5), MERGE)


@pytest.mark.parametrize("replicas", [5, 3, 0])
def test_fewer_replicas_are_covered(replicas: int) -> None:
    """Down to none."""
    assert covers(SEEN, call("PATCH", SCALE, scaled(replicas), MERGE), "resource")


@pytest.mark.parametrize(
    "later",
    [
        call("PATCH", SCALE, scaled(6), MERGE),
        call("PATCH", SCALE, scaled(-1), MERGE),
        call("PATCH", SCALE, scaled(None), MERGE),
        call("PATCH", SCALE, scaled("5"), MERGE),
        call("PATCH", SCALE, scaled(True), MERGE),
        call("PATCH", SCALE, scaled(5, metadata={"labels": {"a": "b"}}), MERGE),
        call("PATCH", SCALE, {"spec": {"replicas": 5, "template": {}}}, MERGE),
        call("PATCH", SCALE, scaled(5), "application/strategic-merge-patch+json"),
        call("PATCH", SCALE, [{"op": "replace", "path": "/spec/replicas", "value": 5}], JSON_PATCH),
        call("PATCH", SCALE, b"spec: {replicas: 5}", APPLY),
        call("PATCH", SCALE, b'{"spec":{"replicas":5,"replicas":5}}', MERGE),
        call("PATCH", f"{SCALE}?dryRun=All", scaled(5), MERGE),
        call("PATCH", f"{SCALE}?fieldManager=x", scaled(5), MERGE),
        call("PATCH", SCALE, scaled(5), MERGE, X_Anything="1"),
        call("PATCH", DEPLOYMENT, scaled(5), MERGE),
        call("PATCH", f"{DEPLOYMENT}/status", scaled(5), MERGE),
        call("PATCH", SCALE.replace("prod", "dev"), scaled(5), MERGE),
        call("PATCH", SCALE.replace("/api/", "/web/").replace("deployments/api", "deployments/web"), scaled(5), MERGE),
        call("PATCH", SCALE.replace("deployments", "statefulsets"), scaled(5), MERGE),
        call("PATCH", SCALE.replace("/apps/v1/", "/extensions/v1beta1/"), scaled(5), MERGE),
        call("PUT", SCALE, scaled(5)),
        call("GET", SCALE),
    ],
)
def test_nothing_else_is_covered(later: CallTraits) -> None:
    """Another number, shape, type, query, header, subresource, namespace, name, kind, group or verb."""
    assert not covers(SEEN, later, "resource")


def test_a_rule_covers_other_names_in_the_same_namespace() -> None:
    """And nothing more than that."""
    other = SCALE.replace("deployments/api", "deployments/web")
    assert covers(SEEN, call("PATCH", other, scaled(4), MERGE), "rule")
    assert not covers(SEEN, call("PATCH", other.replace("prod", "dev"), scaled(4), MERGE), "rule")
    assert not covers(SEEN, call("PATCH", other, scaled(4, a=1), MERGE), "rule")


def test_creates_of_a_kind_are_alike_but_for_their_names() -> None:
    """The namespace in the body is a part of it, and so is what the object holds."""
    path = "/api/v1/namespaces/prod/configmaps"
    one = {"metadata": {"name": "a"}, "data": {"k": "v"}}
    assert covers(call("POST", path, one), call("POST", path, {**one, "metadata": {"name": "b"}}), "rule")
    assert not covers(call("POST", path, one), call("POST", path, {**one, "data": {"k": "w"}}), "rule")
    assert not covers(call("POST", path, one), call("POST", path, {**one, "metadata": {"name": "b"}}), "resource")


def test_a_scale_that_is_put_is_compared_by_its_spec() -> None:
    """What the server filled in came back with it."""
    first = {
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {"resourceVersion": "1"},
        "spec": {"replicas": 5},
    }
    later = {**first, "metadata": {"resourceVersion": "9", "uid": "u"}, "status": {"replicas": 5}}
    assert covers(call("PUT", SCALE, first), call("PUT", SCALE, later), "resource")
    assert not covers(call("PUT", SCALE, first), call("PUT", SCALE, {**later, "spec": {"replicas": 6}}), "resource")
    whole = {**first, "kind": "Deployment", "apiVersion": "apps/v1"}
    assert not covers(
        call("PUT", DEPLOYMENT, whole), call("PUT", DEPLOYMENT, {**whole, "status": {"x": 1}}), "resource"
    )


def test_lists_and_watches_are_different() -> None:
    """Also of all namespaces, and by what they select."""
    path = "/api/v1/namespaces/prod/pods"
    assert covers(call("GET", path), call("GET", path), "rule")
    assert not covers(call("GET", path), call("GET", path), "resource"), "it names no one thing"
    for other in (f"{path}?watch=true", f"{path}?labelSelector=a", "/api/v1/pods", f"{path}/web", f"{path}/web/log"):
        assert not covers(call("GET", path), call("GET", other), "rule")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/prod/pods/web/attach",
        "/api/v1/namespaces/prod/pods/web/portforward",
        "/api/v1/namespaces/prod/pods/web/proxy/x",
        "/api/v1/namespaces/prod/pods/web/exec?command=sh&stdin=true",
    ],
)
def test_what_nobody_saw_leaves_nothing(path: str) -> None:
    """Tunnels are for one time."""
    assert not covers(call("POST", path), call("POST", path), "rule")
    assert not covers(call("POST", path), call("POST", path), "resource")


def test_http_calls_are_alike_byte_by_byte() -> None:
    """Body, query, headers and method; with ``rule`` any path of the same patterns."""
    seen = call("POST", "/customers/1?a=1", {"amount": 5}, target=CRM)
    assert covers(seen, call("POST", "/customers/1?a=1", {"amount": 5}, target=CRM), "resource")
    assert covers(seen, call("POST", "/customers/2?a=1", {"amount": 5}, target=CRM), "rule")
    assert not covers(seen, call("POST", "/customers/2?a=1", {"amount": 5}, target=CRM), "resource")
    for later in (
        call("POST", "/customers/1?a=1", {"amount": 4}, target=CRM),
        call("POST", "/customers/1?a=1&b=2", {"amount": 5}, target=CRM),
        call("POST", "/customers/1", {"amount": 5}, target=CRM),
        call("PUT", "/customers/1?a=1", {"amount": 5}, target=CRM),
        call("POST", "/customers/1?a=1", b'{"amount":5}', target=CRM),
        call("POST", "/customers/1?a=1", {"amount": 5}, target=CRM, Prefer="force"),
    ):
        assert not covers(seen, later, "resource")
        assert not covers(seen, later, "rule")
    assert not covers(seen, replace(seen, resource="/other/*"), "rule")


def test_volatile_headers_do_not_matter() -> None:
    """They are those of the fingerprint."""
    assert covers(SEEN, call("PATCH", SCALE, scaled(5), MERGE, User_Agent="x", Kubectl_Session="1"), "resource")


@given(st.binary(max_size=200), st.sampled_from(["application/json", MERGE, APPLY, JSON_PATCH, "text/plain"]))
def test_any_body_is_read_without_an_error(body: bytes, content_type: str) -> None:
    """And is like itself, unless its call leaves nothing."""
    seen = call("PATCH", DEPLOYMENT, body, content_type)
    assert covers(seen, seen, "resource")


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=4), st.integers(0, 20))
def test_no_other_object_is_like_it(extra: dict[str, Any], replicas: int) -> None:
    """Whatever is added beside what may differ is seen."""
    seen, body = (
        call("PATCH", DEPLOYMENT, scaled(10), MERGE),
        {**scaled(replicas), **{f"x{key}": value for key, value in extra.items()}},
    )
    assert covers(seen, call("PATCH", DEPLOYMENT, body, MERGE), "resource") is (replicas <= 10 and not extra)


def test_kinds_are_written_as_kubectl_writes_them() -> None:
    """With their group, so that no two are alike."""
    assert resource_of("apps", "deployments", "scale") == "deployments.apps/scale"
    assert resource_of("", "pods", "exec") == "pods/exec"
