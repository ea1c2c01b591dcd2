"""Laws of names: what people type is known, and nothing else."""

from gatehold.console.addresses import ConsoleAddress


def test_behind_tls_only_the_public_name_is_an_origin() -> None:
    """The machine's own names still lead to the API; the cookie is bound to the host."""
    address = ConsoleAddress.of("127.0.0.1", 8081, "https://Gatehold.corp.example/")
    assert address.origins == {"https://gatehold.corp.example"}
    assert {"gatehold.corp.example", "127.0.0.1:8081", "localhost:8081"} <= address.hosts
    assert (address.is_secure, address.cookie) == (True, "__Host-gatehold")


def test_the_usual_port_may_be_left_out() -> None:
    """As browsers do."""
    address = ConsoleAddress.of("127.0.0.1", 8081, "https://gatehold.corp.example:443")
    assert {"gatehold.corp.example", "gatehold.corp.example:443"} <= address.hosts
    assert "127.0.0.1:80" not in ConsoleAddress.of("127.0.0.1", 8081, None).hosts
    assert "127.0.0.1" in ConsoleAddress.of("127.0.0.1", 80, None).hosts


def test_without_a_name_it_is_its_address() -> None:
    """IPv6 stands in brackets."""
    assert ConsoleAddress.of("::1", 8081, None).url == "http://[::1]:8081"
    assert ConsoleAddress.of("10.0.0.7", 8081, "https://g.test").hosts == {"10.0.0.7:8081", "g.test"}
    assert ConsoleAddress.of("127.0.0.1", 8081, None).cookie == "gatehold"
