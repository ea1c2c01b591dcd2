"""Law: a session lives while it is used, not longer than it may, and not a moment after somebody ended it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from gatehold.config.console import SessionSpec
from gatehold.people.model import Way
from gatehold.people.web_sessions import MOST_SESSIONS, WebSessions, digest_of
from gatehold.store import Store
from gatehold.store.schema import console_sessions
from gatehold.store.users import UnknownUser, add_user, remove_user, set_password
from tests.gatehold.people.conftest import Clock, events


def test_whoever_has_the_cookie_is_the_person(sessions: WebSessions) -> None:
    """With the groups of this moment, and a CSRF token of the session's own."""
    one, other = sessions.open("ada", Way.PASSWORD), sessions.open("ada", Way.OIDC)
    found = sessions.find(one.cookie_value)
    assert found == one.signed_in
    assert (found.person.name, found.person.groups, found.way) == ("ada", frozenset({"sre"}), Way.PASSWORD)
    assert len({one.signed_in.csrf, other.signed_in.csrf, one.cookie_value, other.cookie_value}) == 4


def test_groups_are_those_of_now(sessions: WebSessions, store: Store) -> None:
    """A session remembers none."""
    new = sessions.open("bob", Way.PASSWORD)
    with store.writing() as connection:
        add_user(connection, "bob", ["dba"], by="os:root", now=2.0)
    found = sessions.find(new.cookie_value)
    assert found is not None
    assert found.person.groups == {"dba"}


def test_it_ends_when_idle(sessions: WebSessions, clock: Clock) -> None:
    """Use keeps it, a look without use does not."""
    value = sessions.open("ada", Way.PASSWORD).cookie_value
    clock.now += 3599
    assert sessions.find(value)
    clock.now += 3599
    assert sessions.find(value, use=False)
    clock.now += 1
    assert sessions.find(value) is None


def test_it_ends_in_the_end(sessions: WebSessions, clock: Clock) -> None:
    """However much it is used."""
    value = sessions.open("ada", Way.PASSWORD).cookie_value
    for _ in range(23):
        clock.now += 1800
        assert sessions.find(value)
    clock.now += 1800
    assert sessions.find(value) is None


def test_a_shorter_limit_counts_at_once(sessions: WebSessions, store: Store, clock: Clock) -> None:
    """Sessions of before are not let off."""
    value = sessions.open("ada", Way.PASSWORD).cookie_value
    clock.now += 100
    short = WebSessions(store, SessionSpec.model_validate({"max": "1m", "idle": "1h"}), clock)
    assert short.find(value) is None


def test_uses_are_written_seldom(sessions: WebSessions, store: Store, clock: Clock) -> None:
    """A page that loads ten files is one use."""
    value = sessions.open("ada", Way.PASSWORD).cookie_value
    seen = []
    for _ in range(4):
        clock.now += 20
        sessions.find(value)
        with store.reading() as connection:
            seen.append(connection.scalars(select(console_sessions.c.seen)).one() - 1_000_000.0)
    assert seen == [0.0, 40.0, 40.0, 80.0]


def test_signing_out(sessions: WebSessions, store: Store) -> None:
    """Ends this one session, tells it once."""
    one, other = (sessions.open("ada", Way.PASSWORD).cookie_value for _ in range(2))
    assert sessions.close(one)
    assert not sessions.close(one)
    assert sessions.find(one) is None
    assert sessions.find(other)
    assert [event["action"] for event in events(store)] == ["sign-in", "sign-in", "sign-out"]
    assert sessions.close_all("ada") == 1
    assert sessions.find(other) is None


def test_nobody_ends_those_of_others(sessions: WebSessions) -> None:
    """Where a person names a session."""
    new = sessions.open("ada", Way.PASSWORD)
    assert sessions.end(new.signed_in.digest, user="bob") is None
    assert sessions.end(new.signed_in.digest, user="ada") == "ada"


def test_they_end_with_the_user_and_the_password(sessions: WebSessions, store: Store) -> None:
    """At once."""
    ada, bob = (sessions.open(name, Way.PASSWORD).cookie_value for name in ("ada", "bob"))
    with store.writing() as connection:
        set_password(connection, "ada", "a hash", by="os:root", now=2.0)
        remove_user(connection, "bob", by="os:root", now=2.0)
    assert sessions.find(ada) is None
    assert sessions.find(bob) is None


def test_there_are_not_too_many(sessions: WebSessions, clock: Clock) -> None:
    """The oldest makes room."""
    values = []
    for _ in range(MOST_SESSIONS + 2):
        clock.now += 1
        values.append(sessions.open("ada", Way.PASSWORD).cookie_value)
    assert [sessions.find(value) is not None for value in values] == [False] * 2 + [True] * MOST_SESSIONS
    assert len(sessions.of("ada")) == MOST_SESSIONS


def test_nobody_unknown_gets_one(sessions: WebSessions) -> None:
    """A session is a user's."""
    with pytest.raises(UnknownUser):
        sessions.open("eve", Way.PASSWORD)


def test_the_store_opens_nothing(sessions: WebSessions, store: Store) -> None:
    """Neither the cookie's value nor anything that could stand for it is kept, told or shown."""
    new = sessions.open("ada", Way.PASSWORD, address="192.0.2.7")
    with store.reading() as connection:
        row = connection.execute(select(console_sessions)).one()
    assert row.digest == digest_of(new.cookie_value)
    assert new.cookie_value not in f"{row!r}{events(store)}{new!r}{sessions!r}"
    assert new.signed_in.csrf not in f"{events(store)}{new!r}"
    assert sessions.find(row.digest) is None
    assert events(store)[0]["from"] == "192.0.2.7"


@given(st.text(max_size=100))
def test_no_other_text_is_one(text: str) -> None:
    """What has not the shape of a cookie's value is not even looked up."""
    broken: Store = None  # type: ignore[assignment]
    if not (len(text) == 43 and text.isascii()):
        assert WebSessions(broken, SessionSpec(), lambda: 0.0).find(text) is None
