"""Law: an address is judged as what it is once unwrapped; metadata services and the gateway itself are never dialled."""

import ipaddress

import pytest

from gatehold.addresses import is_own, objection

METADATA = ["169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::1",
            "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "169.254.170.2"]  # fmt: skip
PRIVATE = ["127.0.0.1", "127.1.2.3", "::1", "10.0.0.7", "172.16.0.1", "192.168.1.1", "169.254.1.1", "fe80::1", "fd12::1",
           "100.64.0.1", "::ffff:10.0.0.7", "64:ff9b::10.0.0.7", "64:ff9b:1::7f00:1", "2002:7f00:1::", "::7f00:1", "198.18.0.1"]  # fmt: skip
NOWHERE = ["0.0.0.0", "::", "224.0.0.1", "ff02::1"]
PUBLIC = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14", "64:ff9b::93.184.215.14"]


@pytest.mark.parametrize("address", METADATA)
def test_metadata_services_are_refused_always(address: str) -> None:
    """allowPrivate does not open them, in no notation."""
    assert objection(address, allow_private=True)
    assert objection(address, allow_private=[ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")])


@pytest.mark.parametrize("address", NOWHERE)
def test_addresses_of_no_host_are_refused_always(address: str) -> None:
    """Unspecified addresses lead to this machine, multicast to many."""
    assert objection(address, allow_private=True)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_need_the_targets_word(address: str) -> None:
    """Loopback, private, link-local, shared, and the same wrapped into IPv6."""
    assert objection(address, allow_private=False)
    assert not objection(address, allow_private=True)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_dialled(address: str) -> None:
    """Nothing has to be said for them."""
    assert not objection(address, allow_private=False)


def test_a_list_of_networks_opens_only_those() -> None:
    """A network opens its own addresses, also wrapped; others stay closed."""
    networks = [ipaddress.ip_network("10.0.0.0/8")]
    assert not objection("10.1.2.3", networks)
    assert not objection("::ffff:10.1.2.3", networks)
    assert objection("192.168.0.1", networks)


def test_own_listeners_are_recognised_by_port_and_address() -> None:
    """This machine's addresses with one of our ports are ourselves; other ports and machines are not."""
    assert is_own("127.0.0.1", 8080, {8080})
    assert is_own("127.0.0.2", 8080, {8080})
    assert is_own("::ffff:127.0.0.1", 8080, {8080})
    assert is_own("0.0.0.0", 8080, {8080})
    assert not is_own("127.0.0.1", 8081, {8080})
    assert not is_own("192.0.2.1", 8080, {8080})
