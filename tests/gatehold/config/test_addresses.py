"""There is one spelling of an address."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.config.addresses import check_address, check_host, overlap


@pytest.mark.parametrize(
    "address",
    [
        "crm.corp.example:443",
        "localhost:1",
        "my_service:8080",
        "10.0.0.1:65535",
        "[::1]:443",
        "xn--bcher-kva.example:443",
        "a:80",
    ],
)
def test_canonical_addresses(address: str) -> None:
    assert check_address(address) == address


NOT_ADDRESSES = [
    "crm.example",
    "crm.example:",
    ":443",
    "crm.example:0",
    "crm.example:65536",
    "crm.example:+443",
    "crm.example:\uff1443",
    "CRM.example:443",
    "crm.example.:443",
    "*.example:443",
    "-a.example:443",
    "a..b:443",
    "a/b:443",
    "user@crm.example:443",
    "crm.example:443/x",
    "127.1:443",
    "1:443",
    "0x7f000001:443",
    "010.0.0.1:443",
    "1.2.3.4.:443",
    "::1:443",
    "[1.2.3.4]:443",
    "[::01]:443",
    "[::ffff:1.2.3.4]:443",
    "[fe80::1%1]:443",
]


@pytest.mark.parametrize("address", [*NOT_ADDRESSES, "", "a b:443", f"{'a' * 64}.example:443"])
def test_every_other_spelling_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        check_address(address)


@given(st.ip_addresses())
def test_literals_have_one_form(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """The canonical text of an address is accepted, its other texts are not."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return
    assert check_host(str(address)) == str(address)
    if address.exploded != str(address):
        with pytest.raises(ValueError, match="canonical"):
            check_host(address.exploded)


@given(st.text(max_size=20))
def test_what_is_accepted_is_plain(text: str) -> None:
    """An accepted address is ASCII, lower case, and splits into host and port."""
    try:
        check_address(text)
    except ValueError:
        return
    host, _, port = text.rpartition(":")
    assert text.isascii()
    assert text == text.lower()
    assert 0 < int(port) < 65536
    assert host


@pytest.mark.parametrize(
    ("one", "other", "taken"),
    [
        (("127.0.0.1", 1), ("127.0.0.1", 1), True),
        (("127.0.0.1", 1), ("127.0.0.1", 2), False),
        (("127.0.0.1", 1), ("10.0.0.1", 1), False),
        (("0.0.0.0", 1), ("10.0.0.1", 1), True),
        (("10.0.0.1", 1), ("::", 1), True),
        (("localhost", 1), ("127.0.0.1", 1), True),
        (("localhost", 1), ("::1", 1), True),
        (("localhost", 1), ("10.0.0.1", 1), False),
        (("127.0.0.1", 1), ("::1", 1), False),
        (("127.0.0.1", 0), ("127.0.0.1", 0), False),
    ],
)
def test_listeners_in_each_others_way(one: tuple[str, int], other: tuple[str, int], taken: bool) -> None:
    assert overlap(one, other) is taken
    assert overlap(other, one) is taken
