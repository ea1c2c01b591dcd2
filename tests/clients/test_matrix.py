"""Law: every client in the matrix works in the environment of ``gatehold env``, is refused legibly, and cannot be led away."""

import re
from pathlib import Path
from typing import Literal

import pytest

from tests.clients.checks import arrived, each_client, holds_no_secret
from tests.clients.client import MASKED, Client
from tests.clients.world import World


@each_client
def test_a_governed_call_is_answered(around: World, client: Client, directory: Path) -> None:
    """The page's own example works; what it prints is masked, and no credential of a target is in it."""
    said = around.run(client.language, client.example, directory)
    assert said.code == 0, said.all
    assert re.search(client.answer, said.printed), said.all
    holds_no_secret(said)
    if client.answer == MASKED or "npm" in client.programs:
        assert MASKED in said.printed


@each_client
def test_without_a_token_it_is_refused(around: World, client: Client, directory: Path) -> None:
    """Nothing arrives upstream, and the client tells why."""
    said = around.run(client.language, client.example, directory, token=None)
    assert said.code != 0, said.all
    assert re.search(client.unauthenticated, said.all), said.all
    assert not arrived(around)


@each_client
def test_a_refusal_is_shown(around: World, client: Client, directory: Path) -> None:
    """The client shows what the page says that it shows."""
    said = around.run(client.language, client.where_refused(), directory)
    assert said.code != 0, said.all
    assert re.search(client.refusal, said.all), said.all


@pytest.mark.parametrize("host", ["moved", "other"])
@each_client
def test_a_redirect_leads_nowhere(
    around: World, client: Client, directory: Path, host: Literal["moved", "other"]
) -> None:
    """To no host that is not registered, past the gateway or through it; and to no target that policy does not allow."""
    said = around.run(client.language, client.where_moved(host), directory)
    assert any(asked.startswith(host) for asked in around.hosts_asked), said.all
    assert around.canary.visits == 0, said.all
    assert "vault.corp.example" not in around.hosts_asked, said.all
    assert "opened" not in said.printed
    assert client.answer not in said.printed
