"""Law: a client that knows nothing of tokens works beside a forwarder, as the agent of its token file, and of no other."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.harness import (
    BIN,
    STANDARD,
    Answer,
    GatewayProcess,
    Installation,
    clean_environment,
    free_port,
    require,
    running,
)

CRM = "https://crm.corp.example"


@pytest.fixture(scope="module")
def gateway(installed: Installation) -> Iterator[GatewayProcess]:
    """Its proxy requires TLS, which hardly any client speaks with a proxy."""
    text = (STANDARD / "gateway.yaml").read_text()
    text = text.replace("host: 127.0.0.1, port: @PROXY@", "host: 127.0.0.1, port: @PROXY@, tls: require")
    installed.write("gateway.yaml", text)
    with running(installed, installed.way) as process:
        yield process


@contextmanager
def forwarder(installed: Installation, token_file: Path, *options: str) -> Iterator[int]:
    """A ``gatehold agent-proxy``, until the block ends; its port. Nothing that it prints holds the token."""
    port = free_port()
    command = [BIN / "gatehold", "agent-proxy", "--token-file", token_file, "--listen", f"127.0.0.1:{port}",
               "--gateway", f"https://127.0.0.1:{installed.proxy_port}", "--ca", installed.ca, *options]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=clean_environment(PYTHONUNBUFFERED="1"))  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == f"gatehold agent-proxy: ready at http://127.0.0.1:{port}\n"
        yield port
    finally:
        process.terminate()
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "eyJ" not in said


def curl(installed: Installation, port: int, url: str, *options: str) -> Answer:
    command = ["curl", "-sS", "-i", "--max-time", "30", "--cacert", installed.ca, "--proxy", f"http://127.0.0.1:{port}", "--suppress-connect-headers", *options, url]  # fmt: skip
    done = subprocess.run(command, capture_output=True, timeout=40, env=clean_environment(), check=False)
    return Answer.parse(done.stdout, done.returncode, done.stderr.decode())


@pytest.mark.parametrize("auth", ["bearer", "basic"])
def test_a_client_without_a_token(gateway: GatewayProcess, tmp_path: Path, auth: str) -> None:
    """Over HTTP/1.1 and HTTP/2, with a body, and masked as ever."""
    installed, token = gateway.installed, tmp_path / "token"
    token.write_text(installed.token() + "\n")
    with forwarder(installed, token, "--auth", auth) as port:
        for version in ("--http1.1", "--http2"):
            answer = curl(installed, port, f"{CRM}/customers/1", version)
            assert answer.status == 200, answer.errors
            assert b"<EMAIL_ADDRESS>" in answer.body
        (tmp_path / "body").write_text('{"note": "' + "x" * 300_000 + '"}')
        sent = curl(installed, port, f"{CRM}/echo", "--json", f"@{tmp_path}/body")
        assert (sent.status, b"x" * 300_000 in sent.body) == (200, True)
        assert curl(installed, port, f"{CRM}/report.csv").status == 403


def test_tokens_change_without_a_restart(gateway: GatewayProcess, tmp_path: Path) -> None:
    """None, a wrong one, another agent's, the agent's."""
    installed, token = gateway.installed, tmp_path / "token"
    with forwarder(installed, token) as port:
        absent = curl(installed, port, f"{CRM}/customers/1")
        assert (absent.exit_code, "503" in absent.errors) == (56, True)
        token.write_text(installed.token(audience="elsewhere"))
        wrong = curl(installed, port, f"{CRM}/customers/1")
        assert (wrong.exit_code, "502" in wrong.errors) == (56, True)
        token.write_text(installed.token("stranger", groups=("nobody",)))
        assert curl(installed, port, f"{CRM}/customers/1").status == 403
        token.write_text(installed.token())
        assert curl(installed, port, f"{CRM}/customers/1").status == 200


def test_a_plain_request(gateway: GatewayProcess, tmp_path: Path) -> None:
    """Is judged by the gateway like any other."""
    installed, token = gateway.installed, tmp_path / "token"
    token.write_text(installed.token())
    with forwarder(installed, token) as port:
        answer = curl(installed, port, "http://nowhere.corp.example/")
        assert (answer.status, answer.json["code"]) == (403, "unregistered-target")
        assert curl(installed, port, f"http://127.0.0.1:{port}/", "--noproxy", "*").status == 400


def test_a_gateway_that_is_not_trusted(gateway: GatewayProcess, tmp_path: Path) -> None:
    """Gets no token."""
    installed, token = gateway.installed, tmp_path / "token"
    token.write_text(installed.token())
    with forwarder(installed, token, "--ca", str(installed.certificate.authority)) as port:
        answer = curl(installed, port, "http://nowhere.corp.example/")
        assert (answer.status, answer.json["code"]) == (502, "gateway-unreachable")
        assert "not trusted" in answer.json["detail"]


def test_what_env_prints_for_it(gateway: GatewayProcess, tmp_path: Path) -> None:
    """Clients that take a proxy from their environment, and kubectl with a watch, with no token anywhere about them."""
    installed, token = gateway.installed, tmp_path / "token"
    token.write_text(installed.token())
    with forwarder(installed, token) as port:
        environment = installed.gatehold("env", "--agent-proxy", str(port)).stdout
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(installed.gatehold("env", "--kubeconfig", "--agent-proxy", str(port)).stdout)
        kubectl = f"{require('kubectl')} --kubeconfig={kubeconfig} --cache-dir={tmp_path}/cache -n prod"
        scripts = (
            f"curl -sS --fail {CRM}/customers/1",
            f"{sys.executable} -c 'import urllib.request as u; print(u.urlopen(\"{CRM}/customers/1\").read())'",
            f"{kubectl} get pods -o name",
            f"{kubectl} logs deployment/web --tail=1",
        )
        for script in scripts:
            done = subprocess.run(["sh", "-c", f"{environment}\n{script}"], capture_output=True, text=True, timeout=60, env=clean_environment(HOME=str(tmp_path)), check=False)  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr
            assert done.stdout
