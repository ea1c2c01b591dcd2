"""Law: through ``gatehold agent-proxy`` every client works without a token, also one that could not show it to a proxy."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients.checks import each_client, holds_no_secret
from tests.clients.client import Client
from tests.clients.matrix import CLIENTS
from tests.clients.world import World, bare, prepare
from tests.e2e.harness import BIN, free_port


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """An agent proxy that runs."""

    token: Path
    prepared: Path


@pytest.fixture(scope="module")
def beside(running_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beside]:
    """An agent proxy, with a token that rotated once, and the environment for its clients."""
    home, installed, port = tmp_path_factory.mktemp("beside"), running_world.installed, free_port()
    token = home / "token"
    token.write_text("none yet")
    command = [
        str(BIN / "gatehold"),
        *("agent-proxy", "--token-file", str(token), "--listen", f"127.0.0.1:{port}"),
        *("--gateway", f"http://127.0.0.1:{installed.proxy_port}"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=bare(home)) as process:
        try:
            assert process.stdout is not None
            assert "ready" in process.stdout.readline()
            prepared = prepare(installed, home / "prepared", "--agent-proxy", str(port), token_file=False)
            token.write_text(installed.token())
            yield Beside(token=token, prepared=prepared)
        finally:
            process.terminate()


@each_client
def test_it_needs_no_token(around: World, beside: Beside, client: Client, directory: Path) -> None:
    """The example without whatever showed one; the same answer."""
    said = around.run(client.language, client.where_forwarded(), directory, token=None, prepared=beside.prepared)
    assert said.code == 0, said.all
    assert re.search(client.answer, said.printed), said.all
    holds_no_secret(said)


def test_clients_of_whom_something_is_left_out() -> None:
    """Those that need code of their own to show a token to a proxy."""
    assert {client.name for client in CLIENTS if client.forwarded} == {"Java HttpClient", "Java HttpsURLConnection"}
