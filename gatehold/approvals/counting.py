"""What an answer does, inside the caller's transaction: it is checked, kept, and moves the approval once it is enough.

What is read here was locked before, so that two answers to one approval follow each other.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from gatehold.approvals import answering, grants, moves, rows, showing
from gatehold.approvals.answering import Voice
from gatehold.approvals.approvers import is_behind
from gatehold.approvals.errors import AnswerRefused, Objection, UnknownApproval
from gatehold.approvals.model import Approval, Kind, Verb
from gatehold.approvals.moves import GATEHOLD, Actor, Cause
from gatehold.approvals.states import ApprovalState, Move
from gatehold.store.users import find_user, groups_of, names_of

LEFT: Final = "the people who approved are no longer in the groups that may"
"""Why a yes is void."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What of the settings matters to an answer."""

    spend_within: float
    """Seconds for which a yes may be used."""
    glass: Collection[str]
    """Groups that may break the glass."""


def locked(connection: Connection, ids: Sequence[str]) -> list[Approval]:
    """Approvals that nobody else moves before this transaction ends, in the order of their ids.

    Raises UnknownApproval.
    """
    found = []
    for approval_id in sorted(set(ids)):
        approval = rows.get(connection, approval_id, lock=True)
        if approval is None:
            raise UnknownApproval(approval_id)
        found.append(approval)
    return found


def count_one(connection: Connection, approval: Approval, voice: Voice, terms: Terms, *, now: float) -> Approval:
    """An answer to one approval that was shown by itself. Raises AnswerRefused."""
    answering.check_shown(voice, showing.digest([approval]))
    return _count(connection, approval, voice, terms, now)


def count_together(
    connection: Connection, approvals: Sequence[Approval], voice: Voice, terms: Terms, *, now: float
) -> list[Approval]:
    """One answer to all calls of a command that were shown on one page. Raises AnswerRefused: then none is answered."""
    key = {(each.call.issuer, each.call.subject, each.call.session, each.call.together) for each in approvals}
    if len(key) != 1 or (len(approvals) > 1 and approvals[0].call.together is None):
        raise AnswerRefused(Objection.NOT_SHOWN, "only calls of one command can be answered together")
    answering.check_shown(voice, showing.digest(approvals))
    return [_count(connection, approval, voice, terms, now) for approval in approvals]


def force(connection: Connection, approval: Approval, voice: Voice, terms: Terms, *, now: float) -> Approval:
    """One person's yes instead of the quorum's. It lets this call out and leaves no grant for others, but where the
    grant is all that was asked for. Raises AnswerRefused."""
    answering.check_shown(voice, showing.digest([approval]))
    groups, names = _groups(connection, voice), names_of(connection, voice.user)
    answering.check_forced(approval, voice, groups, terms.glass, now=now, names=names)
    rows.drop_answers(connection, approval.id, user=voice.user, person=voice.person)
    rows.add_answer(connection, approval.id, voice.answer(now))
    cause = _cause(voice, now)
    moves.tell_forced(connection, approval, cause)
    return _approve(
        connection, _again(connection, approval), cause, terms, with_grant=approval.call.kind is Kind.ACCESS
    )


def spend(connection: Connection, approval: Approval, terms: Terms, *, now: float) -> bool:
    """Use up a yes; False, and the yes is revoked, where those who gave it may not give it any more.

    Raises IllegalMove.
    """
    if approval.state is ApprovalState.APPROVED and not stands(connection, approval, terms):
        moves.make(connection, approval, Move.REVOKE, Cause(by=GATEHOLD, at=now, reason=LEFT))
        return False
    moves.make(connection, approval, Move.SPEND, Cause(by=Actor.agent(approval), at=now))
    return True


def stands(connection: Connection, approval: Approval, terms: Terms) -> bool:
    """Whether those who said yes are enough, in the groups that they are in now and by the names they have now."""
    users = {answer.user for answer in approval.answers}
    strangers = {user for user in users if not _is_behind(connection, user, approval)}
    return answering.enough(approval, groups_of(connection, strangers), terms.glass)


def person(voice: Voice) -> Actor:
    """Who speaks, for the audit trail."""
    return Actor(name=f"user:{voice.user}", channel=voice.channel, os_user=voice.os_user)


def _count(connection: Connection, approval: Approval, voice: Voice, terms: Terms, now: float) -> Approval:
    groups, names = _groups(connection, voice), names_of(connection, voice.user)
    answering.check(approval, voice, groups, now=now, names=names)
    rows.add_answer(connection, approval.id, voice.answer(now))
    answered, cause = _again(connection, approval), _cause(voice, now)
    if voice.verb is Verb.DENY:
        return moves.make(connection, answered, Move.DENY, cause)
    if not stands(connection, answered, terms):
        moves.tell_answer(connection, answered, voice.verb, cause)
        return answered
    return _approve(connection, answered, cause, terms, with_grant=True)


def _approve(connection: Connection, approval: Approval, cause: Cause, terms: Terms, *, with_grant: bool) -> Approval:
    approved = moves.make(connection, approval, Move.APPROVE, cause, spend_by=cause.at + terms.spend_within)
    if with_grant:
        grants.leave(connection, approved, now=cause.at)
    if approval.call.kind is Kind.ACCESS:
        # The grant is the use of this yes: no call will ever come to spend it.
        return moves.make(connection, approved, Move.SPEND, Cause(by=GATEHOLD, at=cause.at))
    return approved


def _again(connection: Connection, approval: Approval) -> Approval:
    found = rows.get(connection, approval.id)
    if found is None:
        raise UnknownApproval(approval.id)
    return found


def _is_behind(connection: Connection, user: str, approval: Approval) -> bool:
    return any(is_behind(name, approval.call.people) for name in names_of(connection, user))


def _groups(connection: Connection, voice: Voice) -> frozenset[str] | None:
    user = find_user(connection, voice.user)
    return None if user is None else frozenset(user.groups)


def _cause(voice: Voice, now: float) -> Cause:
    return Cause(by=person(voice), at=now, reason=voice.reason)
