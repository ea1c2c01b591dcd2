"""Sessions of people who are signed in to the console.

A session is a random value in a cookie; the store holds its SHA-256. It ends ``max`` seconds after it began and
``idle`` seconds after it was last used, when it is closed, and when its user is removed or gets another password. All
replicas see the same sessions. Uses are written down at most once in ``_NOTED`` seconds, not with every request.
"""

import hashlib
import re
import secrets
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from gatehold.config.console import SessionSpec
from gatehold.people.model import NewSession, Person, SignedIn, Way
from gatehold.store import Store
from gatehold.store.outbox import append
from gatehold.store.schema import console_sessions
from gatehold.store.users import UnknownUser, find_user, groups_of

MOST_SESSIONS: Final = 20
"""Live sessions of one person; a further one ends the oldest."""

_NOTED: Final = 30.0
_VALUE = re.compile(r"[A-Za-z0-9_-]{43}")


class WebSessions:
    """The sessions in one store. Safe to use from any thread; every method may block."""

    def __init__(self, store: Store, settings: SessionSpec, clock: Callable[[], float]) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock

    def __repr__(self) -> str:
        return f"<WebSessions in {self._store!r}>"

    def open(self, user: str, way: Way, *, address: str = "") -> NewSession:
        """Let somebody in whose proof was looked at. ``address``: where from, for the audit trail.

        Raises UnknownUser, StoreError.
        """
        with self._store.writing() as connection:
            return self.open_in(connection, user, way, address=address)

    def open_in(self, connection: Connection, user: str, way: Way, *, address: str = "") -> NewSession:
        """The same in the caller's writing transaction."""
        now = self._clock()
        if find_user(connection, user) is None:
            raise UnknownUser(f"no user is named {user!a}")
        self._forget(connection, user, now)
        value = secrets.token_urlsafe(32)
        row = {
            "digest": digest_of(value),
            "user_name": user,
            "csrf": secrets.token_urlsafe(32),
            "way": way.value,
            "created": now,
            "seen": now,
            "expires": now + self._settings.max,
        }
        made = connection.execute(insert(console_sessions).values(row).returning(console_sessions)).one()
        append(connection, _event("sign-in", made, address=address), at=now)
        return NewSession(cookie_value=value, signed_in=_signed_in(connection, made))

    def find(self, cookie_value: str, *, use: bool = True) -> SignedIn | None:
        """Whose live session this is. ``use``: whether this keeps it from being idle (a page that polls does not)."""
        if not _VALUE.fullmatch(cookie_value):
            return None
        now, name = self._clock(), digest_of(cookie_value)
        with self._store.reading() as connection:
            row = connection.execute(select(console_sessions).where(console_sessions.c.digest == name)).one_or_none()
            if row is None or not self._lives(row, now):
                return None
            found = _signed_in(connection, row)
        if use and now - row.seen >= _NOTED:
            with self._store.writing() as connection:
                here = console_sessions.c.digest == name
                connection.execute(update(console_sessions).where(here).values(seen=now))
        return found

    def of(self, user: str) -> list[SignedIn]:
        """The live sessions of one person, the newest first."""
        with self._store.reading() as connection:
            mine = select(console_sessions).where(console_sessions.c.user_name == user)
            rows = connection.execute(mine.order_by(console_sessions.c.created.desc())).all()
            now = self._clock()
            return [_signed_in(connection, row) for row in rows if self._lives(row, now)]

    def close(self, cookie_value: str) -> bool:
        """Sign out; whether there was such a session."""
        return self.end(digest_of(cookie_value)) is not None

    def end(self, digest: str, *, user: str | None = None) -> str | None:
        """End the session of that digest (of ``user`` only, if given); whose it was."""
        with self._store.writing() as connection:
            one = delete(console_sessions).where(console_sessions.c.digest == digest)
            if user is not None:
                one = one.where(console_sessions.c.user_name == user)
            row = connection.execute(one.returning(console_sessions)).one_or_none()
            if row is None:
                return None
            append(connection, _event("sign-out", row), at=self._clock())
            return str(row.user_name)

    def close_all(self, user: str) -> int:
        """End all sessions of one person; how many there were."""
        with self._store.writing() as connection:
            mine = delete(console_sessions).where(console_sessions.c.user_name == user)
            rows = connection.execute(mine.returning(console_sessions)).all()
            now = self._clock()
            for row in rows:
                append(connection, _event("sign-out", row), at=now)
            return len(rows)

    def _lives(self, row: Row[tuple[object, ...]], now: float) -> bool:
        # A shorter limit in a newer configuration counts for sessions that were opened before it, too.
        ends = min(row.expires, row.created + self._settings.max, row.seen + self._settings.idle)
        return bool(row.created <= now + _NOTED and now < ends)

    def _forget(self, connection: Connection, user: str, now: float) -> None:
        """Drop what is over, and the oldest of too many."""
        sessions = console_sessions.c
        over = or_(sessions.expires <= now, sessions.seen <= now - self._settings.idle)
        connection.execute(delete(console_sessions).where(over))
        mine = select(sessions.digest).where(sessions.user_name == user).order_by(sessions.created.desc())
        surplus = connection.scalars(mine.offset(MOST_SESSIONS - 1)).all()
        connection.execute(delete(console_sessions).where(sessions.digest.in_(surplus)))


def digest_of(value: str) -> str:
    """SHA-256 in hexadecimal, as secrets of 256 random bits are kept."""
    return hashlib.sha256(value.encode()).hexdigest()


def _signed_in(connection: Connection, row: Row[tuple[object, ...]]) -> SignedIn:
    name = str(row.user_name)
    return SignedIn(
        person=Person(name=name, groups=groups_of(connection, [name])[name]),
        way=Way(row.way),
        digest=row.digest,
        csrf=row.csrf,
        created=row.created,
        expires=row.expires,
    )


def _event(action: str, row: Row[tuple[object, ...]], *, address: str = "") -> dict[str, object]:
    event = {"kind": "session", "action": action, "user": row.user_name, "way": row.way, "by": row.user_name}
    return {**event, "session": str(row.digest)[:16], **({"from": address} if address else {})}
