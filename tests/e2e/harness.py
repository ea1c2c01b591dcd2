"""A whole installation for tests: upstreams in threads, a configuration in a directory, a real gateway process, real clients."""

import contextlib
import itertools
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gatehold.demo.customers import CustomersApi
from gatehold.demo.kubernetes.app import kubernetes_app
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.serving import ServerCertificate, make_certificate, serve
from gatehold.identity.keys import keygen
from gatehold.identity.tokens import issue

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
STANDARD = Path(__file__).parent / "configuration"
CRM_TOKEN = "crm-planted-credential-5f2a91"
CLUSTER_TOKEN = "cluster-planted-credential-81c4be"
ISSUER = "https://idp.test"
READY = re.compile(r"gatehold: ready")
START_SECONDS = 60
SHELLS_SINCE = 30
"""Minor version of the first kubectl that opens shells over WebSocket."""
NAMES = ("crm.corp.example", "open.corp.example", "kubernetes.corp.example", "localhost", "127.0.0.1")
ONE_PROXY = """
apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {name: default}
spec:
  dataDir: ./data
  agentApi: {host: 127.0.0.1, port: @AGENT_API@}
  console: {host: 127.0.0.1, port: @CONSOLE@}
  listen: [{mode: regular, host: 127.0.0.1, port: @PROXY@}]
  identity:
    issuers:
      - {name: corp, issuer: "https://idp.test", audience: gatehold, jwks: {file: "@JWKS@"}, algorithms: [EdDSA]}
"""
"""A gateway with one forward proxy and the keys of an installation; what it governs is for its user to add."""


_LOWEST_PORT, _PORTS = 10_000, 20_000
"""Below those that the system gives to connections, which would take one between its choice and its use."""
_turn = itertools.count(secrets.randbelow(_PORTS))


def free_port() -> int:
    """A port that nobody listens on now, and that this process was not given before."""
    while True:
        port = _LOWEST_PORT + next(_turn) % _PORTS
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@dataclass(slots=True, kw_only=True)
class Installation:
    """Files and upstreams of one gateway."""

    directory: Path
    customers: CustomersApi
    customers_port: int
    cluster: Cluster
    cluster_port: int
    certificate: ServerCertificate
    way: str = "run"
    """How its gateway is started; a key of ``COMMANDS``."""
    proxy_port: int = field(default_factory=free_port)
    cluster_proxy_port: int = field(default_factory=free_port)
    reverse_port: int = field(default_factory=free_port)
    agent_api_port: int = field(default_factory=free_port)
    console_port: int = field(default_factory=free_port)

    @property
    def config(self) -> Path:
        """The configuration directory."""
        return self.directory / "config"

    @property
    def data(self) -> Path:
        """The gateway's data directory."""
        return self.config / "data"

    @property
    def ca(self) -> Path:
        """The certificate that agents trust."""
        return self.data / "ca" / "ca.pem"

    @property
    def cluster_token(self) -> Path:
        """The file with the cluster's credential."""
        return self.directory / "cluster.token"

    def kubeconfig(self, server: str, *, token: str = "", proxy: str = "") -> Path:
        """A kubeconfig that trusts the gateway."""
        cluster = {"server": server, "certificate-authority": str(self.ca)} | ({"proxy-url": proxy} if proxy else {})
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "it",
            "clusters": [{"name": "it", "cluster": cluster}],
            "users": [{"name": "agent", "user": {"token": token} if token else {}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "agent", "namespace": "prod"}}],
        }
        path = self.directory / f"kubeconfig-{secrets.token_hex(4)}.json"
        path.write_text(json.dumps(document))
        return path

    def token(self, subject: str = "planner-1", groups: Sequence[str] = ("planners",), **options: Any) -> str:
        """A token of the configured issuer."""
        options = {"issuer": ISSUER, "audience": "gatehold", "ttl": 3600.0} | options
        return issue(self.directory / "keys" / "private.pem", subject=subject, groups=list(groups), **options)

    def write(self, name: str, text: str) -> None:
        """Write one file of the configuration; ``@NAME@`` stands for the ports and paths of this installation."""
        values = {
            "PROXY": self.proxy_port, "REVERSE": self.reverse_port, "CONSOLE": self.console_port,
            "AGENT_API": self.agent_api_port, "CUSTOMERS": self.customers_port, "CLOSED": free_port(),
            "CLUSTER": self.cluster_port, "CLUSTER_PROXY": self.cluster_proxy_port, "CLUSTER_TOKEN": self.cluster_token,
            "CA": self.certificate.authority, "JWKS": self.directory / "keys" / "jwks.json",
        }  # fmt: skip
        for key, value in values.items():
            text = text.replace(f"@{key}@", str(value))
        (self.config / name).write_text(text)

    def configure(self, *, hold: str = "2s") -> None:
        """Write the standard configuration: customers and a cluster, with rules for both."""
        for file in sorted(STANDARD.glob("*.yaml")):
            self.write(file.name, file.read_text().replace("hold: 2s", f"hold: {hold}"))

    def gatehold(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of the command line on this configuration."""
        command = [BIN / "gatehold", *arguments, "--config", self.config]
        environment = {**os.environ, "CRM_TOKEN": CRM_TOKEN}
        return subprocess.run(command, capture_output=True, text=True, check=check, timeout=60, env=environment)

    def curl(self, url: str, *options: str, token: str | None = "", timeout: int = 30) -> "Answer":
        """A call by real curl through the proxy; ``token=""`` makes one, None sends none."""
        token = self.token() if token == "" else token
        user = f"agent:{token}@" if token else ""
        command = ["curl", "-sS", "-i", "--max-time", str(timeout), "--cacert", self.ca, "--path-as-is",
                   "--proxy", f"http://{user}127.0.0.1:{self.proxy_port}", "--suppress-connect-headers", *options, url]  # fmt: skip
        done = subprocess.run(command, capture_output=True, timeout=timeout + 10, env=clean_environment(), check=False)
        return Answer.parse(done.stdout, done.returncode, done.stderr.decode())


def clean_environment(**more: str) -> dict[str, str]:
    """An environment without proxies of its own."""
    kept = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    return {**kept, **more}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What curl got."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    exit_code: int = 0
    errors: str = ""

    @classmethod
    def parse(cls, raw: bytes, exit_code: int, errors: str) -> "Answer":
        """Read ``curl -i`` output; status 0 where there was no answer."""
        head, _, body = raw.partition(b"\r\n\r\n")
        while head.startswith((b"HTTP/1.1 100", b"HTTP/1.1 200 Connection")):
            head, _, body = body.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        match = re.match(r"HTTP/[\d.]+ (\d+)", lines[0])
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        return cls(status=int(match[1]) if match else 0, headers=headers, body=body, exit_code=exit_code, errors=errors)

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@contextmanager
def installation(directory: Path, *, event_interval: float = 0.05) -> Iterator[Installation]:
    """Upstreams that run, keys that were made, an empty configuration directory."""
    with ExitStack() as stack:
        customers = CustomersApi(credential=CRM_TOKEN, event_interval=event_interval)
        certificate = make_certificate(directory / "upstream", NAMES)
        crm = stack.enter_context(serve(customers.app(), certificate=certificate.pair))
        cluster = Cluster(token=CLUSTER_TOKEN, settle=0.02, log_interval=0.05, bookmark_interval=5.0)
        api = stack.enter_context(serve(kubernetes_app(cluster), certificate=certificate.pair))
        (directory / "cluster.token").write_text(CLUSTER_TOKEN)
        (directory / "config").mkdir()
        keygen(directory / "keys")
        yield Installation(
            directory=directory,
            customers=customers,
            customers_port=crm.port,
            cluster=cluster,
            cluster_port=api.port,
            certificate=certificate,
        )


class GatewayProcess:
    """A gateway that runs as a process of its own."""

    def __init__(self, installed: Installation, command: Sequence[str | Path]) -> None:
        self.installed = installed
        self._ready = threading.Event()
        self._lines: list[str] = []
        environment = clean_environment(CRM_TOKEN=CRM_TOKEN, HOME=str(installed.directory), PYTHONUNBUFFERED="1")
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, env=environment
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        """What the process has printed so far."""
        return "".join(self._lines)

    def wait_ready(self) -> None:
        """Wait until it serves; raises AssertionError with its output where it ended instead."""
        self._ready.wait(START_SECONDS)
        if self.process.poll() is not None or not READY.search(self.output):
            raise AssertionError(f"the gateway did not start:\n{self.output}")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(timeout=30)
        self._reader.join(timeout=10)
        if self.process.stdout:
            self.process.stdout.close()
        return code

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self._lines.append(line)
            if READY.search(line):
                self._ready.set()
        self._ready.set()


COMMANDS: Mapping[str, Sequence[str]] = {
    "run": (str(BIN / "gatehold"), "run", "--config"),
    "bundle": (str(BIN / "mitmdump"), "-s", str(ROOT / "addons" / "bundle.py"), "--set"),
}


def command_line(way: str, config: Path) -> list[str | Path]:
    """How a gateway is started, by either of the two ways."""
    return [*COMMANDS[way], config if way == "run" else f"gatehold_config={config}"]


@contextmanager
def running(installed: Installation, way: str = "run", *options: str) -> Iterator[GatewayProcess]:
    """A gateway process that serves, until the block ends."""
    process = GatewayProcess(installed, [*command_line(way, installed.config), *options])
    try:
        process.wait_ready()
        yield process
    finally:
        process.stop()


def require(tool: str) -> str:
    """The path of a program; skips the test where it is missing, unless it is required."""
    from tests.requiring import lacking

    found = shutil.which(tool)
    if found is None:
        lacking(tool, f"{tool} is not installed")
    return found


def kubectl_with_shells() -> str:
    """The path of a kubectl whose exec speaks WebSocket; skips the test where there is only an older one."""
    import pytest

    path = require("kubectl")
    version = json.loads(subprocess.check_output([path, "version", "--client", "-o", "json"], timeout=60))
    minor = int(re.sub(r"\D.*", "", version["clientVersion"]["minor"]))
    if minor < SHELLS_SINCE:
        pytest.skip(f"kubectl 1.{SHELLS_SINCE} or later is needed for exec over WebSocket, this is 1.{minor}")
    return path
