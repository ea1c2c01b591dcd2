"""The expressions for networks agree with the standard library on every spelling."""

import ipaddress
import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from policy.expressions.networks import DISGUISED, IPV4, IPV6, pattern

v4_networks = st.builds(
    lambda a, n: ipaddress.ip_network((a, n), strict=False), st.ip_addresses(v=4), st.integers(0, 32)
)
v6_networks = st.builds(
    lambda a, n: ipaddress.ip_network((a & ~0, n), strict=False),
    st.integers(0, 2**128 - 1) | st.integers(0, 2**16).map(lambda n: n << 64),
    st.integers(0, 128),
)


@st.composite
def spellings(draw: st.DrawFn, number: int) -> str:
    """One of the texts for an IPv6 address."""
    groups = [number >> 112 - 16 * at & 0xFFFF for at in range(8)]
    texts = [format(group, draw(st.sampled_from(["x", "X", "04x", "03x"]))) for group in groups]
    runs = [(a, b) for a in range(8) for b in range(a + 1, 9) if not any(groups[a:b])]
    if runs and draw(st.booleans()):
        start, end = draw(st.sampled_from(runs))
        return f"{':'.join(texts[:start])}::{':'.join(texts[end:])}"
    return ":".join(texts)


@given(v4_networks, st.ip_addresses(v=4), st.data())
def test_ipv4(net: ipaddress.IPv4Network, other: ipaddress.IPv4Address, data: st.DataObject) -> None:
    inside = net.network_address + data.draw(st.integers(0, net.num_addresses - 1))
    assert re.fullmatch(pattern(net), str(inside))
    assert bool(re.fullmatch(pattern(net), str(other))) is (other in net)
    assert re.fullmatch(IPV4, str(other))


@given(v6_networks, st.integers(0, 2**128 - 1), st.data())
def test_ipv6(net: ipaddress.IPv6Network, other: int, data: st.DataObject) -> None:
    assume(not net.overlaps(ipaddress.IPv6Network("::ffff:0:0/96")))
    inside = int(net.network_address) + data.draw(st.integers(0, net.num_addresses - 1))
    for number in (inside, other):
        text = data.draw(spellings(number))
        assert int(ipaddress.IPv6Address(text)) == number
        assert bool(re.fullmatch(pattern(net), text)) is (ipaddress.IPv6Address(number) in net)
        assert re.fullmatch(IPV6, text)


@given(st.text(st.sampled_from("0123456789abcf:.A%"), max_size=20))
@example("1:2:3:4:5:6:7::")
@example("::1.2.3.4")
def test_what_is_an_address_is_what_the_standard_library_takes(text: str) -> None:
    """But for the forms with an IPv4 tail and with zones, which are no plain addresses here."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        address = None
    plain = address is not None and not (":" in text and ("." in text or "%" in text))
    assert bool(re.fullmatch(IPV4, text) or re.fullmatch(IPV6, text)) is plain


@given(st.integers(0, 2**32 - 1), st.data())
def test_ipv4_in_disguise_is_recognised(number: int, data: st.DataObject) -> None:
    assert re.fullmatch(DISGUISED, data.draw(spellings(0xFFFF << 32 | number)))
    assert not re.fullmatch(DISGUISED, data.draw(spellings(0xFFFE << 32 | number)))


@pytest.mark.parametrize("net", ["::/0", "::/80", "::ffff:0:0/96", "::ffff:10.0.0.0/104"])
def test_networks_that_hold_ipv4_are_refused(net: str) -> None:
    with pytest.raises(ValueError, match="IPv4"):
        pattern(ipaddress.IPv6Network(net))
