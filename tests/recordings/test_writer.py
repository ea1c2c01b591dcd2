"""Flow files and journal, written together."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recordings.errors import RecorderBusyError
from recordings.journal import JournalLimits, journal_files
from recordings.verify import verify
from recordings.writer import Record, Writer, WriterLimits

type Make = Callable[..., Record]
SMALL = WriterLimits(journal=JournalLimits(file_size=20_000, checkpoint_events=10), part_size=300, open_files=2)


@pytest.fixture
def writer(tmp_path: Path, clock: Any) -> Writer:
    """A writer with small limits."""
    return Writer.open(tmp_path, limits=SMALL, clock=clock)


def moves(data_dir: Path) -> list[str]:
    """What the gateway told of itself."""
    lines = [line for path in journal_files(data_dir / "journal" / "main") for line in path.read_bytes().splitlines()]
    found = [json.loads(line)["event"]["unmapped"]["gatehold"].get("move", "") for line in lines]
    return [move for move in found if move]


def test_many_batches_verify(writer: Writer, tmp_path: Path, record: Make) -> None:
    """Over rollovers of flow files and journal files, with few descriptors: every flow is where its line says."""
    for start in range(0, 100, 5):
        writer.write([record(n, session=f"s-{n % 5}", flow=n % 4 > 0) for n in range(start, start + 5)])
        writer.tidy()
        writer.sync()
    assert len(journal_files(tmp_path / "journal" / "main")) > 2
    assert verify(tmp_path).intact
    writer.close()
    report = verify(tmp_path)
    assert report.intact, report.summary()
    assert report.flows == 75
    assert report.notes == []
    assert report.checkpoints > 5


def test_one_directory_has_one_writer(writer: Writer, tmp_path: Path) -> None:
    """A second gateway is told why it cannot start; after a stop it can."""
    with pytest.raises(RecorderBusyError, match="in use by another gateway"):
        Writer.open(tmp_path)
    writer.close()
    Writer.open(tmp_path).close()


def test_a_start_that_failed_lets_go(tmp_path: Path) -> None:
    """The lock is free again."""
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "journal.pem").write_text("none")
    for _ in range(2):
        with pytest.raises(Exception, match="not a private key"):
            Writer.open(tmp_path)


@pytest.mark.parametrize("room", [0, 1, 60, 400, 900, 1100, 1500, 2500, 3500])
def test_a_full_disk_leaves_all_or_nothing(writer: Writer, tmp_path: Path, record: Make, disk: Any, room: int) -> None:
    """Wherever in a batch the disk is full: files are as before, and after it has room again all goes on."""
    writer.write([record(1, session="a")])
    disk.room = room
    with pytest.raises(OSError, match="No space"):
        writer.write([record(2, session="a"), record(3, session="b"), record(4, flow=False)])
    with pytest.raises(OSError, match="No space"):
        writer.recover("full", 3)
    disk.room = None
    writer.recover("full", 3)
    assert verify(tmp_path).flows == 1
    writer.write([record(5, session="a"), record(6, session="b")])
    writer.close()
    report = verify(tmp_path)
    assert report.intact, report.summary()
    assert (report.flows, report.notes) == (3, [])
    assert moves(tmp_path) == ["recorder-recovered"]


def test_a_removed_flow_file_is_told_and_replaced(writer: Writer, tmp_path: Path, record: Make) -> None:
    """Looking after the files finds it; the session goes on in a new file; verify names the missing one."""
    writer.write([record(1, session="a"), record(2, session="b")])
    shutil.rmtree(tmp_path / "recordings")
    writer.check()
    writer.write([record(3, session="a")])
    writer.close()
    assert moves(tmp_path) == ["recorder-fault", "recorder-fault"]
    assert not verify(tmp_path).intact


def test_a_removed_flow_file_fails_the_batch(writer: Writer, tmp_path: Path, record: Make) -> None:
    """Where nobody looked before: nothing is written to a file without a name."""
    writer.write([record(1, session="a")])
    shutil.rmtree(tmp_path / "recordings")
    with pytest.raises(OSError, match="was removed"):
        writer.write([record(2, session="a")])
    writer.recover("removed", 1)
    writer.write([record(3, session="a")])
    assert moves(tmp_path) == ["recorder-fault", "recorder-recovered"]


def test_a_removed_journal_is_begun_anew(writer: Writer, tmp_path: Path, record: Make) -> None:
    """The chain goes on in another file, so that verify misses the one that is gone."""
    writer.write([record(1)])
    shutil.rmtree(tmp_path / "journal")
    with pytest.raises(OSError, match="was removed"):
        writer.write([record(2)])
    writer.recover("removed", 1)
    writer.write([record(3)])
    writer.close()
    report = verify(tmp_path)
    assert report.summary() == "journal/main: file 000001 is missing"


def test_everything_removed_is_survived(writer: Writer, tmp_path: Path, record: Make) -> None:
    """Even the data directory itself."""
    writer.write([record(1)])
    for path in tmp_path.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    with pytest.raises(OSError, match="was removed"):
        writer.check()
    writer.recover("removed", 0)
    writer.write([record(2)])
    writer.close()


def test_a_quiet_session_is_sealed(writer: Writer, tmp_path: Path, record: Make, clock: Any) -> None:
    """After an hour without a call; the next call gets another file."""
    writer.write([record(1, session="a")])
    clock.now += 4000
    writer.write([record(2, session="b")])
    writer.seal_quiet()
    writer.write([record(3, session="a")])
    writer.close()
    names = sorted(path.name for path in (tmp_path / "recordings").rglob("*.flow"))
    assert [name.rpartition("-")[2] for name in names] == ["1.flow", "2.flow", "1.flow"]
    assert verify(tmp_path).intact


def test_a_new_day_is_a_new_journal_file(writer: Writer, tmp_path: Path, record: Make, clock: Any) -> None:
    """And new flow files, so that a day can be put away as a whole."""
    writer.write([record(1)])
    clock.now += 86_400
    writer.write([record(2)])
    writer.close()
    assert [path.name[7:15] for path in journal_files(tmp_path / "journal" / "main")] == ["20270115", "20270116"]
    assert sorted(path.name for path in (tmp_path / "recordings").iterdir()) == ["2027-01-15", "2027-01-16"]
    assert verify(tmp_path).intact


def test_syncing_covers_the_flows_of_the_records(writer: Writer, record: Make, disk: Any) -> None:
    """A durable record syncs its own flow file and the journal; nothing is synced twice."""
    first, second = record(1, session="a"), record(2, session="b")
    writer.sync()
    writer.write([first, second])
    disk.syncs = 0
    writer.sync([first])
    assert disk.syncs == 2
    writer.sync([second])
    assert disk.syncs == 3
    writer.sync()
    assert disk.syncs == 3


def test_a_signature_is_not_given_before_the_disk_has_it(writer: Writer, record: Make, disk: Any) -> None:
    """A checkpoint over lines that a power failure may take would look like a truncation."""
    writer.write([record(n) for n in range(20)])
    disk.sync_fails = True
    with pytest.raises(OSError, match="Input/output"):
        writer.sync()
    disk.sync_fails = False
    writer.recover("failed", 0)
    writer.sync()
    writer.close()
