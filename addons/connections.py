"""What is known of each client connection: its listener, what it asked to be connected to, whose token it carries.

Identity is bound to the connection by its CONNECT request, because no client repeats ``Proxy-Authorization`` inside the
tunnel. What is bound is the token, not the agent: it is checked again on every request.
"""

from dataclasses import dataclass

from mitmproxy import connection
from mitmproxy.proxy import mode_specs

from gatehold.registry import Listener


@dataclass(slots=True, kw_only=True)
class ClientConnection:
    """One client connection."""

    listener: Listener
    peer: str
    """Address of the client, without port."""
    connect: tuple[str, int] | None = None
    """Host and port of the CONNECT request, where there was one."""
    token: str | None = None
    """The agent token bound by CONNECT; never shown."""
    owner: tuple[str, str] | None = None
    """Issuer and subject of the one agent that says, to a forward proxy itself, who it is."""
    identified: bool = False
    """Some agent has said, on this connection, who it is."""
    misdirected: str = "the TLS name was not checked"
    """Why every request over TLS is refused; empty once the TLS name was found to be what was connected to."""

    @property
    def is_before_tunnel(self) -> bool:
        """Is what is said on it said to a forward proxy itself?"""
        return self.listener.mode == "regular" and self.connect is None

    def __repr__(self) -> str:
        return f"<ClientConnection from {self.peer} to {self.connect} token={'***' if self.token else None}>"


class Connections:
    """The client connections that are open."""

    def __init__(self, listeners: tuple[Listener, ...], specs: tuple[str, ...]) -> None:
        self._listeners = dict(zip(specs, listeners, strict=True))
        self._open: dict[str, ClientConnection] = {}

    def __len__(self) -> int:
        return len(self._open)

    def add(self, client: connection.Client) -> ClientConnection:
        """Note a new connection; raises KeyError where its listener is not one of the configuration's."""
        opened = ClientConnection(listener=self._listeners[client.proxy_mode.full_spec], peer=str(client.peername[0]))
        self._open[client.id] = opened
        return opened

    def get(self, client: connection.Client) -> ClientConnection:
        """The connection of a client; raises KeyError where it is not open (and so refuses the call)."""
        return self._open[client.id]

    def find(self, client: connection.Client) -> ClientConnection | None:
        """The connection of a client, if it is open."""
        return self._open.get(client.id)

    def anonymous(self, peer: str) -> int:
        """How many tunnels from this address are open without a token."""
        return sum(1 for each in self._open.values() if each.peer == peer and each.connect and each.token is None)

    def drop(self, client: connection.Client) -> None:
        """Forget a connection."""
        self._open.pop(client.id, None)


def mode_spec(listener: Listener, upstream: str | None) -> str:
    """mitmproxy's mode specification for a listener; ``upstream`` is ``scheme://host:port`` for a reverse one."""
    host = f"[{listener.host}]" if ":" in listener.host else listener.host
    spec = "regular" if listener.mode == "regular" else f"reverse:{upstream}"
    return mode_specs.ProxyMode.parse(f"{spec}@{host}:{listener.port}").full_spec
