"""Law: files that are here are only named; without a bucket, or a record, it is said what is missing."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from typer.testing import CliRunner, Result

from gatehold.cli import recordings_fetch
from gatehold.cli.recordings import app
from recordings.acts import GatewayMove, gateway_event
from recordings.errors import RecordUnreadable
from recordings.events import Event
from recordings.writer import Record, Writer
from tests.gatehold.cli.test_sessions import GATEWAY


@pytest.fixture
def config(tmp_path: Path) -> str:
    """One flow of one session."""
    (tmp_path / "gateway.yaml").write_text(GATEWAY)
    writer = Writer.open(tmp_path / "data")
    told = gateway_event(GatewayMove.START, time=1.0)
    event = Event(kind=told.kind, data=told.data, session="s-1")
    writer.write([Record(entries=(event.entry(),), flow=b"5:hello}", session="s-1")])
    writer.close()
    return str(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["fetch", *arguments])


def test_what_is_here_is_named(config: str, tmp_path: Path) -> None:
    """And not copied."""
    out = tmp_path / "out"
    [item] = json.loads(run("s-1", "--out", str(out), "--json", "--config", config).stdout)["items"]
    assert (item["bytes"], item["fetched"]) == (8, False)
    assert run("s-1", "--out", str(out), "--config", config).stdout.strip() == item["path"]
    assert list(out.iterdir()) == []


def test_what_is_nowhere(config: str, tmp_path: Path) -> None:
    """A session without a record; a file that is gone, with no bucket to ask."""
    assert "nothing was recorded" in run("s-2", "--config", config).output
    for path in (tmp_path / "data").rglob("*.flow"):
        path.unlink()
    done = run("s-1", "--config", config)
    assert done.exit_code == 1
    assert "names no bucket" in done.output


def test_files_of_two_days_do_not_get_into_each_others_way(tmp_path: Path) -> None:
    """Parts of a session are numbered anew on each day."""

    class Bucket:
        def save(self, name: str, path: Path) -> int:
            path.write_text(name)
            return 1

    out = tmp_path / "out"
    out.mkdir()
    names = [f"recordings/2027-01-{day}/s-1-1.flow" for day in (15, 16)]
    paths = [recordings_fetch._one(tmp_path, name, cast("Any", Bucket()), out)["path"] for name in names]
    assert [Path(path).read_text() for path in paths] == names
    with pytest.raises(RecordUnreadable):
        recordings_fetch._one(tmp_path, "recordings/../../x.flow", cast("Any", Bucket()), out)
