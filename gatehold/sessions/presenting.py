"""A session for people: how it stands, and how long. Pure."""

from collections.abc import Iterable
from typing import Literal

from gatehold.sessions.rows import AgentSession
from gatehold.store.revocations import Reach, Revocation

type State = Literal["active", "ended", "revoked", "over"]


def state_of(session: AgentSession, revocations: Iterable[Revocation], *, now: float) -> State:
    """``ended`` by a bound or a person; ``revoked``; ``over``: its tokens are, or it is ended with its next call.

    Of revocations those count that reach every token of the session.
    """
    if session.ended is not None:
        return "ended"
    if any(_reaches(each, session) for each in revocations if each.issued_before is None):
        return "revoked"
    return "active" if now < session.ends else "over"


def span(seconds: float) -> str:
    """A time that passes, in its largest two units: ``2h05m``, ``3m07s``, ``12s``."""
    whole = max(0, int(seconds))
    for unit, size, lesser, part in (("d", 86400, "h", 3600), ("h", 3600, "m", 60), ("m", 60, "s", 1)):
        if whole >= size:
            return f"{whole // size}{unit}{whole % size // part:02d}{lesser}"
    return f"{whole}s"


def _reaches(revocation: Revocation, session: AgentSession) -> bool:
    named = {
        Reach.ALL: "",
        Reach.ISSUER: session.issuer,
        Reach.SUBJECT: session.subject,
        Reach.SESSION: session.session,
    }
    return revocation.value == named[revocation.reach] and revocation.issuer in ("", session.issuer)
