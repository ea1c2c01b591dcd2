"""Law: sessions are listed as they stand, and one that is killed is over, with words that say from when on tokens count."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gatehold.cli.revoke import app as revoke
from gatehold.cli.sessions import app
from gatehold.sessions import rows
from gatehold.sessions.limits import Bounds
from gatehold.sessions.rows import AgentSession
from gatehold.store import open_store
from policy.model import SessionId

GATEWAY = """
apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {name: default}
spec:
  dataDir: ./data
  listen: [{mode: regular, host: 127.0.0.1, port: 8080}]
  identity:
    issuers:
      - {name: corp, issuer: "https://idp.test", audience: gatehold, jwks: {file: j.json}, algorithms: [EdDSA], maxAge: 1h}
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "gateway.yaml").write_text(GATEWAY)
    now = time.time()
    with open_store("sqlite", tmp_path / "data") as store, store.writing() as connection:
        seen = [
            _session("s1", "planner\x1b", now, Bounds(longest=28800.0, idle=1800.0)),
            _session("s2", "reader", now - 60, Bounds()),
            _session("s3", "reader", now - 120, Bounds()),
        ]
        rows.add(connection, seen)
        rows.end(connection, seen[2].key, "idle for 30m", by="gatehold", now=now)
    return str(tmp_path)


def _session(name: str, subject: str, seen: float, bounds: Bounds) -> AgentSession:
    return AgentSession(
        issuer="corp",
        subject=subject,
        session=SessionId(name),
        groups=("planners",),
        started=seen - 3600,
        seen=seen,
        calls=7,
        held=2,
        token_expires=seen + 7200,
        bounds=bounds,
    )


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.output


def listed(config: str, *options: str) -> list[dict[str, Any]]:
    code, output = run("list", "--json", *options, "--config", config)
    assert code == 0
    items: list[dict[str, Any]] = json.loads(output)["items"]
    return items


def test_what_is_listed(config: str) -> None:
    """Those that go on, the last seen first; all, or those of one subject, on demand."""
    assert [each["session"] for each in listed(config)] == ["s1", "s2"]
    assert [(each["session"], each["state"]) for each in listed(config, "--subject", "reader", "--all")] == [
        ("s2", "active"),
        ("s3", "ended"),
    ]
    first = listed(config)[0]
    assert first["agent"] == {"issuer": "corp", "subject": "planner\x1b", "groups": ["planners"]}
    assert (first["max"], first["idle"], first["calls"], first["held"], first["ended"]) == ("8h", "30m", 7, 2, None)
    assert first["ends"] < first["tokenExpires"]
    code, table = run("list", "--config", config)
    assert code == 0
    assert "planner<U+001B> of corp" in table
    assert "29m" in table


def test_revoked_ones_are_shown_as_such(config: str) -> None:
    """By whatever names them."""
    CliRunner().invoke(revoke, ["--subject", "reader", "--config", config])
    assert [(each["session"], each["state"]) for each in listed(config)] == [("s1", "active"), ("s2", "revoked")]


def test_kill(config: str) -> None:
    """The session is over; tokens from before a moment do not count, as long as there can be any."""
    code, output = run("kill", "s2", "--reason", "astray", "--for", "10s", "--json", "--config", config)
    (item,) = json.loads(output)["items"]
    assert (code, item["session"], item["agent"]["subject"]) == (0, "s2", "reader")
    assert item["issuedBefore"] < item["until"]
    assert [each["session"] for each in listed(config)] == ["s1"]
    assert [each["why"] for each in listed(config, "--all") if each["session"] == "s2"] == ["an operator ended it"]
    lifted = CliRunner().invoke(revoke, ["--subject", "reader", "--lift", "--config", config]).output
    assert "lifted subject reader of issuer corp with tokens from before" in lifted


def test_kill_in_words(config: str) -> None:
    """What an agent wrote is made visible."""
    code, output = run("kill", "s1", "--config", config)
    assert code == 0
    assert output.startswith("s1: ended; tokens of planner<U+001B> of corp that were issued before 20")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["kill", "s9"], 1, "gatehold: no session is named 's9'"),
        (["kill", "s1", "--for", "soon"], 2, "gatehold: --for: 'soon' is not a duration"),
    ],
)
def test_what_cannot_be_killed(config: str, words: list[str], code: int, told: str) -> None:
    """Nothing is changed, and it is said why."""
    found, output = run(*words, "--config", config)
    assert (found, output.startswith(told)) == (code, True)
    assert len(listed(config)) == 2
