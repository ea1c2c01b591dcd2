"""The last check before a connection is made: the name is resolved once, every address is judged, and one is dialled.

mitmproxy opens upstream connections with ``asyncio.open_connection`` in ``mitmproxy.proxy.server``; that one name is
replaced there. Giving the connection another address instead would break connection reuse and rewrite ``request.host``.
"""

import asyncio
import socket
from collections.abc import Collection
from typing import Any

from mitmproxy.proxy import server

from gatehold.addresses import is_own, objection
from gatehold.config import Target
from gatehold.registry import Registry, split

CONNECT_TIMEOUT = 10.0
"""Seconds for one address to answer."""

type Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class DialRefused(OSError):
    """The connection was not attempted. Its text is told to agents: it names the target, not its addresses."""


class Dialler:
    """Opens upstream connections for registered targets only."""

    def __init__(self, registry: Registry, own_ports: Collection[int]) -> None:
        self._registry = registry
        self._own_ports = frozenset(own_ports)

    async def open_connection(self, host: str, port: int, **options: Any) -> Streams:
        """Dial a registered (host, port); raises OSError whose text names the target."""
        target = self._registry.find(host, port)
        if target is None:
            raise DialRefused("this host is not registered with the gateway")
        addresses = await self._addresses(target, host, port)
        for address in addresses:
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT):
                    return await asyncio.open_connection(*address, **options)
            except OSError:  # TimeoutError is one
                continue
        raise DialRefused(f"the target {target.name} cannot be reached")

    async def _addresses(self, target: Target, host: str, port: int) -> list[tuple[str, int]]:
        dial_host, dial_port = split(target.spec.connect) if target.spec.connect else (host, port)
        try:
            found = await asyncio.get_running_loop().getaddrinfo(dial_host, dial_port, type=socket.SOCK_STREAM)
        except OSError:
            raise DialRefused(f"the target {target.name} cannot be resolved") from None
        addresses = list(dict.fromkeys((str(entry[4][0]), dial_port) for entry in found))
        allowed = [address for address in addresses if self._may_dial(target, *address)]
        if not allowed:
            raise DialRefused(f"the target {target.name} resolves to no address that may be dialled")
        return allowed

    def _may_dial(self, target: Target, address: str, port: int) -> bool:
        return not is_own(address, port, self._own_ports) and not objection(address, target.spec.allow_private)


class _Asyncio:
    """The ``asyncio`` module, but for the one function that opens connections."""

    def __init__(self, dialler: Dialler) -> None:
        self._dialler = dialler

    def __getattr__(self, name: str) -> Any:
        return self._dialler.open_connection if name == "open_connection" else getattr(asyncio, name)


def install(dialler: Dialler) -> None:
    """Make mitmproxy dial through this dialler from now on."""
    vars(server)["asyncio"] = _Asyncio(dialler)
