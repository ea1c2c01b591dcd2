"""The only statements on the approvals of the store and their answers.

Every function works inside the caller's transaction.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, func, insert, or_, select, update

from gatehold.approvals import columns
from gatehold.approvals.model import Answer, Approval, ApprovalId, Fingerprint, HeldCall, Verb
from gatehold.approvals.states import FINAL, INITIAL, ApprovalState, Move, sources
from gatehold.store.schema import approval_answers, approvals

_ENDS = {
    ApprovalState.PENDING: approvals.c.expires,
    ApprovalState.APPROVED: approvals.c.spend_by,
    ApprovalState.DENIED: approvals.c.expires,
}
"""States that answer for a repeated call, and until when."""


def add(connection: Connection, approval_id: ApprovalId, call: HeldCall, *, created: float, expires: float) -> None:
    """A new question."""
    standing = {"id": approval_id, "state": INITIAL, "live": call.fingerprint, "reason": ""}
    deadline = {"created": created, "expires": expires}
    connection.execute(insert(approvals).values(columns.of_call(call) | standing | deadline))


def get(connection: Connection, approval_id: str, *, lock: bool = False) -> Approval | None:
    """One approval with its answers; ``lock``: nobody else may move it before this transaction ends."""
    statement = select(approvals).where(approvals.c.id == approval_id)
    found = _load(connection, statement.with_for_update() if lock else statement)
    return found[0] if found else None


def find_live(connection: Connection, fingerprint: Fingerprint, *, now: float) -> Approval | None:
    """The approval that answers for this very call now: pending, approved and unspent, or denied."""
    in_time = or_(*(and_(approvals.c.state == state, end > now) for state, end in _ENDS.items()))
    statement = select(approvals).where(approvals.c.fingerprint == fingerprint, in_time)
    found = _load(connection, statement.order_by(approvals.c.created.desc()).limit(1))
    return found[0] if found else None


def replaced_by(connection: Connection, call: HeldCall) -> list[Approval]:
    """Open or approved questions about the same request, but with another effect."""
    standing = (ApprovalState.PENDING, ApprovalState.APPROVED)
    statement = select(approvals).where(
        approvals.c.request == call.request,
        approvals.c.fingerprint != call.fingerprint,
        approvals.c.state.in_(standing),
    )
    return [] if call.request is None else _load(connection, statement.order_by(approvals.c.id))


def newest(connection: Connection, *, state: ApprovalState | None, limit: int) -> list[Approval]:
    """Approvals, the newest first."""
    statement = select(approvals).order_by(approvals.c.created.desc(), approvals.c.id).limit(limit)
    return _load(connection, statement if state is None else statement.where(approvals.c.state == state))


def overdue(
    connection: Connection, *, now: float, limit: int, fingerprint: Fingerprint | None = None
) -> list[Approval]:
    """Approvals (of one call) whose present state has outlived its deadline, always in the same order."""
    late = [and_(approvals.c.state == state, _ENDS[state] <= now) for state in sorted(sources(Move.EXPIRE))]
    statement = select(approvals).where(or_(*late)).order_by(approvals.c.id).limit(limit)
    if fingerprint is not None:
        statement = statement.where(approvals.c.fingerprint == fingerprint)
    return _load(connection, statement)


def count_open(connection: Connection, issuer: str, subject: str, *, now: float) -> int:
    """How many questions an agent has before people."""
    statement = select(func.count()).where(
        approvals.c.issuer == issuer,
        approvals.c.subject == subject,
        approvals.c.state == ApprovalState.PENDING,
        approvals.c.expires > now,
    )
    return connection.execute(statement).scalar_one()


def move(connection: Connection, old: Approval, step: Move, new: Approval, *, now: float) -> bool:
    """One conditional UPDATE: whether the approval still stood where it was read, and in time (or late) for this move.

    To expire, a state must be the very one that is overdue: an answer that came meanwhile has a deadline of its own.
    """
    if old.state not in sources(step):
        return False
    end = _ENDS[old.state]
    condition = (
        approvals.c.id == old.id,
        approvals.c.fingerprint == old.call.fingerprint,
        approvals.c.state == old.state,
        end <= now if step is Move.EXPIRE else end > now,
    )
    values = {
        "state": new.state,
        "reason": columns.storable(new.reason),
        "answered": new.answered,
        "spend_by": new.spend_by,
        "ended": new.ended,
        "live": None if new.state in FINAL else new.call.fingerprint,
    }
    return connection.execute(update(approvals).where(*condition).values(values)).rowcount == 1


def add_answer(connection: Connection, approval_id: ApprovalId, answer: Answer) -> None:
    """Keep what a person said."""
    connection.execute(insert(approval_answers).values(approval_id=approval_id, **columns.of_answer(answer)))


def drop_answers(connection: Connection, approval_id: ApprovalId, *, user: str, person: str) -> None:
    """Forget the yes of a person who is about to say more than that."""
    statement = delete(approval_answers).where(
        approval_answers.c.approval_id == approval_id,
        approval_answers.c.answer == Verb.APPROVE,
        or_(approval_answers.c.user_name == user, approval_answers.c.person == person),
    )
    connection.execute(statement)


def pending_together(connection: Connection, call: HeldCall, *, now: float, limit: int) -> list[Approval]:
    """Open questions about calls of the same command, the oldest first; none where the call stands for itself."""
    if call.together is None:
        return []
    statement = select(approvals).where(
        approvals.c.together == call.together,
        approvals.c.issuer == call.issuer,
        approvals.c.subject == call.subject,
        approvals.c.session == call.session,
        approvals.c.state == ApprovalState.PENDING,
        approvals.c.expires > now,
    )
    return _load(connection, statement.order_by(approvals.c.created, approvals.c.id).limit(limit))


def of_agent(connection: Connection, issuer: str, subject: str, session: str) -> list[Approval]:
    """What still stands of an agent's session: open questions, and answers that were not used."""
    standing = (ApprovalState.PENDING, ApprovalState.APPROVED)
    statement = select(approvals).where(
        approvals.c.issuer == issuer,
        approvals.c.subject == subject,
        approvals.c.session == session,
        approvals.c.state.in_(standing),
    )
    return _load(connection, statement.order_by(approvals.c.id))


def pending_ids(connection: Connection) -> set[str]:
    """Every approval that waits for people. As one text: it is asked for often, and a row costs more than an id."""
    joined = select(func.aggregate_strings(approvals.c.id, ",")).where(approvals.c.state == ApprovalState.PENDING)
    found: str | None = connection.execute(joined).scalar_one()
    return set(found.split(",")) if found else set()


def states(connection: Connection, ids: Collection[str]) -> dict[str, ApprovalState]:
    """Where these approvals stand; those that do not exist are left out."""
    rows = connection.execute(select(approvals.c.id, approvals.c.state).where(approvals.c.id.in_(ids)))
    return {row.id: ApprovalState(row.state) for row in rows}


def _load(connection: Connection, statement: Select[Any]) -> list[Approval]:
    rows = connection.execute(statement).all()
    answers = _answers(connection, [row.id for row in rows])
    return [columns.approval(row, answers.get(row.id, ())) for row in rows]


def _answers(connection: Connection, ids: Collection[str]) -> dict[str, tuple[Answer, ...]]:
    if not ids:
        return {}
    statement = select(approval_answers).where(approval_answers.c.approval_id.in_(ids)).order_by(approval_answers.c.id)
    found: defaultdict[str, list[Answer]] = defaultdict(list)
    for row in connection.execute(statement):
        found[row.approval_id].append(columns.answer(row))
    return {approval_id: tuple(answers) for approval_id, answers in found.items()}
