"""The life of an approval, as a table.

An approval is a question about one call, put to people. Four rules make it safe to act on:

1. A question ends. ``pending`` has a deadline, and so has ``approved``: a yes that is not used soon is void, since the
   world it was given for has gone on.
2. A yes is used up. ``spent`` is reached from ``approved`` only and no move leaves it: one answer lets one call out.
3. A no is final. No move leads from ``denied`` to anything, nor from any other end; a new question is a new approval.
4. Nothing but the table moves an approval. A move that it does not list raises, and changes nothing.

Who may make a move, and when, is decided elsewhere; this module only knows which moves there are. The store makes each
of them by one UPDATE on the condition that the approval still stands where it was read: of two racing moves one wins.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from gatehold.approvals.errors import IllegalMove


class ApprovalState(StrEnum):
    """Where an approval stands."""

    PENDING = "pending"
    APPROVED = "approved"
    SPENT = "spent"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"


class Move(StrEnum):
    """What can happen to an approval."""

    APPROVE = "approve"
    DENY = "deny"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"
    SPEND = "spend"
    REVOKE = "revoke"


ANSWERING: Final = frozenset({Move.APPROVE, Move.DENY})
"""Moves that people's answers make."""

INITIAL: Final = ApprovalState.PENDING

TABLE: Final[Mapping[ApprovalState, Mapping[Move, ApprovalState]]] = MappingProxyType(
    {
        ApprovalState.PENDING: MappingProxyType(
            {
                Move.APPROVE: ApprovalState.APPROVED,
                Move.DENY: ApprovalState.DENIED,
                Move.WITHDRAW: ApprovalState.WITHDRAWN,
                Move.EXPIRE: ApprovalState.EXPIRED,
            }
        ),
        ApprovalState.APPROVED: MappingProxyType(
            {
                Move.SPEND: ApprovalState.SPENT,
                Move.EXPIRE: ApprovalState.EXPIRED,
                Move.REVOKE: ApprovalState.REVOKED,
            }
        ),
        ApprovalState.SPENT: MappingProxyType({}),
        ApprovalState.DENIED: MappingProxyType({}),
        ApprovalState.EXPIRED: MappingProxyType({}),
        ApprovalState.WITHDRAWN: MappingProxyType({}),
        ApprovalState.REVOKED: MappingProxyType({}),
    }
)

FINAL: Final = frozenset(state for state, moves in TABLE.items() if not moves)
"""States that no move leaves."""


def advance(state: ApprovalState, move: Move) -> ApprovalState:
    """The state after a move. Raises IllegalMove."""
    try:
        return TABLE[state][move]
    except KeyError:
        raise IllegalMove(state, move) from None


def sources(move: Move) -> frozenset[ApprovalState]:
    """The states in which a move may be made."""
    return frozenset(state for state, moves in TABLE.items() if move in moves)


def mermaid() -> str:
    """The table as a Mermaid state diagram, for the documentation."""
    lines = ["stateDiagram-v2", f"    [*] --> {INITIAL}"]
    lines += [f"    {state} --> {end}: {move}" for state, moves in TABLE.items() for move, end in moves.items()]
    lines += [f"    {state} --> [*]" for state in TABLE if state in FINAL]
    return "\n".join(lines) + "\n"
