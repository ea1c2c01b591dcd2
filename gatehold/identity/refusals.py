"""Why a token was refused: one stable word each.

The word goes to the audit trail. The agent is told less, so that a forger learns nothing from the answer; only what
the agent's side can mend is told apart: no token, and, found after the signature was verified, a token that has run out
or that leaves its groups out because there are too many.
"""

from enum import StrEnum

from policy.codes import Code
from policy.errors import Refusal


class Reason(StrEnum):
    """The private reason of an ``unauthenticated`` refusal."""

    MISSING = "missing"
    MALFORMED = "malformed"
    TOO_LARGE = "too-large"
    UNKNOWN_ISSUER = "unknown-issuer"
    WRONG_USE = "wrong-use"
    ALGORITHM = "algorithm"
    UNKNOWN_KEY = "unknown-key"
    BAD_SIGNATURE = "bad-signature"
    WRONG_AUDIENCE = "wrong-audience"
    WRONG_CLIENT = "wrong-client"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    TOO_OLD = "too-old"
    CLAIMS = "claims"
    GROUPS_ELSEWHERE = "groups-elsewhere"
    REVIEW_DENIED = "review-denied"


_DETAIL = {
    Reason.MISSING: "No agent token was presented.",
    Reason.EXPIRED: "The agent token has expired.",
    Reason.TOO_OLD: "The agent token has expired.",
    Reason.GROUPS_ELSEWHERE: "The agent token does not list its groups: there are too many of them.",
}


def refused(reason: Reason) -> Refusal:
    """The refusal that stands for ``reason``; raise it ``from None`` where an exception of a parser is at hand."""
    return Refusal(Code.UNAUTHENTICATED, _DETAIL.get(reason, "The agent token was not accepted."), reason=reason.value)
