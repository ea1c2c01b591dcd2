"""What a webhook is told of an approval: who asks for what and why, and where to answer. Pure.

Neither the body nor the change is in it, and every text of an agent's is made visible: whatever shows it later is not
ours.
"""

import json
from typing import Any, Final

from gatehold.approvals.model import Approval
from gatehold.approvals.presenting import timestamp
from gatehold.approvals.rendering import cut, visible
from gatehold.channels.model import Delivery

_LONGEST: Final = 2000


def document(delivery: Delivery, approval: Approval, *, url: str) -> bytes:
    """The JSON body, in ASCII. ``url``: the page where people answer once they have signed in."""
    told = {
        "type": f"approval.{delivery.event}",
        "timestamp": timestamp(delivery.created),
        "data": {**_question(approval), **_standing(approval), "url": url},
    }
    return json.dumps(told, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")


def _question(approval: Approval) -> dict[str, Any]:
    call = approval.call
    agent = {"issuer": _text(call.issuer), "subject": _text(call.subject), "session": _text(call.session)}
    return {
        "id": approval.id,
        "kind": call.kind,
        "agent": agent,
        "target": _text(call.target),
        "method": _text(call.method),
        "path": _text(call.path),
        "rule": _text(call.rules[0].name) if call.rules else None,
        "rules": [_text(rule.name) for rule in call.rules],
        "message": _text(call.message),
        "groups": [sorted(map(_text, groups)) for groups in call.quorum.sets],
        "count": call.quorum.count,
    }


def _standing(approval: Approval) -> dict[str, Any]:
    return {
        "state": approval.state,
        "created": timestamp(approval.created),
        "expires": timestamp(approval.deadline),
        "reason": _text(approval.reason) or None,
        "answers": [{"answer": answer.verb, "user": _text(answer.user)} for answer in approval.answers],
    }


def _text(text: str) -> str:
    return visible(cut(text, _LONGEST))
