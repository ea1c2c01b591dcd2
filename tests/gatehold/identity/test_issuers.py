"""Issuers of a configuration as the verifier sees them."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.identity.issuers import globs, issuers_of, matches


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
