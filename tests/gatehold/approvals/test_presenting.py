import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gatehold.approvals.approvers import Quorum
from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.model import Bound, Change, Channel, GrantTerms, HeldCall, RuleRef
from gatehold.approvals.presenting import leaves, line, needs, page, progress, table, timestamp, to_json
from gatehold.approvals.showing import digest
from policy.model import RuleName, SessionId, TargetName

TERMS = GrantTerms(
    scope="resource",
    seconds=5_400.0,
    verb="patch",
    resource="apps/deployments/scale",
    name="prod/api",
    bounds=(Bound(fact="k8s.replicas", value=12), Bound(fact="k8s.dryRun", value=False)),
)
HOSTILE = "\x1b[2J\u202eevil\r\nreason: approved"


def test_json_has_the_keys_that_programs_read(desk: ApprovalDesk, make_call: Callable[..., HeldCall]) -> None:
    """All of them, in types that JSON has."""
    quorum = Quorum(sets=(frozenset({"sre", "dba"}), frozenset({"security"})))
    approval = desk.open_or_join(make_call(quorum=quorum, terms=TERMS, facts={"http.params": {"id": "1"}}))
    answered = desk.approve(approval.id, "alice", channel=Channel.LOCAL, os_user="root", reason="fine")
    assert json.loads(json.dumps(to_json(answered))) == {
        "id": approval.id,
        "state": "pending",
        "agent": {"issuer": "corp", "subject": "a1", "session": "s1", "purpose": ""},
        "target": "crm",
        "action": {"method": "DELETE", "path": "/customers/1", "http.params": {"id": "1"}},
        "rule": "no-deletes",
        "rules": ["no-deletes"],
        "fingerprint": approval.call.fingerprint,
        "created": "1970-01-01T00:16:40Z",
        "expires": "1970-01-01T00:31:40Z",
        "groups": [["dba", "sre"], ["security"]],
        "count": 1,
        "answers": [
            {
                "answer": "approve",
                "user": "alice",
                "channel": "local",
                "osUser": "root",
                "reason": "fine",
                "at": "1970-01-01T00:16:40Z",
                "forced": False,
            }
        ],
        "message": "delete a customer",
        "reason": "",
        "grant": {"scope": "resource", "seconds": 5400.0},
        "kind": "call",
        "together": None,
        "shown": digest([answered]),
    }


def test_a_page_says_who_what_why_and_what_it_leaves(desk: ApprovalDesk, make_call: Callable[..., HeldCall]) -> None:
    """Everything that an approver decides by."""
    approval = desk.open_or_join(make_call(terms=TERMS, facts={"k8s.replicas": 12, "k8s.name": None}))
    text = "\n".join(page(approval, now=1_100.0))
    for part in (
        f"{approval.id}  pending, 13m20s left (until 1970-01-01T00:31:40Z)",
        "a1 of corp, session s1",
        "DELETE /customers/1 on crm",
        "k8s.replicas: 12",
        "no-deletes: delete a customer",
        "1 person of sre",
        "a grant of 1h30m for this session: patch apps/deployments/scale prod/api, k8s.replicas <= 12, k8s.dryRun = false",
        approval.call.fingerprint,
    ):
        assert part in text
    assert "k8s.name" not in text
    denied = desk.deny(approval.id, "alice", channel=Channel.CONSOLE, reason="no")
    assert page(denied, now=1_100.0)[-1] == "deny         alice, 1970-01-01T00:16:40Z, console: no"
    assert "left" not in page(denied, now=1_100.0)[0]


@pytest.mark.parametrize(
    "part", ["issuer", "subject", "session", "purpose", "target", "method", "path", "message", "facts", "rules"]
)
def test_hostile_text_shows_as_text(desk: ApprovalDesk, make_call: Callable[..., HeldCall], part: str) -> None:
    """Whatever an agent can write: no line of its own, nothing that a terminal obeys, nothing turned around."""
    types: dict[str, Any] = {
        "facts": {HOSTILE: HOSTILE, "nested": {"x": [HOSTILE]}},
        "rules": (RuleRef(name=RuleName(HOSTILE), digest="d"),),
        "session": SessionId(HOSTILE),
        "target": TargetName(HOSTILE),
    }
    approval = desk.open_or_join(make_call(**{part: types.get(part, HOSTILE)}))
    pages = [page(approval, now=1_000.0), table([approval], now=1_000.0), [line(approval, now=1_000.0)]]
    lines = [each for page in pages for each in page]
    assert all(each.isprintable() for each in lines)
    assert not any(each.startswith("reason:") for each in lines)
    assert any("<U+202E>" in each for each in lines)


def test_long_cells_say_that_they_are_cut(desk: ApprovalDesk, make_call: Callable[..., HeldCall]) -> None:
    """A path cannot push the rest off the screen, and nothing is left out in silence; the page shows all."""
    approval = desk.open_or_join(make_call(path="/" + "x" * 500))
    (_, row) = table([approval], now=1_000.0)
    assert len(row) < 250
    assert "[448 more]" in row
    assert "x" * 500 in "\n".join(page(approval, now=1_000.0))


@pytest.mark.parametrize(
    ("quorum", "words"),
    [
        (Quorum(sets=(frozenset({"sre"}),), count=2), "2 people of sre"),
        (Quorum(sets=(frozenset({"b", "a"}), frozenset({"c"}))), "1 person, among them 1 of a or b and 1 of c"),
        (Quorum(sets=(frozenset({"a"}), frozenset({"c"})), count=2, each=2), "2 people, among them 2 of a and 2 of c"),
    ],
)
def test_needs_in_words(quorum: Quorum, words: str) -> None:
    """How many, and of whom."""
    assert needs(quorum) == words


def test_progress_in_words(desk: ApprovalDesk, make_call: Callable[..., HeldCall]) -> None:
    """After each answer."""
    approval = desk.open_or_join(make_call(quorum=Quorum(sets=(frozenset({"sre"}),), count=2)))
    one = desk.approve(approval.id, "alice", channel=Channel.CONSOLE)
    assert progress(one) == f"{approval.id} is still pending: 1 said yes; it needs 2 people of sre"
    two = desk.approve(approval.id, "bob", channel=Channel.CONSOLE)
    assert progress(two) == f"{approval.id} is approved"


def test_small_words() -> None:
    """Times in UTC; no grant is said as such."""
    assert timestamp(1_769_860_800.5) == "2026-01-31T12:00:00Z"
    assert leaves(None) == "nothing: this one request, once"


def test_the_change_is_shown(desk: ApprovalDesk, make_call: Callable[..., HeldCall]) -> None:
    """Line by line, what could not be seen as code points, and how much is missing."""
    diff = f"--- now\n+++ after the call\n-  replicas: 3\n+  replicas: 20\n+  note: {HOSTILE}"
    approval = desk.open_or_join(make_call(change=Change(diff=diff, cut=7)))
    text = "\n".join(page(approval, now=1_100.0))
    assert "  -  replicas: 3\n  +  replicas: 20\n" in text
    assert "  [7 more lines]" in text
    (heading,) = [line for line in text.split("\n") if line.startswith("change ")]
    assert heading.endswith("; 7 LINES OF IT ARE NOT SHOWN")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert (to_json(approval)["diff"], to_json(approval)["diffCut"]) == (diff, 7)


def test_a_change_that_is_not_known_is_said(desk: ApprovalDesk, make_call: Callable[..., HeldCall]) -> None:
    """In words, so that nobody takes silence for no change."""
    approval = desk.open_or_join(make_call(change=Change(problem="the cluster answers 403")))
    sentence = "the change could not be computed: the cluster answers 403"
    assert f"change       {sentence}" in page(approval, now=1_100.0)
    assert (to_json(approval)["diff"], to_json(approval)["diffProblem"]) == (None, sentence)


def test_the_purpose_is_shown_where_there_is_one(desk: ApprovalDesk, make_call: Callable[..., HeldCall]) -> None:
    """Kept by the store, on the page, and part of what an answer answers."""
    without, told = (desk.open_or_join(make_call(key=key, purpose=key and "nightly report")) for key in ("", "2"))
    assert not any(each.startswith("purpose") for each in page(without, now=1_000.0))
    assert "purpose      nightly report" in page(told, now=1_000.0)
    other = replace(told, call=replace(told.call, purpose="something else"))
    assert digest([told]) != digest([other])
