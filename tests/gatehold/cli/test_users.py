import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gatehold.cli.users import app

GATEWAY = """
apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {name: default}
spec:
  dataDir: ./data
  listen: [{mode: regular, host: 127.0.0.1, port: 8080}]
  identity: {issuers: []}
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "gateway.yaml").write_text(GATEWAY)
    return str(tmp_path)


def test_users_come_and_go(config: str) -> None:
    """Add with groups, list as JSON and for people, remove."""
    run = CliRunner().invoke
    assert (
        run(app, ["add", "alice", "--group", "sre", "--group", "dba", "--config", config]).output == "alice: dba, sre\n"
    )
    assert run(app, ["add", "bob", "--config", config]).output == "bob: no groups\n"
    assert run(app, ["add", "bob", "--group", "sre", "--config", config]).output == "bob: sre\n"
    assert json.loads(run(app, ["list", "--json", "--config", config]).output) == {
        "items": [{"name": "alice", "groups": ["dba", "sre"]}, {"name": "bob", "groups": ["sre"]}]
    }
    assert run(app, ["list", "--config", config]).output.split() == [
        "NAME",
        "GROUPS",
        "alice",
        "dba,",
        "sre",
        "bob",
        "sre",
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
