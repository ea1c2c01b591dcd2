"""What can go wrong when people answer.

::

    GateholdError
    └── ApprovalError
        ├── IllegalMove             the state machine has no such move
        ├── UnknownApproval         no approval has this id
        └── AnswerRefused           this person may not give this answer now, and why

None of them is ever told to an agent.
"""

from enum import StrEnum

from policy.errors import GateholdError


class ApprovalError(GateholdError):
    """Root of the errors of this package."""


class IllegalMove(ApprovalError):
    """The state machine has no such move; nothing was changed."""

    def __init__(self, state: str, move: str) -> None:
        self.state = state
        self.move = move
        super().__init__(f"cannot {move} an approval that is {state}")


class UnknownApproval(ApprovalError):
    """No approval has this id."""

    def __init__(self, approval_id: str) -> None:
        super().__init__(f"no approval has the id {approval_id!a}")


class Objection(StrEnum):
    """Why an answer does not count; goes to the audit trail."""

    CHANNEL_OFF = "channel-off"
    LATE = "late"
    NOT_SHOWN = "not-shown"
    """What the person had before them is not what is asked."""
    NO_BREAK_GLASS = "no-break-glass"
    NO_REASON = "no-reason"
    OWN_REQUEST = "own-request"
    TWICE = "twice"
    UNKNOWN_USER = "unknown-user"
    WRONG_GROUP = "wrong-group"


class AnswerRefused(ApprovalError):
    """This person may not give this answer now. The approval is as it was, or has expired meanwhile."""

    def __init__(self, objection: Objection, message: str) -> None:
        self.objection = objection
        super().__init__(message)
