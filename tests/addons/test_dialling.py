"""Law: only a registered host and port is dialled, at an address that was judged, after one look at its name."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from mitmproxy.proxy import server

from addons import dialling
from addons.dialling import Dialler, DialRefused
from gatehold.config import Target
from gatehold.registry import Registry
from tests.addons.support import make_target

type Address = tuple[str, int]


class Names:
    """A resolver that tests write, and a note of what was asked and dialled."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.known: dict[str, list[str]] = {}
        self.asked: list[tuple[str, int]] = []
        self.dialled: list[Address] = []
        self.unreachable: set[str] = set()
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", self._getaddrinfo)
        monkeypatch.setattr(asyncio, "open_connection", self._open_connection)

    async def _getaddrinfo(self, host: str, port: int, **options: Any) -> list[Any]:
        assert options == {"type": socket.SOCK_STREAM}
        self.asked.append((host, port))
        host = host.lower()
        if host not in self.known:
            raise socket.gaierror(socket.EAI_NONAME, f"planted: {host}")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in self.known[host]]

    async def _open_connection(self, host: str, port: int, **_options: Any) -> Address:
        self.dialled.append((host, port))
        if host in self.unreachable:
            raise ConnectionRefusedError(f"planted: {host}")
        return host, port


@pytest.fixture
async def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    return Names(monkeypatch)


def _dialler(*targets: Target, own_ports: tuple[int, ...] = ()) -> Dialler:
    registry = Registry({target.name: target for target in targets})
    return Dialler(lambda: registry, own_ports)


CRM = make_target("crm")
PRIVATE = make_target("private", allowPrivate=True)
SOME = make_target("some", allowPrivate=["10.0.0.0/8"])


async def test_a_registered_target_is_dialled(names: Names) -> None:
    """At the address that its name resolves to, with mitmproxy's own arguments."""
    names.known["crm.corp.example"] = ["93.184.215.14"]
    assert await _dialler(CRM).open_connection("crm.corp.example", 443, local_addr=None) == ("93.184.215.14", 443)
    assert names.dialled == [("93.184.215.14", 443)]


async def test_a_name_is_resolved_once(names: Names) -> None:
    """A second look could find another address than the one that was judged."""
    names.known["crm.corp.example"] = ["93.184.215.14", "93.184.215.15"]
    names.unreachable = {"93.184.215.14"}
    await _dialler(CRM).open_connection("CRM.corp.example", 443)
    assert len(names.asked) == 1
    assert names.dialled == [("93.184.215.14", 443), ("93.184.215.15", 443)]


@pytest.mark.parametrize(
    ("host", "port"),
    [("other.example", 443), ("crm.corp.example", 80), ("crm.corp.example.", 443), ("127.0.0.1", 443), ("", 443),
     ("169.254.169.254", 80)],
)  # fmt: skip
async def test_what_is_not_registered_is_not_even_resolved(names: Names, host: str, port: int) -> None:
    """A look at a name server would tell it something."""
    with pytest.raises(DialRefused, match="not registered"):
        await _dialler(CRM).open_connection(host, port)
    assert names.asked == names.dialled == []


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.1.1", "::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "100.64.0.1", "0.0.0.0"])  # fmt: skip
async def test_private_addresses_are_refused(names: Names, address: str) -> None:
    """Unless the target says otherwise: a public name may point anywhere."""
    names.known["crm.corp.example"] = [address]
    with pytest.raises(DialRefused, match="no address that may be dialled"):
        await _dialler(CRM).open_connection("crm.corp.example", 443)
    assert names.dialled == []


async def test_private_addresses_may_be_allowed(names: Names) -> None:
    """All of them, or those in some networks."""
    names.known |= {"private.corp.example": ["192.168.1.1"], "some.corp.example": ["192.168.1.1", "10.1.2.3"]}
    dialler = _dialler(PRIVATE, SOME)
    await dialler.open_connection("private.corp.example", 443)
    await dialler.open_connection("some.corp.example", 443)
    assert names.dialled == [("192.168.1.1", 443), ("10.1.2.3", 443)]


@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"])  # fmt: skip
@pytest.mark.parametrize("by", ["name", "connect"])
async def test_metadata_services_are_refused_always(names: Names, address: str, by: str) -> None:
    """Whatever the target allows, and where ``connect`` leads there."""
    connect = {"connect": "dial.internal:443"} if by == "connect" else {}
    names.known |= {"private.corp.example": [address], "dial.internal": [address]}
    with pytest.raises(DialRefused, match="no address that may be dialled"):
        await _dialler(make_target("private", allowPrivate=True, **connect)).open_connection(
            "private.corp.example", 443
        )
    assert names.dialled == []


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.9", "::1", "0.0.0.0", "::ffff:127.0.0.1"])
async def test_the_gateways_own_ports_are_refused(names: Names, address: str) -> None:
    """By name and by ``connect``; another machine's same port is not ours."""
    names.known |= {"private.corp.example": [address], "dial.internal": [address], "far.corp.example": ["192.0.2.1"]}
    through = make_target("through", allowPrivate=True, connect="dial.internal:8081")
    own = make_target("private", "private.corp.example:8081", allowPrivate=True)
    far = make_target("far", "far.corp.example:8081", allowPrivate=True)
    dialler = _dialler(through, own, far, own_ports=(8080, 8081))
    with pytest.raises(DialRefused):
        await dialler.open_connection("through.corp.example", 443)
    with pytest.raises(DialRefused):
        await dialler.open_connection("private.corp.example", 8081)
    await dialler.open_connection("far.corp.example", 8081)
    assert names.dialled == [("192.0.2.1", 8081)]


async def test_connect_replaces_the_name(names: Names) -> None:
    """The registered name is not looked up."""
    names.known["10.0.0.5"] = ["10.0.0.5"]
    target = make_target("crm", allowPrivate=True, connect="10.0.0.5:8443")
    await _dialler(target).open_connection("crm.corp.example", 443)
    assert names.asked == names.dialled == [("10.0.0.5", 8443)]


async def test_one_bad_address_among_good_ones_is_left_out(names: Names) -> None:
    """The good ones are dialled, in the resolver's order, each once."""
    names.known["crm.corp.example"] = ["127.0.0.1", "93.184.215.14", "169.254.169.254", "93.184.215.14"]
    names.unreachable = {"93.184.215.14"}
    with pytest.raises(DialRefused, match="cannot be reached"):
        await _dialler(CRM).open_connection("crm.corp.example", 443)
    assert names.dialled == [("93.184.215.14", 443)]


async def test_errors_name_the_target_and_no_address(names: Names) -> None:
    """Their text is told to agents; the cause is not kept either."""
    dialler = _dialler(CRM)
    with pytest.raises(DialRefused, match="the target crm cannot be resolved") as unresolved:
        await dialler.open_connection("crm.corp.example", 443)
    names.known["crm.corp.example"] = ["93.184.215.14"]
    names.unreachable = {"93.184.215.14"}
    with pytest.raises(DialRefused, match="the target crm cannot be reached") as unreachable:
        await dialler.open_connection("crm.corp.example", 443)
    for refused in (unresolved, unreachable):
        assert "planted" not in str(refused.value)
        assert "93.184" not in str(refused.value)
        assert isinstance(refused.value, OSError), "mitmproxy expects one"


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    """A server on loopback that sends back a line."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as running:
        yield running.sockets[0].getsockname()[1]


async def test_a_real_connection(echo: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through mitmproxy's own module, as installed; its other uses of asyncio are the real ones."""
    monkeypatch.setattr(server, "asyncio", asyncio)  # undone at the end
    dialling.install(_dialler(make_target("crm", allowPrivate=True, connect=f"127.0.0.1:{echo}")))
    reader, writer = await server.asyncio.open_connection("crm.corp.example", 443, local_addr=None)
    writer.write(b"hello\n")
    assert await reader.readline() == b"hello\n"
    writer.close()
    await writer.wait_closed()
    assert server.asyncio.Semaphore is asyncio.Semaphore
    assert server.asyncio.CancelledError is asyncio.CancelledError
