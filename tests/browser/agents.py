"""Agents that wait: real clients in processes of their own, while a browser is looked at."""

import json
import os
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.e2e.harness import Answer, Installation, clean_environment, require

CRM: Final = "https://crm.corp.example"
SECONDS: Final = 30
"""A client that is not answered in this time is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One client that runs."""

    process: subprocess.Popen[bytes]

    @property
    def is_over(self) -> bool:
        """Has it ended?"""
        return self.process.poll() is not None

    def printed(self) -> tuple[int, str, str]:
        """Wait for its end: exit code, output, errors. Raises ``subprocess.TimeoutExpired``."""
        out, err = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, out.decode(), err.decode()

    def answer(self) -> Answer:
        """The same of a curl."""
        out, err = self.process.communicate(timeout=SECONDS)
        return Answer.parse(out, self.process.returncode, err.decode())


@dataclass(slots=True, kw_only=True)
class Agents:
    """Those of one test; what still waits when it ends is ended with it."""

    installed: Installation
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _tokens: dict[str, str] = field(default_factory=dict)

    def token(self, subject: str = "planner-1") -> str:
        """The one token that this agent uses: all its calls are of one session."""
        return self._tokens.setdefault(subject, self.installed.token(subject))

    def curl(self, path: str, *options: str, subject: str = "planner-1") -> Asking:
        """A call to the customers' API through the proxy."""
        token = self.token(subject)
        command = ["curl", "-sS", "-i", "--max-time", "60", "--cacert", self.installed.ca, "--path-as-is", "-g",
                   "--proxy", f"http://agent:{token}@127.0.0.1:{self.installed.proxy_port}",
                   "--suppress-connect-headers", *options, f"{CRM}{path}"]  # fmt: skip
        return self._start(command)

    def send(self, path: str, body: object, *, method: str = "PUT", subject: str = "planner-1") -> Asking:
        """A call with a JSON body."""
        told = json.dumps(body, ensure_ascii=False)
        options = ("-X", method, "-H", "Content-Type: application/json", "--data-binary", told)
        return self.curl(path, *options, subject=subject)

    def delete(self, customer: int, subject: str = "planner-1") -> Asking:
        """The call that is always asked about."""
        return self.curl(f"/customers/{customer}", "-X", "DELETE", subject=subject)

    def kubectl(self, *words: str) -> Asking:
        """A real kubectl, whose server is the gateway."""
        kubeconfig = self.installed.kubeconfig(
            f"https://127.0.0.1:{self.installed.cluster_proxy_port}", token=self.token()
        )
        return self._start([require("kubectl"), "--kubeconfig", kubeconfig, *words])

    def end(self) -> None:
        """End those that still wait."""
        with ExitStack() as stack:
            for process in self._running:
                stack.enter_context(process)
                if process.poll() is None:
                    process.kill()

    def _start(self, command: Sequence[str | Path]) -> Asking:
        environment = clean_environment(HOME=os.fspath(self.installed.directory))
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        self._running.append(process)
        return Asking(process=process)
