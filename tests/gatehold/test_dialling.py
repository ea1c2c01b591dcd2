"""Law: a target is dialled at addresses that were judged, after one look at its name; the gateway itself is no target."""

import asyncio
import socket
from typing import Any

import pytest

from gatehold.dialling import DialRefused, dialable
from tests.addons.support import make_target


@pytest.fixture
async def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """A resolver that tests write."""
    known: dict[str, list[str]] = {}

    async def getaddrinfo(host: str, port: int, **_options: Any) -> list[Any]:
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "planted")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in known[host]]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    return known


async def test_each_address_is_judged(names: dict[str, list[str]]) -> None:
    """Those that may not be dialled are left out, repetitions too."""
    names["crm.corp.example"] = ["10.0.0.1", "93.184.215.14", "93.184.215.14", "169.254.169.254"]
    assert await dialable(make_target("crm"), "crm.corp.example", 443, ()) == [("93.184.215.14", 443)]


async def test_connect_is_dialled_instead(names: dict[str, list[str]]) -> None:
    """And is judged like any other address."""
    names["10.1.2.3"] = ["10.1.2.3"]
    with pytest.raises(DialRefused, match="no address"):
        await dialable(make_target("crm", connect="10.1.2.3:8443"), "crm.corp.example", 443, ())
    private = make_target("crm", connect="10.1.2.3:8443", allowPrivate=True)
    assert await dialable(private, "crm.corp.example", 443, ()) == [("10.1.2.3", 8443)]


async def test_the_gateway_is_no_target(names: dict[str, list[str]]) -> None:
    """Neither by its port on loopback, whatever the target allows."""
    names["crm.corp.example"] = ["127.0.0.1"]
    with pytest.raises(DialRefused):
        await dialable(make_target("crm", allowPrivate=True), "crm.corp.example", 443, {443})


async def test_a_name_that_is_not_known(names: dict[str, list[str]]) -> None:
    """The error names the target only."""
    with pytest.raises(DialRefused, match="the target crm cannot be resolved"):
        await dialable(make_target("crm"), "crm.corp.example", 443, ())
