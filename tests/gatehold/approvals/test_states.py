import itertools

import pytest

from gatehold.approvals.errors import IllegalMove
from gatehold.approvals.states import FINAL, INITIAL, TABLE, ApprovalState, Move, advance, mermaid, sources

LEGAL = {(state, move) for state, moves in TABLE.items() for move in moves}
ILLEGAL = sorted(set(itertools.product(ApprovalState, Move)) - LEGAL)


def test_every_state_has_a_row() -> None:
    """A state that the table forgets would have no rules."""
    assert set(TABLE) == set(ApprovalState)
    assert {move for _, move in LEGAL} == set(Move)


@pytest.mark.parametrize(("state", "move"), sorted(LEGAL))
def test_legal_moves_lead_where_the_table_says(state: ApprovalState, move: Move) -> None:
    """``advance`` and ``sources`` are the table."""
    assert advance(state, move) is TABLE[state][move]
    assert state in sources(move)


@pytest.mark.parametrize(("state", "move"), ILLEGAL)
def test_illegal_moves_raise(state: ApprovalState, move: Move) -> None:
    """Nothing but the table moves an approval."""
    with pytest.raises(IllegalMove, match=f"cannot {move} an approval that is {state}"):
        advance(state, move)
    assert state not in sources(move)


def test_an_end_is_an_end() -> None:
    """Denied, spent and the other ends are left by no move, and every state is reached from the first."""
    assert {"denied", "expired", "withdrawn", "spent", "revoked"} == FINAL
    reached, left = {INITIAL}, [INITIAL]
    while left:
        new = set(TABLE[left.pop()].values()) - reached
        reached |= new
        left += new
    assert reached == set(ApprovalState)


def test_spent_is_reached_from_approved_only() -> None:
    """No way around people's yes."""
    before = {(state, move) for state, moves in TABLE.items() for move, end in moves.items() if end == "spent"}
    assert before == {(ApprovalState.APPROVED, Move.SPEND)}
    assert sources(Move.APPROVE) == {ApprovalState.PENDING}


def test_the_table_cannot_be_changed() -> None:
    """It is the same for all of the process."""
    with pytest.raises(TypeError):
        TABLE[ApprovalState.DENIED] = {}  # type: ignore[index]
    with pytest.raises(TypeError):
        TABLE[ApprovalState.DENIED][Move.SPEND] = ApprovalState.SPENT  # type: ignore[index]


def test_the_diagram_is_the_table() -> None:
    """One arrow for each move, one for the start, one for each end."""
    lines = mermaid().splitlines()
    assert lines[0] == "stateDiagram-v2"
    assert "    [*] --> pending" in lines
    assert "    approved --> spent: spend" in lines
    assert "    denied --> [*]" in lines
    assert len(lines) == 2 + len(LEGAL) + len(FINAL)
