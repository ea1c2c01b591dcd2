"""Law: whoever is revoked is out: open shells, watches and logs end, held calls are refused, and the record says so."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from recordings.listing import Row, rows
from tests.e2e.harness import GatewayProcess, Installation, installation, require, running
from tests.e2e.test_approvals import pending
from tests.e2e.test_exec import GATEWAY, masked_cat, path, pod
from tests.e2e.test_kubernetes import Kubectl
from tests.e2e.web_socket_client import Client, request

HELD = """
---
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: deletes}
rules:
  - name: everybody-deletes-pods
    effect: allow
    kubernetes: {targets: [main], namespaces: ["*"], apiGroups: [""], resources: [pods], verbs: [delete]}
  - name: deletes-are-held
    effect: constrain
    kubernetes: {targets: [main], namespaces: ["*"], apiGroups: [""], resources: [pods], verbs: [delete]}
    approval: {groups: [sre], message: "'delete ' + k8s.name"}
"""
WAYS = ("subject", "session", "issuer", "all")
PATIENCE = 60.0


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installation]:
    """A cluster, shells in it, and deletes that wait for a person."""
    with installation(tmp_path) as made:
        made.write("all.yaml", GATEWAY + HELD)
        yield made


@pytest.fixture
def gateway(installed: Installation) -> Iterator[GatewayProcess]:
    """A gateway that serves."""
    with running(installed) as process:
        yield process


class Held:
    """A call that waits for an approval, in a thread."""

    def __init__(self, installed: Installation, token: str) -> None:
        self.path = f"/api/v1/namespaces/prod/pods/{pod(installed, 'prod')}"
        self.answer = b""
        self._thread = threading.Thread(target=self._call, args=(installed, token))
        self._thread.start()

    def _call(self, installed: Installation, token: str) -> None:
        with request(installed, self.path, token=token, method="DELETE", upgrade="") as client:
            self.answer = client.head.split(b"\r\n")[0] + client.body

    def join(self) -> bytes:
        """What it was answered."""
        self._thread.join(PATIENCE)
        return self.answer


def eventually(found: Callable[[], list[Row]]) -> list[Row]:
    """Lines of the journal, once there are any."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if lines := found():
            return lines
    raise AssertionError("it was not recorded")


def cuts(installed: Installation, decision: str) -> list[Row]:
    """What the journal says of the end of one stream."""
    lines = [row for row in rows(installed.data) if row.kind == "governance" and row.decision == decision]
    return [row for row in lines if "revoked" in row.message]


def shell(installed: Installation, token: str) -> Client:
    """An open one."""
    client = request(installed, path(installed, "prod", "cat", stdin="true"), token=token)
    assert client.next() == (1, b"")
    return client


@pytest.mark.parametrize("way", WAYS)
def test_everything_of_the_revoked_ends(gateway: GatewayProcess, installed: Installation, way: str) -> None:
    """By each way to name them; lifted, they are let in again."""
    subject = f"leaver-{way}"
    token = installed.token(subject)
    kubectl = Kubectl(installed, "reverse", require("kubectl"), token)
    before = len(revocations(installed))
    with ExitStack() as stack:
        client = stack.enter_context(shell(installed, token))
        watch = stack.enter_context(kubectl.start("get", "pods", "-w", "-n", "prod"))
        log = stack.enter_context(kubectl.start("logs", "-f", pod(installed, "prod"), "-n", "prod"))
        for stream in (watch, log):
            assert stream.stdout is not None
            assert stream.stdout.readline()
        held = Held(installed, token)
        pending(installed, held.path)
        installed.cluster.received.clear()
        words = named(installed, way, subject)
        installed.gatehold("revoke", *words)
        assert b"revoked" in client.output(3)
        assert client.close_code == 1008
        ended(watch)
        ended(log)
        assert b"401" in held.join()
        assert b"revoked" in held.answer
        assert not [each for each in installed.cluster.received if each.method == "DELETE"]
    assert eventually(lambda: cuts(installed, client.decision))
    assert eventually(lambda: revocations(installed)[before:])
    status, told = version(installed, token)
    assert (status, b"revoked" in told) == (401, True)
    installed.gatehold("revoke", *words, "--lift")
    deadline = time.monotonic() + PATIENCE
    while version(installed, token)[0] != 200:
        assert time.monotonic() < deadline, "the revocation was not lifted"
    with masked_cat(installed, subject="who-stays") as other:
        assert other.status == 101


def named(installed: Installation, way: str, subject: str) -> list[str]:
    """The options that name an agent in one of the ways; its session is the one that it has recordings of."""
    if way == "session":
        listed = json.loads(installed.gatehold("recordings", "list", "--agent", subject, "--json").stdout)["items"]
        return ["--session", str(listed[0]["session"])]
    return {"subject": ["--subject", subject], "issuer": ["--issuer", "corp"], "all": ["--all"]}[way]


def ended(stream: subprocess.Popen[str]) -> None:
    """A kubectl whose stream was cut ends, or asks again and is refused."""
    stream.communicate(timeout=PATIENCE)


def version(installed: Installation, token: str) -> tuple[int, bytes]:
    """An ordinary call."""
    with request(installed, "/version", token=token, upgrade="") as client:
        return client.status, client.body


def revocations(installed: Installation) -> list[Row]:
    """What the journal says of revocations themselves."""
    lines = [row for row in rows(installed.data) if row.kind == "governance" and not row.decision]
    return [row for row in lines if "revo" in json.dumps(row.raw).lower()]
