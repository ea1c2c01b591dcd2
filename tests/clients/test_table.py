"""Law: the matrix holds every client that there is a driver for, once."""

import importlib
from pathlib import Path

from tests.clients import drivers
from tests.clients.client import Astray, Client
from tests.clients.matrix import ASTRAY, CLIENTS


def test_every_driver_is_in_it() -> None:
    """A client that was written down is tried and told of."""
    files = [file for place in drivers.__path__ for file in Path(place).glob("*.py")]
    modules = [importlib.import_module(f"tests.clients.drivers.{file.stem}") for file in files]
    values = [value for module in modules for value in vars(module).values()]
    found = [value.name for value in values if isinstance(value, Client | Astray)]
    known = [client.name for client in CLIENTS] + [client.name for client in ASTRAY]
    assert sorted(found) == sorted(known)
    assert len(set(found)) == len(found)


def test_every_variant_can_be_made() -> None:
    """What is put in place of a text in an example has that text to replace."""
    for client in CLIENTS:
        assert client.where_refused() != client.example
        assert client.where_moved("moved") != client.where_moved("other")
        assert (client.over_tls() != client.example) == (client.outer_needs != ("", ""))
        assert (client.where_forwarded() != client.example) == bool(client.forwarded)
