"""``gatehold recordings open``."""

import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gatehold.cli.recordings_open import audit_view
from tests.gatehold.cli.recorded import run, three_calls


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three calls of one session, in two flow files."""
    return three_calls(tmp_path, monkeypatch)


def test_what_was_not_recorded(data_dir: Path, tmp_path: Path) -> None:
    """Exit 1, and says so."""
    done = run("open", "other\x1b", config=tmp_path)
    assert done.exit_code == 1
    assert "no flows were recorded of other<U+001B>" in done.stderr


def test_it_prints_its_command(data_dir: Path, tmp_path: Path) -> None:
    """Stock mitmweb beside this Python with the audit view; one file as it is, several behind each other."""
    one = run("open", "d-1", "--print-command", "--filter", "~comment deny", config=tmp_path).stdout
    assert one.startswith(f"{Path(sys.executable).with_name('mitmweb')} -n -r {data_dir}/recordings/")
    assert f" -s {audit_view()} " in one
    assert shlex.split(one)[-1] == "view_filter=~comment deny"
    several = run("open", "s-1", "--print-command", "--port", "9000", config=tmp_path).stdout
    assert " -n -r <(cat " in several
    assert several.rstrip().endswith("--set web_port=9000")


@pytest.mark.parametrize(("name", "count"), [("s-1", 3), ("d-1", 1)])
def test_it_starts_mitmweb(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, count: int
) -> None:
    """With the flows and the journal's lines that were asked for, which are gone afterwards; its exit code is ours."""
    seen: dict[str, Any] = {}

    def fake(command: list[str], **_: Any) -> Any:
        lines = next(Path(word.partition("=")[2]) for word in command if word.startswith("audit_journal="))
        seen.update(file=Path(command[3]), flows=Path(command[3]).read_bytes(), lines=lines.read_text().splitlines())
        return SimpleNamespace(returncode=3)

    monkeypatch.setattr(subprocess, "run", fake)
    assert run("open", name, "--no-browser", config=tmp_path).exit_code == 3
    assert seen["flows"] == b"12:flow number }" * count
    assert [json.loads(line)["kind"] for line in seen["lines"]] == ["outcome"] * count
    assert not seen["file"].exists()


def test_it_ends_mitmweb_when_it_is_ended(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a signal: what waits for mitmweb is left, its files are removed, the handler of before stands again."""
    seen: list[Path] = []

    def fake(command: list[str], **_: Any) -> Any:
        seen.append(Path(command[3]))
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(subprocess, "run", fake)
    before = signal.getsignal(signal.SIGTERM)
    assert run("open", "s-1", config=tmp_path).exit_code == 128 + signal.SIGTERM
    assert not seen[0].exists()
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_removed_file_is_told(data_dir: Path, tmp_path: Path) -> None:
    """And where to look."""
    for path in (data_dir / "recordings").rglob("*.flow"):
        path.unlink()
    done = run("open", "s-1", config=tmp_path)
    assert done.exit_code == 1
    assert "audit verify" in done.stderr
