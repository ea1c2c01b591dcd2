"""A gateway, and behind it every kind of server that the clients ask for.

================================ ==========================================================================
crm.corp.example                 customers, whose data is masked; a report that policy refuses
kubernetes.corp.example          a cluster
git., pypi., npm.corp.example    a repository and packages
moved.corp.example               redirects to an address that is no target: ``Canary`` listens there
other.corp.example               redirects to vault.corp.example, a target that no rule allows
================================ ==========================================================================
"""

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gatehold.demo.serving import make_certificate, serve
from tests.clients.canary import Canary, listening
from tests.clients.client import Language
from tests.clients.hosts import HOSTS, hosts
from tests.e2e.harness import BIN, CRM_TOKEN, Installation, free_port, installation, running
from tests.requiring import lacking

CONFIGURATION = Path(__file__).parent / "configuration.yaml"
TARGETS = ("PACKAGES", "REDIRECTING", "VAULT", "MOVED_CLUSTER", "OTHER_CLUSTER")
"""Each has a port of its own: two targets at one address would be one in other words."""
KUBECONFIGS = {"agent": "main", "moved": "moved-cluster", "other": "other-cluster"}
"""Name of a kubeconfig to its target."""
RUNNERS: Mapping[Language, tuple[str, str]] = {
    "sh": ("agent.sh", "bash -e"),
    "python": ("agent.py", str(BIN / "python")),
    "javascript": ("agent.mjs", "node"),
    "java": ("Agent.java", "java"),
}
"""How a program is kept, and what runs it."""
NO_USER = 'for name in HTTPS_PROXY HTTP_PROXY https_proxy http_proxy; do export "$name=http://${!name#*@}"; done; '
"""Takes the agent out of the proxy's address."""
SECONDS = 90
PATH = f"{BIN}:{os.environ['PATH']}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a client printed, and how it ended."""

    code: int
    printed: str
    errors: str

    @property
    def all(self) -> str:
        """Both streams."""
        return f"{self.printed}\n{self.errors}"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that runs."""

    installed: Installation
    canary: Canary
    asked: list[tuple[str, str]]
    """Host and path of what arrived at the hosts of this module."""
    prepared: Path
    """A directory with what ``gatehold env`` printed."""
    tls_config: Path
    """A configuration for ``gatehold env`` whose only way in is the proxy that requires TLS."""

    @property
    def hosts_asked(self) -> set[str]:
        """Those that something arrived at."""
        return {host for host, _ in self.asked}

    def forget(self) -> None:
        """Begin to count anew."""
        self.asked.clear()
        self.installed.customers.received.clear()
        self.installed.cluster.received.clear()
        self.canary.visits = 0

    def run(
        self,
        language: Language,
        program: str,
        directory: Path,
        *,
        token: str | None = "",
        prepared: Path | None = None,
    ) -> Said:
        """Run a program as an agent would: nothing in its environment but what ``gatehold env`` gives.

        ``token=""`` makes one, None has none. ``prepared`` holds what ``prepare`` wrote, if not for the usual way.
        """
        name, runner = RUNNERS[language]
        token = self.installed.token() if token == "" else token
        source = prepared or self.prepared
        for kubeconfig in source.glob("*.kubeconfig"):
            shutil.copy(kubeconfig, directory)
        (directory / name).write_text(program)
        (directory / "agent.token").write_text(token or "none")
        command = f". '{source}/agent.env'; {'' if token or prepared else NO_USER}exec {runner} {name}"
        done = subprocess.run(
            ["bash", "-ec", command],
            cwd=directory,
            env=bare(directory, GATEHOLD_TOKEN=token or "none"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Said(code=done.returncode, printed=done.stdout, errors=done.stderr)


def prepare(
    installed: Installation, directory: Path, *options: str, config: Path | None = None, token_file: bool = True
) -> Path:
    """Write what ``gatehold env`` prints with these options, ``agent.env`` and ``agent.kubeconfig``; the directory."""
    directory.mkdir()
    read = ("--token-file", "agent.token") if token_file else ()
    (directory / "agent.env").write_text(env(installed, *options, config=config))
    _kubeconfig(installed, directory, "agent", *read, *options, config=config)
    return directory


def env(installed: Installation, *options: str, config: Path | None = None) -> str:
    """What ``gatehold env`` prints."""
    command: list[str | Path] = [BIN / "gatehold", "env", "--config", config or installed.config, *options]
    surroundings = bare(installed.directory, CRM_TOKEN=CRM_TOKEN)
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=surroundings).stdout


def _kubeconfig(installed: Installation, directory: Path, name: str, *options: str, config: Path | None = None) -> None:
    text = env(installed, "--kubeconfig", "--target", KUBECONFIGS[name], *options, config=config)
    (directory / f"{name}.kubeconfig").write_text(text)


def bare(home: Path, **more: str) -> dict[str, str]:
    """An environment with programs and a home; this machine's own settings of the clients count for nothing."""
    return {
        "PATH": PATH,
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_RETRIES": "1",
        "UV_NO_CONFIG": "1",
        "UV_HTTP_RETRIES": "0",
        "npm_config_globalconfig": os.devnull,
        "npm_config_update_notifier": "false",
        **more,
    }


def require_programs(names: Iterable[str]) -> None:
    """Skip the test, or fail it, where one is missing on the path of agents."""
    for name in names:
        if shutil.which(name, path=PATH) is None:
            lacking(name, f"{name} is not installed")


@contextmanager
def world(directory: Path) -> Iterator[World]:
    """The whole of it, until the block ends."""
    with ExitStack() as stack:
        canary, asked = stack.enter_context(listening()), list[tuple[str, str]]()
        (directory / "installation").mkdir()
        installed = stack.enter_context(installation(directory / "installation"))
        certificate = make_certificate(directory / "hosts", HOSTS)
        app = hosts(directory, canary, asked)
        ports = {target: str(stack.enter_context(serve(app, certificate=certificate.pair)).port) for target in TARGETS}
        _configure(installed, directory / "tls", {**ports, "HOSTS_CA": str(certificate.authority)})
        stack.enter_context(running(installed))
        prepared = prepare(installed, directory / "prepared")
        for name in ("moved", "other"):
            _kubeconfig(installed, prepared, name, "--token-file", "agent.token")
        yield World(installed=installed, canary=canary, asked=asked, prepared=prepared, tls_config=directory / "tls")


def _configure(installed: Installation, directory: Path, values: Mapping[str, str]) -> None:
    """Write the configuration; and to ``directory`` the part for ``gatehold env`` whose only way in is the proxy with TLS."""
    text = CONFIGURATION.read_text().replace("@DATA@", str(installed.data))
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    plain, tls = "{mode: regular, port: @PROXY@}", f"{{mode: regular, port: {free_port()}, tls: require}}"
    ports = {"main": "@CLUSTER_PROXY@", "moved-cluster": free_port(), "other-cluster": free_port()}
    reverse = [f"{{mode: reverse, port: {port}, target: {target}}}" for target, port in ports.items()]
    installed.write("clients.yaml", text.replace("@LISTENERS@", ", ".join([plain, tls, *reverse])))
    directory.mkdir()
    installed.write(str(directory / "clients.yaml"), text.replace("@LISTENERS@", tls))
