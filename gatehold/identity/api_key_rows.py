"""API keys in the store: made, listed, replaced and ended. All functions work in the caller's transaction."""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from gatehold.identity.claims import session_id
from gatehold.identity.vouching import API_KEY_ISSUER, API_KEY_PREFIX
from gatehold.store import outbox, revocations
from gatehold.store.revocations import Reach
from gatehold.store.schema import api_keys
from policy.errors import GateholdError
from policy.model import Agent

LONGEST_LIFE: Final = 366 * 86400.0
LONGEST_SUBJECT: Final = 1024
LONGEST_GROUP: Final = 256
LONGEST_PURPOSE: Final = 512
LONGEST_LABEL: Final = 128
MOST_GROUPS: Final = 100
MOST_KEYS: Final = 10_000
"""That are good at the same time."""

_DAY: Final = 86400.0


class KeyRefused(GateholdError):
    """A key that cannot be made as asked, or is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is known of a key, which opens nothing."""

    id: str
    subject: str
    groups: tuple[str, ...]
    purpose: str
    label: str
    created: float
    created_by: str
    expires: float
    revoked: float | None
    last_used: float | None

    def is_good(self, now: float) -> bool:
        """May it be shown?"""
        return self.revoked is None and now < self.expires

    def agent(self, now: float) -> Agent:
        """Who shows it now. The agent ends with the key, or once the day after its session's is over."""
        ends = end_of_day(now)
        return Agent(
            issuer=API_KEY_ISSUER,
            subject=self.subject,
            groups=self.groups,
            claims={"key": self.id, "sub": self.subject, "iat": int(self.created), "exp": int(self.expires)},
            session=session_id(API_KEY_ISSUER, self.subject, self.id, str(int(ends))),
            expires_at=min(self.expires, ends + _DAY),
            purpose=self.purpose,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key that was just made; the only moment at which its text is known."""

    text: str = field(repr=False)
    key: ApiKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A key that is to be made."""

    subject: str
    groups: Collection[str] = ()
    purpose: str = ""
    label: str = ""
    ttl: float
    """Seconds."""


def create(connection: Connection, wanted: Wanted, *, by: str, now: float) -> NewKey:
    """Make a key. Raises KeyRefused."""
    _check(wanted)
    good = select(func.count()).select_from(api_keys).where(api_keys.c.revoked.is_(None), api_keys.c.expires > now)
    if connection.scalars(good).one() >= MOST_KEYS:
        raise KeyRefused(f"there are {MOST_KEYS} keys already; revoke some")
    text = f"{API_KEY_PREFIX}{secrets.token_urlsafe(32)}"
    values = {
        "id": f"key_{secrets.token_hex(8)}",
        "digest": digest_of(text),
        "subject": wanted.subject,
        "groups": sorted(set(wanted.groups)),
        "purpose": wanted.purpose,
        "label": wanted.label,
        "created": now,
        "created_by": by,
        "expires": now + wanted.ttl,
    }
    made = _key(connection.execute(insert(api_keys).values(values).returning(api_keys)).one())
    outbox.append(connection, {**_event("create", made), "by": by}, at=now)
    return NewKey(text=text, key=made)


def find(connection: Connection, digest: str) -> ApiKey | None:
    """The key of a digest, good or not."""
    row = connection.execute(select(api_keys).where(api_keys.c.digest == digest)).one_or_none()
    return None if row is None else _key(row)


def note_use(connection: Connection, key_id: str, *, now: float) -> None:
    """It was shown."""
    connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(last_used=now))


def listing(connection: Connection, *, now: float, everything: bool = False) -> list[ApiKey]:
    """The keys that are good, the newest first; with ``everything`` also those that are not any more."""
    statement = select(api_keys).order_by(api_keys.c.created.desc(), api_keys.c.id)
    if not everything:
        statement = statement.where(api_keys.c.revoked.is_(None), api_keys.c.expires > now)
    return [_key(row) for row in connection.execute(statement)]


def give_groups(connection: Connection, *, now: float) -> bool:
    """Does any good key put whoever shows it into a group?"""
    return any(key.groups for key in listing(connection, now=now))


def revoke(connection: Connection, key_id: str, *, by: str, now: float) -> ApiKey:
    """End a key for good, and whatever is done by it now. Raises KeyRefused where there is none that is good."""
    good = (api_keys.c.id == key_id) & api_keys.c.revoked.is_(None)
    row = connection.execute(update(api_keys).where(good).values(revoked=now).returning(api_keys)).one_or_none()
    if row is None:
        raise KeyRefused(f"there is no good key {key_id[:64]!a}")
    ended = _key(row)
    outbox.append(connection, {**_event("revoke", ended), "by": by}, at=now)
    until = max(ended.expires, now) + _DAY
    revocations.revoke(connection, Reach.KEY, key_id, until=until, by=by, now=now)
    return ended


def rotate(connection: Connection, key_id: str, *, ttl: float | None, by: str, now: float) -> NewKey:
    """A new key for the same agent; the old one stays good until it is revoked. Raises KeyRefused.

    Without ``ttl`` it lives as long as the old one was made to.
    """
    good = (api_keys.c.id == key_id) & api_keys.c.revoked.is_(None)
    row = connection.execute(select(api_keys).where(good)).one_or_none()
    if row is None:
        raise KeyRefused(f"there is no good key {key_id[:64]!a}")
    old = _key(row)
    lasts = old.expires - old.created if ttl is None else ttl
    wanted = Wanted(subject=old.subject, groups=old.groups, purpose=old.purpose, label=old.label, ttl=lasts)
    return create(connection, wanted, by=by, now=now)


def end_of_day(now: float) -> float:
    """The next midnight (UTC)."""
    return (now // _DAY + 1) * _DAY


def _check(wanted: Wanted) -> None:
    if not _is_text(wanted.subject, LONGEST_SUBJECT) or not wanted.subject:
        raise KeyRefused(f"a subject has 1 to {LONGEST_SUBJECT} printable characters")
    if len(wanted.groups) > MOST_GROUPS or not all(each and _is_text(each, LONGEST_GROUP) for each in wanted.groups):
        raise KeyRefused(f"there are at most {MOST_GROUPS} groups, each of 1 to 256 printable characters")
    if not _is_text(wanted.label, LONGEST_LABEL) or not _is_text(wanted.purpose, LONGEST_PURPOSE):
        raise KeyRefused(f"a label has up to {LONGEST_LABEL} printable characters, a purpose up to 512")
    if not 1 <= wanted.ttl <= LONGEST_LIFE:
        raise KeyRefused(f"a key lives for {LONGEST_LIFE / _DAY:.0f} days at most")


def _is_text(text: str, longest: int) -> bool:
    return len(text) <= longest and text.isprintable() and text == text.strip()


def digest_of(text: str) -> str:
    """SHA-256 of a key, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        subject=row.subject,
        groups=tuple(row.groups),
        purpose=row.purpose,
        label=row.label,
        created=row.created,
        created_by=row.created_by,
        expires=0.0 if row.expires is None else row.expires,
        revoked=row.revoked,
        last_used=row.last_used,
    )


def _event(action: str, key: ApiKey) -> dict[str, object]:
    known = {"key": key.id, "subject": key.subject, "groups": list(key.groups), "label": key.label}
    return {"kind": "api-key", "action": action, **known, "expires": key.expires}
