"""Which network addresses the gateway may dial.

An address is looked at after unwrapping: an IPv4 address inside IPv6 (mapped, 6to4, NAT64) is judged as what it is.
Cloud metadata services are refused whatever a target says, and so is everything that the gateway itself listens on.
"""

import ipaddress
import socket
from collections.abc import Collection, Sequence

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address
type Network = ipaddress.IPv4Network | ipaddress.IPv6Network

METADATA = frozenset(
    ipaddress.ip_address(address)
    for address in ("169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "168.63.129.16",
                    "192.0.0.192", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254")
)  # fmt: skip
"""AWS, ECS, EKS, Alibaba, Azure, Oracle and Google metadata services."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")


def unwrap(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one, where there is one."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    if inner is not None:
        return inner
    if address in _NAT64 or address in _NAT64_LOCAL:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if int(address) >> 32 == 0 and int(address) > 1:  # ::a.b.c.d, deprecated but still routed by some
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def objection(text: str, allow_private: bool | Sequence[Network]) -> str:
    """Why this address may not be dialled for a target; empty where it may."""
    address = unwrap(ipaddress.ip_address(text.partition("%")[0]))
    if address in METADATA:
        return "it is a cloud metadata service"
    if address.is_unspecified or address.is_multicast:
        return "it is not the address of a host"
    if address.is_global:
        return ""
    if allow_private is True:
        return ""
    networks = () if allow_private is False else allow_private
    if any(address in network for network in networks if network.version == address.version):
        return ""
    return "it is a private address, and the target does not say allowPrivate"


def is_own(text: str, port: int, own_ports: Collection[int]) -> bool:
    """Is this one of the gateway's own listeners, by port and by an address of this machine?"""
    if port not in own_ports:
        return False
    address = unwrap(ipaddress.ip_address(text.partition("%")[0]))
    return address.is_loopback or address.is_unspecified or _is_local(address)


def _is_local(address: Address) -> bool:
    """An address of this machine is one that a socket can be bound to."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return True
