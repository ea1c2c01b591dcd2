"""Why a token was refused: one stable word each.

The word goes to the audit trail. The agent is told less, so that a forger learns nothing from the answer; only two
things are told apart, because the agent can do something about them: no token, and a token that has run out (which is
found after its signature was verified, so it is the token's owner who learns it).
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
    ALGORITHM = "algorithm"
    UNKNOWN_KEY = "unknown-key"
    BAD_SIGNATURE = "bad-signature"
    WRONG_AUDIENCE = "wrong-audience"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    TOO_OLD = "too-old"
    CLAIMS = "claims"


_DETAIL = {
    Reason.MISSING: "No agent token was presented.",
    Reason.EXPIRED: "The agent token has expired.",
    Reason.TOO_OLD: "The agent token has expired.",
}


def refused(reason: Reason) -> Refusal:
    """The refusal that stands for ``reason``; raise it ``from None`` where an exception of a parser is at hand."""
    return Refusal(Code.UNAUTHENTICATED, _DETAIL.get(reason, "The agent token was not accepted."), reason=reason.value)
