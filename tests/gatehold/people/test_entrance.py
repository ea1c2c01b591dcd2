"""Law: who knows the password comes in; who does not learns nothing, not often, and not unseen."""

import pytest

from gatehold.people.entrance import BY_ADDRESS, BY_NAME, Entrance
from gatehold.people.model import Way
from gatehold.people.refusals import SignInRefused, Why
from gatehold.people.web_sessions import WebSessions
from gatehold.store import Store
from gatehold.store.users import set_password
from tests.gatehold.people.conftest import Clock, events, forget_events

GOOD = "correct horse battery staple"


@pytest.fixture
def entrance(store: Store, sessions: WebSessions, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Entrance:
    """Passwords are compared as they are: what hashing costs is looked at elsewhere."""
    monkeypatch.setattr("gatehold.people.passwords.verify", lambda stored, password: stored == password)
    monkeypatch.setattr("gatehold.people.passwords.PasswordHasher.check_needs_rehash", lambda *_: False)
    with store.writing() as connection:
        set_password(connection, "ada", GOOD, by="os:root", now=1.0)
    forget_events(store)
    return Entrance(store, sessions, clock=clock, monotonic=clock)


def _why(entrance: Entrance, name: str, password: str = "wrong", address: str = "192.0.2.1") -> SignInRefused:
    with pytest.raises(SignInRefused) as refused:
        entrance.by_password(name, password, address=address)
    return refused.value


def test_the_door_opens(entrance: Entrance, sessions: WebSessions) -> None:
    """As often as one likes."""
    for _ in range(50):
        new = entrance.by_password("ada", GOOD, address="192.0.2.1")
    found = sessions.find(new.cookie_value)
    assert found is not None
    assert (found.person.name, found.way) == ("ada", Way.PASSWORD)


def test_refusals_are_alike(entrance: Entrance) -> None:
    """Nobody, somebody without a password, a wrong password, a name that is too long."""
    said = {(str(_why(entrance, name)), _why(entrance, name).why) for name in ("ada", "bob", "nobody", "x" * 5000)}
    assert said == {("Name or password is wrong.", Why.CREDENTIALS)}


def test_one_name_is_not_tried_for_ever(entrance: Entrance, clock: Clock) -> None:
    """From wherever; whether there is such a user does not matter; time heals it."""
    for name in ("ada", "nobody"):
        found = [_why(entrance, name, address=f"192.0.2.{number}").why for number in range(BY_NAME[0] + 1)]
        assert found == [Why.CREDENTIALS] * BY_NAME[0] + [Why.THROTTLED]
    assert _why(entrance, "ada", GOOD, "198.51.100.1").retry_after > 0
    clock.now += BY_NAME[1] / BY_NAME[0]
    assert entrance.by_password("ada", GOOD, address="198.51.100.1")


def test_one_address_does_not_try_many_names(entrance: Entrance) -> None:
    """One of IPv6 is all of its network."""
    found = [_why(entrance, f"n{number}", address=f"2001:db8::{number}").why for number in range(BY_ADDRESS[0] + 1)]
    assert found == [Why.CREDENTIALS] * BY_ADDRESS[0] + [Why.THROTTLED]
    assert entrance.by_password("ada", GOOD, address="2001:db8:1::1")


def test_it_is_written_down(entrance: Entrance, store: Store) -> None:
    """Of whom there is, and never what was typed as a name of nobody: it may be a password."""
    for name in ("ada", "hunter2-typed-in-the-wrong-field"):
        entrance.note(_why(entrance, name), Way.PASSWORD, address="192.0.2.1")
    assert [(event["user"], event["why"], event["from"]) for event in events(store)] == [
        ("ada", "credentials", "192.0.2.1"),
        ("", "credentials", "192.0.2.1"),
    ]
    assert "hunter2" not in str(events(store))
    assert "wrong" not in str(events(store))


def test_a_flood_is_not_written_down(entrance: Entrance, store: Store, clock: Clock) -> None:
    """Too many tries are told once a minute."""
    refused = SignInRefused(Why.THROTTLED, "by address", retry_after=1.0)
    for _ in range(50):
        entrance.note(refused, Way.PASSWORD, address="192.0.2.1")
    clock.now += 60
    entrance.note(refused, Way.PASSWORD, address="192.0.2.1")
    assert len(events(store)) == 2


def test_changing_ones_password(entrance: Entrance, sessions: WebSessions, monkeypatch: pytest.MonkeyPatch) -> None:
    """By whoever knows it; sessions of before end."""
    monkeypatch.setattr("gatehold.people.passwords.hashed", lambda password: password)
    before = entrance.by_password("ada", GOOD, address="192.0.2.1")
    with pytest.raises(SignInRefused):
        entrance.change_password("ada", "wrong", "another long password")
    assert sessions.find(before.cookie_value)
    entrance.change_password("ada", GOOD, "another long password")
    assert sessions.find(before.cookie_value) is None
    assert entrance.by_password("ada", "another long password", address="192.0.2.1")
    assert _why(entrance, "ada", GOOD).why is Why.CREDENTIALS
