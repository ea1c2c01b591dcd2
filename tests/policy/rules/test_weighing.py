"""One candidate rule on one call: three outcomes, and what was read for them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from policy.actions.decoding import decode
from policy.expressions import Outcome
from policy.model import Agent, Family, TargetName, TargetTraits, WireRequest
from policy.rules.compiler import Surroundings, compile_rules
from policy.rules.rule import Effect, Rule
from policy.rules.schema import PolicyDocument
from policy.rules.weighing import Call, Finding, message, weigh_all

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
API = TargetTraits(name=TargetName("api"), family=Family.HTTP)
MAIN = TargetTraits(name=TargetName("main"), family=Family.KUBERNETES)
AGENT = Agent(issuer="corp", subject="s", groups=("g",), claims={"tier": "gold"})


def rule(effect: str, family: str = "http", **keys: Any) -> Rule:
    demand = {"mask": {"profiles": ["p"]}} if effect == "constrain" else {}
    spec = {"name": "r", "effect": effect, **demand, **({} if family in keys else {family: {}}), **keys}
    head = {"apiVersion": "gatehold.dev/v1", "kind": "Policy", "metadata": {"name": "p"}}
    outcome = compile_rules([PolicyDocument.model_validate({**head, "rules": [spec]})], Surroundings(targets={}))
    assert not outcome.problems
    return outcome.rules[0]


def call(
    target: TargetTraits, method: str, path: str, body: bytes | None = b"", kind: str = "application/json"
) -> Call:
    request = WireRequest(method=method, path=path, headers=(("content-type", kind),), body=body)
    return Call(AGENT, target, decode(target, request), NOW)


def find(found: Rule, made: Call) -> Finding:
    (finding,) = weigh_all([found], made).findings
    return finding


EFFECTS = ("deny", "constrain", "allow")
LIST, GET = "/api/v1/namespaces/x/pods", "/api/v1/namespaces/x/pods/web-1"


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize(
    ("method", "path", "body", "known"),
    [
        ("GET", GET, b"", True),
        ("GET", f"{LIST}?fieldSelector=metadata.name=web-1", b"", True),
        ("POST", LIST, b'{"metadata": {"name": "web-1"}}', True),
        ("HEAD", LIST, b"", None),
        ("DELETE", LIST, b"", None),
        ("POST", LIST, b'{"metadata": {"generateName": "web-"}}', None),
        ("POST", LIST, b"{", None),
        ("POST", LIST, None, None),
        ("GET", "/api/v1/namespaces/x/pods/db-1", b"", False),
    ],
)
def test_names(effect: str, method: str, path: str, body: bytes | None, known: bool | None) -> None:
    """A name that is not known, or any name, is met by every wall and turnstile, and by no door to what is not read."""
    found = find(rule(effect, "kubernetes", kubernetes={"names": ["web-*"]}), call(MAIN, method, path, body))
    matches = known if known is not None else effect != "allow"
    assert (found.outcome is Outcome.MATCH) == matches
    assert found.selector == ("" if matches else "names")


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize(
    ("method", "path", "body", "known"),
    [
        ("POST", LIST, b'{"metadata": {"name": "a", "labels": {"app": "web", "x": "y"}}}', True),
        ("POST", LIST, b'{"metadata": {"name": "a", "labels": {"app": "db"}}}', False),
        ("POST", LIST, b'{"metadata": {"name": "a"}}', False),
        ("POST", LIST, b'{"metadata": {"name": "a", "labels": {"app": 1}}}', None),
        ("POST", f"{GET}/eviction", b'{"metadata": {"labels": {"app": "web"}}}', None),
        ("PUT", GET, b'{"metadata": {"name": "web-1", "labels": {"app": "web"}}}', None),
        ("HEAD", GET, b"", None),
        ("GET", f"{GET}/log", b"", None),
        ("DELETE", GET, b"", None),
    ],
)
def test_labels(effect: str, method: str, path: str, body: bytes, known: bool | None) -> None:
    """Only a create tells the labels; unknown ones are met by every wall and turnstile, and by no door to a write."""
    found = find(rule(effect, "kubernetes", kubernetes={"labels": {"app": "web"}}), call(MAIN, method, path, body))
    assert (found.outcome is Outcome.MATCH) == (known if known is not None else effect != "allow")


@pytest.mark.parametrize("name", ["web-1", "web-1:80", "https:web-1:", "https:web-1:443"])
@pytest.mark.parametrize(
    "form",
    ["/api/v1/namespaces/x/services/{}/proxy/a", "/api/v1/proxy/namespaces/x/pods/{}/a", "/api/v1/nodes/{}/proxy"],
)
def test_names_behind_a_proxy(form: str, name: str) -> None:
    """A port and a scheme beside the name lead around no wall, and through no door."""
    made = call(MAIN, "GET", form.format(name), b"")
    globs = {"names": ["web-*"], "resources": ["*"]}
    assert find(rule("deny", "kubernetes", kubernetes=globs), made).outcome is Outcome.MATCH
    door = Outcome.MATCH if name.startswith("web-") else Outcome.NO_MATCH
    assert find(rule("allow", "kubernetes", kubernetes=globs), made).outcome is door


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("limited", [{"names": ["web-*"]}, {"labels": {"app": "web"}}])
@pytest.mark.parametrize("path", [LIST, f"{LIST}?watch=1", "/api/v1/watch/pods", "/api/v1/pods"])
def test_an_answer_that_can_be_filtered(effect: str, limited: Any, path: str) -> None:
    """Walls and turnstiles match a read of many, and doors open to it: what does not fit is left out of the answer."""
    assert find(rule(effect, "kubernetes", kubernetes=limited), call(MAIN, "GET", path)).outcome is Outcome.MATCH


@pytest.mark.parametrize(
    ("condition", "outcome"),
    [
        ("agent.issuer == 'corp' && agent.subject == 's' && 'g' in agent.groups", Outcome.MATCH),
        ("agent.claims.tier == 'gold' && target.name == 'api'", Outcome.MATCH),
        ("now == timestamp('2026-03-04T12:00:00Z')", Outcome.MATCH),
        ("http.method == 'POST' && http.path == '/users/7'", Outcome.MATCH),
        ("http.query.q == ['1', '2']", Outcome.MATCH),
        ("http.headers['content-type'] == ['application/json']", Outcome.MATCH),
        ("http.contentType == 'application/json'", Outcome.MATCH),
        ("body.n == 1", Outcome.MATCH),
        ("body.n == 2", Outcome.NO_MATCH),
        ("body.m == 2", Outcome.ERROR),
        ("agent.claims.other == 'x'", Outcome.ERROR),
        ("http.query.r == ['1']", Outcome.ERROR),
    ],
)
def test_variables(condition: str, outcome: Outcome) -> None:
    """What a condition may read is bound; what is absent is an error, never false."""
    made = call(API, "POST", "/users/7?q=1&q=2", b'{"n": 1}')
    found = find(rule("deny", when=condition), made)
    assert found.outcome is outcome
    assert bool(found.detail) == (outcome is Outcome.ERROR)


@pytest.mark.parametrize(
    ("effect", "path", "outcome"),
    [
        ("deny", "/a/x", Outcome.MATCH),
        ("deny", "/a/y", Outcome.NO_MATCH),
        ("deny", "/x/b", Outcome.ERROR),
        ("deny", "/a/b", Outcome.ERROR),
        ("constrain", "/a/b", Outcome.ERROR),
        ("deny", "/k/x/z", Outcome.ERROR),
        ("constrain", "/k/x/z", Outcome.ERROR),
        ("allow", "/k/x/z", Outcome.MATCH),
        ("allow", "/a/x", Outcome.MATCH),
        ("allow", "/a/b", Outcome.ERROR),
        ("allow", "/x/x", Outcome.MATCH),
    ],
)
def test_every_matching_pattern_binds_parameters(effect: str, path: str, outcome: Outcome) -> None:
    """A wall matches if one binding satisfies it and errs if one errs; a door opens if one binding satisfies it."""
    found = rule(
        effect,
        http={"paths": ["/a/{id}", "/{kind}/b", "/{id}/x", "/k/{id}/z", "/{kind}/x/*"]},
        when="http.params.id == 'x'",
    )
    assert find(found, call(API, "GET", path)).outcome is outcome


def test_cheap_tests_come_first() -> None:
    """A rule outside of its time, or of other claims, does not have its condition evaluated."""
    condition = "body.absent"
    late = rule("deny", when=condition, notAfter="2026-01-01T00:00:00Z")
    other = rule("deny", when=condition, agents={"claims": {"tier": "silver"}})
    assert find(late, call(API, "GET", "/")) == (late, Outcome.NO_MATCH, "validity", "")
    assert find(other, call(API, "GET", "/")) == (other, Outcome.NO_MATCH, "agents.claims", "")


def test_findings_by_kind() -> None:
    """Matches by effect, doubts of those that forbid, and shadow apart."""
    weighed = weigh_all(
        [
            rule("deny"),
            rule("deny", when="body.x"),
            rule("allow", when="body.x"),
            rule("constrain", mode="shadow"),
            rule("deny", mode="shadow", when="body.x"),
            rule("allow", mode="shadow", when="body.x"),
        ],
        call(API, "GET", "/"),
    )
    assert [rule.effect for rule in weighed.walls] == [Effect.DENY]
    assert (len(weighed.doubtful), len(weighed.gates), len(weighed.doors)) == (1, 0, 0)
    assert len(weighed.names) == 1
    assert len(weighed.shadow) == 2
    assert weighed.detail().count("r: ") == 4


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("'delete ' + http.params.id", "delete 7"),
        ("'pay ' + string(body.n)", "pay 1"),
        ("'pay ' + string(body.absent)", ""),
        ("''", ""),
    ],
)
def test_messages(text: str, shown: str) -> None:
    """What the approver reads is computed from the call; what cannot be computed is empty."""
    found = rule("allow", http={"paths": ["/users/{id}"]}, approval={"groups": ["g"], "message": text})
    assert message(found, call(API, "POST", "/users/7", b'{"n": 1}')) == shown
    assert message(rule("allow"), call(API, "GET", "/")) == ""
