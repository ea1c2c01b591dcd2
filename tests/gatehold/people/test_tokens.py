"""Law: a token is its person, while it lives; the store does not know it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from gatehold.people.tokens import LONGEST_LIFE, MOST_TOKENS, TokenRefused, Tokens
from gatehold.store import Store
from gatehold.store.schema import user_tokens
from gatehold.store.users import UnknownUser, remove_user
from tests.gatehold.people.conftest import Clock, events


@pytest.fixture
def tokens(store: Store, clock: Clock) -> Tokens:
    return Tokens(store, clock)


def test_it_is_its_person(tokens: Tokens, clock: Clock) -> None:
    """With the groups of now, until it is over."""
    made = tokens.make("ada", label="pager", ttl=100.0, by="ada")
    holder = tokens.find(made.text)
    assert holder is not None
    assert (holder.person.name, holder.person.groups, holder.token_id) == ("ada", {"sre"}, made.token.id)
    clock.now += 99.9
    assert tokens.find(made.text)
    clock.now += 0.1
    assert tokens.find(made.text) is None
    assert tokens.of("ada") == []


def test_the_store_opens_nothing(tokens: Tokens, store: Store) -> None:
    """Not by what is in it, nor by what is told of it."""
    made = tokens.make("ada", label="pager", ttl=100.0, by="ada")
    with store.reading() as connection:
        row = connection.execute(select(user_tokens)).one()
    assert made.text not in f"{row!r}{events(store)}{made!r}{tokens!r}"
    assert tokens.find(row.digest) is None
    assert tokens.find(f"ghu_{row.digest[:43]}") is None
    assert events(store) == [
        {"kind": "token", "action": "make", "user": "ada", "token": made.token.id, "label": "pager", "by": "ada"}
    ]


def test_it_ends_when_revoked(tokens: Tokens) -> None:
    """By whose it is or by who runs the gateway, not by others."""
    made = tokens.make("ada", label="pager", ttl=100.0, by="ada")
    with pytest.raises(TokenRefused):
        tokens.revoke(made.token.id, by="bob", user="bob")
    assert tokens.find(made.text)
    assert tokens.revoke(made.token.id, by="ada", user="ada").label == "pager"
    assert tokens.find(made.text) is None
    with pytest.raises(TokenRefused):
        tokens.revoke(made.token.id, by="ada")


def test_it_ends_with_its_user(tokens: Tokens, store: Store) -> None:
    """And does not come back with the name."""
    made = tokens.make("ada", label="pager", ttl=100.0, by="ada")
    with store.writing() as connection:
        remove_user(connection, "ada", by="os:root", now=1.0)
    assert tokens.find(made.text) is None


def test_use_is_noted(tokens: Tokens, clock: Clock) -> None:
    """Once a minute."""
    made = tokens.make("ada", label="pager", ttl=1000.0, by="ada")
    assert tokens.of("ada")[0].last_used is None
    tokens.find(made.text)
    clock.now += 59
    tokens.find(made.text)
    assert tokens.of("ada")[0].last_used == 1_000_000.0
    clock.now += 1
    tokens.find(made.text)
    assert tokens.of("ada")[0].last_used == 1_000_060.0


@pytest.mark.parametrize(
    ("label", "ttl"),
    [("", 1.0), (" ", 1.0), ("x" * 129, 1.0), ("a\u202eb", 1.0), ("a\nb", 1.0), ("a", 0.0), ("a", LONGEST_LIFE + 1)],
)
def test_what_cannot_be_made(tokens: Tokens, label: str, ttl: float) -> None:
    """A token that nobody could tell from others, or that lives for ever."""
    with pytest.raises(TokenRefused):
        tokens.make("ada", label=label, ttl=ttl, by="ada")


def test_whose_and_how_many(tokens: Tokens, clock: Clock) -> None:
    """Only users have some, and not too many; those that are over do not count."""
    with pytest.raises(UnknownUser):
        tokens.make("eve", label="x", ttl=1.0, by="os:root")
    for _ in range(MOST_TOKENS):
        tokens.make("ada", label="x", ttl=10.0, by="ada")
    with pytest.raises(TokenRefused, match="revoke one"):
        tokens.make("ada", label="x", ttl=10.0, by="ada")
    clock.now += 10
    assert tokens.make("ada", label="x", ttl=10.0, by="ada")
    assert len(tokens.of()) == 1


@given(st.one_of(st.text(max_size=80), st.from_regex(r"ghu_[\w-]{40,46}", fullmatch=True)))
def test_no_other_text_is_looked_up(text: str) -> None:
    """What has not the shape of a token costs nothing."""
    broken: Store = None  # type: ignore[assignment]
    tail = text.removeprefix("ghu_")
    if not (text.startswith("ghu_") and len(tail) == 43 and tail.isascii()):
        assert Tokens(broken, lambda: 0.0).find(text) is None
