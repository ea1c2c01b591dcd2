"""``gatehold audit query`` and ``export``."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from gatehold.cli.audit import app
from recordings.acts import GatewayMove, gateway_event
from recordings.writer import Record, Writer


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A journal with three events of the gateway."""
    data_dir = tmp_path / "data"
    monkeypatch.setattr("gatehold.config.load", lambda _: SimpleNamespace(data_dir=data_dir))
    writer = Writer.open(data_dir)
    for message in ("first", "\x1b[31m=second", "third"):
        writer.write([Record(entries=(gateway_event(GatewayMove.RELOAD, time=1.0, message=message).entry(),))])
    writer.close()
    return data_dir


def run(*arguments: str, config: Path) -> Any:
    """The command."""
    return CliRunner().invoke(app, [*arguments, "--config", str(config)])


def test_a_table_and_json(tmp_path: Path) -> None:
    """The newest last; a terminal is not steered."""
    done = run("query", "--kind", "gateway", config=tmp_path)
    assert done.exit_code == 0
    head, *lines = done.stdout.splitlines()
    assert head.split() == [
        "TIME",
        "SEQ",
        "KIND",
        "AGENT",
        "TARGET",
        "OPERATION",
        "VERDICT",
        "CODE",
        "RULE",
        "STATUS",
        "MESSAGE",
    ]
    assert [line.split()[-1] for line in lines][::2] == ["first", "third"]
    assert "\x1b" not in done.stdout
    items = json.loads(run("query", "--kind", "gateway", "--limit", "2", "--json", config=tmp_path).stdout)["items"]
    assert [item["message"] for item in items] == ["\x1b[31m=second", "third"]
    assert {"seq", "time", "event", "resources", "decision", "sha256"} <= items[0].keys()


def test_exports(tmp_path: Path, data_dir: Path) -> None:
    """The same lines in each form."""
    [journal] = data_dir.rglob("*.jsonl")
    assert run("export", "--format", "jsonl", config=tmp_path).stdout == journal.read_text()
    events = run("export", "--format", "ocsf", "--text", "SECOND", config=tmp_path).stdout.splitlines()
    assert [json.loads(event)["message"] for event in events] == ["\x1b[31m=second"]
    table = run("export", "--format", "csv", "--kind", "gateway", config=tmp_path).stdout.splitlines()
    assert len(table) == 4
    assert "\ufffd[31m=second" in table[2]


@pytest.mark.parametrize(
    "options",
    [
        ("query", "--since", "yesterday"), ("query", "--until", "x"), ("query", "--resource", "a/b/c/d"),
        ("query", "--kind", "rubbish"), ("query", "--limit", "0"), ("export",), ("export", "--format", "xml"),
    ],
)  # fmt: skip
def test_wrong_usage(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Ends with 2."""
    assert run(*options, config=tmp_path).exit_code == 2
