"""Law: a session ends when its rules say, when a person says, and with everything else; what is open in it ends too."""

import dataclasses
import json
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from gatehold.sessions import stopping
from recordings.listing import Row, rows
from tests.e2e.harness import (
    STANDARD,
    Answer,
    GatewayProcess,
    Installation,
    clean_environment,
    free_port,
    running,
)
from tests.e2e.test_approvals import pending

CRM = "https://crm.corp.example"
PATIENCE = 120.0
POLICY = """
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: sessions}
rules:
  - {name: all, effect: allow, agents: {groups: [planners]}, http: {targets: [crm], methods: [GET], paths: ["/**"]}}
  - name: deletes
    effect: allow
    agents: {groups: [planners]}
    http: {targets: [crm], methods: [DELETE], paths: ["/customers/{id}"]}
    approval: {groups: [sre], message: "'delete customer ' + http.params.id"}
  - name: idlers-are-sent-home
    effect: constrain
    agents: {groups: [idlers]}
    http: {targets: [crm]}
    session: {max: 8h, idle: 5s}
  - name: shifts-are-short
    effect: constrain
    agents: {groups: [shifts]}
    http: {targets: [crm]}
    session: {max: 8s}
"""


@pytest.fixture(scope="module")
def gateway(installed: Installation) -> Iterator[GatewayProcess]:
    """A gateway with bounds for two groups, and holds that outlast every test; what its first call waits for is done."""
    configure(installed)
    with running(installed, installed.way) as process:
        assert installed.curl(f"{CRM}/customers/1", token=token_of(installed, "first")).status == 200
        yield process


def configure(installed: Installation, store: str = "") -> None:
    """The standard gateway with rules of its own; ``store``: the URL of one that it shares."""
    text = (STANDARD / "gateway.yaml").read_text().replace("hold: 2s", "hold: 5m")
    more = f'dataDir: ./data\n  store: {{url: "{store}"}}\n' if store else "dataDir: ./data\n"
    for file in installed.config.glob("*.yaml"):
        file.unlink()
    installed.write("gateway.yaml", text.replace("dataDir: ./data\n", more, 1))
    installed.write("policy.yaml", POLICY)


def token_of(installed: Installation, subject: str, *groups: str, **options: Any) -> str:
    """A token of a session of its own."""
    return installed.token(subject, ("planners", *groups), **options)


@contextmanager
def stream(installed: Installation, token: str) -> Iterator[subprocess.Popen[bytes]]:
    """An answer without end, of which the beginning has come."""
    proxy = f"http://agent:{token}@127.0.0.1:{installed.proxy_port}"
    command = ["curl", "-sSN", "--max-time", "120", "--cacert", installed.ca, "--proxy", proxy, f"{CRM}/events"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=clean_environment(), bufsize=0
    )
    try:
        assert process.stdout is not None
        assert process.stdout.read(1)
        yield process
    finally:
        process.kill()
        process.communicate()


class Held:
    """A call that waits for a person, in a thread."""

    def __init__(self, installed: Installation, token: str, path: str) -> None:
        self._answer: Future[Answer] = Future()
        call = lambda: self._answer.set_result(  # noqa: E731 - the thread's one line
            installed.curl(f"{CRM}{path}", "-X", "DELETE", token=token, timeout=300)
        )
        threading.Thread(target=call, daemon=True).start()

    def answer(self) -> Answer:
        """What it was answered."""
        return self._answer.result(PATIENCE)


def get(installed: Installation, token: str) -> Answer:
    """An ordinary call."""
    return installed.curl(f"{CRM}/slow-or-not-there", token=token)


def eventually[T](found: Callable[[], T]) -> T:
    """What there is once it is there."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if seen := found():
            return seen
    raise AssertionError("it did not come to be")


def listed(installed: Installation, subject: str, *options: str) -> list[dict[str, Any]]:
    """The sessions of a subject as the command line tells them."""
    done = installed.gatehold("sessions", "list", "--subject", subject, "--json", *options)
    found: list[dict[str, Any]] = json.loads(done.stdout)["items"]
    return found


def was_refused(answer: Answer, *told: str) -> bool:
    """Was a held call refused in one of these words?"""
    return (answer.status, answer.json["code"]) == (401, "revoked") and answer.json["detail"].startswith(told)


def changes(installed: Installation, entity: str) -> list[Row]:
    """What the journal says of changes of one kind of thing."""
    lines = [row for row in rows(installed.data) if row.kind == "governance"]
    return [row for row in lines if row.raw["event"]["entity"]["type"] == entity]


def ends(installed: Installation, session: str) -> Sequence[Row]:
    """What it says of the end of a session."""
    return [row for row in changes(installed, "session") if row.session == session]


def test_an_idle_session_ends_by_itself(gateway: GatewayProcess, installed: Installation) -> None:
    """With what it has open: a held call is refused, a stream is cut; the record says why, and a new token helps."""
    token = token_of(installed, "idler", "idlers")
    with stream(installed, token) as events:
        held = Held(installed, token, "/customers/31")
        pending(installed, "/customers/31")
        events.communicate(timeout=PATIENCE)
        answer = held.answer()
    assert was_refused(answer, "The session ended: idle for 5s; get a new token.")
    again = get(installed, token)
    assert b"The session ended" in again.body or again.status in {0, 407}
    assert not listed(installed, "idler")
    (session,) = listed(installed, "idler", "--all")
    assert (session["state"], session["why"], session["idle"], session["max"]) == ("ended", "idle for 5s", "5s", "8h")
    assert (session["calls"], session["held"]) == (2, 1)
    (row,) = eventually(lambda: ends(installed, session["session"]))
    assert row.message == "by gatehold, idle for 5s"
    assert get(installed, token_of(installed, "idler", "idlers")).status == 404


def test_a_session_in_use_is_not_idle_and_ends_at_its_time(gateway: GatewayProcess, installed: Installation) -> None:
    """Calls keep one alive; none keeps it beyond its longest time, nor does a renewed token of the same session."""
    sid = {"sid": "shift-1"}
    token = token_of(installed, "worker", "shifts", "idlers", claims=sid)
    began, answer = time.monotonic(), get(installed, token)
    assert answer.status == 404
    while answer.status == 404:
        assert time.monotonic() < began + PATIENCE
        answer = installed.curl(f"{CRM}/none", token=token, timeout=10)
    assert time.monotonic() > began + 5.5
    (session,) = listed(installed, "worker", "--all")
    assert (session["why"], session["max"], session["idle"]) == ("it lasted 8s", "8s", "5s")
    renewed = token_of(installed, "worker", "shifts", "idlers", claims=sid)
    assert get(installed, renewed).status in {0, 401, 407}
    assert get(installed, token_of(installed, "worker", "shifts")).status == 404


def test_a_session_that_is_killed(gateway: GatewayProcess, installed: Installation) -> None:
    """Everything of it ends, other sessions of its agent too, and tokens from before; other agents go on."""
    token, other = token_of(installed, "rogue"), token_of(installed, "rogue")
    assert get(installed, other).status == 404
    with stream(installed, token) as events, stream(installed, token_of(installed, "decent")) as decent:
        held = Held(installed, token, "/customers/32")
        pending(installed, "/customers/32")
        found = eventually(lambda: [each for each in listed(installed, "rogue") if each["held"]])
        session = found[0]["session"]
        done = installed.gatehold("sessions", "kill", session, "--reason", "it went astray", "--for", "1s", "--json")
        (killed,) = json.loads(done.stdout)["items"]
        assert (killed["session"], killed["agent"]["subject"]) == (session, "rogue")
        events.communicate(timeout=PATIENCE)
        answer = held.answer()
        assert was_refused(answer, "The session ended: an operator ended it; get a new token.", "Access was revoked")
        assert get(installed, other).status in {0, 401, 407}
        assert decent.poll() is None
    (row,) = eventually(lambda: ends(installed, session))
    assert row.message.endswith(", it went astray")
    eventually(lambda: get(installed, token_of(installed, "rogue")).status == 404)
    assert get(installed, token).status in {0, 401, 407}
    missing = installed.gatehold("sessions", "kill", "nobody", check=False)
    assert (missing.returncode, "no session is named" in missing.stderr) == (1, True)


def test_the_file_that_stops_everything(gateway: GatewayProcess, installed: Installation) -> None:
    """Calls are refused, what is held and open ends; without the file everybody is served again."""
    token, file = token_of(installed, "anyone"), installed.data / stopping.FILE_NAME
    with stream(installed, token) as events:
        held = Held(installed, token, "/customers/33")
        pending(installed, "/customers/33")
        file.touch()
        events.communicate(timeout=PATIENCE)
        answer = held.answer()
    assert (answer.status, answer.json["detail"]) == (401, "Everything was stopped by the gateway's operators.")
    assert get(installed, token_of(installed, "another")).status in {0, 401, 407}
    file.unlink()
    eventually(lambda: get(installed, token).status == 404)
    told = ["by gatehold, everything is refused", "by gatehold, agents are served again"]
    eventually(lambda: [row.message for row in changes(installed, "Emergency stop")][-2:] == told)


def test_the_signal_that_stops_everything(gateway: GatewayProcess, installed: Installation) -> None:
    """It leaves the file behind, by which it is lifted."""
    token, file = token_of(installed, "anyone"), installed.data / stopping.FILE_NAME
    assert get(installed, token).status == 404
    gateway.process.send_signal(signal.SIGRTMIN)
    eventually(file.exists)
    assert get(installed, token).status in {0, 401, 407}
    file.unlink()
    eventually(lambda: get(installed, token).status == 404)


@pytest.fixture
def pair(tmp_path: Path, installed: Installation, gateway: GatewayProcess) -> Iterator[Installation]:
    """A second gateway, with a data directory of its own and the store of the first."""
    shutil.copytree(installed.directory / "keys", tmp_path / "keys")
    shutil.copy(installed.cluster_token, tmp_path / "cluster.token")
    (tmp_path / "config").mkdir()
    ports = ("proxy_port", "cluster_proxy_port", "reverse_port", "agent_api_port", "console_port")
    second = dataclasses.replace(installed, directory=tmp_path, **{name: free_port() for name in ports})
    configure(second, f"sqlite:///{installed.data / 'gatehold.db'}")
    other = {"run": "bundle", "bundle": "run"}[installed.way]
    with running(second, other):
        yield second


def test_two_gateways_on_one_store(installed: Installation, pair: Installation) -> None:
    """A session lives in both: used through one it is idle in none; what ends it ends it in both."""
    token = token_of(installed, "commuter", "idlers")
    assert get(installed, token).status == 404
    began = time.monotonic()
    while time.monotonic() < began + 9:  # longer than it may be idle
        assert get(pair, token).status == 404
    assert get(installed, token).status == 404
    (session,) = listed(installed, "commuter", "--all")
    assert session["calls"] >= 3
    free = token_of(installed, "traveller")
    with ExitStack() as stack:
        events = stack.enter_context(stream(pair, free))
        held = Held(installed, free, "/customers/34")
        pending(installed, "/customers/34")
        (found,) = eventually(lambda: [each for each in listed(installed, "traveller") if each["held"]])
        installed.gatehold("sessions", "kill", found["session"])
        events.communicate(timeout=PATIENCE)
        assert was_refused(held.answer(), "The session ended", "Access was revoked")
    for each in (installed, pair):
        assert get(each, free).status in {0, 401, 407}
    eventually(lambda: listed(installed, "commuter", "--all")[0]["state"] == "ended")
    for each in (installed, pair):
        assert get(each, token).status in {0, 401, 407}
