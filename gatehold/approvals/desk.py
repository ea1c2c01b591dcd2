"""Where approvals are asked for, answered and used. Every function is one transaction; call them in a thread.

Moves that race (two people answer, an answer meets the deadline, two gateways use one yes) are decided by the store:
the row is locked or the writers queue, the move is one UPDATE that names the states it may start from, and the audit
event is in the same transaction. Time is read after the lock is held: waiting for it cannot make a late answer early.
"""

import hmac
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final, Protocol

from sqlalchemy import Connection

from gatehold.approvals import answering, grants, moves, rows
from gatehold.approvals.answering import Voice
from gatehold.approvals.errors import AnswerRefused, IllegalMove, Objection, UnknownApproval
from gatehold.approvals.model import Approval, ApprovalId, Channel, Fingerprint, HeldCall, Verb
from gatehold.approvals.moves import GATEHOLD, Actor, Cause
from gatehold.approvals.states import ApprovalState, Move
from gatehold.store import Store
from gatehold.store.users import find_user, groups_of
from policy.codes import Code
from policy.errors import Refusal

SWEEP: Final = 200
"""How many overdue approvals one transaction ends."""

CHANGED: Final = "the object changed: the call would not do any more what was shown"
"""Why a question or its answer is void."""

_FLOOD_RETRY: Final = 30
_LONGEST_ID: Final = 64


class DeskSettings(Protocol):
    """The keys of ``approvals:`` that matter here; durations in seconds."""

    @property
    def expire(self) -> float:
        """How long people may answer."""

    @property
    def spend_within(self) -> float:
        """How long a yes may be used."""

    @property
    def max_open_per_agent(self) -> int:
        """Questions that one agent may have open."""

    @property
    def local(self) -> str:
        """``users``: answers on the gateway's own machine count; ``off``: they do not."""


class ApprovalDesk:
    """The approvals of one store."""

    def __init__(self, store: Store, settings: DeskSettings, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock

    def find(self, fingerprint: Fingerprint) -> Approval | None:
        """What answers for this call now: pending, approved and unspent in time, or denied until its expiry."""
        with self._store.reading() as connection:
            return rows.find_live(connection, fingerprint, now=self._clock())

    def open_or_join(self, call: HeldCall) -> Approval:
        """The approval for a held call: an open or answered one for exactly this call, or else a new one.

        Raises Refusal (rate-limited) when the agent has too many questions open.
        """
        found = self.find(call.fingerprint)  # a repeated call, the common case, needs no writer's turn
        if found is not None:
            return found
        with self._store.writing() as connection:
            self._store.serialize(connection, f"approvals of {call.issuer!r} {call.subject!r}")
            now = self._clock()
            found = rows.find_live(connection, call.fingerprint, now=now)
            return found if found is not None else self._open(connection, call, now)

    def get(self, approval_id: str) -> Approval:
        """One approval. Raises UnknownApproval."""
        with self._store.reading() as connection:
            return _existing(connection, approval_id)

    def listing(self, *, state: ApprovalState | None = None, limit: int = 200) -> list[Approval]:
        """Approvals, the newest first."""
        with self._store.reading() as connection:
            return rows.newest(connection, state=state, limit=limit)

    def approve(
        self, approval_id: str, user: str, *, channel: Channel, os_user: str = "", reason: str = ""
    ) -> Approval:
        """A yes; the approval stays pending until enough people said it. Raises AnswerRefused, UnknownApproval."""
        voice = Voice(user=user, channel=channel, os_user=os_user, verb=Verb.APPROVE, reason=reason)
        return self._answer(approval_id, voice)

    def deny(self, approval_id: str, user: str, *, channel: Channel, os_user: str = "", reason: str) -> Approval:
        """A no, which ends the question. Raises AnswerRefused, UnknownApproval."""
        return self._answer(
            approval_id, Voice(user=user, channel=channel, os_user=os_user, verb=Verb.DENY, reason=reason)
        )

    def spend(self, approval_id: str, fingerprint: Fingerprint) -> bool:
        """Use up a yes for the one call it was given for; True for exactly one caller.

        False when it is not (or no longer) approved, too old, given for another call, or when those who gave it are no
        longer in the groups that may: such a yes is revoked.
        """
        with self._store.writing() as connection:
            approval = rows.get(connection, approval_id, lock=True)
            if approval is None or not hmac.compare_digest(approval.call.fingerprint, fingerprint):
                return False
            try:
                return _spend(connection, approval, self._clock())
            except IllegalMove:
                return False

    def withdraw(self, approval_id: str, *, by: Actor, reason: str = "") -> Approval:
        """Take a question back. Raises IllegalMove, UnknownApproval."""
        return self._move(approval_id, Move.WITHDRAW, by=by, reason=reason)

    def revoke(self, approval_id: str, *, by: Actor, reason: str = "") -> Approval:
        """Take a yes back before it is used. Raises IllegalMove, UnknownApproval."""
        return self._move(approval_id, Move.REVOKE, by=by, reason=reason)

    def expire_due(self) -> list[ApprovalId]:
        """End what is past its deadline, a limited number at a time; to be called every second or so."""
        with self._store.reading() as connection:
            if not rows.overdue(connection, now=self._clock(), limit=1):
                return []
        with self._store.writing() as connection:
            now = self._clock()
            return _expire(connection, rows.overdue(connection, now=now, limit=SWEEP), now)

    def _open(self, connection: Connection, call: HeldCall, now: float) -> Approval:
        _expire(connection, rows.overdue(connection, now=now, limit=1, fingerprint=call.fingerprint), now)
        _replace(connection, call, now)
        if rows.count_open(connection, call.issuer, call.subject, now=now) >= self._settings.max_open_per_agent:
            detail = "This agent has too many calls waiting for approval."
            raise Refusal(Code.RATE_LIMITED, detail, retry_after=_FLOOD_RETRY)
        approval_id = ApprovalId(f"apr_{secrets.token_urlsafe(16)}")
        rows.add(connection, approval_id, call, created=now, expires=now + self._settings.expire)
        approval = _existing(connection, approval_id)
        moves.tell_opened(connection, approval, Cause(by=Actor.agent(approval), at=now))
        return approval

    def _answer(self, approval_id: str, voice: Voice) -> Approval:
        try:
            if voice.channel is Channel.LOCAL and self._settings.local == "off":
                raise AnswerRefused(Objection.CHANNEL_OFF, "answers on the gateway's own machine are switched off")
            with self._store.writing() as connection:
                approval = rows.get(connection, approval_id, lock=True)
                if approval is None:
                    raise UnknownApproval(approval_id)
                return self._count(connection, approval, voice)
        except (AnswerRefused, UnknownApproval) as error:
            self._tell_refused(approval_id, voice, error)
            raise

    def _count(self, connection: Connection, approval: Approval, voice: Voice) -> Approval:
        now = self._clock()
        user = find_user(connection, voice.user)
        answering.check(approval, voice, None if user is None else frozenset(user.groups), now=now)
        rows.add_answer(connection, approval.id, voice.answer(now))
        answered = _existing(connection, approval.id)
        cause = Cause(by=_person(voice), at=now, reason=voice.reason)
        if voice.verb is Verb.DENY:
            return moves.make(connection, answered, Move.DENY, cause)
        if not _stands(connection, answered):
            moves.tell_answer(connection, answered, voice.verb, cause)
            return answered
        spend_by = now + self._settings.spend_within
        approved = moves.make(connection, answered, Move.APPROVE, cause, spend_by=spend_by)
        grants.leave(connection, approved, now=now)
        return approved

    def _tell_refused(self, approval_id: str, voice: Voice, error: AnswerRefused | UnknownApproval) -> None:
        """Refused answers are audited too, in their own transaction: the answer's was rolled back."""
        objection = error.objection if isinstance(error, AnswerRefused) else "unknown-approval"
        with self._store.writing() as connection:
            cause = Cause(by=_person(voice), at=self._clock())
            moves.tell_refused(connection, approval_id[:_LONGEST_ID], voice.verb, objection, cause)

    def _move(self, approval_id: str, step: Move, *, by: Actor, reason: str) -> Approval:
        with self._store.writing() as connection:
            approval = rows.get(connection, approval_id, lock=True)
            if approval is None:
                raise UnknownApproval(approval_id)
            return moves.make(connection, approval, step, Cause(by=by, at=self._clock(), reason=reason))


def _existing(connection: Connection, approval_id: str) -> Approval:
    approval = rows.get(connection, approval_id)
    if approval is None:
        raise UnknownApproval(approval_id)
    return approval


def _person(voice: Voice) -> Actor:
    return Actor(name=f"user:{voice.user}", channel=voice.channel, os_user=voice.os_user)


def _stands(connection: Connection, approval: Approval) -> bool:
    """Whether those who said yes are enough, in the groups that they are in now."""
    return answering.enough(approval, groups_of(connection, {answer.user for answer in approval.answers}))


def _spend(connection: Connection, approval: Approval, now: float) -> bool:
    if approval.state is ApprovalState.APPROVED and not _stands(connection, approval):
        reason = "the people who approved are no longer in the groups that may"
        moves.make(connection, approval, Move.REVOKE, Cause(by=GATEHOLD, at=now, reason=reason))
        return False
    moves.make(connection, approval, Move.SPEND, Cause(by=Actor.agent(approval), at=now))
    return True


def _replace(connection: Connection, call: HeldCall, now: float) -> None:
    """Questions and answers about what this request would have done before its object changed are void."""
    for approval in rows.replaced_by(connection, call):
        step = Move.WITHDRAW if approval.state is ApprovalState.PENDING else Move.REVOKE
        with suppress(IllegalMove):
            moves.make(connection, approval, step, Cause(by=GATEHOLD, at=now, reason=CHANGED))


def _expire(connection: Connection, late: Iterable[Approval], now: float) -> list[ApprovalId]:
    ended = []
    for approval in late:
        with suppress(IllegalMove):
            moves.make(connection, approval, Move.EXPIRE, Cause(by=GATEHOLD, at=now))
            ended.append(approval.id)
    return ended
