"""Whose access is taken away, and until when.

A revocation names a session, a subject, an issuer with all its subjects, or everybody. It lasts until it is lifted, or
until its time is over; a token that was issued meanwhile does not help.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, delete, insert, or_, select

from gatehold.store.outbox import append
from gatehold.store.schema import revocations


class Reach(StrEnum):
    """What a revocation is about."""

    SESSION = "session"
    SUBJECT = "subject"
    ISSUER = "issuer"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """One revocation in force."""

    id: str
    reach: Reach
    value: str
    """The session, subject or issuer; empty for everybody."""
    issuer: str
    """Of a subject; empty: whichever issuer names it."""
    until: float | None
    """Unix seconds; None: until it is lifted."""
    created: float


def revoke(  # noqa: PLR0913 (who, how far, how long, by whom)
    connection: Connection,
    reach: Reach,
    value: str = "",
    *,
    issuer: str = "",
    until: float | None = None,
    by: str,
    now: float,
) -> Revocation:
    """Take access away. ``by`` is who does it, for the audit trail."""
    made = Revocation(
        id=f"rev_{secrets.token_urlsafe(12)}", reach=reach, value=value, issuer=issuer, until=until, created=now
    )
    connection.execute(
        insert(revocations).values(
            id=made.id, reach=reach.value, value=value, issuer=issuer, until=until, created=now, revoked_by=by
        )
    )
    append(connection, {"kind": "revocation", "action": "revoke", "by": by, **_words(made)}, at=now)
    return made


def lift(connection: Connection, ids: Collection[str], *, by: str, now: float) -> list[Revocation]:
    """Give access back; returns what was lifted."""
    lifted = [each for each in in_force(connection, now=now) if each.id in ids]
    connection.execute(delete(revocations).where(revocations.c.id.in_([each.id for each in lifted])))
    for each in lifted:
        append(connection, {"kind": "revocation", "action": "lift", "by": by, **_words(each)}, at=now)
    return lifted


def in_force(connection: Connection, *, now: float) -> list[Revocation]:
    """Every revocation whose time is not over, the oldest first."""
    lasting = or_(revocations.c.until.is_(None), revocations.c.until > now)
    rows = connection.execute(select(revocations).where(lasting).order_by(revocations.c.created, revocations.c.id))
    return [
        Revocation(
            id=row.id,
            reach=Reach(row.reach),
            value=row.value,
            issuer=row.issuer,
            until=row.until,
            created=row.created,
        )
        for row in rows
    ]


def _words(revocation: Revocation) -> dict[str, object]:
    return {
        "revocation": revocation.id,
        "reach": revocation.reach.value,
        "value": revocation.value,
        "issuer": revocation.issuer,
        "until": revocation.until,
    }
