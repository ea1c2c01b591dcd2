"""Law: documents of Slack's are read for what they are, and any other document is nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.approvals.model import Verb
from gatehold.channels.slack import arriving
from gatehold.channels.slack.arriving import Press, Typed

SHOWN = "a" * 64
_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20))
_WORDS = st.sampled_from(
    ["type", "user", "team", "id", "team_id", "actions", "action_id", "value", "view", "state", "values", "channel",
     "callback_id", "private_metadata", "event", "channel_type", "text", "user_id", "response_url", "block_actions",
     "view_submission", "message", "im", "gatehold-deny", "gatehold-approve", "gatehold-reason"]
)  # fmt: skip
DOCUMENTS = st.recursive(
    _SCALARS | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=6),
    max_leaves=40,
)


def a_press(**changes: Any) -> dict[str, Any]:
    return {
        "type": "block_actions", "user": {"id": "U1", "team_id": "T2"}, "team": {"id": "T1"}, "channel": {"id": "C1"},
        "actions": [{"action_id": "gatehold-approve", "value": f"apr_1 {SHOWN}"}], "trigger_id": "t",
        "response_url": "https://hooks.slack.com/x",
    } | changes  # fmt: skip


def test_a_press() -> None:
    """The person's own workspace counts, not the message's."""
    press = arriving.interaction(a_press())
    assert isinstance(press, Press)
    assert (press.sender.team, press.sender.account, press.verb) == ("T2", "U1", Verb.APPROVE)
    assert (press.pressed.approval, press.pressed.shown) == ("apr_1", SHOWN)
    assert "hooks.slack.com" not in repr(press)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "shortcut"},
        {"actions": []},
        {"actions": [{}, {}]},
        {"actions": [{"action_id": "gatehold-details", "url": "x"}]},
        {"actions": [{"action_id": "gatehold-approve", "value": "apr_1"}]},
        {"actions": [{"action_id": "gatehold-approve", "value": f"{'a' * 33} {SHOWN}"}]},
        {"user": {"id": "U/1"}},
        {"user": {"id": "U" * 65}},
        {"user": None},
        {"user": {"id": "U1"}, "team": None},
    ],
)
def test_no_press(changes: dict[str, Any]) -> None:
    assert arriving.interaction(a_press(**changes)) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [("enrol ABC", "ABC"), (" ENROL  abc-def ", "abc-def"), ("enrol", None), ("enrol a b", None), ("x" * 300, None)],
)
def test_commands(text: str, code: str | None) -> None:
    typed = arriving.command({"team_id": "T1", "user_id": "U1", "text": text})
    assert isinstance(typed, Typed)
    assert typed.code == code
    assert code is None or code not in repr(typed), "a code is as good as a signature until it is used"


@given(DOCUMENTS)
def test_any_other_document(document: Any) -> None:
    """Never an error."""
    payload = document if isinstance(document, dict) else {"event": document, "view": document, "user": document}
    arriving.interaction(payload)
    arriving.interaction({**a_press(), **payload})
    arriving.happening(payload)
    arriving.happening({"event": payload, "team_id": "T1"})
    arriving.command(payload)
