"""An approval as a message of Slack's Block Kit, and the form in which a reason is asked for. Pure.

The button for a yes is there only where the message shows all that the console's page would: who answers here has seen
what is answered, and says so with the digest that the button carries.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from gatehold.approvals import showing
from gatehold.approvals.model import Approval, Body, Change, Verb
from gatehold.approvals.presenting import leaves, needs, timestamp
from gatehold.approvals.rendering import fact, visible
from gatehold.approvals.states import ApprovalState
from gatehold.channels.slack.texts import HEADER, Block, escaped, facts, listing, note, plain, shortened

APPROVE: Final = "gatehold-approve"
DENY: Final = "gatehold-deny"
DETAILS: Final = "gatehold-details"
REASON: Final = "gatehold-reason"
LONGEST_REASON: Final = 2000

_LONGEST_FACT: Final = 500
_MOST_FACTS: Final = 20
_MOST_LINES: Final = 6000
"""Characters of the change and the body together."""
_LONGEST_NOTICE: Final = 300
_NOTHING: tuple[object, ...] = (None, "", [], {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """What a button or a form of a message stands for."""

    approval: str
    shown: str

    def value(self) -> str:
        """As Slack keeps it for us."""
        return f"{self.approval} {self.shown}"

    @classmethod
    def read(cls, value: object) -> "Pressed | None":
        """None for what no button of ours has."""
        approval, space, shown = value.partition(" ") if isinstance(value, str) else ("", "", "")
        if not space or not 0 < len(approval) <= 32 or len(shown) != 64 or not approval.isascii():
            return None
        return cls(approval=approval, shown=shown)


def message(approval: Approval, *, url: str, now: float) -> tuple[str, list[Block]]:
    """The line for notifications, in mrkdwn, and the blocks. ``url``: the console's page of the approval."""
    call, is_open = approval.call, approval.state is ApprovalState.PENDING and now < approval.expires
    title = f"{'Approval needed' if is_open else _outcome(approval)}: {call.method} on {call.target}"
    is_whole = is_wholly_shown(approval)
    blocks = [
        {"type": "header", "block_id": "gatehold-title", "text": plain(title, HEADER)},
        facts("gatehold-call", _about(approval), _LONGEST_FACT),
        *(_effects(call.change, call.body) if is_whole else ()),
    ]
    if is_open:
        blocks.append(note("gatehold-until", _until(approval, is_whole=is_whole)))
    else:
        blocks.append(facts("gatehold-answer", _answers(approval), _LONGEST_FACT))
    blocks.append(_buttons(approval, url, is_open=is_open, is_whole=is_whole))
    return escaped(shortened(f"{title}, by {call.subject}", _LONGEST_NOTICE)), blocks


def reason_form(pressed: Pressed, channel: str, approval: Approval) -> Block:
    """The view that asks why not."""
    field = {"type": "plain_text_input", "action_id": REASON, "multiline": True, "min_length": 1,
             "max_length": LONGEST_REASON}  # fmt: skip
    kept = {"approval": pressed.approval, "shown": pressed.shown, "channel": channel}
    what, target = visible(f"{approval.call.method} {approval.call.path}"), visible(approval.call.target)
    return {
        "type": "modal",
        "callback_id": DENY,
        "private_metadata": json.dumps(kept),
        "title": plain("Deny this call", 24),
        "submit": plain("Deny", 24),
        "close": plain("Cancel", 24),
        "blocks": [
            facts("gatehold-what", [("Call", what), ("On", target)], _LONGEST_FACT),
            {
                "type": "input",
                "block_id": REASON,
                "label": plain("Why not? The agent and its owner will read it.", 2000),
                "element": field,
            },
        ],
    }


def is_wholly_shown(approval: Approval) -> bool:
    """Whether all that the console would show has room in a message."""
    call = approval.call
    values = [value for _, value in _about(approval)]
    lines = [line for _, _, listed in _lists(call.change, call.body) for line in listed]
    told = sum(len(visible(line)) + 1 for line in lines)
    return (
        all(len(value) <= _LONGEST_FACT for value in values)
        and len([value for value in call.facts.values() if value not in _NOTHING]) <= _MOST_FACTS
        and told <= _MOST_LINES
    )


def _about(approval: Approval) -> list[tuple[str, str]]:
    call = approval.call
    # Their names may be an agent's too, and must not pass for lines of ours.
    known = [f"{visible(name)}: {fact(value)}" for name, value in sorted(call.facts.items()) if value not in _NOTHING]
    return [
        ("Who", visible(f"{call.subject} of {call.issuer}")),
        ("Session", visible(call.session)),
        ("What", visible(f"{call.method} {call.path}")),
        ("On", visible(call.target)),
        *(("Fact", each) for each in known[:_MOST_FACTS]),
        ("Why", visible(", ".join(rule.name for rule in call.rules))),
        *([("Says", visible(call.message))] if call.message else []),
        ("Needs", needs(call.quorum)),
        ("Leaves", leaves(call.terms)),
    ]


def _lists(change: Change | None, body: Body | None) -> list[tuple[str, str, list[str]]]:
    found = []
    if change is not None:
        missing = f"; {change.cut} LINES OF IT ARE NOT SHOWN" if change.cut else ""
        title = "The change could not be computed" if change.problem else f"Change, as the cluster computes it{missing}"
        found.append(("gatehold-change", title, (change.problem or change.diff).split("\n")))
    if body is not None:
        missing = f"; {body.masked} VALUES ARE HIDDEN" if body.masked else ""
        missing += f"; {body.cut} CHARACTERS ARE NOT SHOWN" if body.cut else ""
        missing += "; NOT ALL OF IT IS SHOWN" if body.problem else ""
        lines = [*([body.problem] if body.problem else []), *body.text.split("\n")]
        kind = visible(body.content_type) or "no content type"
        found.append(("gatehold-body", f"Body, {body.size} bytes, {shortened(kind, 100)}{missing}", lines))
    return found


def _effects(change: Change | None, body: Body | None) -> list[Block]:
    return [listing(block_id, title, lines) for block_id, title, lines in _lists(change, body)]


def _until(approval: Approval, *, is_whole: bool) -> str:
    told = f"Until {timestamp(approval.expires)}. {approval.id}."
    if approval.call.together is not None:
        told += " Other calls of the same command may wait too: the page of details answers them together."
    return told if is_whole else f"{told} There is more to it than has room here: say yes on the page of details."


def _answers(approval: Approval) -> list[tuple[str, str]]:
    said = {Verb.APPROVE: "Approved by", Verb.DENY: "Denied by"}
    given = [
        (said[each.verb], visible(f"{each.user}{f': {each.reason}' if each.reason else ''}"))
        for each in approval.answers
    ]
    return [*given[:_MOST_FACTS], ("State", approval.state), ("Approval", approval.id)]


def _outcome(approval: Approval) -> str:
    if approval.state is ApprovalState.PENDING:
        return "Expired"
    if approval.state is ApprovalState.SPENT:
        return "Approved, and used"
    return str(approval.state).capitalize()


def _buttons(approval: Approval, url: str, *, is_open: bool, is_whole: bool) -> Block:
    value = Pressed(approval=approval.id, shown=showing.digest([approval])).value()
    elements: list[dict[str, Any]] = []
    if is_open and is_whole:
        elements.append(_button(APPROVE, "Approve", value=value, style="primary"))
    if is_open:
        elements.append(_button(DENY, "Deny\N{HORIZONTAL ELLIPSIS}", value=value, style="danger"))
    elements.append(_button(DETAILS, "Details", url=url))
    return {"type": "actions", "block_id": "gatehold-buttons", "elements": elements}


def _button(action_id: str, words: str, **more: str) -> dict[str, Any]:
    return {"type": "button", "action_id": action_id, "text": plain(words, 75), **more}
