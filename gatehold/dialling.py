"""The addresses at which a target may be reached: its name is resolved once, and every address is judged."""

import asyncio
import socket
from collections.abc import Collection

from gatehold.addresses import is_own, objection
from gatehold.config import Target
from gatehold.registry import split

type Address = tuple[str, int]


class DialRefused(OSError):
    """The connection was not attempted. Its text is told to agents: it names the target, not its addresses."""


async def dialable(target: Target, host: str, port: int, own_ports: Collection[int]) -> list[Address]:
    """Where ``host:port`` of a target may be dialled, in order; raises DialRefused where that is nowhere.

    ``own_ports``: ports of this gateway's own listeners, which are no targets.
    """
    dial_host, dial_port = split(target.spec.connect) if target.spec.connect else (host, port)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(dial_host, dial_port, type=socket.SOCK_STREAM)
    except OSError:
        raise DialRefused(f"the target {target.name} cannot be resolved") from None
    addresses = list(dict.fromkeys((str(entry[4][0]), dial_port) for entry in found))
    allowed = [address for address in addresses if _may_dial(target, address, own_ports)]
    if not allowed:
        raise DialRefused(f"the target {target.name} resolves to no address that may be dialled")
    return allowed


def _may_dial(target: Target, address: Address, own_ports: Collection[int]) -> bool:
    return not is_own(*address, own_ports) and not objection(address[0], target.spec.allow_private)
