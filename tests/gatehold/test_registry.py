"""Law: a host and port that is not registered does not exist; lookups are exact, and a name means one thing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.config import Target
from gatehold.config.target import TargetSpec
from gatehold.registry import Listener, Registry, host_headers, is_address, split
from policy.model import TargetName


def _target(name: str, *hosts: str, **more: Any) -> Target:
    spec = TargetSpec.model_validate({"family": "http", "hosts": list(hosts), **more})
    return Target(name=TargetName(name), spec=spec)


CRM = _target("crm", "crm.corp.example:443", "crm2.corp.example:8443")
V6 = _target("v6", "[2001:db8::1]:443")
REGISTRY = Registry({"crm": CRM, "v6": V6})


@pytest.mark.parametrize(
    ("host", "port", "found"),
    [("crm.corp.example", 443, CRM), ("CRM.Corp.Example", 443, CRM), ("crm2.corp.example", 8443, CRM),
     ("2001:db8::1", 443, V6)],
)  # fmt: skip
def test_what_is_registered_is_found(host: str, port: int, found: Target) -> None:
    """By each of its hosts, in any case."""
    assert REGISTRY.find(host, port) is found


@pytest.mark.parametrize(
    ("host", "port"),
    [("crm.corp.example", 444), ("crm.corp.example", 8443), ("crm.corp.example.", 443), (" crm.corp.example", 443),
     ("x.crm.corp.example", 443), ("corp.example", 443), ("crm.corp.example:443", 443), ("", 443),
     ("[2001:db8::1]", 443), ("2001:db8::2", 443), ("*", 443), ("crm.corp.example\x00", 443)],
)  # fmt: skip
def test_what_is_nearly_registered_does_not_exist(host: str, port: int) -> None:
    """Another port, a dot, a space, a bracket, a sub- or parent domain: none is the target."""
    assert REGISTRY.find(host, port) is None


@given(st.text(max_size=40), st.integers(min_value=0, max_value=65535))
def test_nothing_else_is_ever_found(host: str, port: int) -> None:
    """Whatever is asked for, what comes back was registered under just that."""
    found = REGISTRY.find(host, port)
    assert found is None or (host.lower(), port) in {split(address) for address in found.spec.hosts}


def test_targets_have_names() -> None:
    """Reverse listeners look targets up by name; no name is no target."""
    assert REGISTRY.named("crm") is CRM
    assert REGISTRY.named("CRM") is None
    assert REGISTRY.named("") is None
    assert REGISTRY.named(None) is None


@pytest.mark.parametrize(
    ("address", "parts"),
    [("a.example:443", ("a.example", 443)), ("[::1]:80", ("::1", 80)), ("A.Example:1", ("a.example", 1)),
     ("127.0.0.1:65535", ("127.0.0.1", 65535))],
)  # fmt: skip
def test_addresses_are_split(address: str, parts: tuple[str, int]) -> None:
    """Lower case, no brackets."""
    assert split(address) == parts


@pytest.mark.parametrize("address", ["a.example", "a.example:", ":443", "a.example:http", "a.example:-1", ""])
def test_an_address_needs_a_host_and_a_port(address: str) -> None:
    """There is no default port."""
    with pytest.raises(ValueError, match="host:port"):
        split(address)


@pytest.mark.parametrize(
    ("host", "port", "scheme", "headers"),
    [("a.example", 443, "https", {"a.example:443", "a.example"}), ("a.example", 80, "http", {"a.example:80", "a.example"}),
     ("a.example", 80, "https", {"a.example:80"}), ("a.example", 443, "http", {"a.example:443"}),
     ("::1", 443, "https", {"[::1]:443", "[::1]"}), ("::1", 8443, "https", {"[::1]:8443"})],
)  # fmt: skip
def test_host_headers(host: str, port: int, scheme: str, headers: set[str]) -> None:
    """The port may be missing only where it is the scheme's own; IPv6 literals stand in brackets."""
    assert set(host_headers(host, port, scheme)) == headers


REVERSE = Listener(mode="reverse", host="10.0.0.5", port=9443, target="crm", names=("crm-gateway.internal",))
NAMED = Listener(mode="reverse", host="gw.internal", port=443, target="crm")


@pytest.mark.parametrize(
    ("listener", "name", "expected"),
    [(REVERSE, "crm-gateway.internal", True), (REVERSE, "CRM-Gateway.Internal", True), (REVERSE, "10.0.0.5", True),
     (REVERSE, None, True), (NAMED, None, False), (NAMED, "gw.internal", True), (REVERSE, "crm.corp.example", False),
     (REVERSE, "crm-gateway.internal.", False), (REVERSE, "", False), (NAMED, "x.gw.internal", False)],
)  # fmt: skip
def test_a_reverse_listener_has_its_own_names(listener: Listener, name: str | None, expected: bool) -> None:
    """The target's own name is not among them; no name at all will do only at an address."""
    assert listener.answers_to(name) is expected


@pytest.mark.parametrize(
    ("listener", "header", "expected"),
    [(REVERSE, "crm-gateway.internal:9443", True), (REVERSE, "crm-gateway.internal", True), (REVERSE, "10.0.0.5:9443", True),
     (REVERSE, "10.0.0.5", False), (REVERSE, "crm-gateway.internal:443", False), (REVERSE, "crm.corp.example", False),
     (REVERSE, "", False), (NAMED, "gw.internal", True), (NAMED, "GW.internal:443", True), (NAMED, "gw.internal:80", False)],
)  # fmt: skip
def test_a_reverse_listener_accepts_its_own_host(listener: Listener, header: str, expected: bool) -> None:
    """With its port, without it where the name stands before a load balancer, and never another one."""
    assert listener.accepts_host(header) is expected


@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", True), ("::1", True), ("localhost", False), ("[::1]", False), ("1.2.3", False), ("", False)])  # fmt: skip
def test_literals_are_told_from_names(host: str, expected: bool) -> None:
    """An address is written in full and without brackets."""
    assert is_address(host) is expected


@pytest.mark.parametrize(
    ("listener", "name", "address", "told"),
    [
        (Listener(mode="regular", host="127.0.0.1", port=1), None, "127.0.0.1", ("127.0.0.1",)),
        (Listener(mode="regular", host="127.0.0.1", port=1), "LocalHost", "127.0.0.1", ("localhost",)),
        (Listener(mode="regular", host="0.0.0.0", port=1, names=("gw", "10.0.0.9")), None, "10.0.0.5", ("10.0.0.5", "gw", "10.0.0.9")),
        (Listener(mode="regular", host="0.0.0.0", port=1, names=("gw",)), "GW", "10.0.0.5", ("gw",)),
        (Listener(mode="regular", host="gw.corp.example", port=1), "gw.corp.example", "10.0.0.5", ("gw.corp.example",)),
    ],
)  # fmt: skip
def test_what_a_proxy_s_own_certificate_is_for(
    listener: Listener, name: str | None, address: str, told: tuple[str, ...]
) -> None:
    """The name that was asked for, if it is the listener's; without one, all by which an address may be meant."""
    assert listener.certified_for(name, address) == told


@pytest.mark.parametrize(
    ("host", "name"),
    [("10.0.0.5", "localhost"), ("0.0.0.0", "gw"), ("127.0.0.1", "crm.corp.example"), ("127.0.0.1", ""), ("127.0.0.1", "localhost.")],
)  # fmt: skip
def test_a_name_that_is_not_the_proxy_s(host: str, name: str) -> None:
    """No certificate is made for it: agents that trust the gateway would take it for somebody else."""
    with pytest.raises(ValueError, match="does not name this proxy"):
        Listener(mode="regular", host=host, port=1).certified_for(name, "10.0.0.5" if host == "0.0.0.0" else host)
