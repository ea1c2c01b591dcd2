"""Where agents reach the gateway: at a listener's own host, or at the name that they know it by."""

from dataclasses import dataclass
from typing import Literal

from gatehold.config.addresses import check_host, is_loopback
from gatehold.config.gateway import GatewaySpec, ListenSpec
from gatehold.registry import is_address
from policy.errors import GateholdError

_ANYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not bound


class Unreachable(GateholdError):
    """The configuration does not say where agents reach what was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One address of the gateway, as agents see it."""

    scheme: Literal["http", "https"]
    host: str
    """A DNS name or IP literal, IPv6 without brackets."""
    port: int
    takes_token: bool = True
    """Do clients show the agent's token there? Not to a forwarder that shows it itself."""

    @property
    def authority(self) -> str:
        """``host:port`` as it stands in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Does only this machine reach it?"""
        return is_loopback(self.host)


def proxy_place(spec: GatewaySpec, host: str | None = None) -> Place:
    """The first forward proxy; ``host`` is what agents call it. Raises Unreachable."""
    listener = next((each for each in spec.listen if each.mode == "regular"), None)
    if listener is None:
        raise Unreachable("no listener has mode: regular, so there is no proxy for an environment to name")
    return _place(listener, host, "https" if listener.tls == "require" else "http")


def reverse_place(spec: GatewaySpec, target: str, host: str | None = None) -> Place | None:
    """The first reverse listener of a target, None where it has none. Raises Unreachable."""
    listener = next((each for each in spec.listen if each.mode == "reverse" and each.target == target), None)
    return _place(listener, host, "https") if listener else None


def own_hosts(spec: GatewaySpec, host: str | None = None) -> tuple[str, ...]:
    """Hosts, besides loopback, that agents ask for without the proxy: reverse listeners and the agent API."""
    reverse = [each for each in spec.listen if each.mode == "reverse"]
    bound = [each.host for each in reverse] + [spec.agent_api.host]
    reached = [each for each in bound if not is_loopback(each)]
    named = [name for each in reverse for name in each.names]
    hosts = [*(host or each for each in reached), *named]
    return tuple(each for each in dict.fromkeys(hosts) if each not in _ANYWHERE and not is_loopback(each))


def forwarder_place(port: int) -> Place:
    """``gatehold agent-proxy`` on the agent's own loopback interface."""
    return Place(scheme="http", host="127.0.0.1", port=port, takes_token=False)


def _place(listener: ListenSpec, host: str | None, scheme: Literal["http", "https"]) -> Place:
    if listener.port == 0:
        raise Unreachable("the listener takes any free port; give it one")
    own = () if listener.host in _ANYWHERE else (listener.host,)
    named = (*own, *listener.names)
    if host is None and not named:
        raise Unreachable(f"the listener is on all addresses of the machine ({listener.host}); say --proxy-host")
    chosen = named[0] if host is None else _checked(host)
    if scheme == "https" and chosen not in (*named, *_unnamed(listener, chosen)):
        raise Unreachable(f"{chosen} is not among the `names` of the listener, and its certificates are for no other")
    return Place(scheme=scheme, host=chosen, port=listener.port)


def _unnamed(listener: ListenSpec, host: str) -> tuple[str, ...]:
    """What a forward proxy's certificates are for besides (``gatehold.registry``): its addresses, ``localhost``."""
    if listener.mode == "reverse":
        return ()
    return (*([host] if is_address(host) else []), *(["localhost"] if is_loopback(listener.host) else []))


def _checked(host: str) -> str:
    try:
        return check_host(host)
    except ValueError as error:
        raise Unreachable(f"--proxy-host: {error}") from None
