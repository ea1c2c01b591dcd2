"""What agents whose access was taken away, and sessions that ended, leave behind: nothing that still counts.

Their calls are refused anyway; but access that is given back must not find the old questions, answers and grants. What
came after the revocation is not touched.
"""

from contextlib import suppress
from typing import Final

from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select, true, tuple_

from gatehold.approvals import grants, moves, rows
from gatehold.approvals.errors import IllegalMove
from gatehold.approvals.moves import GATEHOLD, Cause
from gatehold.approvals.states import ApprovalState, Move
from gatehold.store import schema
from gatehold.store.revocations import Reach, Revocation, in_force

REVOKED: Final = "the agent's access was revoked, or its session ended"

_STANDING: Final = (ApprovalState.PENDING, ApprovalState.APPROVED)


def void(connection: Connection, *, now: float, limit: int) -> bool:
    """End a limited number of approvals and grants of agents that may not act any more; whether there were any."""
    ids = _approvals(connection, now, limit)
    for approval_id in ids:
        approval = rows.get(connection, approval_id, lock=True)
        if approval is None:
            continue
        step = Move.WITHDRAW if approval.state is ApprovalState.PENDING else Move.REVOKE
        with suppress(IllegalMove):
            moves.make(connection, approval, step, Cause(by=GATEHOLD, at=now, reason=REVOKED))
    granted = _grants(connection, now, limit)
    for grant_id in granted:
        grants.revoke(connection, grant_id, by=GATEHOLD.name, now=now, reason=REVOKED)
    return bool(ids or granted)


def is_needed(connection: Connection, *, now: float) -> bool:
    """Whether there is anything to end."""
    return bool(_approvals(connection, now, 1) or _grants(connection, now, 1))


def _approvals(connection: Connection, now: float, limit: int) -> list[str]:
    table = schema.approvals
    # Overdue ones are ended by their deadline, and cannot be moved otherwise.
    in_time = or_(
        and_(table.c.state == ApprovalState.PENDING, table.c.expires > now),
        and_(table.c.state == ApprovalState.APPROVED, table.c.spend_by > now),
    )
    statement = select(table.c.id).where(table.c.state.in_(_STANDING), in_time, _of_the_gone(connection, table, now))
    return list(connection.scalars(statement.order_by(table.c.id).limit(limit)))


def _grants(connection: Connection, now: float, limit: int) -> list[str]:
    table = schema.grants
    live = (table.c.expires > now, table.c.revoked.is_(None))
    statement = select(table.c.id).where(*live, _of_the_gone(connection, table, now)).order_by(table.c.id).limit(limit)
    return list(connection.scalars(statement))


def _of_the_gone(connection: Connection, table: Table, now: float) -> ColumnElement[bool]:
    sessions = schema.agent_sessions
    # A list that is made once per look: a session that ended does not begin again.
    over = select(sessions.c.issuer, sessions.c.subject, sessions.c.session).where(sessions.c.ended.is_not(None))
    ended = tuple_(table.c.issuer, table.c.subject, table.c.session).in_(over)
    return or_(ended, *(_hit(each, table) for each in in_force(connection, now=now)))


def _hit(revocation: Revocation, table: Table) -> ColumnElement[bool]:
    column = {
        Reach.SESSION: table.c.session,
        Reach.SUBJECT: table.c.subject,
        Reach.ISSUER: table.c.issuer,
    }.get(revocation.reach)
    named = true() if column is None else column == revocation.value
    issuer = table.c.issuer == revocation.issuer if revocation.issuer else true()
    return and_(named, issuer, table.c.created <= revocation.created)
