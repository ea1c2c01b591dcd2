"""``gatehold recordings``."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from policy.errors import ConfigurationError
from policy.model import Problem
from tests.gatehold.cli.recorded import run, three_calls


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three calls of one session, in two flow files."""
    return three_calls(tmp_path, monkeypatch)


def test_list_shows_sessions(data_dir: Path, tmp_path: Path) -> None:
    """For people as columns, for programs as items with the fields that they key on."""
    table = run("list", config=tmp_path)
    assert table.exit_code == 0
    assert "s-1" in table.stdout
    assert "allow:3" in table.stdout
    found = run("list", "--json", config=tmp_path)
    [item] = json.loads(found.stdout)["items"]
    assert (item["session"], item["agent"], item["target"], item["calls"]) == ("s-1", "a1", "crm", 3)
    assert item["verdicts"] == {"allow": 3}
    assert Path(item["file"]).is_file()
    assert len(item["files"]) == 3


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (["--agent", "a1", "--target", "crm", "--rule", "r-1", "--verdict", "allow", "--since", "1h"], 1),
        (["--agent", "a2"], 0),
        (["--verdict", "deny"], 0),
        (["--since", "2999-01-01"], 0),
        (["--since", "2020-01-01T00:00:00+02:00"], 1),
    ],
)
def test_list_filters(data_dir: Path, tmp_path: Path, options: list[str], count: int) -> None:
    """By agent, target, rule, verdict, time."""
    assert len(json.loads(run("list", "--json", *options, config=tmp_path).stdout)["items"]) == count


def test_a_wrong_time_is_wrong_usage(data_dir: Path, tmp_path: Path) -> None:
    """Exit 2."""
    assert run("list", "--since", "yesterday", config=tmp_path).exit_code == 2


def test_show_is_a_timeline(data_dir: Path, tmp_path: Path) -> None:
    """Of a session or a decision; nothing of what an agent chose steers the terminal."""
    shown = run("show", "s-1", config=tmp_path)
    assert shown.exit_code == 0
    assert shown.stdout.count("outcome") == 3
    assert "\x1b" not in shown.stdout
    assert "\x07" not in shown.stdout
    [item] = json.loads(run("show", "d-1", "--json", config=tmp_path).stdout)["items"]
    assert item["event"]["class_uid"] == 6003
    assert item["decision"] == "d-1"


def test_what_was_not_recorded(data_dir: Path, tmp_path: Path) -> None:
    """Exit 1, and says so."""
    done = run("show", "other\x1b", config=tmp_path)
    assert done.exit_code == 1
    assert "recorded of other\N{REPLACEMENT CHARACTER}" in done.stderr


def test_a_wrong_configuration_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every problem, exit 2."""

    def load(_: Path) -> None:
        raise ConfigurationError([Problem(file="a.yaml", line=3, message="unknown key")])

    monkeypatch.setattr("gatehold.config.load", load)
    done = run("list", config=tmp_path)
    assert (done.exit_code, done.stderr) == (2, "a.yaml:3: unknown key\n")


def test_mitmproxy_is_not_on_the_way() -> None:
    """Listing and verifying answer at once."""
    code = "import sys, gatehold.cli.recordings, gatehold.cli.audit, recordings.listing, recordings.verify;"
    code += "assert not [name for name in sys.modules if name.startswith(('mitmproxy', 'presidio', 'kubernetes'))]"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})
