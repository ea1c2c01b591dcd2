"""Law: a message is within Slack's limits whatever the call is, shows every text of others as text, and lets people
say yes only to what it shows."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.approvals import showing
from gatehold.approvals.model import Answer, Approval, ApprovalId, Body, Change, Channel, GrantTerms, Verb
from gatehold.approvals.states import ApprovalState
from gatehold.channels.slack.messages import APPROVE, DENY, DETAILS, Pressed, message, reason_form
from gatehold.channels.slack.texts import escaped
from tests.gatehold.channels.conftest import HOSTILE, a_call
from tests.gatehold.channels.slack.blocks import flaws, texts, view_flaws

NOW = 1_700_000_000.0
URL = "https://gatehold.example/approvals/apr_1"


def an_approval(
    state: ApprovalState = ApprovalState.PENDING, answers: tuple[Answer, ...] = (), **call: Any
) -> Approval:
    return Approval(
        id=ApprovalId("apr_1"), state=state, call=a_call(**call), created=NOW, expires=NOW + 900, answered=None,
        spend_by=None, ended=None, reason="", answers=answers,
    )  # fmt: skip


def an_answer(verb: Verb = Verb.APPROVE, reason: str = "") -> Answer:
    return Answer(
        verb=verb, user="alice", person="user:alice", channel=Channel.CONSOLE, os_user="", reason=reason, at=NOW
    )


def buttons(blocks: list[Any]) -> list[str]:
    return [each["action_id"] for block in blocks if block["type"] == "actions" for each in block["elements"]]


def test_what_is_read() -> None:
    """Who, what, on what, why, whose yes is needed, what it leaves, what it changes, until when."""
    call = {
        "facts": {"k8s.replicas": 3, "none": None}, "change": Change(diff="-  a\n+  b"),
        "body": Body(text="x=1", content_type="text/plain", size=3),
        "terms": GrantTerms(scope="rule", seconds=900, verb="DELETE", resource="/customers/*", name=""),
    }  # fmt: skip
    text, blocks = message(an_approval(**call), url=URL, now=NOW)
    shown = "".join(each["text"] for each in texts(blocks))
    for words in ("a1 of corp", "DELETE /customers/one", "crm", "k8s.replicas", "ask", "Think twice.",
                  "1 person of sre", "15m", "-  a\n+  b", "x=1", "2023-11-14T22:28:20Z"):  # fmt: skip
        assert words in shown
    assert text == "Approval needed: DELETE on crm, by a1"
    assert buttons(blocks) == [APPROVE, DENY, DETAILS]
    assert flaws(blocks) == []


def test_hostile_texts_are_texts() -> None:
    """No markup, link, mention, emoji or character that is not seen, wherever an agent or a person writes."""
    answer = an_answer(Verb.DENY, reason=HOSTILE)
    everywhere = {
        "issuer": HOSTILE, "subject": HOSTILE, "session": HOSTILE, "method": HOSTILE, "path": HOSTILE,
        "message": HOSTILE, "facts": {HOSTILE: HOSTILE, "x": [HOSTILE]}, "change": Change(diff=HOSTILE),
        "body": Body(text=HOSTILE, content_type=HOSTILE, size=1),
    }  # fmt: skip
    for approval in (
        an_approval(**everywhere),
        an_approval(ApprovalState.DENIED, (answer,), **everywhere),
    ):
        text, blocks = message(approval, url=URL, now=NOW)
        assert flaws(blocks) == []
        assert all(each["type"] in ("plain_text", "text") for each in texts(blocks))
        assert all(not each["emoji"] for each in texts(blocks) if each["type"] == "plain_text")
        assert "\u202e" not in json.dumps(blocks, ensure_ascii=False) + text
        assert "<" not in text
        assert ">" not in text
        form = reason_form(Pressed(approval="apr_1", shown="0" * 64), "C1", approval)
        assert view_flaws(form) == []
        assert all(each["type"] in ("plain_text", "text") for each in texts(form["blocks"]))


@pytest.mark.parametrize(
    "call",
    [
        {"body": Body(text="x" * 7000, size=7000)},
        {"change": Change(diff="+ line\n" * 2000)},
        {"path": "/" + "x" * 600},
        {"facts": {f"f{number}": number for number in range(30)}},
        {"facts": {"f": "x" * 600}},
        {"message": "x" * 600},
        {"subject": "x" * 600},
        {"body": Body(text="\u202e" * 1000, size=3000)},
    ],
)
def test_what_has_no_room_is_answered_elsewhere(call: dict[str, Any]) -> None:
    """A no may be said to what was not read; a yes may not."""
    _, blocks = message(an_approval(**call), url=URL, now=NOW)
    assert flaws(blocks) == []
    assert buttons(blocks) == [DENY, DETAILS]
    assert "say yes on the page of details" in json.dumps(blocks)


def test_calls_of_one_command_have_one_page() -> None:
    _, blocks = message(an_approval(together="t" * 32), url=URL, now=NOW)
    assert "the page of details answers them together" in json.dumps(blocks)
    _, blocks = message(an_approval(), url=URL, now=NOW)
    assert "together" not in json.dumps(blocks)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (Body(text="a", size=1, masked=3), "3 VALUES ARE HIDDEN"),
        (Body(text="a", size=9, cut=8), "8 CHARACTERS ARE NOT SHOWN"),
        (Body(size=9, problem="it is binary"), "NOT ALL OF IT IS SHOWN"),
    ],
)
def test_what_is_missing_is_said(body: Body, words: str) -> None:
    _, blocks = message(an_approval(body=body), url=URL, now=NOW)
    assert words in json.dumps(blocks)
    assert flaws(blocks) == []


@pytest.mark.parametrize("state", [state for state in ApprovalState if state is not ApprovalState.PENDING])
def test_what_is_over_has_no_buttons(state: ApprovalState) -> None:
    """But the one that leads to the console; who answered, and how, is told."""
    _, blocks = message(an_approval(state, (an_answer(reason="fine"),)), url=URL, now=NOW)
    assert buttons(blocks) == [DETAILS]
    assert "alice: fine" in json.dumps(blocks)
    assert flaws(blocks) == []


def test_a_late_message_has_no_buttons() -> None:
    """Sent after the deadline, before anybody noted that it has passed."""
    text, blocks = message(an_approval(), url=URL, now=NOW + 900)
    assert buttons(blocks) == [DETAILS]
    assert text.startswith("Expired")


def test_a_button_says_what_was_shown() -> None:
    """The digest of the approval as it is in the message."""
    approval = an_approval()
    _, blocks = message(approval, url=URL, now=NOW)
    [value] = {each["value"] for each in blocks[-1]["elements"] if "value" in each}
    assert Pressed.read(value) == Pressed(approval="apr_1", shown=showing.digest([approval]))


@given(st.one_of(st.none(), st.integers(), st.text(), st.lists(st.text())))
def test_values_of_others_are_none_of_ours(value: object) -> None:
    read = Pressed.read(value)
    assert read is None or Pressed.read(read.value()) == read


@given(st.text(), st.text(), st.text(max_size=300), st.dictionaries(st.text(), st.one_of(st.text(), st.integers())))
def test_any_call_is_within_the_limits(path: str, subject: str, body: str, facts: dict[str, Any]) -> None:
    """Of every block; and nothing in the notice is markup."""
    text, blocks = message(
        an_approval(path=path, subject=subject, facts=facts, body=Body(text=body, size=1)), url=URL, now=NOW
    )
    assert flaws(blocks) == []
    assert not set("<>") & set(text)


def test_facts_do_not_pass_for_our_lines() -> None:
    """Their names are an agent's, where they are of a body."""
    _, blocks = message(an_approval(facts={"Needs": "nobody"}), url=URL, now=NOW)
    bold = [each["text"] for each in texts(blocks) if each.get("style") == {"bold": True}]
    assert bold.count("Needs: ") == 1


@given(st.text())
def test_escaping_is_undone_by_a_client(text: str) -> None:
    """What a client shows is the visible text, and nothing of it begins markup."""
    shown = escaped(text)
    assert "<" not in shown
    assert shown.count("&") == shown.count("&amp;") + shown.count("&lt;") + shown.count("&gt;")
