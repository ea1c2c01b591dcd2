"""``gatehold recordings export``."""

import csv
import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from mitmproxy.io import FlowReader
from mitmproxy.test import tflow

from recordings.events import outcome
from recordings.flows import Dialogue, Spoken, encode_flow
from recordings.writer import Record, Writer, WriterLimits
from tests.gatehold.cli.recorded import call, run


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
        (["d-9", "--har"], "no flow was recorded"),
        (["d-9", "--csv"], "no flow was recorded"),
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


@pytest.mark.parametrize("forms", [(), ("--har", "--csv"), ("--messages", "--asciicast")])
def test_one_form_is_asked_for(spoken: Path, tmp_path: Path, forms: tuple[str, ...]) -> None:
    """Wrong usage else, exit 2."""
    done = run("export", "d-1", *forms, config=tmp_path)
    assert done.exit_code == 2
    assert "--har, --jsonl, --csv, --asciicast, --messages" in done.stderr


def test_all_calls_are_exported(spoken: Path, tmp_path: Path) -> None:
    """Of a session or of one decision, in each form; stock mitmproxy reads the HAR."""
    document = run("export", "s-1", "--har", config=tmp_path).stdout
    assert len(list(FlowReader(BytesIO(document.encode())).stream())) == 3
    lines = run("export", "d-1", "--jsonl", config=tmp_path).stdout.splitlines()
    assert [len(json.loads(line)["messages"]) for line in lines] == [2, 2]
    rows = list(csv.DictReader(run("export", "s-1", "--csv", config=tmp_path).stdout.splitlines()))
    assert [row["method"] for row in rows] == ["GET"] * 3


def test_what_was_altered_is_not_exported(spoken: Path, tmp_path: Path) -> None:
    """Exit 1, and where to look."""
    [flow] = spoken.rglob("*.flow")
    flow.write_bytes(flow.read_bytes().replace(b"GET", b"PUT"))
    done = run("export", "s-1", "--har", config=tmp_path)
    assert done.exit_code == 1
    assert "audit verify" in done.stderr
