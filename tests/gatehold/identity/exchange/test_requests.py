"""Laws of forms: read in one way only; every parameter that narrows a token, and cannot, refuses the request."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.identity.exchange.requests import ACCESS_TOKEN, JWT, SAML_BEARER, TOKEN_EXCHANGE, UnusableRequest, read

TYPE = "urn:ietf:params:oauth:token-type:"
GOOD = {"grant_type": TOKEN_EXCHANGE, "subject_token": "a.b.c", "subject_token_type": f"{TYPE}jwt"}
ASSERTED = {"grant_type": SAML_BEARER, "assertion": "PGE-"}


def error(form: bytes | dict[str, str]) -> str:
    """What is wrong with it."""
    with pytest.raises(UnusableRequest) as caught:
        read(form if isinstance(form, bytes) else urlencode(form).encode())
    assert "a.b.c" not in caught.value.description
    return caught.value.error.value


@pytest.mark.parametrize("kind", ["jwt", "access_token", "id_token"])
def test_jwts(kind: str) -> None:
    """Of three types, which are all the same here; parameters that are not known do not matter."""
    form = {
        **GOOD,
        "subject_token_type": TYPE + kind,
        "client_id": "x",
        "audience": "gatehold",
        "what": "ever",
        "scope": "",
    }
    asked = read(urlencode(form).encode())
    assert (asked.kind, asked.subject_token, asked.audience, asked.issued_type) == (
        "jwt",
        "a.b.c",
        "gatehold",
        ACCESS_TOKEN,
    )
    assert "a.b.c" not in repr(asked)
    assert asked.source_error == "invalid_request"


def test_assertions() -> None:
    """By either grant."""
    assert (read(urlencode(ASSERTED).encode()).kind, read(urlencode(ASSERTED).encode()).source_error) == (
        "saml",
        "invalid_grant",
    )
    assert read(urlencode({**GOOD, "subject_token_type": f"{TYPE}saml2"}).encode()).kind == "saml"


def test_the_type_that_is_wanted() -> None:
    """A token is an access token and a JWT; nothing else is made."""
    assert read(urlencode({**GOOD, "requested_token_type": JWT}).encode()).issued_type == JWT
    for kind in ("refresh_token", "id_token", "saml2", "saml1"):
        assert error({**GOOD, "requested_token_type": TYPE + kind}) == "invalid_request"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}, "unsupported_grant_type"),
        ({"subject_token": ""}, "invalid_request"),
        ({"subject_token_type": ""}, "invalid_request"),
        ({"subject_token_type": f"{TYPE}saml1"}, "invalid_request"),
        ({"subject_token_type": f"{TYPE}refresh_token"}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
        ({"actor_token_type": f"{TYPE}jwt"}, "invalid_request"),
        ({"scope": "admin"}, "invalid_scope"),
        ({"resource": "https://crm.corp.example"}, "invalid_target"),
        ({"client_secret": "x"}, "invalid_client"),
        ({"client_assertion": "x"}, "invalid_client"),
    ],
)
def test_refused(change: dict[str, str], expected: str) -> None:
    """By the words of the RFCs."""
    assert error({**GOOD, **change}) == expected


@pytest.mark.parametrize("name", ["grant_type", "subject_token", "audience", "unknown"])
def test_a_parameter_twice(name: str) -> None:
    """Readers differ on which one counts; so does one that is empty the second time."""
    form = urlencode({**GOOD, "audience": "gatehold", "unknown": "x"}).encode()
    for more in (b"x", b""):
        assert error(form + f"&{name}=".encode() + more) == "invalid_request"
    assert error(form + f"&%{ord(name[0]):02x}{name[1:]}=x".encode()) == "invalid_request"


@pytest.mark.parametrize(
    "form",
    [
        b"",
        b"&",
        b"a",
        b"a=b;c=d&&e=f",
        b"a=%zz",
        b"a=%8",
        b"a=b c",
        b"a=\xc3\xa9",
        b"a=%ff",
        b"\0=a",
        b"a=1&" * 40,
        b"{}",
    ],
)
def test_no_forms(form: bytes) -> None:
    """Bytes that are no form, and forms with too much in them."""
    assert error(form) == "invalid_request"


@given(st.binary(max_size=300))
def test_any_bytes(form: bytes) -> None:
    """A request for something, or what is wrong."""
    try:
        asked = read(form)
    except UnusableRequest:
        return
    assert asked.subject_token
