"""``gatehold recordings``."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mitmproxy.test import tflow
from typer.testing import CliRunner

from gatehold.cli.recordings import app
from policy.codes import Code
from policy.errors import ConfigurationError
from policy.model import Agent, Decision, DecisionId, Family, Problem, RuleName, SessionId, TargetName, Verdict
from recordings.events import Call, outcome
from recordings.flows import Dialogue, Spoken, encode_flow
from recordings.writer import Record, Writer, WriterLimits


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three calls of one session, in two flow files."""
    data_dir = tmp_path / "data"
    monkeypatch.setattr("gatehold.config.load", lambda _: SimpleNamespace(data_dir=data_dir))
    writer = Writer.open(data_dir, limits=WriterLimits(part_size=10))
    for number in range(3):
        event = outcome(call(number), status=200, time=1.0, masked={"PERSON": 1})
        flow = b"12:%b}" % (b"flow number " + b"")
        writer.write([Record(entries=(event.entry(),), flow=flow, session="s-1")])
        writer.tidy()
    writer.close()
    return data_dir


def call(number: int) -> Call:
    """One call, with a path that would steer a terminal."""
    return Call(
        id=DecisionId(f"d-{number}"),
        agent=Agent(issuer="corp", subject="a1", session=SessionId("s-1")),
        target=TargetName("crm"),
        family=Family.HTTP,
        scheme="https",
        host="crm",
        port=443,
        method="GET",
        path="/x",
        operation="GET /\x1b]0;owned\x07x",
        verb="GET",
        client=("10.0.0.9", 1),
        time=1.0,
        judged=Decision(verdict=Verdict.ALLOW, code=Code.ALLOWED, rule=RuleName("r-1")),
    )


def run(*arguments: str, config: Path) -> Any:
    """The command."""
    return CliRunner().invoke(app, [*arguments, "--config", str(config)])


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


@pytest.mark.parametrize("command", ["show", "open"])
def test_what_was_not_recorded(data_dir: Path, tmp_path: Path, command: str) -> None:
    """Exit 1, and says so."""
    done = run(command, "other\x1b", config=tmp_path)
    assert done.exit_code == 1
    assert "recorded of other\N{REPLACEMENT CHARACTER}" in done.stderr


def test_open_prints_its_command(data_dir: Path, tmp_path: Path) -> None:
    """Stock mitmweb beside this Python; one file as it is, several behind each other."""
    one = run("open", "d-1", "--print-command", config=tmp_path)
    assert one.stdout.startswith(f"{Path(sys.executable).with_name('mitmweb')} -n -r {data_dir}/recordings/")
    several = run("open", "s-1", "--print-command", "--port", "9000", config=tmp_path)
    assert " -n -r <(cat " in several.stdout
    assert several.stdout.rstrip().endswith("--set web_port=9000")


def test_open_starts_mitmweb(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one file that holds all flows, which is gone afterwards; its exit code is ours."""
    started: list[tuple[list[str], bytes]] = []

    def fake(command: list[str], **_: Any) -> Any:
        started.append((command, Path(command[3]).read_bytes()))
        return SimpleNamespace(returncode=3)

    monkeypatch.setattr(subprocess, "run", fake)
    assert run("open", "s-1", config=tmp_path).exit_code == 3
    [(command, content)] = started
    assert content == b"12:flow number }" * 3
    assert not Path(command[3]).exists()


def test_a_removed_file_is_told(data_dir: Path, tmp_path: Path) -> None:
    """And where to look."""
    for path in (data_dir / "recordings").rglob("*.flow"):
        path.unlink()
    done = run("open", "s-1", config=tmp_path)
    assert done.exit_code == 1
    assert "audit verify" in done.stderr


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


@pytest.fixture
def spoken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two terminal sessions of one session, the first in two parts."""
    data_dir = tmp_path / "data"
    monkeypatch.setattr("gatehold.config.load", lambda _: SimpleNamespace(data_dir=data_dir))
    writer = Writer.open(data_dir, limits=WriterLimits())
    for number, content in ((1, b"\x01one\r\n"), (1, b"\x01\x1b]0;title\x07two\r\n"), (2, b"\x01three\r\n")):
        event = outcome(replace(call(number), facts={"command": ["sh", "-c", "a b"]}), status=101, time=1.0)
        said = [
            Spoken(time=1.0, from_client=True, content=b"\x00ls\n"),
            Spoken(time=2.0, from_client=False, content=content),
        ]
        flow = encode_flow(tflow.tflow(resp=True), metadata={}, dialogue=Dialogue(messages=said))
        writer.write([Record(entries=(event.entry(),), flow=flow, session="s-1")])
    writer.close()
    return data_dir


def test_a_terminal_session_is_exported(spoken: Path, tmp_path: Path) -> None:
    """All parts of it as one asciicast."""
    done = run("export", "d-1", "--asciicast", config=tmp_path)
    assert done.exit_code == 0
    header, *events = [json.loads(line) for line in done.stdout.splitlines()]
    assert (header["version"], header["command"]) == (2, "sh -c 'a b'")
    assert [text for _, _, text in events] == ["one\r\n", "two\r\n"]
    typed = run("export", "s-1", "--asciicast", "--call", "d-2", "--input", "--raw", config=tmp_path).stdout
    assert [json.loads(line)[1] for line in typed.splitlines()[1:]] == ["i", "o"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["s-1", "--asciicast"], "there are several"),
        (["d-9", "--asciicast"], "no terminal session"),
        (["d-1", "--messages"], "no WebSocket of an http target was recorded of d-1; there are others: --asciicast"),
        (["d-1", "--messages", "--asciicast"], "--asciicast or --messages"),
        (["d-1"], "--asciicast"),
    ],
)
def test_what_cannot_be_exported(spoken: Path, tmp_path: Path, arguments: list[str], words: str) -> None:
    """Exit 1, and says why."""
    done = run("export", *arguments, config=tmp_path)
    assert done.exit_code == 1
    assert words in done.stderr


def test_messages_of_a_web_socket_are_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, text as text; they are no terminal session."""
    data_dir = tmp_path / "data"
    monkeypatch.setattr("gatehold.config.load", lambda _: SimpleNamespace(data_dir=data_dir))
    said = [
        Spoken(time=2.0, from_client=False, content=b"\xff\0"),
        Spoken(time=1.0, from_client=True, content=b"\x01hello", is_text=True),
    ]
    event = outcome(replace(call(1), facts={"method": "GET", "path": "/chat"}), status=101, time=1.0)
    flow = encode_flow(tflow.tflow(resp=True), metadata={}, dialogue=Dialogue(messages=said))
    writer = Writer.open(data_dir, limits=WriterLimits())
    writer.write([Record(entries=(event.entry(),), flow=flow, session="s-1")])
    writer.close()
    lines = run("export", "d-1", "--messages", config=tmp_path).stdout.splitlines()
    assert [json.loads(line) for line in lines] == [
        {"time": "1970-01-01T00:00:01.000Z", "from": "agent", "text": "\x01hello"},
        {"time": "1970-01-01T00:00:02.000Z", "from": "target", "base64": "/wA="},
    ]
    refused = run("export", "d-1", "--asciicast", config=tmp_path)
    assert refused.exit_code == 1
    assert "there are others: --messages" in refused.stderr
