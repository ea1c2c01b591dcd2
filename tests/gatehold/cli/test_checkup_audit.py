"""Law: each sink and each anchor has a line that says how it stands, and never what a secret is."""

import shutil
from pathlib import Path

import pytest

from gatehold.cli.checkup_audit import anchors, sinks
from gatehold.config import load
from gatehold.sinks.anchors import Directory, newest_checkpoint
from gatehold.sinks.position import Position, position_file, save
from recordings.writer import Writer

GATEWAY = """apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {name: g}
spec:
  audit:
    sinks:
      - {name: out, stdout: true}
      - {name: lines, file: ./logs/audit.jsonl}
      - {name: relay, syslog: {address: "127.0.0.1:1514", plain: true}}
      - {name: siem, webhook: {url: "https://siem.example/path-secret", secret: "${env:HOOK}"}}
    anchors:
      - {name: elsewhere, directory: ./anchors}
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration with one of each."""
    monkeypatch.setenv("HOOK", "whsec_" + "QUFB" * 10)
    (tmp_path / "gateway.yaml").write_text(GATEWAY)
    (tmp_path / "logs").mkdir()
    return tmp_path


def test_sinks(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they lead, and how far they have come."""
    configuration = load(config)
    save(position_file(configuration.data_dir, "out"), Position(file="000001-20260131.jsonl", seq=7))
    assert [(item.status, item.message) for item in sinks(configuration)] == [
        ("ok", "standard output; told to event 7"),
        ("ok", f"{config}/logs/audit.jsonl; begins with the next start"),
        ("ok", "syslog to 127.0.0.1:1514; begins with the next start"),
        ("ok", "webhook to siem.example; begins with the next start"),
    ]
    (config / "logs").rmdir()
    monkeypatch.setenv("HOOK", "planted")
    found = list(sinks(configuration))
    assert [item.status for item in found] == ["ok", "failed", "ok", "failed"]
    assert "planted" not in repr(found)
    assert "path-secret" not in repr(found)


def test_anchors(config: Path) -> None:
    """Not there, empty, reached, and not reached any more."""
    configuration = load(config)
    data_dir = configuration.data_dir

    def status() -> tuple[str, str]:
        [item] = anchors(configuration)
        return item.status, item.message

    assert status()[0] == "failed"
    (config / "anchors").mkdir()
    assert status() == ("warning", "keeps no checkpoint yet")
    Writer.open(data_dir).close()
    shutil.copytree(data_dir, config / "old")
    Writer.open(data_dir).close()
    checkpoint = newest_checkpoint(data_dir)
    assert checkpoint
    Directory(config / "anchors").keep(checkpoint)
    assert status() == ("ok", "the journal reaches what it vouches for")
    shutil.rmtree(data_dir)
    (config / "old").rename(data_dir)
    assert status()[0] == "failed"
    assert "rolled back" in status()[1]
