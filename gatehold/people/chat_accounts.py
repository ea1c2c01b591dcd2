"""Accounts of chat services that are a person's.

A chat service says which account pressed a button; whose account that is, was said once by the person: a page where
they are signed in shows a code, and the code is sent from the account. It is good once, for ten minutes.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from gatehold.people.model import Person
from gatehold.people.web_sessions import digest_of
from gatehold.store import Store
from gatehold.store.errors import StoreError
from gatehold.store.outbox import append
from gatehold.store.schema import chat_accounts
from gatehold.store.users import UnknownUser, find_user, groups_of

CODE_LIFE: Final = 600.0
_ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without what is taken for something else."""
_LENGTH: Final = 12
_CODE: Final = "~code"
"""Codes wait in the table of accounts, as those of a service that does not exist."""
_LONGEST: Final = 64


class UnknownCode(StoreError):
    """A code that was not given out, was used, or is too old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatAccount:
    """An account of a person."""

    service: str
    team: str
    account: str
    user: str
    created: float


class ChatAccounts:
    """The accounts in one store. Every method may block."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    def __repr__(self) -> str:
        return f"<ChatAccounts in {self._store!r}>"

    def code(self, user: str) -> str:
        """A new code for somebody who is signed in; it replaces their last one. Raises UnknownUser."""
        code, now = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)), self._clock()
        accounts = chat_accounts.c
        with self._store.writing() as connection:
            if find_user(connection, user) is None:
                raise UnknownUser(f"no user is named {user!a}")
            old = (accounts.user_name == user) | (accounts.created <= now - CODE_LIFE)
            connection.execute(delete(chat_accounts).where(accounts.service == _CODE, old))
            row = {"service": _CODE, "team": "", "account": digest_of(code), "user_name": user, "created": now}
            connection.execute(insert(chat_accounts).values(row))
        return code

    def bind(self, code: str, *, service: str, team: str, account: str) -> str:
        """This account sent that code: whose it is from now on. Raises UnknownCode."""
        if not all(0 < len(part) <= _LONGEST and part.isprintable() for part in (team, account)) or service == _CODE:
            raise UnknownCode("this account cannot be bound")
        now, typed = self._clock(), code.strip().upper().replace("-", "")
        with self._store.writing() as connection:
            user = _used_up(connection, typed, now)
            if user is not None:
                connection.execute(delete(chat_accounts).where(_is(service, team, account)))
                row = {"service": service, "team": team, "account": account, "user_name": user, "created": now}
                connection.execute(insert(chat_accounts).values(row))
                append(connection, _event("bind", row), at=now)
        if user is None:
            raise UnknownCode("the code is unknown, was used, or is too old")
        return user

    def find(self, service: str, team: str, account: str) -> Person | None:
        """Whose account this is."""
        if service == _CODE:
            return None
        with self._store.reading() as connection:
            here = select(chat_accounts.c.user_name).where(_is(service, team, account))
            name = connection.scalars(here).one_or_none()
            return None if name is None else Person(name=name, groups=groups_of(connection, [name])[name])

    def of(self, user: str) -> list[ChatAccount]:
        """The accounts of one person."""
        accounts = chat_accounts.c
        mine = select(chat_accounts).where(accounts.user_name == user, accounts.service != _CODE)
        with self._store.reading() as connection:
            rows = connection.execute(mine.order_by(accounts.service, accounts.team, accounts.account))
            return [
                ChatAccount(
                    service=row.service, team=row.team, account=row.account, user=row.user_name, created=row.created
                )
                for row in rows
            ]

    def unbind(self, user: str, *, service: str, team: str, account: str) -> bool:
        """This account is not theirs any more; whether it was."""
        mine = delete(chat_accounts).where(_is(service, team, account), chat_accounts.c.user_name == user)
        with self._store.writing() as connection:
            if service == _CODE or connection.execute(mine).rowcount == 0:
                return False
            row = {"service": service, "team": team, "account": account, "user_name": user}
            append(connection, _event("unbind", row), at=self._clock())
        return True


def _is(service: str, team: str, account: str) -> ColumnElement[bool]:
    accounts = chat_accounts.c
    return (accounts.service == service) & (accounts.team == team) & (accounts.account == account)


def _used_up(connection: Connection, code: str, now: float) -> str | None:
    """Whose code this is; there is no such code afterwards, in time or not."""
    one = delete(chat_accounts).where(_is(_CODE, "", digest_of(code))).returning(chat_accounts)
    row = connection.execute(one).one_or_none()
    return None if row is None or row.created <= now - CODE_LIFE else str(row.user_name)


def _event(action: str, row: Mapping[str, object]) -> dict[str, object]:
    event = {"kind": "chat-account", "action": action, "user": row["user_name"], "by": row["user_name"]}
    return {**event, "service": row["service"], "team": row["team"], "account": row["account"]}
