"""Law: agents may speak TLS with the proxy itself, must where the listener says so, and nothing inside changes by it."""

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import (
    CLUSTER_TOKEN,
    CRM_TOKEN,
    STANDARD,
    Answer,
    GatewayProcess,
    Installation,
    clean_environment,
    require,
    running,
)

CRM = "https://crm.corp.example"


@pytest.fixture(scope="module")
def gateway(installed: Installation) -> Iterator[GatewayProcess]:
    """Its first proxy requires TLS, its second takes both; the cluster is reached by a proxy only."""
    text = (STANDARD / "gateway.yaml").read_text()
    first = "    - {mode: regular, host: 127.0.0.1, port: @PROXY@"
    lines = [line for line in text.splitlines() if "mode: reverse" not in line]
    text = "\n".join(lines).replace(
        f"{first}}}",
        f"{first}, tls: require, names: [proxy.internal]}}\n    - {{mode: regular, host: 127.0.0.1, port: @REVERSE@}}",
    )
    installed.write("gateway.yaml", text)
    with running(installed, installed.way) as process:
        yield process


def curl(installed: Installation, url: str, proxy: str, *options: str, token: str | None = "") -> Answer:
    """A call by a proxy URL without the userinfo in it."""
    token = installed.token() if token == "" else token
    shown = ["--proxy-user", f"agent:{token}"] if token else []
    command = ["curl", "-sS", "-i", "--max-time", "30", "--cacert", installed.ca, "--proxy-cacert", installed.ca,
               "--proxy", proxy, "--suppress-connect-headers", *shown, *options, url]  # fmt: skip
    done = subprocess.run(command, capture_output=True, timeout=40, env=clean_environment(), check=False)
    return Answer.parse(done.stdout, done.returncode, done.stderr.decode())


@pytest.mark.parametrize("inner", ["--http1.1", "--http2"])
@pytest.mark.parametrize("proxy", ["https://127.0.0.1:{0}", "https://localhost:{0}", "https://127.0.0.1:{1}"])
def test_a_call_in_tls_in_tls(gateway: GatewayProcess, proxy: str, inner: str) -> None:
    """By the proxy's address and by its names; what is spoken inside is the client's choice still."""
    installed = gateway.installed
    url = proxy.format(installed.proxy_port, installed.reverse_port)
    answer = curl(installed, f"{CRM}/customers/1", url, inner, "-w", "spoke %{http_version}")
    assert answer.status == 200, answer.errors
    assert answer.body.endswith(b"spoke 2" if inner == "--http2" else b"spoke 1.1")


def test_a_name_of_the_listener(gateway: GatewayProcess) -> None:
    """One that stands in its configuration has a certificate; one that does not has none."""
    installed, port = gateway.installed, gateway.installed.proxy_port
    resolved = ["--resolve", f"proxy.internal:{port}:127.0.0.1", "--resolve", f"evil.example:{port}:127.0.0.1"]
    assert curl(installed, f"{CRM}/customers/1", f"https://proxy.internal:{port}", *resolved).status == 200
    refused = curl(installed, f"{CRM}/customers/1", f"https://evil.example:{port}", *resolved)
    assert (refused.status, refused.exit_code) == (0, 35)


def test_plain_text_where_tls_is_required(gateway: GatewayProcess) -> None:
    """Neither a tunnel nor a request in the open; the token counts for nothing."""
    installed = gateway.installed
    plain = f"http://127.0.0.1:{installed.proxy_port}"
    tunnel = curl(installed, f"{CRM}/customers/1", plain, "-o", "/dev/null", "-w", "%{http_connect}")
    assert tunnel.exit_code == 56
    assert "421" in tunnel.errors
    request = curl(installed, "http://crm.corp.example:443/customers/1", plain)
    assert (request.status, request.json["code"]) == (421, "misdirected")
    assert "https://" in request.json["detail"]


def test_plain_text_where_tls_may_be(gateway: GatewayProcess) -> None:
    assert curl(gateway.installed, f"{CRM}/customers/1", f"http://127.0.0.1:{gateway.installed.reverse_port}").status == 200  # fmt: skip


def test_without_a_token(gateway: GatewayProcess) -> None:
    """TLS identifies nobody."""
    answer = curl(gateway.installed, f"{CRM}/customers/1", f"https://127.0.0.1:{gateway.installed.proxy_port}", token=None)  # fmt: skip
    assert answer.exit_code == 56
    assert "407" in answer.errors


def test_tls_with_the_proxy_alone_is_no_tls_with_the_target(gateway: GatewayProcess) -> None:
    """Plain text inside a tunnel to a target that is served over TLS."""
    installed = gateway.installed
    answer = curl(installed, "http://crm.corp.example:443/customers/1", f"https://127.0.0.1:{installed.proxy_port}", "--proxytunnel")  # fmt: skip
    assert (answer.status, answer.json["code"]) == (421, "misdirected")


def test_kubectl_by_what_env_prints(gateway: GatewayProcess, tmp_path: Path) -> None:
    """Its kubeconfig names the proxy by https://, and Go offers HTTP/2 to whatever speaks TLS."""
    installed, token = gateway.installed, gateway.installed.token()
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(installed.gatehold("env", "--kubeconfig").stdout.replace("${GATEHOLD_TOKEN}", token))
    assert f"@127.0.0.1:{installed.proxy_port}" in kubeconfig.read_text()
    assert "proxy-url: https://" in kubeconfig.read_text()
    command = [require("kubectl"), f"--kubeconfig={kubeconfig}", f"--cache-dir={tmp_path}/cache"]
    for arguments in (
        ["get", "pods", "-n", "prod", "-o", "name"],
        ["logs", "-n", "prod", "deployment/web", "--tail=1"],
    ):
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, env=clean_environment(HOME=str(tmp_path)), timeout=60, check=False)  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout


def test_curl_by_what_env_prints(gateway: GatewayProcess) -> None:
    """The environment, and the one thing that curl has no variable for: whom a proxy's certificate may be from."""
    installed = gateway.installed
    exports = installed.gatehold("env").stdout
    script = f'{exports}\ncurl -sS --fail --proxy-cacert "$CURL_CA_BUNDLE" {shlex.quote(CRM)}/customers/1'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, env=clean_environment(GATEHOLD_TOKEN=installed.token()), timeout=60, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert '"id"' in done.stdout


def test_nothing_secret_was_said(gateway: GatewayProcess) -> None:
    """The last test of this module: neither tokens nor credentials in what the gateway printed."""
    assert not [secret for secret in (CRM_TOKEN, CLUSTER_TOKEN, "eyJ") if secret in gateway.output]
