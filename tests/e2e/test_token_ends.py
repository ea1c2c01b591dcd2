"""Law: whatever an agent shows, once it is over or revoked the open tunnel is refused, the open stream is cut, the held
call is answered.

Three kinds: a JWT of an issuer, an API key, and a token of the gateway, which ends with what it was exchanged for.
"""

import base64
import http.client
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from gatehold.identity.exchange.requests import TOKEN_EXCHANGE
from tests.e2e.harness import STANDARD, Installation, installation, running
from tests.e2e.test_approvals import pending

HOST = "crm.corp.example"
PATIENCE = 60.0
KINDS = ("jwt", "key", "exchanged")
SHORT = 20
"""Seconds of a token that ends while it is in use."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A gateway that serves, with holds that outlast every test."""
    with installation(tmp_path_factory.mktemp("ends")) as made:
        made.write("gateway.yaml", (STANDARD / "gateway.yaml").read_text().replace("hold: 2s", "hold: 5m"))
        made.write("policy.yaml", (STANDARD / "policy.yaml").read_text())
        made.gatehold("users", "add", "ada", "--group", "sre")
        with running(made):
            with closing(tunnel(made, made.token("first"))) as connection:
                assert ask(connection, "/customers/1")[0] == 200
            yield made


def shown(installed: Installation, kind: str, subject: str, seconds: int = 3600) -> tuple[str, list[str]]:
    """What the agent shows, and the command that revokes it."""
    if kind == "key":
        options = ["--subject", subject, "--group", "planners", "--ttl", f"{seconds}s", "--json"]
        made = json.loads(installed.gatehold("keys", "create", *options).stdout)
        return made["key"], ["keys", "revoke", made["id"]]
    source = installed.token(subject, ttl=float(seconds))
    if kind == "jwt":
        return source, ["revoke", "--subject", subject]
    form = {"grant_type": TOKEN_EXCHANGE, "subject_token": source}
    form["subject_token_type"] = "urn:ietf:params:oauth:token-type:jwt"
    address = f"http://127.0.0.1:{installed.agent_api_port}/oauth/token"
    answer = httpx2.post(address, data=form, trust_env=False, timeout=30)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"]), ["revoke", "--subject", subject, "--issuer", "corp"]


def tunnel(installed: Installation, token: str) -> http.client.HTTPSConnection:
    """A connection through the proxy, on which many requests are made."""
    context = ssl.create_default_context(cafile=str(installed.ca))
    connection = http.client.HTTPSConnection("127.0.0.1", installed.proxy_port, context=context, timeout=PATIENCE)
    basic = base64.b64encode(f"agent:{token}".encode()).decode()
    connection.set_tunnel(HOST, 443, headers={"Proxy-Authorization": f"Basic {basic}"})
    connection.connect()
    return connection


def ask(connection: http.client.HTTPSConnection, path: str, method: str = "GET") -> tuple[int, bytes]:
    """One request on the same connection."""
    connection.request(method, path)
    answer = connection.getresponse()
    return answer.status, answer.read()


def until_refused(connection: http.client.HTTPSConnection) -> bytes:
    """Ask on the same connection until it is refused; what is told then."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        status, body = ask(connection, "/customers/1")
        if status != 200:
            assert status in (401, 407), body
            return body
    raise AssertionError("it was not refused")


class Stream:
    """Events without end, read in a thread."""

    def __init__(self, installed: Installation, token: str) -> None:
        self.connection = tunnel(installed, token)
        self.connection.request("GET", "/events")
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200
        assert self.answer.readline()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        try:
            while self.answer.readline():
                pass
        except (OSError, http.client.HTTPException):
            return

    def ended(self) -> bool:
        """Was it cut?"""
        self._thread.join(PATIENCE)
        self.connection.close()
        return not self._thread.is_alive()


class Held:
    """A call that waits for a person, in a thread."""

    def __init__(self, installed: Installation, token: str, number: int) -> None:
        self.connection = tunnel(installed, token)
        self.path = f"/customers/{number}"
        self.answer: tuple[int, bytes] = (0, b"")
        self._thread = threading.Thread(target=self._call)
        self._thread.start()

    def _call(self) -> None:
        self.answer = ask(self.connection, self.path, "DELETE")

    def join(self) -> tuple[int, bytes]:
        """What it was answered."""
        self._thread.join(PATIENCE)
        self.connection.close()
        return self.answer


@pytest.mark.parametrize("kind", KINDS)
def test_revoked(installed: Installation, kind: str) -> None:
    """Inside of a tunnel that is kept open, in a stream, and while held, within the patience of a person."""
    token, words = shown(installed, kind, f"leaver-{kind}")
    number = 2 + KINDS.index(kind)
    with closing(tunnel(installed, token)) as connection:
        assert ask(connection, "/customers/1")[0] == 200
        stream, held = Stream(installed, token), Held(installed, token, number)
        pending(installed, held.path)
        installed.gatehold(*words)
        assert stream.ended()
        status, body = held.join()
        assert (status, b"revoked" in body) == (401, True)
        assert b"revoked" in until_refused(connection) or kind == "key"
    other, _ = shown(installed, kind, f"stayer-{kind}")
    with closing(tunnel(installed, other)) as connection:
        assert ask(connection, f"/customers/{number}")[0] == 200


@pytest.mark.parametrize("kind", KINDS)
def test_over(installed: Installation, kind: str) -> None:
    """By its own end: the next call in the tunnel is refused, the stream is cut, the held call is answered then."""
    token, _ = shown(installed, kind, f"passing-{kind}", SHORT)
    number = 6 + KINDS.index(kind)
    with closing(tunnel(installed, token)) as connection:
        assert ask(connection, "/customers/1")[0] == 200
        stream, held = Stream(installed, token), Held(installed, token, number)
        approval = pending(installed, held.path)["id"]
        assert stream.ended()
        assert b"expired" in until_refused(connection)
        status, body = held.join()
        assert (status, b"expired" in body) == (401, True)
        installed.gatehold("approvals", "approve", approval, "--as", "ada", "--reason", "fine")
    other, _ = shown(installed, kind, f"lasting-{kind}")
    with closing(tunnel(installed, other)) as connection:
        assert ask(connection, f"/customers/{number}")[0] == 200


def test_a_key_suspended_for_a_while(installed: Installation) -> None:
    """``revoke --key`` is lifted again; another key of the same agent goes on meanwhile."""
    token, words = shown(installed, "key", "worker")
    other, _ = shown(installed, "key", "worker")
    with closing(tunnel(installed, token)) as connection, closing(tunnel(installed, other)) as beside:
        assert ask(connection, "/customers/1")[0] == 200
        installed.gatehold("revoke", "--key", words[-1])
        assert b"revoked" in until_refused(connection)
        assert ask(beside, "/customers/1")[0] == 200
        installed.gatehold("revoke", "--key", words[-1], "--lift")
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with closing(tunnel(installed, token)) as connection:
                assert ask(connection, "/customers/1")[0] == 200
                return
        except OSError:
            assert time.monotonic() < deadline, "it was not lifted"


def test_everybody_with_a_key(installed: Installation) -> None:
    """The issuer of all keys has a name, by which they are revoked together."""
    token, _ = shown(installed, "key", "one-of-many")
    with closing(tunnel(installed, token)) as connection:
        assert ask(connection, "/customers/1")[0] == 200
        installed.gatehold("revoke", "--issuer", "api-keys", "--for", "1h")
        assert b"revoked" in until_refused(connection)
    installed.gatehold("revoke", "--issuer", "api-keys", "--lift")


def test_a_session_that_is_killed_takes_its_exchanged_tokens(installed: Installation) -> None:
    """They are the same session, and as old as their source."""
    token, _ = shown(installed, "exchanged", "killed")
    with closing(tunnel(installed, token)) as connection:
        assert ask(connection, "/customers/1")[0] == 200
        address = f"http://127.0.0.1:{installed.agent_api_port}/v1/whoami"
        told = httpx2.get(address, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=30).json()
        killed_within(installed, told["session"])
        assert b"session ended" in until_refused(connection).lower() or b"revoked" in until_refused(connection)


def killed_within(installed: Installation, session: str) -> None:
    """Kill a session, once the gateway has written it down."""
    deadline = time.monotonic() + PATIENCE
    while installed.gatehold("sessions", "kill", session, check=False).returncode:
        assert time.monotonic() < deadline, "the session is not known"


def test_files(installed: Installation, tmp_path: Path) -> None:
    """No key is in the data directory."""
    token, _ = shown(installed, "key", "who-reads-files")
    with closing(tunnel(installed, token)) as connection:
        assert ask(connection, "/customers/1")[0] == 200
    secret = token.removeprefix("ghk_").encode()
    for file in installed.data.rglob("*"):
        assert not file.is_file() or secret not in file.read_bytes(), file
