"""What is put into a call, and where such a call may go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.config.values import CredentialUnavailable, Secret
from gatehold.credentials.injection import Injection, checked_header, origins


@pytest.mark.parametrize(
    ("scheme", "host", "port", "allowed"),
    [
        ("https", "crm.corp.example", 443, True),
        ("https", "CRM.corp.example", 443, True),
        ("https", "::1", 8443, True),
        ("https", "[::1]", 8443, True),
        ("http", "crm.corp.example", 443, False),
        ("https", "crm.corp.example", 444, False),
        ("https", "crm.corp.example.", 443, False),
        ("https", "evil.crm.corp.example", 443, False),
        ("https", "crm.corp.example.evil.example", 443, False),
        ("https", "", 443, False),
    ],
)
def test_a_credential_is_bound_to_its_origins(scheme: str, host: str, port: int, *, allowed: bool) -> None:
    """Scheme, host and port, all three, exactly."""
    injection = Injection(bound=origins("https", [("crm.corp.example", 443), ("[::1]", 8443)]))
    assert injection.may_go_to(scheme, host, port) is allowed


@given(st.text(max_size=30))
def test_a_header_can_be_sent_as_it_is_or_is_refused(value: str) -> None:
    """Visible ASCII without white space at its ends; in particular no line break, NUL or other control character."""
    try:
        _, secret = checked_header("Authorization", value)
    except CredentialUnavailable as refused:
        told = str(refused).removeprefix("the value for the header Authorization is empty or not plain text")
        sound = value.isascii() and value.replace("\t", "").isprintable() and value == value.strip() != ""
        assert (told, sound) == ("", False)
    else:
        assert secret.reveal() == value.strip()


@pytest.mark.parametrize(
    "name",
    [
        "", "a b", "a:b", "a\nb", "ä", "Host", "host", "Content-Length", "content-type", "Transfer-Encoding",
        "Connection", "TE", "Trailer", "Upgrade", "Expect", "Proxy-Authorization", "Gatehold-Decision", "Keep-Alive",
    ],
)  # fmt: skip
def test_headers_that_frame_or_route_are_not_for_credentials(name: str) -> None:
    """A credential never changes where a message ends or goes."""
    with pytest.raises(CredentialUnavailable, match="cannot be put into"):
        checked_header(name, "planted")


def test_nothing_shows_the_values() -> None:
    """Names and places only."""
    header = checked_header("X-Api-Key", "planted-value")
    injection = Injection(
        bound=origins("https", [("a", 1)]),
        headers=(header,),
        query=(("key", Secret("planted-query")),),
        secrets=(Secret("planted-value"),),
    )
    assert "planted" not in f"{injection!r} {injection}"
    assert "X-Api-Key" in repr(injection)
