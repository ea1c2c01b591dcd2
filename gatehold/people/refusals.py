"""Why somebody was not let in: one word for the audit trail, one sentence for the person at the door.

The sentence tells a stranger nothing: a name that nobody has and a wrong password read the same.
"""

from enum import StrEnum
from typing import Final

from policy.errors import GateholdError


class Why(StrEnum):
    """The private reason."""

    CREDENTIALS = "credentials"
    THROTTLED = "throttled"
    NO_LOGIN = "no-login"
    STATE = "state"
    MIXED_UP = "mixed-up"
    PROVIDER_ERROR = "provider-error"
    PROVIDER_SILENT = "provider-silent"
    ID_TOKEN = "id-token"  # noqa: S105 - a word
    GROUPS = "groups"
    NAME = "name"


_AGAIN: Final = "This sign-in did not start here, or too long ago. Please start again."
_TELL: Final[dict[Why, str]] = {
    Why.CREDENTIALS: "Name or password is wrong.",
    Why.THROTTLED: "Too many tries. Please wait a little.",
    Why.NO_LOGIN: _AGAIN,
    Why.STATE: _AGAIN,
    Why.MIXED_UP: "The answer was not that of the sign-in service. Please start again.",
    Why.PROVIDER_ERROR: "The sign-in service refused.",
    Why.PROVIDER_SILENT: "The sign-in service cannot be reached now. Please try again later.",
    Why.ID_TOKEN: "The sign-in service gave an answer that is not accepted.",
    Why.GROUPS: "You are signed in there, but in no group that may come in here.",
    Why.NAME: "Your account has a name that cannot be used here, or that somebody else has. Ask an administrator.",
}


class SignInRefused(GateholdError):
    """Somebody is not let in. Its text is for the person; ``why`` and ``detail`` are for the audit trail."""

    def __init__(self, why: Why, detail: str = "", *, user: str = "", retry_after: float = 0.0) -> None:
        super().__init__(_TELL[why])
        self.why = why
        self.detail = detail
        """Names of claims and hosts at most, never a value that proves something."""
        self.user = user
        """Who it was, where that is known."""
        self.retry_after = retry_after
        """Seconds."""
