"""The last check before a connection is made: the name is resolved once, every address is judged, and one is dialled.

mitmproxy opens upstream connections with ``asyncio.open_connection`` in ``mitmproxy.proxy.server``; that one name is
replaced there. Giving the connection another address instead would break connection reuse and rewrite ``request.host``.
"""

import asyncio
from collections.abc import Callable, Collection
from typing import Any

from mitmproxy.proxy import server

from gatehold.dialling import DialRefused, dialable
from gatehold.registry import Registry

__all__ = ["DialRefused", "Dialler", "install"]

CONNECT_TIMEOUT = 10.0
"""Seconds for one address to answer."""

type Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Dialler:
    """Opens upstream connections for registered targets only."""

    def __init__(self, registry: Callable[[], Registry], own_ports: Collection[int]) -> None:
        """``registry``: gives the targets that there are now."""
        self._registry = registry
        self._own_ports = frozenset(own_ports)

    async def open_connection(self, host: str, port: int, **options: Any) -> Streams:
        """Dial a registered (host, port); raises OSError whose text names the target."""
        target = self._registry().find(host, port)
        if target is None:
            raise DialRefused("this host is not registered with the gateway")
        addresses = await dialable(target, host, port, self._own_ports)
        for address in addresses:
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT):
                    return await asyncio.open_connection(*address, **options)
            except OSError:  # TimeoutError is one
                continue
        raise DialRefused(f"the target {target.name} cannot be reached")


class _Asyncio:
    """The ``asyncio`` module, but for the one function that opens connections."""

    def __init__(self, dialler: Dialler) -> None:
        self._dialler = dialler

    def __getattr__(self, name: str) -> Any:
        return self._dialler.open_connection if name == "open_connection" else getattr(asyncio, name)


def install(dialler: Dialler) -> None:
    """Make mitmproxy dial through this dialler from now on."""
    vars(server)["asyncio"] = _Asyncio(dialler)
