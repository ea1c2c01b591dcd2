"""Law: a provider says who somebody is and which of the groups that count here they have, each time anew."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.config.console import OidcSpec
from gatehold.people.claims import claim
from gatehold.people.enrolling import Enrolling, allowed_groups
from gatehold.people.refusals import SignInRefused, Why
from gatehold.people.tokens import Tokens
from gatehold.people.web_sessions import WebSessions
from gatehold.store import Store
from gatehold.store.users import find_user, remove_user
from tests.gatehold.people.conftest import Clock, events, forget_events

CARLA: dict[str, Any] = {"sub": "u-1", "preferred_username": "carla", "groups": ["sre", "other", "on-call"]}


@pytest.fixture
def enrolling(store: Store, sessions: WebSessions, oidc: OidcSpec, clock: Clock) -> Enrolling:
    return Enrolling(store, sessions, oidc, clock)


def _refusal(enrolling: Enrolling, claims: dict[str, Any]) -> Why:
    with pytest.raises(SignInRefused) as refused:
        enrolling.let_in(claims, address="")
    return refused.value.why


def test_the_first_time_makes_somebody_known(enrolling: Enrolling, store: Store) -> None:
    """With the groups that count; nothing is asked of an administrator."""
    new = enrolling.let_in(CARLA, address="192.0.2.7").signed_in
    assert (new.person.name, new.person.groups) == ("carla", {"sre", "on-call"})
    assert [event["action"] for event in events(store)] == ["enrol", "sign-in"]
    forget_events(store)
    enrolling.let_in(CARLA, address="")
    assert [event["action"] for event in events(store)] == ["sign-in"]


def test_groups_are_those_of_the_last_time(enrolling: Enrolling, sessions: WebSessions) -> None:
    """Those that were taken away are gone, for sessions of before as well."""
    before = enrolling.let_in(CARLA, address="")
    enrolling.let_in({**CARLA, "groups": "on-call"}, address="")
    found = sessions.find(before.cookie_value)
    assert found is not None
    assert found.person.groups == {"on-call"}


def test_who_is_in_no_group_is_shut_out(
    enrolling: Enrolling, sessions: WebSessions, store: Store, clock: Clock
) -> None:
    """With everything they had; a stranger is not even made known."""
    before = enrolling.let_in(CARLA, address="")
    token = Tokens(store, clock).make("carla", label="x", ttl=100.0, by="carla")
    for groups in (["other"], [], None):
        assert _refusal(enrolling, {**CARLA, "groups": groups}) is Why.GROUPS
    assert sessions.find(before.cookie_value) is None
    assert Tokens(store, clock).find(token.text) is None
    assert _refusal(enrolling, {"sub": "u-2", "preferred_username": "dora"}) is Why.GROUPS
    with store.reading() as connection:
        carla = find_user(connection, "carla")
        assert carla is not None
        assert carla.groups == ()
        assert find_user(connection, "dora") is None


def test_a_person_is_not_a_name(enrolling: Enrolling) -> None:
    """Another name later changes nobody; the same name of another subject, or of a local user, is refused."""
    enrolling.let_in(CARLA, address="")
    assert enrolling.let_in({**CARLA, "preferred_username": "root"}, address="").signed_in.person.name == "carla"
    assert enrolling.let_in({"sub": "u-1", "groups": ["sre"]}, address="").signed_in.person.name == "carla"
    assert _refusal(enrolling, {**CARLA, "sub": "u-2"}) is Why.NAME
    assert _refusal(enrolling, {**CARLA, "sub": "u-2", "preferred_username": "ada"}) is Why.NAME


@pytest.mark.parametrize("name", [None, "", 7, " carla", "ca\u202erla", "x" * 129, "\x1b[2J"])
def test_names_that_deceive(enrolling: Enrolling, name: object) -> None:
    """Nobody is made known by one."""
    assert _refusal(enrolling, {**CARLA, "preferred_username": name}) is Why.NAME


@pytest.mark.parametrize("subject", ["", "x" * 256, "u\x00-1", "u\n"])
def test_subjects_that_are_none(enrolling: Enrolling, subject: str) -> None:
    """OpenID Connect Core 1.0, section 2."""
    assert _refusal(enrolling, {**CARLA, "sub": subject}) is Why.NAME


def test_an_address_counts_where_it_was_verified(
    store: Store, sessions: WebSessions, oidc: OidcSpec, clock: Clock
) -> None:
    """Else anybody could call themselves anything."""
    enrolling = Enrolling(store, sessions, oidc.model_copy(update={"name": "email"}), clock)
    claims = {**CARLA, "email": "carla@corp.example"}
    for verified in ({}, {"email_verified": False}, {"email_verified": "true"}):
        assert _refusal(enrolling, {**claims, **verified}) is Why.NAME
    assert (
        enrolling.let_in({**claims, "email_verified": True}, address="").signed_in.person.name == "carla@corp.example"
    )


@pytest.mark.parametrize("groups", [{"sre": True}, 7, ["sre", 7], [["sre"]], ["sre"] * 2001])
def test_groups_that_are_none(enrolling: Enrolling, groups: object) -> None:
    """A claim of another kind lets nobody in."""
    assert _refusal(enrolling, {**CARLA, "groups": groups}) is Why.GROUPS


def test_group_names_that_deceive(enrolling: Enrolling) -> None:
    """One that could not be told from another is refused, not stored."""
    assert _refusal(enrolling, {**CARLA, "groups": ["on-\u202ecall"]}) is Why.NAME


def test_a_removed_user_may_come_back(enrolling: Enrolling, store: Store) -> None:
    """The provider decides who comes."""
    enrolling.let_in(CARLA, address="")
    with store.writing() as connection:
        remove_user(connection, "carla", by="os:root", now=1.0)
    assert enrolling.let_in(CARLA, address="").signed_in.person.name == "carla"


def test_two_first_times_at_once(enrolling: Enrolling, store: Store) -> None:
    """Of one person, from two browsers: one user, two sessions."""
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: enrolling.let_in(CARLA, address=""), range(4)))
    assert {new.signed_in.person.name for new in found} == {"carla"}
    assert [event["action"] for event in events(store)].count("enrol") == 1


@given(st.lists(st.text(max_size=12), max_size=8))
def test_only_allowed_groups_count(groups: list[str]) -> None:
    """Whatever is asserted."""
    spec = OidcSpec.model_validate({"issuer": "https://idp.example", "clientId": "g", "allow": ["sre", "on-*"]})
    found = allowed_groups({"groups": groups}, spec)
    assert found == {group for group in groups if group == "sre" or group.startswith("on-")}


@pytest.mark.parametrize(
    ("claims", "path", "found"),
    [
        ({"groups": [1]}, "groups", [1]),
        ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", ["a"]),
        ({"https://x.example/groups": ["a"]}, "https://x.example/groups", ["a"]),
        ({"a": "b"}, "a.b", None),
        ({}, "a.b", None),
    ],
)
def test_paths(claims: dict[str, Any], path: str, found: object) -> None:
    """A whole name first, then steps."""
    assert claim(claims, path) == found
