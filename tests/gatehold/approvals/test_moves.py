from collections.abc import Callable

import pytest

from gatehold.approvals import moves
from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.errors import IllegalMove
from gatehold.approvals.model import Channel, HeldCall
from gatehold.approvals.moves import GATEHOLD, Actor, Cause
from gatehold.approvals.states import Move
from gatehold.store import Store, outbox


def test_a_stale_view_moves_nothing(desk: ApprovalDesk, make_call: Callable[..., HeldCall], store: Store) -> None:
    """Whoever read the approval before somebody else moved it is told where it stands now; no event is left."""
    approval = desk.open_or_join(make_call())
    desk.deny(approval.id, "alice", channel=Channel.CONSOLE, reason="no")
    before = outbox.waiting(store)
    with store.writing() as connection, pytest.raises(IllegalMove, match="cannot withdraw an approval that is denied"):
        moves.make(connection, approval, Move.WITHDRAW, Cause(by=GATEHOLD, at=1_000.0))
    assert outbox.waiting(store) == before
    assert desk.get(approval.id).state == "denied"


def test_a_move_past_the_deadline_says_so(desk: ApprovalDesk, make_call: Callable[..., HeldCall], store: Store) -> None:
    """Though the state would allow it."""
    approval = desk.open_or_join(make_call())
    with store.writing() as connection, pytest.raises(IllegalMove, match="past its deadline"):
        moves.make(connection, approval, Move.WITHDRAW, Cause(by=GATEHOLD, at=approval.expires))


def test_what_is_returned_is_what_is_stored(
    desk: ApprovalDesk, make_call: Callable[..., HeldCall], store: Store
) -> None:
    """Without reading it again; words of an earlier move stay when a later one has none."""
    approval = desk.open_or_join(make_call())
    with store.writing() as connection:
        cause = Cause(by=Actor.agent(approval), at=1_010.0, reason="fine")
        approved = moves.make(connection, approval, Move.APPROVE, cause, spend_by=1_100.0)
    assert desk.get(approval.id) == approved
    with store.writing() as connection:
        spent = moves.make(connection, approved, Move.SPEND, Cause(by=GATEHOLD, at=1_020.0))
    assert desk.get(approval.id) == spent
    assert (spent.answered, spent.ended, spent.reason) == (1_010.0, 1_020.0, "fine")
