"""Law: agents are told an address that they can reach and whose certificate will fit, or the command says why not."""

from typing import Any

import pytest

from gatehold.agent_environment.places import (
    Place,
    Unreachable,
    forwarder_place,
    own_hosts,
    proxy_place,
    reverse_place,
)
from gatehold.config.gateway import GatewaySpec

REGULAR: dict[str, Any] = {"mode": "regular", "port": 8080}
REVERSE: dict[str, Any] = {"mode": "reverse", "port": 8443, "target": "main"}


def spec(*listen: dict[str, Any], **more: Any) -> GatewaySpec:
    return GatewaySpec.model_validate({"listen": list(listen), **more})


@pytest.mark.parametrize(
    ("listener", "host", "told"),
    [
        ({}, None, "http://127.0.0.1:8080"),
        ({}, "gateway", "http://gateway:8080"),
        ({"host": "::1"}, None, "http://[::1]:8080"),
        ({"host": "0.0.0.0"}, "gateway.corp.example", "http://gateway.corp.example:8080"),
        ({"host": "0.0.0.0", "names": ["gateway.corp.example"]}, None, "http://gateway.corp.example:8080"),
        ({"host": "10.0.0.5", "tls": "accept"}, None, "http://10.0.0.5:8080"),
        ({"host": "10.0.0.5", "tls": "require"}, None, "https://10.0.0.5:8080"),
        ({"host": "0.0.0.0", "tls": "require", "names": ["gateway", "gw"]}, "gw", "https://gw:8080"),
        ({"host": "0.0.0.0", "tls": "require"}, "10.0.0.5", "https://10.0.0.5:8080"),
        ({"tls": "require"}, "localhost", "https://localhost:8080"),
    ],
)
def test_a_proxy(listener: dict[str, Any], host: str | None, told: str) -> None:
    """TLS where the listener requires it; the host of the listener where nobody says another."""
    place = proxy_place(spec(REVERSE, REGULAR | listener), host)
    assert (f"{place.scheme}://{place.authority}", place.takes_token) == (told, True)


@pytest.mark.parametrize(
    ("listener", "host", "said"),
    [
        ({"host": "0.0.0.0"}, None, "--proxy-host"),
        ({"host": "::"}, None, "--proxy-host"),
        ({"port": 0}, None, "any free port"),
        ({}, "a b", "--proxy-host"),
        ({}, "Gateway", "lower case"),
        ({"names": ["gateway"], "tls": "require"}, "other", "not among the `names`"),
        ({"host": "10.0.0.5", "tls": "require"}, "gateway", "not among the `names`"),
        ({"host": "10.0.0.5", "tls": "require"}, "localhost", "not among the `names`"),
    ],
)
def test_where_nothing_can_be_told(listener: dict[str, Any], host: str | None, said: str) -> None:
    """Never an address that nobody reaches."""
    with pytest.raises(Unreachable, match=said):
        proxy_place(spec(REGULAR | listener), host)


def test_without_a_forward_proxy() -> None:
    """Reverse listeners alone give no environment."""
    with pytest.raises(Unreachable, match="mode: regular"):
        proxy_place(spec(REVERSE))


def test_a_reverse_listener() -> None:
    """The one of this target, always by TLS; none is none."""
    listen = spec(REGULAR, REVERSE | {"target": "crm", "port": 8444}, REVERSE | {"names": ["k8s.internal"]})
    assert reverse_place(listen, "main") == Place(scheme="https", host="127.0.0.1", port=8443)
    assert reverse_place(listen, "main", "k8s.internal") == Place(scheme="https", host="k8s.internal", port=8443)
    assert reverse_place(listen, "other") is None
    with pytest.raises(Unreachable, match="not among"):
        reverse_place(listen, "main", "localhost")


@pytest.mark.parametrize(
    ("listen", "more", "host", "direct"),
    [
        ([REGULAR, REVERSE], {}, None, ()),
        ([REGULAR, REVERSE | {"names": ["k8s.internal", "localhost"]}], {}, "gateway", ("k8s.internal",)),
        ([REGULAR, REVERSE | {"host": "10.0.0.5"}], {}, None, ("10.0.0.5",)),
        ([REGULAR, REVERSE | {"host": "0.0.0.0"}], {}, None, ()),
        ([REGULAR, REVERSE | {"host": "0.0.0.0"}], {}, "gateway", ("gateway",)),
        ([REGULAR], {"agentApi": {"host": "10.0.0.5", "port": 8082}}, None, ("10.0.0.5",)),
    ],
)
def test_hosts_that_are_asked_directly(
    listen: list[dict[str, Any]], more: dict[str, Any], host: str | None, direct: tuple[str, ...]
) -> None:
    """Only the gateway's own, and those of loopback stand there anyway."""
    assert own_hosts(spec(*listen, **more), host) == direct


def test_a_forwarder_shows_the_token_itself() -> None:
    assert forwarder_place(8079) == Place(scheme="http", host="127.0.0.1", port=8079, takes_token=False)
    assert forwarder_place(8079).is_loopback
