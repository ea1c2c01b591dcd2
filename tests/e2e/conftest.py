"""One installation and one gateway per way to run and module; tests must not depend on what others did."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import COMMANDS, GatewayProcess, Installation, installation, running

CONFIGURATION = Path(__file__).parent / "configuration"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Upstreams and the standard configuration."""
    with installation(tmp_path_factory.mktemp("installation")) as made:
        for file in sorted(CONFIGURATION.glob("*.yaml")):
            made.write(file.name, file.read_text())
        yield made


@pytest.fixture(scope="module", params=sorted(COMMANDS))
def gateway(request: pytest.FixtureRequest, installed: Installation) -> Iterator[GatewayProcess]:
    """A gateway that serves, started by each of the two ways."""
    with running(installed, request.param) as process:
        yield process
