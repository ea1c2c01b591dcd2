"""API tokens of people, for their programs: shown once, stored as SHA-256.

``ghu_`` and 256 random bits. A token answers approvals as its person would, with that person's groups of the moment; it
opens no page and makes no other token. It ends with its time, when it is revoked, and with its user.
"""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Row, delete, func, insert, select, update

from gatehold.people.model import Person, TokenHolder
from gatehold.people.web_sessions import digest_of
from gatehold.store import Store
from gatehold.store.errors import StoreError
from gatehold.store.outbox import append
from gatehold.store.schema import user_tokens
from gatehold.store.users import UnknownUser, find_user, groups_of

PREFIX: Final = "ghu_"
LONGEST_LIFE: Final = 366 * 86400.0
LONGEST_LABEL: Final = 128
MOST_TOKENS: Final = 50
"""Tokens of one person."""

_NOTED: Final = 60.0
_SHAPE = re.compile(re.escape(PREFIX) + r"[A-Za-z0-9_-]{43}")


class TokenRefused(StoreError):
    """A token that cannot be made as asked, or is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserToken:
    """What is known of a token, which does not open anything."""

    id: str
    user: str
    label: str
    created: float
    expires: float | None
    last_used: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token that was just made; the only moment at which its text is known."""

    text: str = field(repr=False)
    token: UserToken


class Tokens:
    """The tokens in one store. Safe to use from any thread; every method may block."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    def __repr__(self) -> str:
        return f"<Tokens in {self._store!r}>"

    def make(self, user: str, *, label: str, ttl: float, by: str) -> NewToken:
        """A token for ``ttl`` seconds. Raises TokenRefused, UnknownUser."""
        _check(label, ttl)
        now, text = self._clock(), f"{PREFIX}{secrets.token_urlsafe(32)}"
        row = {"id": f"ut_{secrets.token_hex(8)}", "user_name": user, "label": label, "created": now}
        with self._store.writing() as connection:
            if find_user(connection, user) is None:
                raise UnknownUser(f"no user is named {user!a}")
            over = (user_tokens.c.user_name == user) & (user_tokens.c.expires <= now)
            connection.execute(delete(user_tokens).where(over))
            mine = select(func.count()).select_from(user_tokens).where(user_tokens.c.user_name == user)
            if connection.scalars(mine).one() >= MOST_TOKENS:
                raise TokenRefused(f"there are {MOST_TOKENS} tokens already; revoke one")
            values = {**row, "digest": digest_of(text), "expires": now + ttl}
            made = connection.execute(insert(user_tokens).values(values).returning(user_tokens)).one()
            append(connection, {**_event("make", made), "by": by}, at=now)
        return NewToken(text=text, token=_token(made))

    def find(self, text: str) -> TokenHolder | None:
        """Whose token this is; None for any text that opens nothing. Raises StoreUnavailable."""
        if not _SHAPE.fullmatch(text):
            return None
        now = self._clock()
        with self._store.reading() as connection:
            here = user_tokens.c.digest == digest_of(text)
            row = connection.execute(select(user_tokens).where(here)).one_or_none()
            if row is None or (row.expires is not None and row.expires <= now):
                return None
            groups = groups_of(connection, [row.user_name])[row.user_name]
        if row.last_used is None or now - row.last_used >= _NOTED:
            with self._store.writing() as connection:
                connection.execute(update(user_tokens).where(user_tokens.c.id == row.id).values(last_used=now))
        return TokenHolder(person=Person(name=row.user_name, groups=groups), token_id=row.id, label=row.label)

    def of(self, user: str | None = None) -> list[UserToken]:
        """The tokens that are not over, of one person or of all, the newest first."""
        every = select(user_tokens).where(user_tokens.c.expires.is_(None) | (user_tokens.c.expires > self._clock()))
        chosen = every if user is None else every.where(user_tokens.c.user_name == user)
        with self._store.reading() as connection:
            rows = connection.execute(chosen.order_by(user_tokens.c.created.desc(), user_tokens.c.id))
            return [_token(row) for row in rows]

    def revoke(self, token_id: str, *, by: str, user: str | None = None) -> UserToken:
        """End a token (of ``user`` only, if given). Raises TokenRefused where there is none."""
        one = delete(user_tokens).where(user_tokens.c.id == token_id)
        with self._store.writing() as connection:
            if user is not None:
                one = one.where(user_tokens.c.user_name == user)
            row = connection.execute(one.returning(user_tokens)).one_or_none()
            if row is None:
                raise TokenRefused(f"there is no token {token_id[:64]!a}")
            append(connection, {**_event("revoke", row), "by": by}, at=self._clock())
            return _token(row)


def _check(label: str, ttl: float) -> None:
    if not label.strip() or not label.isprintable() or len(label) > LONGEST_LABEL:
        raise TokenRefused(f"a label has 1 to {LONGEST_LABEL} printable characters")
    if not 0 < ttl <= LONGEST_LIFE:
        raise TokenRefused(f"a token lives at most {LONGEST_LIFE / 86400:.0f} days")


def _token(row: Row[tuple[object, ...]]) -> UserToken:
    return UserToken(
        id=row.id,
        user=row.user_name,
        label=row.label,
        created=row.created,
        expires=row.expires,
        last_used=row.last_used,
    )


def _event(action: str, row: Row[tuple[object, ...]]) -> dict[str, object]:
    return {"kind": "token", "action": action, "user": row.user_name, "token": row.id, "label": row.label}
