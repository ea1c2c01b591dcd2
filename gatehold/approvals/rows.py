"""Between the values of ``model`` and the rows of the store: the only statements on ``approvals`` and their answers.

Every function works inside the caller's transaction.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, insert, or_, select, update

from gatehold.approvals.approvers import Quorum
from gatehold.approvals.model import (
    Answer,
    Approval,
    ApprovalId,
    Body,
    Bound,
    Change,
    Channel,
    Fingerprint,
    GrantTerms,
    HeldCall,
    Kind,
    RuleRef,
    Verb,
)
from gatehold.approvals.states import FINAL, INITIAL, ApprovalState, Move, sources
from gatehold.store.schema import approval_answers, approvals

_ENDS = {
    ApprovalState.PENDING: approvals.c.expires,
    ApprovalState.APPROVED: approvals.c.spend_by,
    ApprovalState.DENIED: approvals.c.expires,
}
"""States that answer for a repeated call, and until when."""


def storable(text: str) -> str:
    """What every database takes as text: no NUL, no lone surrogates. For columns that are only shown."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def add(connection: Connection, approval_id: ApprovalId, call: HeldCall, *, created: float, expires: float) -> None:
    """A new question."""
    values = {
        "id": approval_id,
        "state": INITIAL,
        "fingerprint": call.fingerprint,
        "live": call.fingerprint,
        "request": call.request,
        "issuer": call.issuer,
        "subject": call.subject,
        "session": call.session,
        "people": sorted(call.people),
        "target": call.target,
        "method": storable(call.method),
        "path": storable(call.path),
        "facts": dict(call.facts),
        "rules": [asdict(rule) for rule in call.rules],
        "quorum": _quorum_json(call.quorum),
        "message": storable(call.message),
        "terms": None if call.terms is None else asdict(call.terms),
        "change": None if call.change is None else _change_json(call.change),
        "body": None if call.body is None else _body_json(call.body),
        "kind": call.kind,
        "together": call.together,
        "created": created,
        "expires": expires,
        "reason": "",
    }
    connection.execute(insert(approvals).values(values))


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
        "reason": storable(new.reason),
        "answered": new.answered,
        "spend_by": new.spend_by,
        "ended": new.ended,
        "live": None if new.state in FINAL else new.call.fingerprint,
    }
    return connection.execute(update(approvals).where(*condition).values(values)).rowcount == 1


def add_answer(connection: Connection, approval_id: ApprovalId, answer: Answer) -> None:
    """Keep what a person said."""
    connection.execute(
        insert(approval_answers).values(
            approval_id=approval_id,
            answer=answer.verb,
            user_name=answer.user,
            person=answer.person,
            channel=answer.channel,
            os_user=answer.os_user,
            reason=storable(answer.reason),
            at=answer.at,
            shown=answer.shown,
            forced=answer.forced,
        )
    )


def pending_ids(connection: Connection) -> set[str]:
    """Every approval that waits for people."""
    return set(connection.scalars(select(approvals.c.id).where(approvals.c.state == ApprovalState.PENDING)))


def states(connection: Connection, ids: Collection[str]) -> dict[str, ApprovalState]:
    """Where these approvals stand; those that do not exist are left out."""
    rows = connection.execute(select(approvals.c.id, approvals.c.state).where(approvals.c.id.in_(ids)))
    return {row.id: ApprovalState(row.state) for row in rows}


def _load(connection: Connection, statement: Select[Any]) -> list[Approval]:
    rows = connection.execute(statement).all()
    answers = _answers(connection, [row.id for row in rows])
    return [_approval(row, answers.get(row.id, ())) for row in rows]


def _answers(connection: Connection, ids: Collection[str]) -> dict[str, tuple[Answer, ...]]:
    if not ids:
        return {}
    statement = select(approval_answers).where(approval_answers.c.approval_id.in_(ids)).order_by(approval_answers.c.id)
    found: defaultdict[str, list[Answer]] = defaultdict(list)
    for row in connection.execute(statement):
        found[row.approval_id].append(_answer(row))
    return {approval_id: tuple(answers) for approval_id, answers in found.items()}


def _answer(row: Row[Any]) -> Answer:
    return Answer(
        verb=Verb(row.answer),
        user=row.user_name,
        person=row.person,
        channel=Channel(row.channel),
        os_user=row.os_user,
        reason=row.reason,
        at=row.at,
        shown=row.shown,
        forced=row.forced,
    )


def _approval(row: Row[Any], answers: Iterable[Answer]) -> Approval:
    return Approval(
        id=ApprovalId(row.id),
        state=ApprovalState(row.state),
        call=_call(row),
        created=row.created,
        expires=row.expires,
        answered=row.answered,
        spend_by=row.spend_by,
        ended=row.ended,
        reason=row.reason,
        answers=tuple(answers),
    )


def _call(row: Row[Any]) -> HeldCall:
    return HeldCall(
        issuer=row.issuer,
        subject=row.subject,
        session=row.session,
        people=frozenset(row.people),
        target=row.target,
        method=row.method,
        path=row.path,
        facts=row.facts,
        rules=tuple(RuleRef(**rule) for rule in row.rules),
        quorum=_quorum(row.quorum),
        message=row.message,
        fingerprint=Fingerprint(row.fingerprint),
        request=None if row.request is None else Fingerprint(row.request),
        change=None if row.change is None else Change(**row.change),
        body=None if row.body is None else Body(**row.body),
        kind=Kind(row.kind),
        together=row.together,
        terms=None if row.terms is None else terms(row.terms),
    )


def _change_json(change: Change) -> dict[str, Any]:
    return {"diff": storable(change.diff), "cut": change.cut, "problem": change.problem}


def _body_json(body: Body) -> dict[str, Any]:
    shown = {"text": storable(body.text), "content_type": storable(body.content_type), "problem": body.problem}
    return {**asdict(body), **shown}


def _quorum_json(quorum: Quorum) -> dict[str, Any]:
    return {"sets": [sorted(groups) for groups in quorum.sets], "count": quorum.count, "each": quorum.each}


def _quorum(stored: Mapping[str, Any]) -> Quorum:
    sets = tuple(frozenset(groups) for groups in stored["sets"])
    return Quorum(sets=sets, count=stored["count"], each=stored["each"])


def terms(stored: Mapping[str, Any]) -> GrantTerms:
    """Grant terms as they are stored with an approval and with a grant."""
    return GrantTerms(**{**stored, "bounds": tuple(Bound(**bound) for bound in stored["bounds"])})
