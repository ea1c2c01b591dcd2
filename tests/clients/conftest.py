"""One gateway for the whole matrix."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.client import Client
from tests.clients.world import World, require_programs, world
from tests.node_packages import node_packages


@pytest.fixture(scope="module")
def running_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Everything that runs, once for a module."""
    with world(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture
def around(running_world: World) -> World:
    """The same with all that was counted forgotten."""
    running_world.forget()
    return running_world


@pytest.fixture
def directory(client: Client, tmp_path: Path) -> Path:
    """Where the client runs; its programs are there."""
    require_programs(client.programs)
    if client.packages:
        modules = node_packages(Path(__file__).parent / "package.json", "clients") / "node_modules"
        (tmp_path / "node_modules").symlink_to(modules)
    return tmp_path
