"""How the values of ``model`` stand in the columns of the store, and how they are read from there."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row

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
from gatehold.approvals.states import ApprovalState


def storable(text: str) -> str:
    """What every database takes as text: no NUL, no lone surrogates. For columns that are only shown."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def of_call(call: HeldCall) -> dict[str, Any]:
    """The columns of an approval that say what is asked."""
    return {
        "fingerprint": call.fingerprint,
        "request": call.request,
        "issuer": call.issuer,
        "subject": call.subject,
        "session": call.session,
        "people": sorted(call.people),
        "purpose": storable(call.purpose),
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
    }


def of_answer(answer: Answer) -> dict[str, Any]:
    """The columns of an answer that say what was said."""
    return {
        "answer": answer.verb,
        "user_name": answer.user,
        "person": answer.person,
        "channel": answer.channel,
        "os_user": answer.os_user,
        "reason": storable(answer.reason),
        "at": answer.at,
        "shown": answer.shown,
        "forced": answer.forced,
    }


def answer(row: Row[Any]) -> Answer:
    """An answer from its row."""
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


def approval(row: Row[Any], answers: Iterable[Answer]) -> Approval:
    """An approval from its row."""
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
        purpose=row.purpose,
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
