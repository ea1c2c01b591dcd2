"""Why an assertion was refused: one stable word each, for the audit trail.

As with tokens, whoever shows it is told less: only that it is over, where its signature was verified before.
"""

from enum import StrEnum
from typing import Final

from policy.codes import Code
from policy.errors import Refusal


class Wrong(StrEnum):
    """The private reason of a refusal."""

    TOO_LARGE = "assertion-too-large"
    MALFORMED = "assertion-malformed"
    """It is no XML that is read here."""
    AMBIGUOUS = "assertion-ambiguous"
    """Two elements have one ID."""
    SHAPE = "assertion-shape"
    """It is not one SAML 2.0 assertion, or holds what is not understood."""
    UNKNOWN_ISSUER = "assertion-unknown-issuer"
    UNSIGNED = "assertion-unsigned"
    """There is no signature over the whole assertion, or more than that."""
    ALGORITHM = "assertion-algorithm"
    BAD_SIGNATURE = "assertion-bad-signature"
    WRONG_AUDIENCE = "assertion-wrong-audience"
    WRONG_RECIPIENT = "assertion-wrong-recipient"
    EXPIRED = "assertion-expired"
    NOT_YET_VALID = "assertion-not-yet-valid"
    TOO_OLD = "assertion-too-old"
    SUBJECT = "assertion-subject"
    ATTRIBUTES = "assertion-attributes"
    USED = "assertion-used"


_DETAIL: Final = {
    Wrong.EXPIRED: "The assertion has expired.",
    Wrong.TOO_OLD: "The assertion has expired.",
    Wrong.USED: "The assertion was used before.",
}


def wrong(reason: Wrong) -> Refusal:
    """The refusal that stands for ``reason``; raise it ``from None`` where an exception of a parser is at hand."""
    return Refusal(Code.UNAUTHENTICATED, _DETAIL.get(reason, "The assertion was not accepted."), reason=reason.value)
