"""Whose access is taken away, and until when.

A revocation names a session, a subject, an API key, an issuer with all its subjects, or everybody. It lasts until it is
lifted, or until its time is over; a token that was issued meanwhile does not help, unless it is said that only tokens
from before a moment do not count.
"""

import secrets
from collections.abc import Collection
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, insert, or_, select

from gatehold.store.outbox import append
from gatehold.store.schema import api_keys, revocations

KEPT: Final = 30 * 86400.0
"""Seconds for which a session that ended is remembered: its tokens are over by then, and whoever renews them."""


class Reach(StrEnum):
    """What a revocation is about."""

    SESSION = "session"
    SUBJECT = "subject"
    KEY = "key"
    """An API key, by its id."""
    ISSUER = "issuer"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """One revocation in force."""

    id: str
    reach: Reach
    value: str
    """The session, subject, key or issuer; empty for everybody."""
    issuer: str
    """Of a subject; empty: whichever issuer names it."""
    until: float | None
    """Unix seconds; None: until it is lifted."""
    created: float
    issued_before: float | None = None
    """Unix seconds: tokens that were issued later count; None: no token counts."""


def revoke(  # noqa: PLR0913 (who, how far, how long, by whom)
    connection: Connection,
    reach: Reach,
    value: str = "",
    *,
    issuer: str = "",
    until: float | None = None,
    issued_before: float | None = None,
    by: str,
    now: float,
) -> Revocation:
    """Take access away. ``by`` is who does it, for the audit trail.

    That of a session lasts as long as ended sessions are remembered, where ``until`` says nothing.
    """
    made = Revocation(
        id=f"rev_{secrets.token_urlsafe(12)}",
        reach=reach,
        value=value,
        issuer=issuer,
        until=now + KEPT if until is None and reach is Reach.SESSION else until,
        created=now,
        issued_before=issued_before,
    )
    connection.execute(insert(revocations).values({**asdict(made), "reach": reach.value, "revoked_by": by}))
    append(connection, {"kind": "revocation", "action": "revoke", "by": by, **_words(made)}, at=now)
    return made


def lift(connection: Connection, ids: Collection[str], *, by: str, now: float) -> list[Revocation]:
    """Give access back; returns what was lifted. What ended an API key for good stays."""
    ended = set(connection.scalars(select(api_keys.c.id).where(api_keys.c.revoked.is_not(None))))
    lifted = [
        each
        for each in in_force(connection, now=now)
        if each.id in ids and not (each.reach is Reach.KEY and each.value in ended)
    ]
    connection.execute(delete(revocations).where(revocations.c.id.in_([each.id for each in lifted])))
    for each in lifted:
        append(connection, {"kind": "revocation", "action": "lift", "by": by, **_words(each)}, at=now)
    return lifted


def in_force(connection: Connection, *, now: float) -> list[Revocation]:
    """Every revocation whose time is not over, the oldest first."""
    lasting = or_(revocations.c.until.is_(None), revocations.c.until > now)
    rows = connection.execute(select(revocations).where(lasting).order_by(revocations.c.created, revocations.c.id))
    return [_revocation(row) for row in rows]


def replace_older(connection: Connection, newer: Revocation) -> None:
    """Forget what this revocation of old tokens says anew: older ones of the same agent."""
    same = (
        revocations.c.reach == newer.reach.value,
        revocations.c.value == newer.value,
        revocations.c.issuer == newer.issuer,
        revocations.c.issued_before <= newer.issued_before,
        revocations.c.id != newer.id,
    )
    connection.execute(delete(revocations).where(*same))


def forget(connection: Connection, *, now: float) -> None:
    """Delete those whose time is over."""
    connection.execute(delete(revocations).where(revocations.c.until <= now))


def _revocation(row: Row[Any]) -> Revocation:
    return Revocation(
        id=row.id,
        reach=Reach(row.reach),
        value=row.value,
        issuer=row.issuer,
        until=row.until,
        created=row.created,
        issued_before=row.issued_before,
    )


def _words(revocation: Revocation) -> dict[str, object]:
    return {
        "revocation": revocation.id,
        "reach": revocation.reach.value,
        "value": revocation.value,
        "issuer": revocation.issuer,
        "until": revocation.until,
        "issuedBefore": revocation.issued_before,
    }
