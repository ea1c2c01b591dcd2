"""``gatehold audit``."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from gatehold.cli.audit import app
from recordings.acts import GatewayMove, gateway_event
from recordings.writer import Record, Writer


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small record after a clean stop."""
    data_dir = tmp_path / "data"
    monkeypatch.setattr("gatehold.config.load", lambda _: SimpleNamespace(data_dir=data_dir))
    writer = Writer.open(data_dir)
    event = gateway_event(GatewayMove.START, time=1.0)
    writer.write([Record(entries=(event.entry(),), flow=b"1:a}", session="s")])
    writer.close()
    return data_dir


def run(*arguments: str, config: Path) -> Any:
    """The command."""
    return CliRunner().invoke(app, [*arguments, "--config", str(config)])


def journal(data_dir: Path) -> Path:
    """The one journal file, writable."""
    [path] = (data_dir / "journal").rglob("*.jsonl")
    path.chmod(0o600)
    return path


def test_an_intact_record(data_dir: Path, tmp_path: Path) -> None:
    """One line with the counts, and how far it reaches; exit 0."""
    done = run("verify", config=tmp_path)
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "5 events, 1 flows, 2 checkpoints: intact",
        "intact to event 5; later truncation cannot be excluded",
        "signatures were not checked against a key from outside (--key)",
    ]


def test_with_key_and_anchor(data_dir: Path, tmp_path: Path) -> None:
    """Nothing is left open: signed, and anchored to the last event."""
    key, anchor = tmp_path / "key.pem", tmp_path / "anchor"
    key.write_text(run("key", config=tmp_path).stdout)
    [checkpoints] = (data_dir / "journal").rglob("*.checkpoint")
    anchor.write_bytes(checkpoints.read_bytes())
    done = run("verify", "--key", str(key), "--anchor", str(anchor), config=tmp_path)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[1:] == ["anchored to event 5", "signed to event 5"]


def test_an_altered_record(data_dir: Path, tmp_path: Path) -> None:
    """The first bad place, exit 1; for programs with its parts."""
    path = journal(data_dir)
    path.write_bytes(path.read_bytes().replace(b'"start"', b'"begin"', 1))
    done = run("verify", config=tmp_path)
    assert done.exit_code == 1
    assert done.stdout.startswith(f"journal/main/{path.name}:1: ")
    as_json = run("verify", "--json", config=tmp_path)
    assert as_json.exit_code == 1
    found = json.loads(as_json.stdout)
    assert found["intact"] is False
    assert found["break"]["line"] == 1


def test_a_torn_end(data_dir: Path, tmp_path: Path) -> None:
    """Of a sealed file: exit 1. Of an open one: told, exit 0."""
    path = journal(data_dir)
    path.write_bytes(path.read_bytes()[:-10])
    assert run("verify", config=tmp_path).exit_code == 1
    Writer.open(tmp_path / "other").close(seal=False)
    path = journal(tmp_path / "other")
    path.write_bytes(path.read_bytes() + b'{"chain":"')
    (tmp_path / "other").rename(tmp_path / "swap")
    data_dir.rename(tmp_path / "old")
    (tmp_path / "swap").rename(data_dir)
    done = run("verify", config=tmp_path)
    assert done.exit_code == 0
    assert "ends in a torn line of 10 bytes" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "say --config, or --url with --key"),
        (["--url", "s3://recordings/gateway-1"], "the public key is never taken from what is verified"),
        (["--url", "https://recordings", "--key", "KEY"], "--url: 'https://recordings' is no bucket"),
        (["--chain", "0123", "--config", "CONFIG"], "--chain belongs to --url"),
    ],
)
def test_what_is_verified_has_to_be_said(data_dir: Path, tmp_path: Path, arguments: list[str], words: str) -> None:
    """Wrong usage: exit 2."""
    key = tmp_path / "key.pem"
    key.write_text(run("key", config=tmp_path).stdout)
    places = {"KEY": str(key), "CONFIG": str(tmp_path)}
    done = CliRunner().invoke(app, ["verify", *(places.get(each, each) for each in arguments)])
    assert done.exit_code == 2
    assert words in done.stderr


@pytest.mark.parametrize("option", ["--key", "--anchor"])
@pytest.mark.parametrize("content", [None, "rubbish"])
def test_a_key_or_anchor_that_is_none(data_dir: Path, tmp_path: Path, option: str, content: str | None) -> None:
    """Wrong usage: exit 2."""
    path = tmp_path / "file"
    if content is not None:
        path.write_text(content)
    done = run("verify", option, str(path), config=tmp_path)
    assert done.exit_code == 2
    assert done.stderr


@pytest.mark.parametrize("option", ["--key", "--anchor"])
def test_what_it_is_verified_with_lies_elsewhere(data_dir: Path, tmp_path: Path, option: str) -> None:
    """Whoever may change the record could change that, too."""
    [path] = (data_dir / "journal").rglob("*.checkpoint")
    (tmp_path / "link").symlink_to(path)
    for each in (path, tmp_path / "link"):
        done = run("verify", option, str(each), config=tmp_path)
        assert done.exit_code == 2
        assert "proves nothing" in done.output
