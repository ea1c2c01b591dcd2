"""Whether the grants of a session spare a call its question. Inside the caller's transaction."""

from collections.abc import Collection, Sequence
from contextlib import suppress

from sqlalchemy import Connection

from gatehold.approvals import counting, grants, moves, rows
from gatehold.approvals.errors import IllegalMove
from gatehold.approvals.grants import CallTraits, Grant
from gatehold.approvals.model import Approval, RuleRef
from gatehold.approvals.moves import Cause
from gatehold.approvals.states import ApprovalState, Move

_GOOD = frozenset({ApprovalState.APPROVED, ApprovalState.SPENT})
"""A yes that was taken back, or that nobody used in time, has left nothing."""


def covering(
    connection: Connection, call: CallTraits, rules: Sequence[RuleRef], terms: counting.Terms, *, now: float
) -> tuple[Grant, ...]:
    """The grants by which a call passes, at least one for every rule that asks; empty where one of them must be asked.

    Whoever approved a grant must still be in the groups that may.
    """
    live = grants.of_session(connection, call.session, now=now) if call.session else []
    standing: dict[str, bool] = {}
    chosen: dict[str, Grant] = {}
    for rule in rules:
        for grant in live:
            if not grant.covers(call, rule, now=now):
                continue
            if grant.id not in standing:
                standing[grant.id] = _stands(connection, grant, terms)
            if standing[grant.id]:
                chosen[grant.id] = grant
                break
        else:
            return ()
    return tuple(chosen.values())


def in_force(connection: Connection, ids: Collection[str], terms: counting.Terms, *, now: float) -> bool:
    """Whether all of these grants still stand."""
    found = [grants.find(connection, grant_id) for grant_id in ids]
    return all(
        grant is not None and grant.revoked is None and now < grant.expires and _stands(connection, grant, terms)
        for grant in found
    )


def used(  # noqa: PLR0913 (as ``covering``, and what it found)
    connection: Connection,
    found: Sequence[Grant],
    call: CallTraits,
    rules: Sequence[RuleRef],
    terms: counting.Terms,
    *,
    now: float,
) -> tuple[Grant, ...]:
    """The same again, in a writing transaction: the first call by a grant uses up the yes that left it, which lets out
    no other one by itself."""
    unspent = unused(connection, found, lock=True)
    again = covering(connection, call, rules, terms, now=now)
    for approval in unspent if again else ():
        with suppress(IllegalMove):
            counting.spend(connection, approval, terms, now=now)
    return again


def revoke(connection: Connection, grant_id: str, cause: Cause) -> bool:
    """End a grant, and a yes of its that was not used yet; whether there was a grant to end."""
    grant = grants.find(connection, grant_id)
    if grant is None:
        return False
    approval = rows.get(connection, grant.approval, lock=True)
    ended = grants.revoke(connection, grant_id, by=cause.by.name, now=cause.at, reason=cause.reason)
    if ended and approval is not None and approval.state is ApprovalState.APPROVED:
        with suppress(IllegalMove):
            moves.make(connection, approval, Move.REVOKE, cause)
    return ended


def unused(connection: Connection, found: Sequence[Grant], *, lock: bool = False) -> list[Approval]:
    """The approvals of these grants by which no call has passed yet."""
    approvals = (rows.get(connection, grant.approval, lock=lock) for grant in found)
    return [each for each in approvals if each is not None and each.state is ApprovalState.APPROVED]


def _stands(connection: Connection, grant: Grant, terms: counting.Terms) -> bool:
    approval = rows.get(connection, grant.approval)
    return approval is not None and approval.state in _GOOD and counting.stands(connection, approval, terms)
