"""What can be reached: the registered targets by the (host, port) that agents name.

A host and port that is not here does not exist for an agent. Lookups are exact, in lower case; there are no wildcards,
no suffix matches and no trailing dots.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gatehold.config import Target
from gatehold.config.addresses import is_loopback

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One address at which agents are served."""

    mode: str
    """``regular`` (a forward proxy) or ``reverse`` (stands in for one target)."""
    host: str
    port: int
    target: str | None = None
    names: tuple[str, ...] = ()
    requires_tls: bool = False
    """Of a forward proxy: agents must speak TLS with the proxy itself."""

    def certified_for(self, name: str | None, address: str) -> tuple[str, ...]:
        """What a certificate for TLS with a forward proxy itself is made for.

        ``name`` is the SNI (None: the client sent none), ``address`` where the connection was accepted. Raises
        ValueError for a name that is not the listener's.
        """
        own = (address, self.host, *self.names, *(("localhost",) if is_loopback(self.host) else ()))
        if name is None:
            return tuple(dict.fromkeys((address, *self.names)))
        if name.lower() not in own:
            raise ValueError("the TLS name does not name this proxy")
        return (name.lower(),)

    def answers_to(self, name: str | None) -> bool:
        """Is this SNI (None: the client sent none) one of a reverse listener's own names?"""
        if name is None:
            return is_address(self.host)
        return name.lower() in (*self.names, self.host)

    def accepts_host(self, header: str) -> bool:
        """Is this Host or ``:authority`` value the listener itself?"""
        header = header.lower()
        # A name may stand before a Service or load balancer on another port, so it counts without one as well.
        return header in self.names or any(
            header in host_headers(name, self.port, "https") for name in (*self.names, self.host)
        )


class Registry:
    """The targets of one configuration, indexed by what agents may name."""

    def __init__(self, targets: Mapping[str, Target]) -> None:
        self.targets = targets
        self._by_address = {split(address): target for target in targets.values() for address in target.spec.hosts}

    def __repr__(self) -> str:
        return f"<Registry of {len(self.targets)} targets>"

    def find(self, host: str, port: int) -> Target | None:
        """The target behind a host and port, exactly as registered."""
        return self._by_address.get((host.lower(), port))

    def named(self, name: str | None) -> Target | None:
        """The target of that name."""
        return self.targets.get(name) if name else None


def split(address: str) -> tuple[str, int]:
    """``host:port`` or ``[v6]:port`` to its parts; raises ValueError where a port is missing."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"{address!r} is not host:port")
    return host.strip("[]").lower(), int(port)


def host_headers(host: str, port: int, scheme: str) -> Iterable[str]:
    """Every Host header that names this host and port: the port may be left out where it is the scheme's own."""
    literal = f"[{host}]" if ":" in host else host
    yield f"{literal}:{port}"
    if DEFAULT_PORTS.get(scheme) == port:
        yield literal


def is_address(host: str) -> bool:
    """Is this an IP literal?"""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
