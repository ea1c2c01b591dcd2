"""Law: an event of the store's outbox reaches the journal under its own uid, with who, what and why, and nothing lost."""

from typing import Any

import pytest

from gatehold.auditing import journal_event
from gatehold.store.outbox import EventId, WaitingEvent
from recordings.ocsf import Kind

APPROVAL: dict[str, Any] = {
    "kind": "approval",
    "approval": "apr_1",
    "agent": {"issuer": "corp", "subject": "planner-1", "session": "s1"},
    "target": "crm",
    "rules": ["no-deletes", "other"],
    "fingerprint": "f" * 64,
    "reason": "looks right",
    "by": "user:alice",
    "channel": "cli",
    "from": "pending",
    "to": "approved",
}
GRANT: dict[str, Any] = {
    "kind": "grant", "action": "revoked", "grant": "gr_1", "approval": "apr_1", "by": "user:bob", "target": "crm",
    "rules": ["no-deletes"], "expires": 12.5, "reason": "", "agent": None,
}  # fmt: skip


def _waiting(event: dict[str, Any]) -> WaitingEvent:
    return WaitingEvent(id=EventId(1), uid="evt_one", at=1_700_000_000.5, event=event)


@pytest.mark.parametrize("event", [APPROVAL, GRANT], ids=["approval", "grant"])
def test_an_event_keeps_its_identity_and_time(event: dict[str, Any]) -> None:
    """A repetition of it has the same uid, so that a reader of the journal can tell; and it is JSON."""
    first, again = journal_event(_waiting(event)), journal_event(_waiting(event))
    assert first.data["metadata"]["uid"] == again.data["metadata"]["uid"] == "evt_one"
    assert first.data["time"] == 1_700_000_000_500
    assert first.entry().body


def test_a_move_says_who_what_and_why() -> None:
    """The states, the first rule, the reason, the channel, the fingerprint, the agent."""
    told = journal_event(_waiting(APPROVAL))
    words = told.data["unmapped"]["gatehold"]
    assert told.kind is Kind.APPROVAL
    assert told.session == "s1"
    assert told.data["actor"]["user"]["name"] == "user:alice"
    assert told.data["comment"] == "looks right"
    assert told.data["entity"]["uid"] == "apr_1"
    assert (words["previous"], words["state"], words["rule"], words["channel"]) == (
        "pending",
        "approved",
        "no-deletes",
        "cli",
    )
    assert (words["target"], words["fingerprint"]) == ("crm", "f" * 64)
    assert "planner-1" in str(words["agent"])


def test_a_new_question_has_no_state_before() -> None:
    """It is created; whatever else is missing is left out."""
    event = APPROVAL | {"from": None, "to": "pending", "reason": None, "channel": None, "rules": []}
    told = journal_event(_waiting(event)).data
    words = told["unmapped"]["gatehold"]
    assert not {"previous", "rule", "channel"} & set(words)
    assert "comment" not in told
    assert told["activity_id"] != journal_event(_waiting(APPROVAL)).data["activity_id"]


def test_other_events_keep_their_words() -> None:
    """Whatever an event of another kind says is in the journal, but for what says nothing."""
    told = journal_event(_waiting(GRANT)).data
    words = told["unmapped"]["gatehold"]
    assert (told["entity"]["type"], told["entity"]["uid"]) == ("grant", "apr_1")
    assert told["actor"]["user"]["name"] == "user:bob"
    assert words["grant"] == "gr_1"
    assert words["expires"] == 12.5
    assert "agent" not in words


def test_an_event_that_says_little_is_still_told() -> None:
    """One without an actor or an approval."""
    told = journal_event(_waiting({"kind": "user", "user": "carol"})).data
    assert told["entity"]["uid"] == "evt_one"
    assert told["actor"]["user"]["name"] == "unknown"
    assert told["unmapped"]["gatehold"]["user"] == "carol"


def test_broken_glass_is_loud() -> None:
    """Somebody should look into it, whatever else is in the journal."""
    forced = journal_event(_waiting({**APPROVAL, "kind": "approval-forced"}))
    quiet = journal_event(_waiting(GRANT))
    assert forced.data["severity_id"] > quiet.data["severity_id"]
    assert forced.data["entity"] == {"type": "approval-forced", "uid": "apr_1"}


def test_protection_that_was_let_go_is_loud() -> None:
    """With who said so, why, and what it was."""
    event = {"kind": "removals-accepted", "by": "user:ada", "reason": "moved", "gone": ["the rule wall (deny) is gone"]}
    told = journal_event(_waiting(event))
    assert told.data["severity_id"] > journal_event(_waiting(GRANT)).data["severity_id"]
    assert (told.data["actor"]["user"]["name"], told.data["comment"]) == ("user:ada", "moved")
    assert told.data["unmapped"]["gatehold"]["gone"] == ["the rule wall (deny) is gone"]


def test_the_end_of_a_session_is_told_in_it() -> None:
    """So that who reads what happened in a session reads how it ended."""
    event = {
        "kind": "session",
        "action": "end",
        "by": "gatehold",
        "session": "s1",
        "subject": "a1",
        "reason": "idle for 30m",
    }
    told = journal_event(_waiting(event))
    assert (told.kind, told.session, told.data["comment"]) == (Kind.GOVERNANCE, "s1", "idle for 30m")
    assert told.data["unmapped"]["gatehold"]["subject"] == "a1"
