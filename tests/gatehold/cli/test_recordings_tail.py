"""Law: a tail shows every call once, in order, from before it began and as they are written."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gatehold.cli.recordings import app
from gatehold.cli.recordings_tail import _rows
from recordings.index.schema import INDEX
from recordings.listing import CALLS, Filter
from recordings.querying import Query
from recordings.writer import Record, Writer
from tests.gatehold.cli.recorded import call
from tests.gatehold.cli.test_sessions import GATEWAY


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A gateway that has not run yet."""
    (tmp_path / "gateway.yaml").write_text(GATEWAY)
    return str(tmp_path)


def write(writer: Writer, *numbers: int) -> None:
    """The ends of some calls."""
    from recordings.events import outcome

    for number in numbers:
        event = outcome(call(number), status=200, time=1.0)
        writer.write([Record(entries=(event.entry(),), session="s-1")])


def tailed(config: str, *options: str) -> list[dict[str, Any]]:
    done = CliRunner().invoke(app, ["tail", "--no-follow", "--json", *options, "--config", config])
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_last_ones(config: str, tmp_path: Path) -> None:
    """As many as are asked for, the newest last; nothing where nothing was recorded."""
    assert tailed(config) == []
    writer = Writer.open(tmp_path / "data")
    write(writer, *range(20))
    assert [each["decision"] for each in tailed(config)] == [f"d-{number}" for number in range(10, 20)]
    assert [each["decision"] for each in tailed(config, "-n", "2")] == ["d-18", "d-19"]
    assert tailed(config, "-n", "0") == []
    assert tailed(config, "--agent", "nobody") == []
    assert [each["kind"] for each in tailed(config, "--all", "-n", "50")][:1] == ["journal-open"]
    writer.close()
    done = CliRunner().invoke(app, ["tail", "--no-follow", "-n", "1", "--config", config])
    assert "d-19" not in done.stdout  # for people: what was asked and how it was answered
    assert "a1  crm  GET /" in done.stdout
    assert "\x1b" not in done.stdout


def test_what_is_written_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Into the open file, into the next ones, after another start: each once and in order."""
    steps: Iterator[Callable[[], None]]
    data_dir = tmp_path / "data"
    held: list[Writer] = []

    def begin(*numbers: int) -> None:
        held.append(Writer.open(data_dir))
        write(held[-1], *numbers)

    def again() -> None:
        held.pop().close()
        begin(6, 7)

    steps = iter([lambda: begin(1, 2), lambda: write(held[-1], 3), lambda: write(held[-1], 4, 5), again])

    def turn(_: float) -> None:
        next(steps, stop)()

    def stop() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gatehold.cli.recordings_tail.time.sleep", turn)
    seen: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        seen.extend(row.decision for row in _rows(data_dir, Query(only=Filter(kinds=CALLS)), 10, follow=True))
    held.pop().close()
    assert seen == [f"d-{number}" for number in range(1, 8)]


def test_it_ends_well_when_it_is_interrupted(config: str, tmp_path: Path) -> None:
    """Ctrl-C is how a tail ends; what was shown by then is on the screen although a pipe follows."""
    writer = Writer.open(tmp_path / "data")
    write(writer, 1)
    command = [str(Path(sys.executable).with_name("gatehold")), "recordings", "tail", "--json", "--config", config]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"COLUMNS": "80"}) as tail:
        assert tail.stdout is not None
        assert json.loads(tail.stdout.readline())["decision"] == "d-1"
        write(writer, 2)
        assert json.loads(tail.stdout.readline())["decision"] == "d-2"
        tail.send_signal(2)
        assert tail.wait() == 0
    writer.close()


def test_the_index_is_made_again(config: str, tmp_path: Path) -> None:
    """On demand, from the journal; it says how many lines it knows."""
    writer = Writer.open(tmp_path / "data")
    write(writer, 1, 2, 3)
    writer.close()
    for options in ([], ["--rebuild"]):
        done = CliRunner().invoke(app, ["index", *options, "--json", "--config", config])
        assert json.loads(done.stdout)["lines"] == 5
    assert (tmp_path / "data" / INDEX).stat().st_mode & 0o777 == 0o600
    done = CliRunner().invoke(app, ["index", "--config", config])
    assert done.stdout.startswith("5 lines of the journal")
