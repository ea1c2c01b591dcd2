"""Programs that a demonstration runs: the gateway as long as it lasts, clients and commands for a moment."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Final

from gatehold.demo.site import HOST, Site

READY: Final = "gatehold: ready"
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 15.0
CLIENT_SECONDS: Final = 60.0
"""A call that is held answers within 50."""

_OTHERS = ("proxy", "curl_", "ssl_cert", "kubeconfig", "pythonpath")
"""Parts of the names of variables that would lead clients elsewhere."""


class NotStarted(Exception):
    """The gateway ended, or did not become ready; its output is the message."""


def program(name: str) -> str:
    """A program that was installed along with this package."""
    return str(Path(sys.executable).with_name(name))


def proxy_address(site: Site) -> str:
    """Value of HTTPS_PROXY for the agent."""
    return f"http://agent:{site.token}@{HOST}:{site.ports.proxy}"


def plain_environment(**more: str) -> dict[str, str]:
    """This process's environment without what points clients to other proxies, certificates or clusters."""
    kept = {key: value for key, value in os.environ.items() if not any(part in key.lower() for part in _OTHERS)}
    return {**kept, **more}


def agent_environment(site: Site) -> Mapping[str, str]:
    """The agent's environment: the same variables that people are told to export, and a home of its own."""
    home = site.directory / "agent-home"
    home.mkdir(exist_ok=True)
    return plain_environment(
        HOME=str(home), HTTPS_PROXY=proxy_address(site), CURL_CA_BUNDLE=str(site.ca), KUBECONFIG=str(site.kubeconfig)
    )


def start(command: Sequence[str], site: Site) -> subprocess.Popen[str]:
    """Start a client as the agent."""
    return subprocess.Popen(  # noqa: S603 - what the demonstration shows
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=agent_environment(site)
    )


def finish(process: subprocess.Popen[str], seconds: float = CLIENT_SECONDS) -> subprocess.CompletedProcess[str]:
    """Wait for it; it is ended where that takes too long. Raises ``subprocess.TimeoutExpired``."""
    try:
        out, err = process.communicate(timeout=seconds)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def run(command: Sequence[str], site: Site) -> subprocess.CompletedProcess[str]:
    """Run a client as the agent."""
    return finish(start(command, site))


def gatehold(site: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the command line on the site's configuration, as its operator."""
    command = [program("gatehold"), *arguments, "--config", str(site.config)]
    return subprocess.run(  # noqa: S603 - our own program
        command, capture_output=True, text=True, check=False, timeout=CLIENT_SECONDS, env=plain_environment()
    )


class GatewayProcess:
    """``gatehold run`` on a site's configuration."""

    def __init__(self, site: Site) -> None:
        self._echo = False
        self._ready = Event()
        self._lines: list[str] = []
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [program("gatehold"), "run", "--config", str(site.config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            env=plain_environment(PYTHONUNBUFFERED="1"),
            start_new_session=True,  # a Ctrl-C is ours: the gateway ends before its upstreams do
        )
        self._reader = Thread(target=self._read, name="gateway-output", daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return "".join(self._lines)

    def wait_ready(self) -> None:
        """Wait until it serves. Raises ``NotStarted``."""
        self._ready.wait(START_SECONDS)
        if READY not in self.output:
            raise NotStarted(self.output.strip() or f"no answer within {START_SECONDS:.0f} seconds")

    def follow(self) -> int:
        """Print what it says from now on, until it ends; returns its exit code."""
        self._echo = True
        return self._process.wait()

    def stop(self) -> None:
        """End it, if need be by force."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(STOP_SECONDS)
        if self._process.stdout:
            self._process.stdout.close()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._lines.append(line)
            if READY in line:
                self._ready.set()
            if self._echo:
                sys.stderr.write(line)
        self._ready.set()


@contextmanager
def gateway(site: Site) -> Iterator[GatewayProcess]:
    """A gateway that serves until the block ends."""
    process = GatewayProcess(site)
    try:
        process.wait_ready()
        yield process
    finally:
        process.stop()
