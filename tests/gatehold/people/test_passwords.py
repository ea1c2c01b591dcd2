"""Law: a password is known by its hash alone, and who has none costs as much as who has another."""

import pytest
from argon2 import PasswordHasher

from gatehold.people import passwords
from gatehold.people.passwords import Passwords, WeakPassword, hashed, verify
from gatehold.store import Store
from gatehold.store.users import ForeignUser, UnknownUser, enrol, password_of, set_password
from tests.gatehold.people.conftest import Clock, events

GOOD = "correct horse battery staple"


@pytest.fixture
def book(store: Store, clock: Clock) -> Passwords:
    return Passwords(store, clock)


def test_it_fits_its_user_only(book: Passwords, store: Store) -> None:
    """And is not in the store, an event or an error."""
    assert book.set("ada", GOOD, by="os:root") == 0
    assert book.fits("ada", GOOD)
    assert not book.fits("ada", GOOD + " ")
    assert not book.fits("bob", GOOD)
    assert not book.fits("nobody", GOOD)
    with store.reading() as connection:
        stored = password_of(connection, "ada")
    assert stored is not None
    assert stored.startswith("$argon2id$")
    assert GOOD not in f"{stored}{events(store)}{book!r}"


def test_nobody_costs_as_much(book: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody unknown, somebody without a password, and a wrong password: one hash each, by the same parameters."""
    book.set("ada", GOOD, by="os:root")
    looked: list[str] = []
    monkeypatch.setattr(passwords, "verify", lambda stored, password: looked.append(stored) or False)
    for name in ("ada", "bob", "nobody", "", "x" * 4000):
        assert not book.fits(name, "wrong")
    parameters = {stored.rsplit("$", 2)[0] for stored in looked}
    assert (len(looked), len(parameters)) == (5, 1)
    assert {len(stored) for stored in looked} == {len(looked[0])}


def test_what_stands_for_nobody_is_a_hash() -> None:
    """argon2 computes it, and no password fits."""
    assert not verify(passwords._nobody(), "")
    PasswordHasher().check_needs_rehash(passwords._nobody())


@pytest.mark.parametrize("spelled", ["\uff30\uff41\uff53\uff53wort f\u00fcr alle", "Passwort fu\u0308r alle"])
def test_keyboards_do_not_matter(book: Passwords, spelled: str) -> None:
    """One text, several ways to type it."""
    book.set("ada", "Passwort für alle", by="os:root")
    assert book.fits("ada", spelled)


@pytest.mark.parametrize("weak", ["", "short", "x" * 11, "aaaaaaaaaaaaaaaa", "abababababababab", "x" * 513])
def test_weak_ones_are_refused(book: Passwords, weak: str) -> None:
    """And not repeated."""
    with pytest.raises(WeakPassword) as refused:
        book.set("ada", weak, by="os:root")
    assert not weak or weak not in str(refused.value)


def test_a_name_is_no_password(book: Passwords) -> None:
    """Nor is it backwards."""
    for text in ("Long-user-name", "eman-resu-gnol"):
        with pytest.raises(WeakPassword):
            passwords.check(text, "long-user-name")


def test_parameters_grow_with_the_years(book: Passwords, store: Store) -> None:
    """An old hash is made anew when its password is there; nothing else changes."""
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(GOOD)
    with store.writing() as connection:
        set_password(connection, "ada", old, by="os:root", now=1.0)
    assert not book.fits("ada", "wrong")
    with store.reading() as connection:
        assert password_of(connection, "ada") == old
    assert book.fits("ada", GOOD)
    with store.reading() as connection:
        assert password_of(connection, "ada") != old
    assert book.fits("ada", GOOD)


@pytest.mark.parametrize("stored", ["", "x", "$argon2id$", "$argon2id$v=19$m=65536,t=3,p=4$AAAA$AAAA", "$2b$12$abc"])
def test_a_broken_hash_fits_nothing(stored: str) -> None:
    """It is no error and no way in."""
    assert not verify(stored, "")
    assert not verify(stored, GOOD)


def test_nobody_else_gets_one(book: Passwords, store: Store) -> None:
    """Neither somebody unknown nor somebody who is known elsewhere."""
    with store.writing() as connection:
        enrol(connection, issuer="https://idp", subject="1", name="carla", groups=["sre"], now=1.0)
    with pytest.raises(UnknownUser):
        book.set("nobody", GOOD, by="os:root")
    with pytest.raises(ForeignUser, match="idp"):
        book.set("carla", GOOD, by="os:root")


def test_long_texts_are_no_passwords() -> None:
    """Whatever was hashed."""
    assert not verify(hashed(GOOD), GOOD * 1000)
    assert not verify(hashed("x" * 512), "x" * 1_000_000)
