"""Law: what is known of a client belongs to its connection alone, and ends with it."""

import pytest
from mitmproxy.proxy import mode_specs

from addons.connections import Connections, mode_spec
from gatehold.registry import Listener
from tests.addons.support import make_client

REGULAR = Listener(mode="regular", host="127.0.0.1", port=8080)
REVERSE = Listener(mode="reverse", host="::1", port=9443, target="crm")
SPECS = (mode_spec(REGULAR, None), mode_spec(REVERSE, "https://crm.corp.example:443"))


@pytest.fixture
def connections() -> Connections:
    return Connections((REGULAR, REVERSE), SPECS)


def test_mode_specifications() -> None:
    """mitmproxy reads them back as what was meant."""
    regular, reverse = (mode_specs.ProxyMode.parse(spec) for spec in SPECS)
    assert (regular.type_name, regular.listen_host(), regular.listen_port()) == ("regular", "127.0.0.1", 8080)
    assert (reverse.type_name, reverse.listen_host(), reverse.listen_port()) == ("reverse", "[::1]", 9443)
    assert (reverse.scheme, reverse.address) == ("https", ("crm.corp.example", 443))  # type: ignore[attr-defined]


def test_a_connection_knows_its_listener(connections: Connections) -> None:
    """By the mode that mitmproxy notes on it, each its own."""
    for spec, listener in zip(SPECS, (REGULAR, REVERSE), strict=True):
        opened = connections.add(make_client(spec))
        assert opened.listener is listener
        assert opened.peer == "192.0.2.7"
        assert opened.misdirected, "TLS is not trusted before its name was checked"


def test_a_listener_that_is_not_configured_is_refused(connections: Connections) -> None:
    """An exception, which dispatch turns into a closed connection."""
    with pytest.raises(KeyError):
        connections.add(make_client("regular@127.0.0.1:9999"))
    assert len(connections) == 0


def test_connections_are_not_shared(connections: Connections) -> None:
    """One address may have many; the token of one is not the other's."""
    one, other = make_client(SPECS[0]), make_client(SPECS[0])
    connections.add(one).token = "planted"
    connections.add(other)
    assert connections.get(one).token == "planted"
    assert connections.get(other).token is None


def test_what_is_closed_is_forgotten(connections: Connections) -> None:
    """Asking for it refuses; closing twice does no harm."""
    client = make_client(SPECS[0])
    connections.add(client)
    for _ in range(2):
        connections.drop(client)
    assert connections.find(client) is None
    assert len(connections) == 0
    with pytest.raises(KeyError):
        connections.get(client)


def test_tunnels_of_nobody_are_counted(connections: Connections) -> None:
    """By address; those without a CONNECT or with a token do not count."""
    clients = [make_client(SPECS[0]) for _ in range(4)]
    clients[3].peername = ("192.0.2.8", 1)
    opened = [connections.add(client) for client in clients]
    for each in opened[1:]:
        each.connect = ("crm.corp.example", 443)
    opened[2].token = "planted"
    assert connections.anonymous("192.0.2.7") == 1
    assert connections.anonymous("192.0.2.8") == 1


def test_a_token_is_not_shown(connections: Connections) -> None:
    """Not in a repr, and so not in a log."""
    opened = connections.add(make_client(SPECS[0]))
    opened.token = "planted"
    assert "planted" not in repr(opened)
    assert "***" in repr(opened)
