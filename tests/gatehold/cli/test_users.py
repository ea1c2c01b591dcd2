import json
import re

import pytest
from typer.testing import CliRunner

from gatehold.cli.users import app


def test_users_come_and_go(config: str) -> None:
    """Add with groups, list as JSON and for people, remove."""
    run = CliRunner().invoke
    assert (
        run(app, ["add", "alice", "--group", "sre", "--group", "dba", "--config", config]).output == "alice: dba, sre\n"
    )
    assert run(app, ["add", "bob", "--config", config]).output == "bob: no groups\n"
    assert run(app, ["add", "bob", "--group", "sre", "--config", config]).output == "bob: sre\n"
    assert json.loads(run(app, ["list", "--json", "--config", config]).output) == {
        "items": [
            {"name": "alice", "groups": ["dba", "sre"], "login": None},
            {"name": "bob", "groups": ["sre"], "login": None},
        ]
    }
    assert run(app, ["list", "--config", config]).output.split() == [
        "NAME",
        "GROUPS",
        "LOGIN",
        "alice",
        "dba,",
        "sre",
        "none",
        "bob",
        "sre",
        "none",
    ]
    assert run(app, ["remove", "alice", "--config", config]).output == "alice removed\n"
    assert [user["name"] for user in json.loads(run(app, ["list", "--json", "--config", config]).output)["items"]] == [
        "bob"
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["remove", "nobody"], "no user is named 'nobody'"),
        (["add", ""], "is no user name"),
        (["add", "a\x1b[31m"], r"'a\x1b[31m' is no user name"),
        (["add", "alice", "--group", "a\u202eb"], r"'a\u202eb' is no group name"),
    ],
)
def test_what_cannot_be_done_is_said(config: str, arguments: list[str], message: str) -> None:
    """Exit 1, one line on standard error, nothing on standard output."""
    result = CliRunner().invoke(app, [*arguments, "--config", config])
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [["add"], ["add", "alice", "--config", "/nowhere"], ["list"], ["fly"]])
def test_wrong_usage(arguments: list[str]) -> None:
    """Exit 2."""
    assert CliRunner().invoke(app, arguments).exit_code == 2


def test_passwords(config: str) -> None:
    """From standard input or typed twice; never shown; weak ones are refused."""
    run = CliRunner().invoke
    run(app, ["add", "alice", "--config", config])
    done = run(app, ["password", "alice", "--stdin", "--config", config], input="correct horse battery\n")
    assert (done.exit_code, done.output) == (0, "alice has a new password; their sessions ended\n")
    typed = "another long password\n" * 2
    done = run(app, ["password", "alice", "--config", config], input=typed)
    assert done.exit_code == 0
    assert "another" not in done.output
    weak = run(app, ["password", "alice", "--stdin", "--config", config], input="short\n")
    assert (weak.exit_code, weak.stderr) == (1, "gatehold: a password has at least 12 characters\n")
    assert '"login": "password"' in run(app, ["list", "--json", "--config", config]).output


def test_tokens(config: str) -> None:
    """Alone on standard output, once; then only whose and what for; until revoked."""
    run = CliRunner().invoke
    run(app, ["add", "alice", "--config", config])
    made = run(app, ["token", "alice", "--label", "pager bot", "--ttl", "30d", "--config", config])
    assert re.fullmatch(r"ghu_[\w-]{43}\n", made.output)
    listed = run(app, ["tokens", "alice", "--json", "--config", config]).output
    assert made.output.strip() not in listed
    (item,) = json.loads(listed)["items"]
    assert (item["user"], item["label"], item["lastUsed"]) == ("alice", "pager bot", None)
    assert "pager bot" in run(app, ["tokens", "--config", config]).output
    gone = run(app, ["revoke-token", item["id"], "--config", config])
    assert gone.output == f"{item['id']} of alice revoked\n"
    assert json.loads(run(app, ["tokens", "--json", "--config", config]).output) == {"items": []}
    assert run(app, ["revoke-token", item["id"], "--config", config]).exit_code == 1
    assert run(app, ["token", "alice", "--label", "x", "--ttl", "soon", "--config", config]).exit_code == 2
    assert run(app, ["token", "alice", "--label", "x", "--ttl", "900d", "--config", config]).exit_code == 1


def test_signing_somebody_out(config: str) -> None:
    """However many sessions there are."""
    run = CliRunner().invoke
    run(app, ["add", "alice", "--config", config])
    assert run(app, ["sign-out", "alice", "--config", config]).output == "alice: 0 sessions ended\n"
