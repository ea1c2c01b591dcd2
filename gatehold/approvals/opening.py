"""How a question is opened, and how one ends that nobody answered or that asks about what is no more.

Inside the caller's transaction.
"""

import secrets
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from sqlalchemy import Connection

from gatehold.approvals import moves, rows
from gatehold.approvals.errors import IllegalMove, UnknownApproval
from gatehold.approvals.model import Approval, ApprovalId, HeldCall
from gatehold.approvals.moves import GATEHOLD, Actor, Cause
from gatehold.approvals.settings import DeskSettings
from gatehold.approvals.states import ApprovalState, Move
from policy.codes import Code
from policy.errors import Refusal

CHANGED: Final = "the object changed: the call would not do any more what was shown"
"""Why a question or its answer is void."""

_FLOOD_RETRY: Final = 30


def opened(connection: Connection, call: HeldCall, settings: DeskSettings, *, now: float) -> Approval:
    """A new question. Raises Refusal (rate-limited) when the agent has too many open."""
    expire(connection, rows.overdue(connection, now=now, limit=1, fingerprint=call.fingerprint), now=now)
    _replace(connection, call, now)
    if rows.count_open(connection, call.issuer, call.subject, now=now) >= settings.max_open_per_agent:
        detail = "This agent has too many calls waiting for approval."
        raise Refusal(Code.RATE_LIMITED, detail, retry_after=_FLOOD_RETRY)
    approval_id = ApprovalId(f"apr_{secrets.token_urlsafe(16)}")
    rows.add(connection, approval_id, call, created=now, expires=now + settings.expire)
    approval = existing(connection, approval_id)
    moves.tell_opened(connection, approval, Cause(by=Actor.agent(approval), at=now))
    return approval


def existing(connection: Connection, approval_id: str) -> Approval:
    """One approval. Raises UnknownApproval."""
    approval = rows.get(connection, approval_id)
    if approval is None:
        raise UnknownApproval(approval_id)
    return approval


def expire(connection: Connection, late: Iterable[Approval], *, now: float) -> list[ApprovalId]:
    """End approvals that are past their deadline; the ids of those that were not ended before."""
    ended = []
    for approval in late:
        with suppress(IllegalMove):
            moves.make(connection, approval, Move.EXPIRE, Cause(by=GATEHOLD, at=now))
            ended.append(approval.id)
    return ended


def _replace(connection: Connection, call: HeldCall, now: float) -> None:
    """Questions and answers about what this request would have done before its object changed are void."""
    for approval in rows.replaced_by(connection, call):
        step = Move.WITHDRAW if approval.state is ApprovalState.PENDING else Move.REVOKE
        with suppress(IllegalMove):
            moves.make(connection, approval, step, Cause(by=GATEHOLD, at=now, reason=CHANGED))
