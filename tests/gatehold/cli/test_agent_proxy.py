"""``gatehold agent-proxy``: what it refuses to be started with, and what it does not import."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.gatehold.cli.test_check import run
from tests.gatehold.cli.test_main import HEAVY, imported_by


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--gateway", "http://gateway:8080", "--listen", "0.0.0.0:8079"], "--insecure-listen"),
        (["--gateway", "http://gateway:8080", "--listen", "8079"], "not host:port"),
        (["--gateway", "http://agent:hunter2@gateway:8080"], "no user"),
        (["--gateway", "gateway:8080"], "http://host:port"),
        (["--gateway", "https://gateway", "--ca", "/gone.pem"], "/gone.pem: No such file"),
        (["--gateway", "http://gateway:8080", "--auth", "digest"], "digest"),
        (["--gateway", "http://gateway:8080", "--listen", "192.0.2.1:8079", "--insecure-listen"], "192.0.2.1:8079: "),
        ([], "--gateway"),
    ],
)
def test_wrong_usage(options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and nothing that is secret in the words."""
    code, out, err = run(["agent-proxy", "--token-file", str(tmp_path / "token"), *options], capsys)
    assert (code, out) == (2, "")
    assert said in err
    assert "hunter2" not in err


def test_it_is_small() -> None:
    """It stands beside every agent: no proxy framework, no configuration, no masking."""
    imported = imported_by(["agent-proxy", "--help"])
    assert not imported & {*HEAVY, "yaml", "cel_expr_python", "masking", "rich"}
    program = "import sys, gatehold.agent_proxy.running as _; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {*HEAVY, "yaml", "pydantic", "policy", "masking", "cryptography"}
