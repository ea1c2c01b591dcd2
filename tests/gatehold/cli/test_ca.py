"""``gatehold ca``: the gateway's CA certificate from the command line."""

from pathlib import Path

import pytest
from cryptography import x509
from typer.testing import CliRunner

from gatehold.cli.ca import app

RUN = CliRunner()
GATEWAY = """\
apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {name: default}
spec: {dataDir: ./data}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "gateway.yaml").write_text(GATEWAY)
    return tmp_path


def test_the_certificate_is_printed_and_stays(config: Path) -> None:
    """PEM alone on standard output, created when absent, the same ever after; never the key."""
    first = RUN.invoke(app, ["--config", str(config)])
    assert first.exit_code == 0, first.output
    assert x509.load_pem_x509_certificate(first.stdout.encode())
    assert first.stdout.startswith("-----BEGIN CERTIFICATE-----")
    assert first.stdout == (config / "data/ca/ca.pem").read_text()
    assert RUN.invoke(app, ["--config", str(config)]).stdout == first.stdout
    assert "PRIVATE" not in first.output


def test_a_broken_configuration_makes_no_ca(config: Path) -> None:
    """Exit code 2, the problem on standard error, nothing written."""
    (config / "gateway.yaml").write_text(GATEWAY.replace("dataDir", "dataDire"))
    result = RUN.invoke(app, ["--config", str(config)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "gateway.yaml:4:" in result.stderr
    assert not (config / "data").exists()


def test_a_ca_that_cannot_be_used(config: Path) -> None:
    """Half of one is told, not repaired."""
    RUN.invoke(app, ["--config", str(config)])
    (config / "data/ca/ca-key.pem").unlink()
    result = RUN.invoke(app, ["--config", str(config)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "ca-key.pem" in result.stderr


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    """Wrong usage."""
    assert RUN.invoke(app, ["--config", str(tmp_path / "gone")]).exit_code == 2
