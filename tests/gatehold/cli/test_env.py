"""``gatehold env``: the environment of agents from the command line; a configuration, its CA, and never a token."""

import shutil
import ssl
from pathlib import Path

import pytest
import yaml

from tests.gatehold.cli.test_check import run

EXAMPLE = Path(__file__).parents[2] / "cases" / "config" / "good" / "example"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return shutil.copytree(EXAMPLE, tmp_path / "config")


def printed(capsys: pytest.CaptureFixture[str], config: Path, *options: str) -> str:
    code, out, err = run(["env", "--config", str(config), *options], capsys)
    assert (code, err) == (0, "")
    return out


def test_a_shell_s(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The listener's address, and files that are there."""
    out = printed(capsys, config)
    assert 'export HTTPS_PROXY="http://agent:${GATEHOLD_TOKEN}@127.0.0.1:8080"\n' in out
    bundle = config / "data" / "agents" / "ca-bundle.pem"
    assert f"export SSL_CERT_FILE={bundle}\n" in out
    assert len(ssl.create_default_context(cafile=bundle).get_ca_certs()) > 50
    assert bundle.read_text().endswith((config / "data" / "ca" / "ca.pem").read_text())


def test_files_go_elsewhere(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Other users do not reach the data directory."""
    system = tmp_path / "system.pem"
    printed(capsys, config)
    shutil.copy(config / "data" / "ca" / "ca.pem", system)
    out = printed(capsys, config, "--format", "dotenv", "--out", str(tmp_path / "out"), "--system-ca", str(system))
    assert f"\nCURL_CA_BUNDLE={tmp_path}/out/ca-bundle.pem\n" in out
    assert (tmp_path / "out" / "ca-bundle.pem").read_bytes() == system.read_bytes()


def test_containers(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What they see is where they mount it; Kubernetes gets the files inside, and none are written."""
    out = printed(capsys, config, "--format", "k8s", "--proxy-host", "gatehold.agents.svc", "--name", "coder")
    secret, files = yaml.safe_load_all(out)
    assert secret["stringData"]["https_proxy"] == "http://agent:${GATEHOLD_TOKEN}@gatehold.agents.svc:8080"
    assert secret["stringData"]["SSL_CERT_FILE"] == "/etc/gatehold/ca-bundle.pem"
    assert files["metadata"]["name"] == "coder"
    assert not (config / "data" / "agents").exists()
    out = printed(capsys, config, "--format", "compose", "--name", "coder", "--mount", "/ca")
    [volume] = yaml.safe_load(out)["services"]["coder"]["volumes"]
    assert (volume["source"], volume["target"]) == (str(config / "data" / "agents"), "/ca")
    assert (config / "data" / "agents" / "truststore.p12").exists()


def test_beside_a_forwarder(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No token stands anywhere."""
    out = printed(capsys, config, "--agent-proxy", "8079")
    assert "export HTTPS_PROXY=http://127.0.0.1:8079\n" in out
    assert "TOKEN" not in out


def test_kubeconfigs(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the reverse listener where the cluster has one, else by the proxy."""
    told = yaml.safe_load(printed(capsys, config, "--kubeconfig"))
    assert told["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:8443"
    again = yaml.safe_load(printed(capsys, config, "--kubeconfig", "--target", "main", "--agent-proxy", "8079"))
    assert again["clusters"][0]["cluster"]["proxy-url"] == "http://127.0.0.1:8079"
    told = yaml.safe_load(printed(capsys, config, "--kubeconfig", "--token-file", "/run/token"))
    assert told["users"][0]["user"] == {"tokenFile": "/run/token"}
    assert not (config / "data" / "agents").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--target", "nowhere"], "there is no target 'nowhere'"),
        (["--kubeconfig", "--target", "crm"], "there are: main"),
        (["--proxy-host", "a/b"], "--proxy-host"),
        (["--system-ca", "/gone.pem"], "/gone.pem: No such file"),
        (["--out", "/dev/null/x"], "Not a directory"),
        (["--out", "/it's"], "--out"),
        (["--format", "fish"], "fish"),
        (["--format", "k8s", "--name", "Two Words"], "--name"),
        (["--format", "compose", "--mount", "etc/gatehold"], "--mount"),
        (["--agent-proxy", "0"], "--agent-proxy"),
    ],
)
def test_wrong_usage(config: Path, options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, nothing to evaluate on standard output."""
    code, out, err = run(["env", "--config", str(config), *options], capsys)
    assert (code, out) == (2, "")
    assert said in err


def test_a_broken_configuration_makes_nothing(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config / "extra.yaml").write_text("kind: Gateway\n")
    code, out, _ = run(["env", "--config", str(config)], capsys)
    assert (code, out) == (2, "")
    assert not (config / "data").exists()
