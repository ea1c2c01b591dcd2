"""Who is there, and by what it is known."""

from dataclasses import dataclass, field
from enum import StrEnum


class Way(StrEnum):
    """How somebody signed in."""

    PASSWORD = "password"  # noqa: S105 - a word
    OIDC = "oidc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user of the store, as of now."""

    name: str
    groups: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A live session of the console."""

    person: Person
    way: Way
    digest: str
    """SHA-256 of the cookie's value, in hexadecimal: the session's name, which opens nothing."""
    csrf: str = field(repr=False)
    """What every form of this session repeats."""
    created: float
    expires: float
    """When it ends if it is used until then; Unix seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """A session that was just opened; the only moment at which the cookie's value is known."""

    cookie_value: str = field(repr=False)
    signed_in: SignedIn


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenHolder:
    """The person whose API token was shown."""

    person: Person
    token_id: str
    label: str
