"""Law: where the proxy requires TLS, a client that speaks it works; of the others, what the page says is what they do."""

import re
from pathlib import Path

import pytest

from tests.clients.checks import arrived, holds_no_secret
from tests.clients.client import Client, Outer
from tests.clients.matrix import CLIENTS
from tests.clients.world import World, prepare


def each(outer: Outer) -> pytest.MarkDecorator:
    """The clients that do so."""
    found = [client for client in CLIENTS if client.outer == outer]
    return pytest.mark.parametrize("client", found, ids=[client.name for client in found])


@pytest.fixture(scope="module")
def by_tls(running_world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``gatehold env`` prints for a proxy that requires TLS."""
    directory = tmp_path_factory.mktemp("tls") / "prepared"
    return prepare(running_world.installed, directory, config=running_world.tls_config)


@each("spoken")
def test_it_works_by_tls(around: World, client: Client, directory: Path, by_tls: Path) -> None:
    """With what the page says that it needs."""
    said = around.run(client.language, client.over_tls(), directory, prepared=by_tls)
    assert said.code == 0, said.all
    assert re.search(client.answer, said.printed), said.all
    holds_no_secret(said)


@each("in the open")
def test_in_the_open_it_is_refused(around: World, client: Client, directory: Path, by_tls: Path) -> None:
    """A valid token helps nothing, and the client tells the status."""
    said = around.run(client.language, client.example, directory, prepared=by_tls)
    assert said.code != 0, said.all
    assert re.search("421|Misdirected", said.all), said.all
    assert not arrived(around)


@each("past it")
def test_it_goes_past_the_proxy(around: World, client: Client, directory: Path, by_tls: Path) -> None:
    """A target's name leads it nowhere; an address, straight there."""
    named = around.run(client.language, client.example, directory, prepared=by_tls)
    assert named.code != 0, named.all
    assert not arrived(around)
    program = client.example.replace("crm.corp.example", around.canary.authority)
    assert around.run(client.language, program, directory, prepared=by_tls).code != 0
    assert around.canary.visits > 0
