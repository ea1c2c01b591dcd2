"""Law: a client that does not follow the environment gets nothing of a target: it goes past the gateway, without any credential.

Where the network lets it out, it reaches what it asks for; that is what network policy is for.
"""

import subprocess
from pathlib import Path

import pytest

from tests.clients.client import Astray
from tests.clients.matrix import ASTRAY
from tests.clients.world import World, bare, require_programs


@pytest.mark.parametrize("client", ASTRAY, ids=[client.name for client in ASTRAY])
def test_it_goes_past_the_gateway(around: World, client: Astray, tmp_path: Path) -> None:
    """A target's name leads it nowhere; an address, straight there."""
    require_programs(client.programs)
    if (
        client.follows
        and not subprocess.run(["bash", "-ec", client.follows], env=bare(tmp_path), timeout=60, check=False).returncode
    ):
        pytest.skip("the one on this machine follows the environment")
    named = around.run(
        client.language, client.program.replace("ADDRESS", "https://crm.corp.example/customers/1"), tmp_path
    )
    assert named.code != 0, named.all
    assert not len(around.installed.customers.received)
    assert around.canary.visits == 0
    direct = around.run(
        client.language, client.program.replace("ADDRESS", f"http://{around.canary.authority}/"), tmp_path
    )
    assert direct.code != 0, direct.all
    assert around.canary.visits > 0, "it went through the gateway, which would have refused it"


def test_the_gateway_would_have_refused_it(around: World, tmp_path: Path) -> None:
    """A client that does follow the environment does not get to the same address."""
    said = around.run(
        "sh", f"curl --silent --show-error --fail-with-body http://{around.canary.authority}/\n", tmp_path
    )
    assert said.code != 0
    assert "unregistered-target" in said.all
    assert around.canary.visits == 0
