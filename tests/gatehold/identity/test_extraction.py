"""Tokens out of header values."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.identity.extraction import MAX_HEADER, token_from
from gatehold.identity.jose import MAX_TOKEN
from policy.errors import Refusal

TOKENS = st.from_regex(r"[A-Za-z0-9._~+/-]{1,200}={0,2}", fullmatch=True)


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


@given(token=TOKENS, scheme=st.sampled_from(["Bearer", "bearer", "BEARER"]), space=st.sampled_from([" ", "  ", " \t"]))
def test_bearer(token: str, scheme: str, space: str) -> None:
    """The scheme's case and the white space around the token do not count."""
    assert token_from(f"{scheme}{space}{token} ") == token


@given(
    token=TOKENS, user=st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters=":"), max_size=20)
)
def test_basic_password_is_the_token_whoever_the_user_is(token: str, user: str) -> None:
    """As clients make it of a proxy address with user and password."""
    assert token_from(basic(f"{user}:{token}")) == token


@pytest.mark.parametrize("value", [None, "", "Digest username=x", "Negotiate abc", "BearerToken", "abc"])
def test_other_schemes_carry_no_token(value: str | None) -> None:
    """Nothing there, or something of another kind: not an error, just nobody."""
    assert token_from(value) is None


@pytest.mark.parametrize(
    "value",
    [
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer a, Bearer b",
        "Bearer a\x00b",
        "Bearer ä",
        'Bearer "a"',
        "Basic",
        "Basic !!!",
        "Basic YQ",
        basic("token-without-colon"),
        basic("user:"),
        basic("user:a:b"),
        basic("user:tökén"),
        basic("user:a b"),
    ],
)
def test_broken_values_are_malformed(value: str) -> None:
    """Bearer and Basic that carry no readable token are refused, not taken for absent."""
    with pytest.raises(Refusal, match="malformed"):
        token_from(value)


def test_sizes_are_bounded() -> None:
    """The longest token passes in either form; one character more does not; a huge value is not looked at."""
    longest = "a" * MAX_TOKEN
    assert token_from(f"Bearer {longest}") == longest
    assert token_from(basic(f"agent:{longest}")) == longest
    for value in (f"Bearer {longest}a", basic(f"agent:{longest}a"), "Bearer " + "!" * MAX_HEADER):
        with pytest.raises(Refusal, match="too-large"):
            token_from(value)


@given(
    st.text(max_size=100)
    | st.text(max_size=60).map("Basic ".__add__)
    | st.binary(max_size=60).map(lambda data: "Basic " + base64.b64encode(data).decode())
)
def test_any_value_is_read_or_refused(value: str) -> None:
    """Nothing but a refusal with one of two words is raised."""
    assert _outcome(value) in {"malformed", "too-large", "absent", "token"}


def _outcome(value: str) -> str:
    try:
        token = token_from(value)
    except Refusal as refusal:
        return refusal.reason
    return "absent" if token is None else "token"
