"""The people known to the store, and the groups they are in.

Being here is what lets somebody answer approvals; who may answer which is said by the rules' groups. Somebody comes
from one place: a local user was made here and may have a password, somebody from an OpenID provider was made by their
first sign-in, is known by issuer and subject ever after, and has the groups of the last one.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from gatehold.store.errors import StoreError
from gatehold.store.outbox import append
from gatehold.store.schema import console_sessions, user_groups, user_tokens, users

LONGEST_NAME: Final = 128
LONGEST_SUBJECT: Final = 255
"""Characters of an OpenID subject (OpenID Connect Core 1.0, section 2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person."""

    name: str
    groups: tuple[str, ...]
    """Sorted."""
    created: float
    has_password: bool = False
    issuer: str | None = None
    """The OpenID provider that says who this is; None for a local user."""
    subject: str | None = None
    """Who that provider says it is."""


class InvalidName(StoreError):
    """A user or group name that could not be told apart from another one on a screen."""


class UnknownUser(StoreError):
    """No user has this name."""


class NameTaken(StoreError):
    """Somebody else has this name."""


class ForeignUser(StoreError):
    """Who this is, is said elsewhere."""


def add_user(connection: Connection, name: str, groups: Iterable[str], *, by: str, now: float) -> User:
    """Add a user, or add groups to one who exists. ``by`` is who does it, for the audit trail. Raises InvalidName."""
    wanted = sorted({_checked(group, "group") for group in groups})
    known = find_user(connection, _checked(name, "user"))
    if known is None:
        connection.execute(insert(users).values(name=name, created=now))
    new = [group for group in wanted if known is None or group not in known.groups]
    if new:
        connection.execute(insert(user_groups), [{"user_name": name, "group_name": group} for group in new])
    if new or known is None:
        append(connection, {"kind": "user", "action": "add", "user": name, "groups": new, "by": by}, at=now)
    before = known or User(name=name, groups=(), created=now)
    return replace(before, groups=tuple(sorted({*before.groups, *new})))


def remove_user(connection: Connection, name: str, *, by: str, now: float) -> None:
    """Remove a user with all groups, sessions, tokens and chat accounts. Raises UnknownUser."""
    if connection.execute(delete(users).where(users.c.name == name)).rowcount == 0:
        raise _unknown(name)
    append(connection, {"kind": "user", "action": "remove", "user": name, "by": by}, at=now)


def find_user(connection: Connection, name: str) -> User | None:
    """The user with exactly this name."""
    row = connection.execute(select(users).where(users.c.name == name)).one_or_none()
    return None if row is None else _user(row, groups_of(connection, [name])[name])


def find_login(connection: Connection, issuer: str, subject: str) -> User | None:
    """The user whom an OpenID provider means."""
    here = (users.c.login_issuer == issuer) & (users.c.login_subject == subject)
    name = connection.scalars(select(users.c.name).where(here)).one_or_none()
    return None if name is None else find_user(connection, name)


def names_of(connection: Connection, name: str) -> frozenset[str]:
    """Every name by which a token may mean this user: the one they have here, and the subject at their provider."""
    subject = connection.scalars(select(users.c.login_subject).where(users.c.name == name)).one_or_none()
    return frozenset(each for each in (name, subject) if each)


def all_users(connection: Connection) -> list[User]:
    """Everybody, by name."""
    rows = connection.execute(select(users).order_by(users.c.name)).all()
    groups = groups_of(connection, [row.name for row in rows])
    return [_user(row, groups[row.name]) for row in rows]


def password_of(connection: Connection, name: str) -> str | None:
    """The hash of a user's password; None where there is no such user or password."""
    return connection.scalars(select(users.c.password).where(users.c.name == name)).one_or_none()


def set_password(connection: Connection, name: str, password: str, *, by: str, now: float) -> int:
    """Give a local user another password, of which ``password`` is the hash, and end all their sessions.

    Returns how many API tokens they still have. Raises UnknownUser, ForeignUser.
    """
    user = find_user(connection, name)
    if user is None:
        raise _unknown(name)
    if user.issuer is not None:
        raise ForeignUser(f"{name!a} signs in at {user.issuer!a}; a password would be a way past it")
    connection.execute(update(users).where(users.c.name == name).values(password=password))
    connection.execute(delete(console_sessions).where(console_sessions.c.user_name == name))
    append(connection, {"kind": "user", "action": "password", "user": name, "by": by}, at=now)
    tokens = select(func.count()).select_from(user_tokens).where(user_tokens.c.user_name == name)
    return connection.scalars(tokens).one()


def rehash_password(connection: Connection, name: str, old: str, new: str) -> None:
    """The same password, hashed by newer parameters; nothing if it was changed meanwhile."""
    here = (users.c.name == name) & (users.c.password == old)
    connection.execute(update(users).where(here).values(password=new))


def enrol(  # noqa: PLR0913 (who says so, who it is, what they may)
    connection: Connection, *, issuer: str, subject: str, name: str, groups: Iterable[str], now: float
) -> User:
    """Who an OpenID provider says has come, with exactly these groups from now on.

    Whoever comes for the first time is made known as ``name``; later the name they have stays. The caller lets no
    other enrolment run beside this one. Raises InvalidName, NameTaken.
    """
    if not 0 < len(subject) <= LONGEST_SUBJECT:
        raise InvalidName("the OpenID provider's subject is empty or too long")
    wanted = sorted({_checked(group, "group") for group in groups})
    known = find_login(connection, issuer, subject)
    if known is None:
        if find_user(connection, _checked(name, "user")) is not None:
            raise NameTaken(f"another user is named {name!a}")
        connection.execute(insert(users).values(name=name, created=now, login_issuer=issuer, login_subject=subject))
        known = User(name=name, groups=(), created=now, issuer=issuer, subject=subject)
    elif wanted == list(known.groups):
        return known
    connection.execute(delete(user_groups).where(user_groups.c.user_name == known.name))
    if wanted:
        connection.execute(insert(user_groups), [{"user_name": known.name, "group_name": one} for one in wanted])
    event = {"kind": "user", "action": "enrol", "user": known.name, "groups": wanted, "by": f"oidc:{issuer}"}
    append(connection, event, at=now)
    return replace(known, groups=tuple(wanted))


def shut_out(connection: Connection, issuer: str, subject: str, *, now: float) -> str | None:
    """An OpenID provider says that somebody is in no group any more: no groups, no sessions, no tokens. Their name."""
    known = find_login(connection, issuer, subject)
    if known is None:
        return None
    for table in (user_groups, console_sessions, user_tokens):
        connection.execute(delete(table).where(table.c.user_name == known.name))
    append(connection, {"kind": "user", "action": "shut-out", "user": known.name, "by": f"oidc:{issuer}"}, at=now)
    return known.name


def groups_of(connection: Connection, names: Collection[str]) -> Mapping[str, frozenset[str]]:
    """The groups that each of these people is in now; nobody who is not known is in any."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in connection.execute(select(user_groups).where(user_groups.c.user_name.in_(names))):
        found[row.user_name].add(row.group_name)
    return {name: frozenset(found[name]) for name in names}


def _user(row: Row[tuple[object, ...]], groups: Iterable[str]) -> User:
    return User(
        name=row.name,
        groups=tuple(sorted(groups)),
        created=row.created,
        has_password=row.password is not None,
        issuer=row.login_issuer,
        subject=row.login_subject,
    )


def _unknown(name: str) -> UnknownUser:
    return UnknownUser(f"no user is named {name!a}")


def _checked(name: str, what: str) -> str:
    """Refuse what reads like something else: empty, padded, or with characters that do not print."""
    if not name or name != name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
        raise InvalidName(f"{name!a} is no {what} name: 1 to {LONGEST_NAME} printable characters, no space around it")
    return name
