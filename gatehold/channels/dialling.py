"""Where a webhook's address leads: its name is resolved once, and every address is judged before it is dialled."""

import asyncio
import ipaddress
import socket
from urllib.parse import SplitResult

from gatehold.addresses import objection
from gatehold.channels.model import Undelivered
from gatehold.config.addresses import is_loopback

_USUAL = {"http": 80, "https": 443}


async def dialable(parts: SplitResult, *, allow_private: bool) -> list[str]:
    """Addresses to dial, in order. Raises Undelivered where there is none."""
    host = parts.hostname or ""
    try:
        port = parts.port or _USUAL[parts.scheme]
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError, UnicodeError):
        raise Undelivered(f"{host} cannot be resolved") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    here = is_loopback(host)
    allowed = [each for each in addresses if _may_dial(each, here=here, allow_private=allow_private)]
    if not allowed:
        raise Undelivered(f"{host} leads to no address that may be dialled (allowPrivate)")
    return allowed


def _may_dial(address: str, *, here: bool, allow_private: bool) -> bool:
    """Where the URL names this machine, only this machine; otherwise as for targets."""
    return ipaddress.ip_address(address).is_loopback if here else not objection(address, allow_private)
