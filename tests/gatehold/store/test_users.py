import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.store import Store, outbox
from gatehold.store.users import (
    InvalidName,
    UnknownUser,
    User,
    _checked,
    add_user,
    all_users,
    find_user,
    groups_of,
    remove_user,
)


def _add(store: Store, name: str, *groups: str) -> User:
    with store.writing() as connection:
        return add_user(connection, name, groups, by="os:root", now=1.0)


def test_adding_again_adds_groups(store: Store) -> None:
    """A user keeps the groups from before; the same ones twice are no change and no event."""
    assert _add(store, "bob", "sre").groups == ("sre",)
    assert _add(store, "bob", "security", "sre").groups == ("security", "sre")
    _add(store, "bob", "sre")
    events = [waiting.event for waiting in outbox.waiting(store)]
    assert [(event["action"], event["groups"]) for event in events] == [("add", ["sre"]), ("add", ["security"])]
    assert all(event["by"] == "os:root" for event in events)


def test_users_are_listed_by_name(store: Store) -> None:
    """With their groups, sorted."""
    _add(store, "bob")
    _add(store, "alice", "sre", "dev")
    with store.reading() as connection:
        assert [(user.name, user.groups) for user in all_users(connection)] == [
            ("alice", ("dev", "sre")),
            ("bob", ()),
        ]


def test_removing_takes_the_groups_along(store: Store) -> None:
    """A name that is used again starts with nothing."""
    _add(store, "bob", "sre")
    with store.writing() as connection:
        remove_user(connection, "bob", by="os:root", now=2.0)
        assert find_user(connection, "bob") is None
        assert groups_of(connection, ["bob"]) == {"bob": frozenset()}
    assert _add(store, "bob").groups == ()


def test_removing_nobody_is_an_error(store: Store) -> None:
    """A typing error is told."""
    with pytest.raises(UnknownUser, match="eve"), store.writing() as connection:
        remove_user(connection, "eve", by="os:root", now=2.0)


def test_names_are_exact(store: Store) -> None:
    """Neither case nor a prefix finds somebody else."""
    _add(store, "bob")
    with store.reading() as connection:
        assert find_user(connection, "Bob") is None
        assert find_user(connection, "bo") is None
        assert find_user(connection, "bob%") is None


@pytest.mark.parametrize("name", ["", " bob", "bob ", "b\nob", "b\u202eob", "b\u200bob", "x" * 129, "\x1b[31mbob"])
def test_names_that_deceive_are_refused(store: Store, name: str) -> None:
    """As a user's name and as a group's."""
    with pytest.raises(InvalidName):
        _add(store, name)
    with pytest.raises(InvalidName):
        _add(store, "bob", name)
    with store.reading() as connection:
        assert all_users(connection) == []


@given(st.text())
def test_what_is_accepted_prints_as_it_is(name: str) -> None:
    """Every accepted name is printable, not padded, and not too long."""
    try:
        assert _checked(name, "user") == name
    except InvalidName:
        return
    assert name.isprintable()
    assert name.strip() == name
    assert 0 < len(name) <= 128
