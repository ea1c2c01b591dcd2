"""Law: a suggested policy compiles, lets through what passed (reads) or holds it (writes), and nothing else."""

from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.actions.decoding import decode
from policy.engine import Engine
from policy.errors import Refusal
from policy.history.inputs import RecordedCall
from policy.history.judging import Judge
from policy.history.suggesting import Suggestion, suggest
from policy.history.writing import document, document_json
from policy.model import Agent, PathOptions, Verdict
from policy.rules.schema import PolicyDocument
from tests.policy.history.recorded import AGENT, AT, TARGETS, call, engine

NONE = engine("- {name: unused, effect: deny, http: {targets: [crm], paths: ['/never']}}")


def suggested(*calls: RecordedCall) -> Suggestion:
    return suggest(NONE, calls, approvers=("sre",), issuers={"corp"})


def compiled(suggestion: Suggestion) -> Engine:
    """The engine of the document as text."""
    read = yaml.safe_load(document(suggestion, "suggested"))
    assert read == document_json(suggestion, "suggested")
    return Engine.compile([PolicyDocument.model_validate(read)], TARGETS, known_issuers={"corp"})


def verdict(judged_by: Engine, one: RecordedCall) -> str:
    decision = Judge(judged_by, with_limits=False).judge(one).decision
    assert decision is not None
    return decision.verdict.value


def rules(suggestion: Suggestion) -> list[dict[str, Any]]:
    return [{key: value for key, value in each.rule.items() if key != "name"} for each in suggestion.rules]


def test_reads_and_writes_of_paths() -> None:
    """Identifiers become parameters; the methods of a rule are those of each of its paths."""
    made = suggested(
        call("/customers/1"),
        call("/customers/2", time=AT + 60),
        call("/customers"),
        call("/customers", method="HEAD"),
        call("/customers/3e7f1a3e-9a55-4b0e-a6a5-0d6d3c1f2b3a/notes", method="POST"),
    )
    who = {"issuers": ["corp"], "groups": ["planners"]}
    assert rules(made) == [
        {
            "effect": "allow",
            "agents": who,
            "http": {"targets": ["crm"], "methods": ["GET", "HEAD"], "paths": ["/customers"]},
        },
        {
            "effect": "allow",
            "agents": who,
            "http": {"targets": ["crm"], "methods": ["GET"], "paths": ["/customers/{id}"]},
        },
        {
            "effect": "allow",
            "agents": who,
            "http": {"targets": ["crm"], "methods": ["POST"], "paths": ["/customers/{id}/notes"]},
            "approval": {"groups": ["sre"]},
        },
    ]
    text = document(made, "suggested")
    assert "# /customers/{id}: 2 calls, 2026-09-21T14:13Z to 2026-09-21T14:14Z" in text


def test_many_values_are_a_parameter() -> None:
    """Ten names in one place are values of one."""
    assert [rule["http"]["paths"] for rule in rules(suggested(*(call(f"/tags/t{'x' * n}/a") for n in range(10))))] == [
        ["/tags/{id}/a"]
    ]


def test_hidden_segments_are_parameters() -> None:
    """What was masked differs from call to call."""
    assert [rule["http"]["paths"] for rule in rules(suggested(call("/by/<X>", hidden={"path": (("1",),)})))] == [
        ["/by/{id}"]
    ]


def test_kubernetes() -> None:
    """Verbs stand with resources that are called by the same ones, writes with the names of their objects."""
    base = "/apis/apps/v1/namespaces/dev/deployments"
    made = suggested(
        call(base, target="main"),
        call("/api/v1/namespaces/dev/pods", target="main"),
        call("/api/v1/namespaces/qa/pods", target="main"),
        call("/api/v1/namespaces/dev/pods/web-7d4b9c8d5f-x2x4z/log", target="main"),
        call("/api/v1/nodes", target="main"),
        call("/api/v1/secrets", target="main"),
        call("/version", target="main"),
        call(f"{base}/web", target="main", method="PATCH", headers=(("Content-Type", "application/merge-patch+json"),)),
        call(f"{base}/web", target="main", method="DELETE"),
    )
    found = [rule["kubernetes"] | {"asks": "approval" in rule} for rule in rules(made)]
    main = {"targets": ["main"]}
    wanted = [
        main | {"verbs": ["get"], "nonResourcePaths": ["/version"], "asks": False},
        main
        | {
            "verbs": ["get"],
            "apiGroups": [""],
            "resources": ["pods/log"],
            "namespaces": ["dev"],
            "names": ["web-*"],
            "asks": False,
        },
        main | {"verbs": ["list"], "apiGroups": [""], "resources": ["nodes"], "asks": False},
        main
        | {"verbs": ["list"], "apiGroups": [""], "resources": ["pods"], "namespaces": ["dev", "qa"], "asks": False},
        main | {"verbs": ["list"], "apiGroups": [""], "resources": ["secrets"], "namespaces": ["*"], "asks": False},
        main
        | {
            "verbs": ["list"],
            "apiGroups": ["apps"],
            "resources": ["deployments"],
            "namespaces": ["dev"],
            "asks": False,
        },
        main
        | {
            "verbs": ["delete", "patch"],
            "apiGroups": ["apps"],
            "resources": ["deployments"],
            "namespaces": ["dev"],
            "names": ["web"],
            "asks": True,
        },
    ]
    assert sorted(found, key=str) == sorted(wanted, key=str)
    assert compiled(made)


def test_who() -> None:
    """The group with the fewest agents; an agent without groups stands by its subject."""
    wide = replace(AGENT, subject="b", groups=("all",))
    both = replace(AGENT, subject="a", groups=("all", "few"))
    alone = replace(AGENT, subject="c", groups=())
    found = {str(rule["agents"]) for rule in rules(suggested(call(agent=wide), call(agent=both), call(agent=alone)))}
    assert found == {
        "{'issuers': ['corp'], 'groups': ['all']}",
        "{'issuers': ['corp'], 'groups': ['few']}",
        "{'issuers': ['corp'], 'subjects': ['c']}",
    }


def test_what_is_left_out() -> None:
    """Said, with the reason; never guessed."""
    made = suggested(
        call(target="gone"),
        call(agent=replace(AGENT, issuer="other")),
        call(input=None),
        call("/x", headers=(("Upgrade", "h2c"),)),
    )
    assert not made.rules
    assert document(made, "s") == ""
    assert sum(made.left_out.values()) == 4


def test_names_that_are_taken() -> None:
    """A suggestion can stand beside the rules that there are."""
    made = suggest(NONE, [call()], approvers=("sre",), issuers={"corp"}, taken={"planners-reads-crm"})
    assert [each.rule["name"] for each in made.rules] == ["planners-reads-crm-2"]


@pytest.mark.parametrize("text", ["a\nb: c", "# x", "\u2028", "}{", "*", "{id}", "'\"", "%2A"])
def test_no_text_ends_its_line(text: str) -> None:
    """Whatever stands in paths, names and groups: the document is what it seems to be."""
    agent = Agent(issuer="corp", subject=text, groups=())
    from urllib.parse import quote

    try:
        decode(TARGETS[NONE.targets["crm"].name], call(f"/{quote(text, safe='%')}").request)
    except Refusal:
        made = suggested(call(agent=agent))
    else:
        made = suggested(call(f"/{quote(text, safe='%')}", agent=agent))
    if made.rules:
        compiled(made)
    else:
        assert sum(made.left_out.values()) == 1


SEGMENTS = st.sampled_from(["a", "b", "7", "12", "export", "ada@example.com", "x y", "{q}", "ä", "web-1"])
AGENTS = st.sampled_from(
    [
        AGENT,
        replace(AGENT, subject="o", groups=("operators",)),
        replace(AGENT, subject="both", groups=("all", "planners")),
    ]
)
HTTP = st.builds(
    lambda segments, method, agent, end: call(
        "/" + "/".join(_quoted(each) for each in segments) + end, method=method, agent=agent
    ),
    st.lists(SEGMENTS, min_size=1, max_size=3),
    st.sampled_from(["GET", "HEAD", "POST", "DELETE"]),
    AGENTS,
    st.sampled_from(["", "/", "?q=1"]),
)
OBJECTS = st.sampled_from(["pods", "services", "pods/x/log", "deployments", "nodes"])
KUBERNETES = st.builds(
    lambda namespace, resource, name, method, agent, patch: call(
        f"/api/v1{namespace}/{resource}{name if '/' not in resource else ''}",
        target="main",
        method=method if name or method in {"GET", "DELETE"} else "POST",
        headers=(("Content-Type", patch),) if method in {"PATCH", "PUT"} else (),
        body=None if method in {"PATCH", "PUT", "POST"} else b"",
        agent=agent,
    ),
    st.sampled_from(["", "/namespaces/dev", "/namespaces/prod"]),
    OBJECTS,
    st.sampled_from(["", "/web", "/api", "/web-7d4b9c8d5f-x2x4z"]),
    st.sampled_from(["GET", "PATCH", "PUT", "DELETE"]),
    AGENTS,
    st.sampled_from(["application/merge-patch+json", "application/apply-patch+yaml"]),
)


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="@")


@settings(deadline=None)
@given(st.lists(HTTP | KUBERNETES, min_size=1, max_size=12), HTTP | KUBERNETES)
def test_lets_through_what_there_was(calls: list[RecordedCall], other: RecordedCall) -> None:
    """Every call passes again or asks; a call of a kind that there was not is denied."""
    made = suggested(*calls)
    assert not made.left_out
    judged_by = compiled(made)
    for one in calls:
        action = decode(judged_by.targets[one.target], one.request)
        wanted = Verdict.HOLD if action.is_write else Verdict.ALLOW
        assert verdict(judged_by, one) == wanted.value, document(made, "s")
    strangers = [replace(one, agent=replace(one.agent, subject="stranger", groups=("strangers",))) for one in calls]
    assert {verdict(judged_by, one) for one in strangers} == {"deny"}
    if not any(_could_be_of_one_kind(other, one) for one in calls):
        assert verdict(judged_by, other) == "deny", document(made, "s")


def _could_be_of_one_kind(one: RecordedCall, other: RecordedCall) -> bool:
    """Two calls by agents that share a group, to one target, by methods of which one counts as the other."""
    if one.target != other.target or not set(one.agent.groups) & set(other.agent.groups):
        return False
    if one.target == "main":
        first, second = (decode(TARGETS[each.target], each.request).facts() for each in (one, other))
        return all(first[key] == second[key] for key in ("resource", "subresource", "namespace"))
    methods = {one.request.method, other.request.method}
    return (len(methods) == 1 or methods == {"GET", "HEAD"}) and one.request.path.count(
        "/"
    ) - one.request.path.endswith("/") == other.request.path.count("/") - other.request.path.endswith("/")


def test_significant_slashes() -> None:
    """A target that tells paths by their trailing slash gets patterns that do."""
    crm = TARGETS[NONE.targets["crm"].name]
    targets = TARGETS | {crm.name: replace(crm, paths=PathOptions(trailing_slash="significant"))}
    there = Engine(list(NONE.rules.values()), targets)
    made = suggest(there, [call("/a/")], approvers=("sre",), issuers={"corp"})
    assert made.rules[0].rule["http"]["paths"] == ["/a/"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/dev/secrets/*",
        "/api/v1/namespaces/dev/secrets/d%2A",
        "/api/v1/namespaces/*/secrets",
        "/api/v1/namespaces/d*/secrets",
        "/api/v1/namespaces/dev/*",
        "/api/v1/namespaces/dev/pods/web/*",
        "/apis/*/v1/namespaces/dev/pods",
        "/*",
        "/healthz*",
    ],
)
def test_a_star_that_an_agent_wrote_opens_nothing(path: str) -> None:
    """Rules read it as any name, and the API has no such name: an agent could so ask for all by asking for none."""
    made = suggested(call(path, target="main"))
    assert not made.rules
    assert made.left_out == {"a * in a rule would stand for anything": 1}


def test_words_of_ours_that_an_agent_wrote_are_words() -> None:
    """What stands in for a masked segment becomes a parameter where something was masked, and nowhere else."""
    [rule] = rules(suggested(call("/admin/gatehold~masked/all")))
    assert rule["http"]["paths"] == ["/admin/gatehold~masked/all"]
    [rule] = rules(suggested(call("/admin/x/all", hidden={"path": (("1",),)})))
    assert rule["http"]["paths"] == ["/admin/{id}/all"]


def test_a_path_that_no_rule_can_name_is_left_out() -> None:
    """It may have thousands of segments; a rule has 1024 characters."""
    made = suggested(call("/a" * 600), call("/a" * 500))
    assert [rule["http"]["paths"] for rule in rules(made)] == [["/a" * 500]]
    assert made.left_out == {"rules have no words for them": 1}


def test_a_group_is_taken_as_it_is() -> None:
    """Whatever is in its name: no part of it is a group that the agent never had."""
    [rule] = rules(suggested(call(agent=replace(AGENT, groups=("x\0admins",)))))
    assert rule["agents"]["groups"] == ["x\0admins"]
