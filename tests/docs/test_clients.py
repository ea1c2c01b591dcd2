"""Law: what the page for clients shows works: its commands are run against a gateway and a cluster.

The examples that ``tests.clients`` wrote into it are run there.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.matrix import EXAMPLES
from tests.clients.world import World, bare, world
from tests.docs.pages import Block, blocks
from tests.e2e.harness import CRM_TOKEN, require

SHOWN = [block for block in blocks("sh", "python", "javascript", "java") if block.page == "clients.md"]
PAGE = [block for block in SHOWN if block.text not in EXAMPLES]


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One installation for the whole page, and in its directory what the first block writes."""
    with world(tmp_path_factory.mktemp("world")) as made:
        run(made, PAGE[0], CRM_TOKEN=CRM_TOKEN)
        yield made


def run(around: World, block: Block, **more: str) -> str:
    """Run what the page shows, with the ports and places of this installation; returns what it printed."""
    directory, installed = around.installed.directory, around.installed
    token, places = (
        installed.token(),
        {
            "127.0.0.1:8082": f"127.0.0.1:{installed.agent_api_port}",
            "--config DIR": f"--config {installed.config}",
        },
    )
    text = block.text
    for shown, real in places.items():
        text = text.replace(shown, real)
    (directory / "agent.token").write_text(token)
    sourced = ". ./agent.env\n" if Path(directory, "agent.env").exists() else ""
    done = subprocess.run(
        ["bash", "-ec", sourced + text],
        cwd=directory,
        env=bare(directory, GATEHOLD_TOKEN=token, **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("block", PAGE[1:], ids=[f"{block.language}-{block.line}" for block in PAGE[1:]])
def test_the_page_works(around: World, block: Block) -> None:
    """Every block ends well, and masks hold."""
    if "kubectl" in block.text:
        require("kubectl")
    printed = run(around, block)
    assert "@" not in printed
    if "customers" in block.text:
        assert "<EMAIL_ADDRESS>" in printed
    if "pod" in block.text:
        assert "web" in printed


def test_every_example_is_on_the_page() -> None:
    """Nothing is tried that is not told."""
    assert {block.text for block in SHOWN} >= EXAMPLES
