"""Hosts and ports as a configuration names them: exact, canonical, without wildcards.

An address is compared as text everywhere else, so there must be one spelling of it. Another spelling is refused with
the right one named, not silently rewritten: what stands in the file is what is matched.
"""

import ipaddress
import re
from urllib.parse import urlsplit

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_ANY = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not bound
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


def check_host(host: str) -> str:
    """A DNS name or IP literal (IPv6 without brackets). Raises ``ValueError``."""
    if "*" in host:
        raise ValueError(f"{host!r}: hosts are exact; wildcards are not possible")
    if ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]):
        return _check_literal(host)
    if not host.isascii():
        raise ValueError(f"{host!r} is not ASCII; write an international name in its xn-- form")
    if host != host.lower():
        raise ValueError(f"{host!r} is not lower case; write {host.lower()}")
    if host.endswith("."):
        raise ValueError(f"{host!r} ends in a dot; write {host.rstrip('.')}")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise ValueError(f"{host!r} is not a host name")
    return host


def is_loopback(host: str) -> bool:
    """Whether a name or IP literal (IPv6 without brackets) means this machine alone; nothing is resolved."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_fetchable(url: str) -> bool:
    """Whether it is an https address, or an http one of this machine, without userinfo and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if not parts.hostname or "@" in parts.netloc or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))


def check_address(text: str) -> str:
    """``host:port`` or ``[v6]:port``. Raises ``ValueError``."""
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not host or (":" in host and not bracketed):
        raise ValueError(f"{text!r} is not host:port; write it as in crm.corp.example:443")
    if not _PORT.fullmatch(port) or int(port) > 65535:
        raise ValueError(f"{text!r}: {port!r} is not a port")
    name = host[1:-1] if bracketed else host
    if bracketed and ":" not in name:
        raise ValueError(f"{text!r}: only IPv6 addresses stand in brackets")
    check_host(name)
    return text


def overlap(one: tuple[str, int], other: tuple[str, int]) -> bool:
    """Would two listeners get in each other's way? Port 0 takes any free port."""
    (host, port), (other_host, other_port) = one, other
    same_host = host == other_host or bool(_ANY & {host, other_host}) or "localhost" in {host, other_host} <= _LOCAL
    return port == other_port != 0 and same_host


def _check_literal(host: str) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise ValueError(f"{host!r} is neither a host name nor an IP address") from None
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id:
        raise ValueError(f"{host!r}: an address with a zone means nothing to other machines")
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        raise ValueError(f"{host!r} is an IPv4 address in disguise; write {address.ipv4_mapped}")
    if str(address) != host:
        raise ValueError(f"{host!r} has a canonical form; write {address}")
    return host
