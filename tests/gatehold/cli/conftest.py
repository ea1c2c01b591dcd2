"""What tests of commands have in common."""

from pathlib import Path

import pytest

GATEWAY = """
apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {name: default}
spec:
  dataDir: ./data
  listen: [{mode: regular, host: 127.0.0.1, port: 8080}]
  identity: {issuers: []}
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A directory with the least of a configuration."""
    (tmp_path / "gateway.yaml").write_text(GATEWAY)
    return str(tmp_path)
