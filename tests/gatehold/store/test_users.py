import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.store import Store, outbox
from gatehold.store.users import (
    ForeignUser,
    InvalidName,
    NameTaken,
    UnknownUser,
    User,
    _checked,
    add_user,
    all_users,
    enrol,
    find_login,
    find_user,
    groups_of,
    names_of,
    password_of,
    rehash_password,
    remove_user,
    set_password,
    shut_out,
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


def test_who_comes_from_a_provider_is_issuer_and_subject(store: Store) -> None:
    """Found by them again, whatever else is said; another subject is somebody else."""
    with store.writing() as connection:
        made = enrol(connection, issuer="https://idp", subject="1", name="carla", groups=["sre"], now=1.0)
        again = enrol(connection, issuer="https://idp", subject="1", name="root", groups=["dba", "dba"], now=2.0)
        assert (made.name, made.groups, again.name, again.groups) == ("carla", ("sre",), "carla", ("dba",))
        assert find_login(connection, "https://idp", "1") == find_user(connection, "carla")
        assert find_login(connection, "https://other", "1") is None
        assert names_of(connection, "carla") == {"carla", "1"}
        assert names_of(connection, "nobody") == {"nobody"}
        with pytest.raises(NameTaken):
            enrol(connection, issuer="https://other", subject="1", name="carla", groups=["sre"], now=3.0)
    assert [waiting.event["groups"] for waiting in outbox.waiting(store)] == [["sre"], ["dba"]]


def test_shutting_out_takes_everything(store: Store) -> None:
    """But the name; of a stranger there is nothing."""
    with store.writing() as connection:
        enrol(connection, issuer="https://idp", subject="1", name="carla", groups=["sre"], now=1.0)
        assert shut_out(connection, "https://idp", "1", now=2.0) == "carla"
        assert shut_out(connection, "https://idp", "2", now=2.0) is None
        user = find_user(connection, "carla")
    assert user is not None
    assert user.groups == ()


def test_passwords_are_of_local_users(store: Store) -> None:
    """Somebody whom a provider vouches for has none here."""
    _add(store, "bob")
    with store.writing() as connection:
        enrol(connection, issuer="https://idp", subject="1", name="carla", groups=[], now=1.0)
        assert password_of(connection, "bob") is None
        assert set_password(connection, "bob", "a hash", by="os:root", now=2.0) == 0
        assert password_of(connection, "bob") == "a hash"
        rehash_password(connection, "bob", "another", "never")
        rehash_password(connection, "bob", "a hash", "newer")
        assert password_of(connection, "bob") == "newer"
        assert password_of(connection, "nobody") is None
        with pytest.raises(ForeignUser):
            set_password(connection, "carla", "a hash", by="os:root", now=2.0)
        with pytest.raises(UnknownUser):
            set_password(connection, "nobody", "a hash", by="os:root", now=2.0)
        user = find_user(connection, "bob")
    assert user is not None
    assert user.has_password
    assert "hash" not in str([waiting.event for waiting in outbox.waiting(store)])
