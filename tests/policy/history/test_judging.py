"""Law: of a recorded call it is said what would have been said of the call itself, or that it cannot be said."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.actions.knowledge import KnownObjects
from policy.codes import Code
from policy.history.differences import WHOLE, differences
from policy.history.judging import Judge, Judged
from policy.model import Agent, TargetName, Verdict
from tests.policy.history.recorded import AGENT, AT, JSON, TARGETS, answered, call, engine

RULES = """
- {name: read, effect: allow, http: {targets: [crm], methods: [GET], paths: ["/customers/{id}", "/customers/{id}/orders"]}}
- {name: not-seven, effect: deny, http: {targets: [crm], methods: [GET], paths: ["/customers/7/**"]}}
- name: post
  effect: allow
  http: {targets: [crm], methods: [POST], paths: ["/orders"]}
  when: body.amount <= 100
- name: vip
  effect: constrain
  http: {targets: [crm], methods: [POST], paths: ["/orders"]}
  when: has(body.who) && body.who.mail == "boss@example.com"
  approval: {groups: [sre]}
- name: team
  effect: allow
  agents: {claims: {team: red}}
  http: {targets: [crm], methods: [DELETE], paths: ["/orders/{id}"]}
- name: tagged
  effect: allow
  http: {targets: [crm], methods: [GET], paths: ["/search"]}
  when: '!has(http.query.q) || http.query.q[0] != "secret"'
"""


def said(judged: Judged) -> str | None:
    """The verdict; None where there is none."""
    return None if judged.decision is None else judged.decision.verdict.value


@pytest.mark.parametrize(
    ("given", "hidden", "wanted"),
    [
        ({"path": "/customers/1"}, {}, "allow"),
        ({"path": "/customers/7"}, {}, "deny"),
        ({"path": "/customers/<X>"}, {"path": (("1",),)}, None),  # it may have been 7
        ({"path": "/customers/1/<X>"}, {"path": (("2",),)}, None),  # it may have been orders
        ({"path": "/else/<X>"}, {"path": (("1",),)}, "deny"),
        ({"path": "/customers/<X>/a/b"}, {"path": (("1",),)}, None),
        ({"path": "/<X>/1"}, {"path": WHOLE}, None),
        ({"path": "/search?q=<X>"}, {"query": (("q",),)}, None),
        ({"path": "/search?p=<X>"}, {"query": (("p",),)}, "allow"),
        ({"path": "/customers/1?q=<X>"}, {"query": (("q",),)}, "allow"),
        ({"path": "/customers/1", "headers": (("X-A", "<X>"),)}, {"headers": (("x-a",),)}, "allow"),
    ],
)
def test_hidden_parts_of_requests(given: dict[str, Any], hidden: Any, wanted: str | None) -> None:
    """What is hidden matters where a rule could have asked for it, and nowhere else."""
    judged = Judge(engine(RULES)).judge(call(**given, hidden=hidden))
    assert said(judged) == wanted
    assert bool(judged.because) is (wanted is None)


@pytest.mark.parametrize(
    ("body", "places", "wanted"),
    [
        ({"amount": 5}, (), "allow"),
        ({"amount": 500}, (), "deny"),
        ({"amount": 5, "who": {"name": "<X>"}}, (("who", "name"),), None),  # the condition fails: there is no mail
        ({"amount": 5, "who": {"name": "<X>", "mail": "a@b.c"}}, (("who", "name"),), "allow"),
        ({"amount": 5, "who": {"mail": "<X>"}}, (("who", "mail"),), None),
        ({"amount": 5, "note": "<X>"}, (("note",),), "allow"),
        ({"amount": "<X>"}, (("amount",),), None),
        ({"amount": 5}, WHOLE, None),
    ],
)
def test_hidden_parts_of_bodies(body: Any, places: Any, wanted: str | None) -> None:
    """Fields that no condition reads do not matter."""
    if wanted is None and places == (("who", "name"),):
        wanted = "deny"  # unevaluable, whatever the name was
    one = call("/orders", method="POST", body=json.dumps(body).encode(), headers=JSON, hidden={"body": places})
    judged = Judge(engine(RULES)).judge(one)
    assert said(judged) == wanted


def test_hidden_claims() -> None:
    """A claim that a selector asks for; others do not matter."""
    agent = replace(AGENT, claims={"team": "<X>", "mail": "<X>"})
    one = {"path": "/orders/1", "method": "DELETE", "agent": agent}
    assert Judge(engine(RULES)).judge(call(**one, hidden={"claims": (("team",),)})).decision is None
    assert Judge(engine(RULES)).judge(call(**one, hidden={"claims": WHOLE})).decision is None
    assert Judge(engine(RULES)).judge(call(**one, hidden={"claims": (("mail",),)})).decision is not None


def test_a_wall_that_is_sure_is_enough() -> None:
    """What another rule would have said of something hidden does not lift a wall."""
    rules = RULES + '- {name: wall, effect: deny, http: {targets: [crm], methods: [POST], paths: ["/**"]}}\n'
    one = call("/orders", method="POST", body=b'{"amount": "<X>"}', headers=JSON, hidden={"body": (("amount",),)})
    judged = Judge(engine(rules)).judge(one)
    assert judged.decision is not None
    assert judged.decision.verdict is Verdict.DENY


def test_without_input() -> None:
    """Recordings of earlier versions do not tell groups and claims: nothing is guessed."""
    assert Judge(engine(RULES)).judge(call("/customers/1", input=None)).decision is None


def test_a_body_that_policy_had_not() -> None:
    """What was not available then is not available now."""
    judged = Judge(engine(RULES)).judge(call("/orders", method="POST", body=None, headers=JSON))
    assert judged.decision is not None
    assert judged.decision.code is Code.UNEVALUABLE


def test_a_target_that_is_not_there() -> None:
    """A policy without the target refuses."""
    judged = Judge(
        engine("- {name: r, effect: allow, http: {}}", {TargetName("crm"): TARGETS[TargetName("crm")]})
    ).judge(call("/api/v1/pods", target="main"))
    assert judged.decision is not None
    assert judged.decision.code is Code.UNREGISTERED_TARGET


SCALE = """
- {name: scale, effect: allow, kubernetes: {targets: [main], resources: [deployments/scale], apiGroups: [apps], verbs: [patch]}}
- name: grow
  effect: constrain
  kubernetes: {targets: [main], resources: [deployments/scale], apiGroups: [apps], verbs: [patch]}
  when: k8s.replicas > k8s.oldReplicas
  approval: {groups: [sre]}
"""
PATCH = {
    "path": "/apis/apps/v1/namespaces/dev/deployments/web/scale",
    "method": "PATCH",
    "target": "main",
    "headers": (("Content-Type", "application/merge-patch+json"),),
    "body": b'{"spec": {"replicas": 5}}',
}
OLD = {"kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": 3}}


def test_objects_that_were_looked_up() -> None:
    """What was found out then is used now; where a policy wants more than was looked at, nothing is said."""
    judge = Judge(engine(SCALE))
    known = judge.judge(call(**PATCH, known=KnownObjects(old=OLD)))
    assert known.decision is not None
    assert known.decision.verdict is Verdict.HOLD
    unknown = judge.judge(call(**PATCH))
    assert unknown.decision is None
    assert "not looked at" in unknown.because
    hidden = judge.judge(call(**PATCH, known=KnownObjects(old=OLD), hidden={"old": (("spec", "replicas"),)}))
    assert hidden.decision is None
    elsewhere = judge.judge(call(**PATCH, known=KnownObjects(old=OLD), hidden={"old": (("metadata", "name"),)}))
    assert elsewhere.decision is not None


def test_hidden_name_and_namespace_of_a_cluster() -> None:
    """A name that no rule asks for does not matter; a place in the cluster always does."""
    rules = """
- {name: pods, effect: allow, kubernetes: {targets: [main], namespaces: [dev], apiGroups: [""], resources: [pods], verbs: [get]}}
- {name: one, effect: allow, kubernetes: {targets: [main], apiGroups: [""], resources: [services], verbs: [get], names: [web]}}
"""
    judge = Judge(engine(rules))
    path = "/api/v1/namespaces/dev/{}/<X>"
    name = {"path": (("5",),)}
    assert judge.judge(call(path.format("pods"), target="main", hidden=name)).decision is not None
    assert judge.judge(call(path.format("services"), target="main", hidden=name)).decision is None
    place = call("/api/v1/namespaces/<X>/pods/a", target="main", hidden={"path": (("3",),)})
    assert judge.judge(place).decision is None


def test_limits_count() -> None:
    """Calls before use up what there is; each policy has its own count."""
    rules = '- {name: r, effect: allow, http: {targets: [crm], methods: [GET], paths: ["/**"]}, limit: {calls: 2/day}}'
    judge = Judge(engine(rules))
    codes = [judge.judge(call(time=AT + n)).decision for n in range(3)]
    assert [each.code.value for each in codes if each is not None] == ["allowed", "allowed", "budget-spent"]
    free = Judge(engine(rules), with_limits=False)
    assert all(free.judge(call(time=AT + n)).decision.verdict is Verdict.ALLOW for n in range(3))  # type: ignore[union-attr]


NAMES = st.sampled_from(["7", "1", "orders", "boss@example.com", "a@b.c", "secret", "x"])
BODIES = st.fixed_dictionaries(
    {"amount": st.sampled_from([1, 100, 101, "1"])},
    optional={"who": st.fixed_dictionaries({}, optional={"mail": NAMES, "name": NAMES}), "note": NAMES},
)


def _some_masked(value: Any, draw: Any) -> Any:
    if isinstance(value, dict):
        return {key: _some_masked(held, draw) for key, held in value.items()}
    return "<X>" if draw(st.booleans()) else value


@given(st.data(), BODIES, st.lists(NAMES, max_size=3), st.lists(st.tuples(st.sampled_from("qp"), NAMES), max_size=2))
def test_masking_never_tells_another_story(
    data: st.DataObject, body: dict[str, Any], segments: list[str], query: list[tuple[str, str]]
) -> None:
    """Whatever is masked: the verdict is that about the call in clear, or there is none."""
    judging = engine(RULES)
    root, method = data.draw(
        st.sampled_from([("customers", "GET"), ("orders", "POST"), ("orders", "DELETE"), ("search", "GET")])
    )
    agent = Agent(
        issuer="corp", subject="a", claims={"team": data.draw(st.sampled_from(["red", "blue"])), "mail": "a@b.c"}
    )
    words = [root, *segments]
    content = json.dumps(body).encode() if method == "POST" else b""
    headers = JSON if method == "POST" else ()
    path = "/" + "/".join(words) + ("?" + "&".join(f"{key}={value}" for key, value in query) if query else "")
    clear = call(path, method=method, body=content, headers=headers, agent=agent)

    kept = [words[0], *("<X>" if data.draw(st.booleans()) else word for word in segments)]
    pairs = [(key, "<X>" if data.draw(st.booleans()) else value) for key, value in query]
    masked_body = _some_masked(body, data.draw)
    claims = _some_masked(dict(agent.claims), data.draw)
    hidden = {
        "path": differences(words, kept),
        "query": tuple(
            dict.fromkeys((key,) for (key, one), (_, other) in zip(query, pairs, strict=True) if one != other)
        ),
        "body": differences(body, masked_body) if content else (),
        "claims": differences(agent.claims, claims),
    }
    masked = call(
        "/" + "/".join(kept) + ("?" + "&".join(f"{key}={value}" for key, value in pairs) if pairs else ""),
        method=method,
        body=json.dumps(masked_body).encode() if content else b"",
        headers=headers,
        agent=replace(agent, claims=claims),
        hidden={part: places for part, places in hidden.items() if places},
    )
    judged = Judge(judging).judge(masked)
    assert judged.decision is None or judged.decision.verdict.value == answered(judging, clear)


def test_the_moment_of_the_call_counts() -> None:
    """A rule that was not in force yet does not match a call of then."""
    at = datetime.fromtimestamp(AT + 60, UTC).isoformat()
    rules = f'- {{name: r, effect: allow, notBefore: "{at}", http: {{targets: [crm], paths: ["/**"]}}}}'
    judge = Judge(engine(rules))
    assert judge.judge(call()).decision.verdict is Verdict.DENY  # type: ignore[union-attr]
    assert judge.judge(call(time=AT + 61)).decision.verdict is Verdict.ALLOW  # type: ignore[union-attr]
