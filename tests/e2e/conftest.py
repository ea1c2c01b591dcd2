"""One installation and one gateway per way to run and module; tests must not depend on what others did."""

from collections.abc import Iterator

import pytest

from tests.e2e.harness import COMMANDS, GatewayProcess, Installation, installation, running


@pytest.fixture(scope="module", params=sorted(COMMANDS))
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Upstreams and the standard configuration, once for each way to run."""
    with installation(tmp_path_factory.mktemp("installation")) as made:
        made.way = request.param
        made.configure()
        yield made


@pytest.fixture(scope="module")
def gateway(installed: Installation) -> Iterator[GatewayProcess]:
    """A gateway that serves."""
    with running(installed, installed.way) as process:
        yield process
