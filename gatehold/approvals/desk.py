"""Where approvals are asked for, answered and used. Every function is one transaction; call them in a thread.

Moves that race (two people answer, an answer meets the deadline, two gateways use one yes) are decided by the store:
the row is locked or the writers queue, the move is one UPDATE that names the states it may start from, and the audit
event is in the same transaction. Time is read after the lock is held: waiting for it cannot make a late answer early.
"""

import hmac
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NotRequired, Protocol, TypedDict, Unpack

from sqlalchemy import Connection

from gatehold.approvals import counting, covering, grants, moves, opening, rows, voiding
from gatehold.approvals.answering import Voice
from gatehold.approvals.errors import AnswerRefused, IllegalMove, Objection, UnknownApproval
from gatehold.approvals.grants import CallTraits, Grant, GrantId
from gatehold.approvals.model import Approval, ApprovalId, Channel, Fingerprint, HeldCall, RuleRef, Verb
from gatehold.approvals.moves import GATEHOLD, Actor, Cause
from gatehold.approvals.settings import DeskSettings
from gatehold.approvals.states import ApprovalState, Move
from gatehold.store import Store

SWEEP: Final = 200
"""How many overdue approvals one transaction ends."""

MOST_TOGETHER: Final = 100
"""Calls of one command that are shown on one page, and answered at once."""

_LONGEST_ID: Final = 64


class _Count(Protocol):
    def __call__(
        self, connection: Connection, approval: Approval, voice: Voice, terms: counting.Terms, *, now: float
    ) -> Approval: ...


class Said(TypedDict):
    """Where an answer comes from, and what belongs to it."""

    channel: Channel
    os_user: NotRequired[str]
    """The account of the operating system, for local answers."""
    reason: NotRequired[str]
    shown: NotRequired[str | None]
    """``showing.digest([approval])`` of what the person saw."""


class ApprovalDesk:
    """The approvals of one store."""

    def __init__(self, store: Store, settings: DeskSettings, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock

    def follow(self, settings: DeskSettings) -> None:
        """Go by other settings from now on."""
        self._settings = settings

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
            return found if found is not None else opening.opened(connection, call, self._settings, now=now)

    def get(self, approval_id: str) -> Approval:
        """One approval. Raises UnknownApproval."""
        with self._store.reading() as connection:
            return opening.existing(connection, approval_id)

    def listing(self, *, state: ApprovalState | None = None, limit: int = 200) -> list[Approval]:
        """Approvals, the newest first."""
        with self._store.reading() as connection:
            return rows.newest(connection, state=state, limit=limit)

    def together(self, approval_id: str) -> list[Approval]:
        """The open questions about calls of the same command, this one among them while it is open.

        Raises UnknownApproval.
        """
        with self._store.reading() as connection:
            approval = opening.existing(connection, approval_id)
            now = self._clock()
            found = rows.pending_together(connection, approval.call, now=now, limit=MOST_TOGETHER)
            is_open = approval.state is ApprovalState.PENDING and approval.expires > now
            return found if found or not is_open else [approval]

    def approve(self, approval_id: str, user: str, **said: Unpack[Said]) -> Approval:
        """A yes; the approval stays pending until enough people said it. Raises AnswerRefused, UnknownApproval."""
        return self._answer(Voice(user=user, verb=Verb.APPROVE, **said), [approval_id], counting.count_one)

    def deny(self, approval_id: str, user: str, **said: Unpack[Said]) -> Approval:
        """A no, which ends the question and needs a reason. Raises AnswerRefused, UnknownApproval."""
        return self._answer(Voice(user=user, verb=Verb.DENY, **said), [approval_id], counting.count_one)

    def force(self, approval_id: str, user: str, **said: Unpack[Said]) -> Approval:
        """The yes of one member of a ``breakGlass`` group, with a reason, instead of the quorum's.

        Raises AnswerRefused, UnknownApproval.
        """
        voice = Voice(user=user, verb=Verb.APPROVE, forced=True, **said)
        return self._answer(voice, [approval_id], counting.force)

    def answer_together(  # noqa: PLR0913 (who, what, from where, why, and what was shown)
        self,
        ids: Sequence[str],
        user: str,
        *,
        verb: Verb,
        channel: Channel,
        os_user: str = "",
        reason: str = "",
        shown: str,
    ) -> list[Approval]:
        """The same answer to all calls of one command that were on the page, or to none. ``shown``: the digest of them
        all. Raises AnswerRefused, UnknownApproval."""
        voice = Voice(user=user, channel=channel, os_user=os_user, verb=verb, reason=reason, shown=shown)
        with self._heard(voice, ids), self._store.writing() as connection:
            approvals = counting.locked(connection, _few(ids))
            return counting.count_together(connection, approvals, voice, self._terms, now=self._clock())

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
                return counting.spend(connection, approval, self._terms, now=self._clock())
            except IllegalMove:
                return False

    def withdraw(self, approval_id: str, *, by: Actor, reason: str = "") -> Approval:
        """Take a question back. Raises IllegalMove, UnknownApproval."""
        return self._move(approval_id, Move.WITHDRAW, by=by, reason=reason)

    def revoke(self, approval_id: str, *, by: Actor, reason: str = "") -> Approval:
        """Take a yes back before it is used. Raises IllegalMove, UnknownApproval."""
        return self._move(approval_id, Move.REVOKE, by=by, reason=reason)

    def granted(self, call: CallTraits, rules: Sequence[RuleRef]) -> tuple[Grant, ...]:
        """The grants by which a call passes unasked: every rule that asks is covered. Empty where people are asked."""
        with self._store.reading() as connection:
            found = covering.covering(connection, call, rules, self._terms, now=self._clock())
            if not found or not covering.unused(connection, found):
                return found
        with self._store.writing() as connection:
            return covering.used(connection, found, call, rules, self._terms, now=self._clock())

    def still_granted(self, ids: Collection[str]) -> bool:
        """Whether all these grants are in force, and given by people who still may."""
        with self._store.reading() as connection:
            return covering.in_force(connection, ids, self._terms, now=self._clock())

    def grants_of(self, approval_id: str) -> tuple[GrantId, ...]:
        """The ids of what an approval left."""
        with self._store.reading() as connection:
            return grants.left_by(connection, approval_id)

    def grants(self, *, ended: bool = False, limit: int = 200) -> list[Grant]:
        """Grants in force (or all), the newest first."""
        with self._store.reading() as connection:
            return grants.newest(connection, now=self._clock(), ended=ended, limit=limit)

    def revoke_grant(self, grant_id: str, *, by: Actor, reason: str = "") -> bool:
        """End a grant, and a yes of its that was not used yet; whether there was a grant to end."""
        with self._store.writing() as connection:
            cause = Cause(by=by, at=self._clock(), reason=reason)
            return covering.revoke(connection, grant_id, cause)

    def revoke_grants_of(self, gone: Collection[tuple[str, str]], *, reason: str) -> int:
        """End the grants that a rule left, by name and digest, which is no more; how many there were."""
        if not gone:
            return 0
        with self._store.reading() as connection:
            ids = grants.asked_by(connection, gone, now=self._clock())
        return sum(self.revoke_grant(each, by=GATEHOLD, reason=reason) for each in ids)

    def expire_due(self) -> list[ApprovalId]:
        """End what is past its deadline, and what agents without access left behind, a limited number at a time; to be
        called every second or so."""
        with self._store.reading() as connection:
            now = self._clock()
            late, gone = rows.overdue(connection, now=now, limit=1), voiding.is_needed(connection, now=now)
        if not late and not gone:
            return []
        with self._store.writing() as connection:
            now = self._clock()
            voiding.void(connection, now=now, limit=SWEEP)
            return opening.expire(connection, rows.overdue(connection, now=now, limit=SWEEP), now=now)

    def _answer(self, voice: Voice, ids: Sequence[str], count: _Count) -> Approval:
        with self._heard(voice, ids), self._store.writing() as connection:
            [approval] = counting.locked(connection, ids)
            return count(connection, approval, voice, self._terms, now=self._clock())

    @contextmanager
    def _heard(self, voice: Voice, ids: Sequence[str]) -> Iterator[None]:
        """Refused answers are audited too, in their own transaction: the answer's was rolled back."""
        try:
            if voice.channel is Channel.LOCAL and self._settings.local == "off":
                raise AnswerRefused(Objection.CHANNEL_OFF, "answers on the gateway's own machine are switched off")
            yield
        except (AnswerRefused, UnknownApproval) as error:
            objection = error.objection if isinstance(error, AnswerRefused) else "unknown-approval"
            cause = Cause(by=counting.person(voice), at=self._clock())
            with self._store.writing() as connection:
                for approval_id in list(ids)[:MOST_TOGETHER]:
                    moves.tell_refused(connection, approval_id[:_LONGEST_ID], voice.verb, objection, cause)
            raise

    @property
    def _terms(self) -> counting.Terms:
        return counting.Terms(spend_within=self._settings.spend_within, glass=self._settings.break_glass)

    def _move(self, approval_id: str, step: Move, *, by: Actor, reason: str) -> Approval:
        with self._store.writing() as connection:
            approval = rows.get(connection, approval_id, lock=True)
            if approval is None:
                raise UnknownApproval(approval_id)
            return moves.make(connection, approval, step, Cause(by=by, at=self._clock(), reason=reason))


def _few(ids: Sequence[str]) -> Sequence[str]:
    if not 0 < len(set(ids)) <= MOST_TOGETHER:
        raise AnswerRefused(Objection.NOT_SHOWN, f"between 1 and {MOST_TOGETHER} calls are answered together")
    return ids
