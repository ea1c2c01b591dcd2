"""Issuers of a configuration as the verifier sees them."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.identity.issuers import Issuer, globs, issuers_of, matches
from gatehold.identity.keyset import Key


def test_everything_is_carried_over(spec: Callable[..., Any]) -> None:
    """Each key of the configuration reaches the verifier."""
    (issuer,) = issuers_of(
        [
            spec(
                algorithms=["RS256", "ES256"],
                claims={"groups": "roles", "session": "run"},
                groups={"allow": ["ci-*"]},
                require={"owner": ["acme"]},
                maxAge="1h",
            )
        ]
    )
    assert (issuer.name, issuer.url, issuer.audience) == ("corp", "https://idp.corp.example", "gatehold")
    assert issuer.algorithms == {"RS256", "ES256"}
    assert (issuer.groups_claim, issuer.session_claim, issuer.max_age) == ("roles", "run", 3600.0)
    assert issuer.groups is not None
    assert matches(issuer.groups, "ci-7")
    assert matches(issuer.require["owner"], "acme")


def test_a_lone_issuer_may_assert_any_group(spec: Callable[..., Any]) -> None:
    """With others beside it, it may assert only what it lists."""
    assert issuers_of([spec()])[0].groups is None
    assert [issuer.groups for issuer in issuers_of([spec(), spec(name="b", issuer="b")])] == [(), ()]


def test_a_lone_issuer_beside_others_who_give_groups(spec: Callable[..., Any]) -> None:
    """SAML providers or API keys: it may assert what it lists, as among issuers."""
    assert issuers_of([spec()], others=True)[0].groups == ()
    listed = issuers_of([spec(groups={"allow": ["planners"]})], others=True)[0].groups
    assert listed is not None
    assert matches(listed, "planners")
    assert not matches(listed, "admins")


@pytest.mark.parametrize("same", ["name", "issuer"])
def test_issuers_are_told_apart(spec: Callable[..., Any], same: str) -> None:
    """Two of one name or one ``iss`` would be one identity space with two sets of rules."""
    other = {"name": "b", "issuer": "b"}
    del other[same]
    with pytest.raises(ValueError, match=same):
        issuers_of([spec(), spec(**other)])


@pytest.mark.parametrize(
    "changes",
    [
        {"algorithms": ("RS256", "HS256")},
        {"algorithms": ("HS256",)},
        {"algorithms": ("HS256",), "dev": True, "jwks": SimpleNamespace(file=None)},
        {"algorithms": ("HS256", "RS256"), "dev": True},
        {"algorithms": ("none",)},
        {"algorithms": ()},
    ],
)
def test_unsafe_algorithms_are_refused_here_too(spec: Callable[..., Any], changes: dict[str, Any]) -> None:
    """Even if a configuration got through that should not have."""
    with pytest.raises(ValueError, match=r"algorithms|HS"):
        issuers_of([spec().model_copy(update=changes)])


@given(st.text(), st.text())
def test_globs_without_wildcards_are_equality(pattern: str, text: str) -> None:
    """Nothing but ``*`` and ``?`` is special, in any pattern."""
    plain = pattern.replace("*", "").replace("?", "")
    assert matches(globs([plain]), text) == (plain == text)
    assert matches(globs([plain]), plain)
    assert matches(globs([plain + "*"]), plain + text)


def test_tenants_are_issuers_of_one_name(spec: Callable[..., Any]) -> None:
    """One for each value of ``iss``, each with the claims that it was made of; nobody else may have one of them."""
    tenants = spec(issuer="https://login.example/{tid}/v2.0", require={"tid": ["one", "two"]})
    made = issuers_of([tenants])
    assert {(each.url, each.pinned["tid"], each.name) for each in made} == {
        ("https://login.example/one/v2.0", "one", "corp"),
        ("https://login.example/two/v2.0", "two", "corp"),
    }
    with pytest.raises(ValueError, match="same issuer"):
        issuers_of([tenants, spec(name="b", issuer="https://login.example/two/v2.0")])


def test_the_name_of_api_keys_is_nobodys(spec: Callable[..., Any]) -> None:
    """Rules that name it mean keys that the gateway made."""
    with pytest.raises(ValueError, match="api-keys"):
        issuers_of([spec(name="api-keys")])


@pytest.mark.parametrize(
    ("published", "payload", "counts"),
    [
        (None, {}, True),
        ("https://login.example/one", {}, True),
        ("https://login.example/two", {}, False),
        ("https://login.example/{tenantid}", {"tid": "one"}, True),
        ("https://login.example/{tenantid}", {"tid": "two"}, False),
        ("https://login.example/{tenantid}", {}, False),
        ("https://login.example/{tenantid}", {"tid": 1}, False),
        ("", {}, False),
    ],
)
def test_keys_of_one_tenant(published: str | None, payload: dict[str, Any], *, counts: bool) -> None:
    """A key that its set gives to an issuer is that issuer's only."""
    key = Key(key_id="k", algorithms=frozenset(), thumbprint="t", issuer=published, material=None)
    issuer = Issuer(name="n", url="https://login.example/one", audience="a", algorithms=frozenset())
    assert issuer.owns(key, payload) is counts
