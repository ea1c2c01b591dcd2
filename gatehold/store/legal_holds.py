"""Sessions whose recordings are not deleted, whatever the configuration says."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from gatehold.store.errors import StoreError
from gatehold.store.outbox import append
from gatehold.store.schema import legal_holds

LONGEST_REASON: Final = 500


class AlreadyHeld(StoreError):
    """The session is on hold."""


class NotHeld(StoreError):
    """The session is not on hold."""


class NoReason(StoreError):
    """A hold says why, in one line that is not too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalHold:
    """One session."""

    session: str
    reason: str
    by: str
    """Who asked for it: ``os:NAME`` or the name of a user."""
    created: float


def hold(connection: Connection, session: str, *, reason: str, by: str, now: float) -> LegalHold:
    """Keep what is recorded of a session. Raises AlreadyHeld and NoReason."""
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON or not reason.isprintable():
        raise NoReason(f"say why, in one line of at most {LONGEST_REASON} characters")
    if find(connection, session) is not None:
        raise AlreadyHeld(f"{session!r} is on hold already")
    connection.execute(insert(legal_holds).values(session=session, reason=reason, held_by=by, created=now))
    event = {"kind": "legal-hold", "action": "hold", "session": session, "reason": reason, "by": by}
    append(connection, event, at=now)
    return LegalHold(session=session, reason=reason, by=by, created=now)


def release(connection: Connection, session: str, *, reason: str, by: str, now: float) -> LegalHold:
    """From now on the recordings of a session are deleted like all others. Raises NotHeld."""
    found = find(connection, session)
    if found is None:
        raise NotHeld(f"{session!r} is not on hold")
    connection.execute(delete(legal_holds).where(legal_holds.c.session == session))
    event = {"kind": "legal-hold", "action": "release", "session": session, "reason": reason, "by": by}
    append(connection, event, at=now)
    return found


def find(connection: Connection, session: str) -> LegalHold | None:
    """The hold on a session."""
    return next((each for each in holds(connection) if each.session == session), None)


def holds(connection: Connection) -> list[LegalHold]:
    """All, the oldest first."""
    rows = connection.execute(select(legal_holds).order_by(legal_holds.c.created, legal_holds.c.session))
    return [LegalHold(session=row.session, reason=row.reason, by=row.held_by, created=row.created) for row in rows]
