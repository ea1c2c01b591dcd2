"""What is worth a look before a refusal is final."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.actions.decoding import decode
from policy.actions.knowledge import KnownObjects
from policy.actions.kubernetes import KubernetesAction
from policy.codes import Code
from policy.engine import Engine
from policy.model import Agent, Decision, Family, TargetName, TargetTraits, Verdict, Wanted, WireRequest
from policy.rules.schema import PolicyDocument

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
MAIN = TargetTraits(name=TargetName("main"), family=Family.KUBERNETES)
AGENT = Agent(issuer="corp", subject="s")
POD, WEB = "/api/v1/namespaces/x/pods/p", "/apis/apps/v1/namespaces/x/deployments/web"
DOOR: dict[str, Any] = {"effect": "allow"}


def engine(*rules: dict[str, Any]) -> Engine:
    named = [{"name": f"r{at}", "kubernetes": {}, **rule} for at, rule in enumerate(rules)]
    head = {"apiVersion": "gatehold.dev/v1", "kind": "Policy", "metadata": {"name": "p"}}
    return Engine.compile([PolicyDocument.model_validate({**head, "rules": named})], {"main": MAIN})


def action(method: str, path: str, body: Any = None) -> KubernetesAction:
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    sent = b"" if body is None else json.dumps(body).encode()
    decoded = decode(MAIN, WireRequest(method=method, path=path, headers=(("content-type", kind),), body=sent))
    assert isinstance(decoded, KubernetesAction)
    return decoded


def decide(made: KubernetesAction, *rules: dict[str, Any]) -> Decision:
    return engine(*rules).decide(AGENT, MAIN.name, made, now=NOW)


def wall(**terms: Any) -> dict[str, Any]:
    return {"effect": "deny", **terms}


PATCH = action("PATCH", WEB, {"spec": {"paused": True}})
LABELLED = {"kubernetes": {"labels": {"a": "b"}}}


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("k8s.oldReplicas > 3", "old"),
        ("oldObject.spec.x == 1", "old"),
        ("k8s.replicas > 3", "new"),
        ("object.spec.x == 1", "new"),
        ("k8s.images == []", "new"),
        ("'a' in k8s.labels", "new"),
        ("k8s.replicas > k8s.oldReplicas", "new old"),
        ("agent.claims.tier == 'gold'", ""),
        ("k8s.replicas > 3 || agent.claims.tier == 'gold'", "new"),
    ],
)
def test_facts(condition: str, wanted: str) -> None:
    """Every fact that an object tells, and no other; a condition that errs for another reason is final."""
    found = decide(PATCH, DOOR, wall(when=condition))
    assert (found.code, " ".join(sorted(found.wanted))) == (Code.UNEVALUABLE, wanted)
    found = decide(PATCH, {**DOOR, "when": condition})
    assert (found.code, " ".join(sorted(found.wanted))) == (Code.DEFAULT_DENY, wanted)


@pytest.mark.parametrize(
    "rules",
    [
        (wall(), DOOR, wall(when="k8s.replicas > 3")),
        (wall(when="k8s.replicas > 3"),),
        (DOOR, wall(when="k8s.replicas > 3"), wall(when="agent.claims.x == 1")),
        (wall(when="k8s.replicas > 3"), {**DOOR, "when": "agent.subject == 'other'"}),
        ({**DOOR, **LABELLED, "when": "agent.subject == 'other'"},),
        ({**DOOR, **LABELLED, "when": "agent.claims.x == 1"},),
        ({**DOOR, "mode": "shadow", "when": "k8s.replicas > 3"},),
        ({**DOOR, "when": "k8s.replicas > 3", "notAfter": "2026-01-01T00:00:00Z"},),
        ({**DOOR, "kubernetes": {"names": ["db"]}, "when": "k8s.replicas > 3"},),
    ],
)
def test_hopeless(rules: tuple[dict[str, Any], ...]) -> None:
    """A certain wall, a doubt that no object clears, or no door that could open: the refusal is final."""
    found = decide(PATCH, *rules)
    assert (found.verdict, found.wanted) == (Verdict.DENY, frozenset())


def test_everything_is_wanted_at_once() -> None:
    """What any doubt and any door could need; nothing for a door where one is open already."""
    by_labels, by_condition = {**DOOR, **LABELLED}, {**DOOR, "when": "k8s.oldReplicas == 1"}
    assert decide(PATCH, by_labels, wall(when="k8s.replicas > 3")).wanted == {Wanted.OLD, Wanted.NEW}
    assert decide(PATCH, by_labels, by_condition, wall(when="k8s.replicas > 3")).wanted == {Wanted.OLD, Wanted.NEW}
    assert decide(PATCH, DOOR, by_condition, wall(when="k8s.replicas > 3")).wanted == {Wanted.NEW}
    gate = {"effect": "constrain", "approval": {"groups": ["g"]}, **LABELLED}
    assert decide(PATCH, DOOR, gate, wall(when="k8s.replicas > 3")).wanted == {Wanted.OLD, Wanted.NEW}


def test_only_refusals_want() -> None:
    """A turnstile whose labels are not known matches, and that is an answer."""
    found = decide(PATCH, DOOR, {"effect": "constrain", "approval": {"groups": ["g"]}, **LABELLED})
    assert (found.verdict, found.wanted) == (Verdict.HOLD, frozenset())


@pytest.mark.parametrize(
    ("method", "path", "about_one"),
    [
        ("PATCH", WEB, True),
        ("PUT", WEB, True),
        ("DELETE", WEB, True),
        ("POST", "/api/v1/namespaces/x/pods", True),
        ("GET", f"{POD}/log", True),
        ("POST", f"{POD}/eviction", True),
        ("PATCH", "/api/v1/nodes/n", True),
        ("PATCH", "/apis/example.com/v1/things/t", True),
        ("PATCH", "/api/v1/pods/p", False),
        ("DELETE", "/api/v1/namespaces/x/pods", False),
        ("GET", "/api/v1/namespaces/x/pods", False),
        ("GET", "/api/v1/watch/pods", False),
        ("GET", POD, False),
        ("OPTIONS", f"{POD}/log", False),
        ("GET", "/api/v1/proxy/namespaces/x/pods/p", False),
        ("POST", "/version", False),
    ],
)
def test_calls_that_are_about_one_object(method: str, path: str, about_one: bool) -> None:
    """Nothing is looked up for collections, reads and paths that are no resource."""
    condition = "oldObject.a == 'b' || k8s.replicas == 5"
    assert bool(decide(action(method, path), DOOR, wall(when=condition)).wanted) is about_one


OBJECTS = st.fixed_dictionaries(
    {"metadata": st.fixed_dictionaries({}, optional={"labels": st.sampled_from([{"a": "b"}, {}, {"a": 5}])})},
    optional={"spec": st.fixed_dictionaries({}, optional={"replicas": st.sampled_from([1, 20, "x"])})},
)
CONDITIONS = st.sampled_from(
    [
        *("k8s.replicas > 3", "k8s.replicas > k8s.oldReplicas", "object.spec.replicas == 20", "'a' in k8s.labels"),
        *("oldObject.spec.replicas == 1", "k8s.images == []", "agent.claims.x == 1", "k8s.verb == 'patch'"),
    ]
)
RULES = st.lists(
    st.builds(
        lambda effect, labels, when: {
            **({"effect": effect} if effect != "constrain" else {"effect": effect, "approval": {"groups": ["g"]}}),
            **(LABELLED if labels else {}),
            **({"when": when} if when else {}),
        },
        st.sampled_from(["allow", "allow", "deny", "constrain"]),
        st.booleans(),
        st.none() | CONDITIONS,
    ),
    min_size=1,
    max_size=5,
)
CALLS = st.sampled_from(
    [
        PATCH,
        action("PUT", WEB, {"metadata": {"labels": {"a": "b"}}, "spec": {"replicas": 20}}),
        action("DELETE", WEB),
        action("POST", "/api/v1/namespaces/x/pods", {"metadata": {"name": "p"}}),
        action("PATCH", f"{WEB}/scale", {"spec": {"replicas": 20}}),
        action("GET", f"{POD}/exec?command=sh"),
        action("PUT", f"{POD}/status", {}),
        action("GET", "/api/v1/namespaces/x/pods"),
    ]
)


@settings(deadline=None)
@given(RULES, CALLS, OBJECTS, OBJECTS, OBJECTS)
def test_what_is_known_is_never_wanted(
    rules: list[dict[str, Any]], made: KubernetesAction, old: Any, new: Any, parent: Any
) -> None:
    """Handing over what is wanted ends after as many rounds as there are objects, and only refusals want anything."""
    objects, known = {Wanted.OLD: old, Wanted.NEW: new, Wanted.PARENT: parent}, KnownObjects()
    judge, asked = engine(*rules), set[Wanted]()
    for _ in range(len(Wanted) + 1):
        decision = judge.decide(AGENT, MAIN.name, made.knowing(known), now=NOW)
        assert not (decision.wanted and decision.verdict is not Verdict.DENY)
        assert not decision.wanted & asked
        asked |= decision.wanted
        known = KnownObjects(**{each.value: objects[each] for each in asked})
    assert not decision.wanted
