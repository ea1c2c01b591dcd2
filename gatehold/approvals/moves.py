"""The one way to move an approval: along the table, by one conditional UPDATE, with its audit event beside it."""

from dataclasses import dataclass, replace
from typing import Any, Final, Self

from sqlalchemy import Connection

from gatehold.approvals import grants, rows
from gatehold.approvals.errors import IllegalMove
from gatehold.approvals.model import Approval, Channel, Verb
from gatehold.approvals.states import ANSWERING, FINAL, ApprovalState, Move, advance
from gatehold.store import outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who moves an approval, and from where."""

    name: str
    """``user:NAME``, ``agent:ISSUER/SUBJECT`` or ``gatehold``."""
    channel: Channel | None = None
    os_user: str = ""

    @classmethod
    def agent(cls, approval: Approval) -> Self:
        """The agent that asks."""
        return cls(name=f"agent:{approval.call.issuer}/{approval.call.subject}")


GATEHOLD: Final = Actor(name="gatehold")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Who, when and why."""

    by: Actor
    at: float
    reason: str = ""


def make(
    connection: Connection, approval: Approval, step: Move, cause: Cause, *, spend_by: float | None = None
) -> Approval:
    """Move an approval. Raises IllegalMove, and changes nothing."""
    moved = replace(
        approval,
        state=advance(approval.state, step),
        reason=cause.reason or approval.reason,
        answered=cause.at if step in ANSWERING else approval.answered,
        spend_by=approval.spend_by if spend_by is None else spend_by,
    )
    if moved.state in FINAL:
        moved = replace(moved, ended=cause.at)
    if not rows.move(connection, approval, step, moved, now=cause.at):
        current = rows.states(connection, [approval.id]).get(approval.id, approval.state)
        raise IllegalMove(current if current is not approval.state else "past its deadline", step)
    tell(connection, approval, moved.state, cause)
    if approval.state is ApprovalState.APPROVED and moved.state is not ApprovalState.SPENT:
        grants.void(connection, approval.id, by=cause.by.name, now=cause.at, reason=cause.reason)
    return moved


def tell_opened(connection: Connection, approval: Approval, cause: Cause) -> None:
    """Leave the audit event of a new question."""
    event = _about(approval, cause) | {"from": None, "to": approval.state}
    outbox.append(connection, event, at=cause.at)


def tell(connection: Connection, approval: Approval, to: ApprovalState, cause: Cause) -> None:
    """Leave the audit event of a move."""
    event = _about(approval, cause) | {"from": approval.state, "to": to}
    outbox.append(connection, event, at=cause.at)


def tell_answer(connection: Connection, approval: Approval, answer: Verb, cause: Cause) -> None:
    """Leave the audit event of an answer that is needed but not yet enough: the approval stays where it is."""
    event = _about(approval, cause) | {"from": approval.state, "to": approval.state, "answer": answer}
    outbox.append(connection, event, at=cause.at)


def tell_forced(connection: Connection, approval: Approval, cause: Cause) -> None:
    """Leave the audit event of a broken glass, beside that of the move that it makes."""
    outbox.append(connection, _about(approval, cause) | {"kind": "approval-forced"}, at=cause.at)


def tell_refused(connection: Connection, approval_id: str, answer: Verb, objection: str, cause: Cause) -> None:
    """Leave the audit event of an answer that did not count."""
    event = {"kind": "approval-answer-refused", "approval": approval_id, "answer": answer, "objection": objection}
    outbox.append(connection, event | _actor(cause.by), at=cause.at)


def _about(approval: Approval, cause: Cause) -> dict[str, Any]:
    call = approval.call
    return {
        "kind": "approval",
        "approval": approval.id,
        "agent": {"issuer": call.issuer, "subject": call.subject, "session": call.session},
        "target": call.target,
        "rules": [rule.name for rule in call.rules],
        "fingerprint": call.fingerprint,
        "reason": cause.reason,
    } | _actor(cause.by)


def _actor(actor: Actor) -> dict[str, Any]:
    return {"by": actor.name, "channel": actor.channel, "os_user": actor.os_user}
