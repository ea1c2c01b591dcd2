"""What comes from Slack, in the forms in which it comes: presses, forms, commands and messages. Pure.

The same documents come by Socket Mode and by HTTP. They are Slack's, but what people typed is in them; anything of an
unexpected shape is nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gatehold.approvals.model import Verb
from gatehold.channels.slack.messages import APPROVE, DENY, REASON, Pressed

_LONGEST_ID: Final = 64
_WORD: Final = "enrol"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """An account of Slack."""

    team: str
    account: str
    respond: str = field(default="", repr=False)
    """Where to answer this person alone."""
    channel: str = ""
    direct: bool = False
    """Whether the channel is a conversation with this person alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A button of a message, or the form that one led to."""

    sender: Sender
    pressed: Pressed
    verb: Verb
    trigger: str = field(default="", repr=False)
    """By which a form is opened; empty for what a form sent."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A command, or a message to the app."""

    sender: Sender
    code: str | None = field(repr=False)
    """Of an enrolment; None: nothing that is understood."""


type Arrival = Press | Typed


def interaction(payload: Mapping[str, Any]) -> Arrival | None:
    """``block_actions`` and ``view_submission``."""
    match payload.get("type"):
        case "block_actions":
            return _press(payload)
        case "view_submission":
            return _form(payload)
    return None


def command(fields: Mapping[str, Any]) -> Arrival | None:
    """A slash command: ``/gatehold enrol CODE``."""
    sender = _sender(fields.get("team_id"), fields.get("user_id"), fields.get("response_url"), fields.get("channel_id"))
    return None if sender is None else Typed(sender=sender, code=_code(fields.get("text")))


def happening(payload: Mapping[str, Any]) -> Arrival | None:
    """``event_callback``: a message to the app alone. Its own messages, and changes of messages, are none."""
    event = payload.get("event")
    if not isinstance(event, dict) or event.get("type") != "message" or event.get("channel_type") != "im":
        return None
    if "bot_id" in event or "subtype" in event:
        return None
    team = event.get("user_team") or event.get("team") or payload.get("team_id")
    sender = _sender(team, event.get("user"), None, event.get("channel"), direct=True)
    return None if sender is None else Typed(sender=sender, code=_code(event.get("text")))


def _press(payload: Mapping[str, Any]) -> Press | None:
    actions = payload.get("actions")
    action = actions[0] if isinstance(actions, list) and len(actions) == 1 else None
    verbs = {APPROVE: Verb.APPROVE, DENY: Verb.DENY}
    if not isinstance(action, dict) or action.get("action_id") not in verbs:
        return None
    pressed, channel = Pressed.read(action.get("value")), _mapping(payload.get("channel")).get("id")
    sender = _user(payload, payload.get("response_url"), channel)
    if pressed is None or sender is None:
        return None
    trigger = payload.get("trigger_id")
    return Press(
        sender=sender,
        pressed=pressed,
        verb=verbs[action["action_id"]],
        trigger=trigger if isinstance(trigger, str) else "",
    )


def _form(payload: Mapping[str, Any]) -> Press | None:
    view = _mapping(payload.get("view"))
    if view.get("callback_id") != DENY:
        return None
    try:
        kept = _mapping(json.loads(str(view.get("private_metadata"))))
    except (ValueError, RecursionError):
        return None
    values = _mapping(_mapping(view.get("state")).get("values"))
    reason = _mapping(_mapping(values.get(REASON)).get(REASON)).get("value")
    pressed = Pressed.read(f"{kept.get('approval')} {kept.get('shown')}")
    sender = _user(payload, None, kept.get("channel"))
    if pressed is None or sender is None:
        return None
    return Press(sender=sender, pressed=pressed, verb=Verb.DENY, reason=reason if isinstance(reason, str) else "")


def _user(payload: Mapping[str, Any], respond: object, channel: object) -> Sender | None:
    """The person's own workspace counts: in shared channels it is another than the message's."""
    user = _mapping(payload.get("user"))
    team = user.get("team_id") or _mapping(payload.get("team")).get("id")
    return _sender(team, user.get("id"), respond, channel)


def _sender(team: object, account: object, respond: object, channel: object, *, direct: bool = False) -> Sender | None:
    if not _is_id(team) or not _is_id(account):
        return None
    url = respond if isinstance(respond, str) else ""
    where = channel if _is_id(channel) else ""
    return Sender(team=str(team), account=str(account), respond=url, channel=str(where), direct=direct)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_ID and value.isascii() and value.isalnum()


def _code(text: object) -> str | None:
    words = text.split() if isinstance(text, str) and len(text) <= 200 else []
    return words[1] if len(words) == 2 and words[0].lower() == _WORD else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
