"""Regular expressions (RE2) that are exactly the spellings of the addresses in one network.

IPv4 is four decimal numbers without leading zeros; IPv6 has every form of RFC 4291, section 2.2, but the one with an
IPv4 tail: leading zeros, either case, and ``::`` for any run of zero groups.
"""

from ipaddress import IPv4Network, IPv6Network

_GROUPS, _GROUP_BITS = 8, 16
_OCTETS, _OCTET_BITS = 4, 8
_ANY_GROUP = "[0-9A-Fa-f]{1,4}"
_ANY_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"


def pattern(network: IPv4Network | IPv6Network) -> str:
    """Matches an address of ``network`` and nothing else. Raises ``ValueError`` for one that cannot be told apart."""
    if isinstance(network, IPv4Network):
        return _ipv4(network)
    if network.overlaps(_MAPPED):
        raise ValueError("it holds IPv4 addresses; name an IPv4 network")
    return _ipv6(network)


def _fixed(network: IPv4Network | IPv6Network, index: int, size: int) -> tuple[int, int]:
    """Value and number of the leading bits that one part of an address must have."""
    shift = network.max_prefixlen - size * (index + 1)
    value = int(network.network_address) >> shift & (1 << size) - 1
    return value, min(max(network.prefixlen - size * index, 0), size)


def _ipv4(network: IPv4Network) -> str:
    octets = []
    for index in range(_OCTETS):
        value, bits = _fixed(network, index, _OCTET_BITS)
        span = range(value, value + (1 << _OCTET_BITS - bits))
        octets.append(f"(?:{'|'.join(map(str, span))})" if bits else _ANY_OCTET)
    return rf"^{r'\.'.join(octets)}$"


def _ipv6(network: IPv6Network) -> str:
    parts = [_fixed(network, index, _GROUP_BITS) for index in range(_GROUPS)]
    groups = [_group(value, bits) for value, bits in parts]
    zero = [value == 0 for value, _ in parts]
    runs = [(start, end) for start in range(_GROUPS) for end in range(start + 1, _GROUPS + 1) if all(zero[start:end])]
    shortened = [f"{':'.join(groups[:start])}::{':'.join(groups[end:])}" for start, end in runs]
    return f"^(?:{'|'.join((':'.join(groups), *shortened))})$"


def _group(value: int, bits: int) -> str:
    """One to four hexadecimal digits whose leading ``bits`` bits, as sixteen, are those of ``value``."""
    if bits == 0:
        return _ANY_GROUP
    digits = []
    for index in range(4):
        known = min(max(bits - 4 * index, 0), 4)
        first = value >> 12 - 4 * index & 15
        digits.append(f"{first:x}" if known == 4 else "".join(f"{d:x}" for d in range(first, first + (1 << 4 - known))))
    spelled = [f"[{text}{text.upper()}]" if len(text) > 1 or text > "9" else text for text in digits]
    shorter = [length for length in (4, 3, 2, 1) if all("0" in text for text in digits[: 4 - length])]
    return f"(?:{'|'.join(''.join(spelled[4 - length :]) for length in shorter)})"


_MAPPED = IPv6Network("::ffff:0:0/96")
IPV4 = _ipv4(IPv4Network("0.0.0.0/0"))
IPV6 = _ipv6(IPv6Network("::/0"))
DISGUISED = _ipv6(_MAPPED)
"""IPv4-mapped addresses (RFC 4291, section 2.5.5.2)."""
