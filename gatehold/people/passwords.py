"""Passwords of local users: argon2id, by the parameters that RFC 9106 (section 4) names for machines of little memory.

A look costs tens of milliseconds of a core and 64 MiB, the same whether or not there is such a user, so the answer's
time says nothing; callers bound how many run at once. Texts are compared in the Unicode form NFKC, since keyboards
differ in how they make a letter.
"""

import base64
import secrets
import unicodedata
from collections.abc import Callable
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gatehold.store import Store
from gatehold.store.users import password_of, rehash_password, set_password
from policy.errors import GateholdError

SHORTEST: Final = 12
LONGEST: Final = 512
"""Characters of a password."""

_HASHER = PasswordHasher()


class WeakPassword(GateholdError):
    """A password that would be guessed; the message does not repeat it."""


class Passwords:
    """The passwords in one store. Every method takes a while; call it in a thread."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    def __repr__(self) -> str:
        return f"<Passwords in {self._store!r}>"

    def fits(self, name: str, password: str) -> bool:
        """Whether this is the password of that user. Raises StoreError."""
        with self._store.reading() as connection:
            stored = password_of(connection, name)
        known = stored or _nobody()
        if not verify(known, password) or stored is None:
            return False
        if _HASHER.check_needs_rehash(stored):
            new = hashed(password)
            with self._store.writing() as connection:
                rehash_password(connection, name, stored, new)
        return True

    def set(self, name: str, password: str, *, by: str) -> int:
        """Give a local user this password; their sessions end, how many API tokens remain.

        Raises WeakPassword, UnknownUser, ForeignUser, StoreError.
        """
        check(password, name)
        new = hashed(password)
        with self._store.writing() as connection:
            return set_password(connection, name, new, by=by, now=self._clock())


def check(password: str, name: str) -> None:
    """Refuse what is guessed first. Raises WeakPassword."""
    text = _normal(password)
    if len(text) < SHORTEST:
        raise WeakPassword(f"a password has at least {SHORTEST} characters")
    if len(text) > LONGEST:
        raise WeakPassword(f"a password has at most {LONGEST} characters")
    if len(set(text)) < 5 or _normal(name).casefold() in {text.casefold(), text.casefold()[::-1]}:
        raise WeakPassword("this password would be guessed; take a longer sentence, or one made at random")


def hashed(password: str) -> str:
    """The hash as it is stored, with its own salt and parameters."""
    return _HASHER.hash(_normal(password))


def verify(stored: str, password: str) -> bool:
    """Whether ``stored`` is a hash of this password; a stored text that is no hash fits nothing."""
    try:
        return _HASHER.verify(stored, _normal(password[:LONGEST])) and len(password) <= LONGEST
    except (VerificationError, InvalidHashError):
        return False


def _nobody() -> str:
    """A hash that no password has, by today's parameters."""
    salt, digest = (_encoded(secrets.token_bytes(size)) for size in (_HASHER.salt_len, _HASHER.hash_len))
    cost = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${digest}"


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii").rstrip("=")


def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text)
