"""The people known to the store, and the groups they are in.

Being here is what lets somebody answer approvals; who may answer which is said by the rules' groups.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from gatehold.store.errors import StoreError
from gatehold.store.outbox import append
from gatehold.store.schema import user_groups, users

LONGEST_NAME: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person."""

    name: str
    groups: tuple[str, ...]
    """Sorted."""
    created: float


class InvalidName(StoreError):
    """A user or group name that could not be told apart from another one on a screen."""


class UnknownUser(StoreError):
    """No user has this name."""


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
    held = known.groups if known else ()
    return User(name=name, groups=tuple(sorted({*held, *new})), created=known.created if known else now)


def remove_user(connection: Connection, name: str, *, by: str, now: float) -> None:
    """Remove a user with all groups. Raises UnknownUser."""
    if connection.execute(delete(users).where(users.c.name == name)).rowcount == 0:
        raise UnknownUser(f"no user is named {name!a}")
    append(connection, {"kind": "user", "action": "remove", "user": name, "by": by}, at=now)


def find_user(connection: Connection, name: str) -> User | None:
    """The user with exactly this name."""
    row = connection.execute(select(users).where(users.c.name == name)).one_or_none()
    if row is None:
        return None
    return User(name=row.name, groups=tuple(sorted(groups_of(connection, [name])[name])), created=row.created)


def all_users(connection: Connection) -> list[User]:
    """Everybody, by name."""
    rows = connection.execute(select(users).order_by(users.c.name)).all()
    groups = groups_of(connection, [row.name for row in rows])
    return [User(name=row.name, groups=tuple(sorted(groups[row.name])), created=row.created) for row in rows]


def groups_of(connection: Connection, names: Collection[str]) -> Mapping[str, frozenset[str]]:
    """The groups that each of these people is in now; nobody who is not known is in any."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in connection.execute(select(user_groups).where(user_groups.c.user_name.in_(names))):
        found[row.user_name].add(row.group_name)
    return {name: frozenset(found[name]) for name in names}


def _checked(name: str, what: str) -> str:
    """Refuse what reads like something else: empty, padded, or with characters that do not print."""
    if not name or name != name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
        raise InvalidName(f"{name!a} is no {what} name: 1 to {LONGEST_NAME} printable characters, no space around it")
    return name
