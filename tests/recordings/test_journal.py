"""The journal's files and chain."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from recordings.checkpoints import Checkpoint, Signer
from recordings.journal import Head, Journal, JournalLimits, journal_files
from recordings.lines import GENESIS
from recordings.writer import Record

type Make = Callable[..., Record]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The journal's directory."""
    return tmp_path / "journal" / "main"


@pytest.fixture
def journal(directory: Path, tmp_path: Path, clock: Any) -> Journal:
    """An open journal with small limits."""
    limits = JournalLimits(file_size=10_000, checkpoint_events=5, checkpoint_seconds=10.0)
    journal = Journal(directory, Head(chain="c1"), Signer.load(tmp_path), limits=limits, clock=clock)
    journal.open("start")
    return journal


def lines(directory: Path) -> list[bytes]:
    """All lines of all files."""
    return [line for path in journal_files(directory) for line in path.read_bytes().splitlines()]


def checkpoints(directory: Path) -> list[Checkpoint]:
    """All checkpoints of all files."""
    found = [line for path in sorted(directory.glob("*.checkpoint")) for line in path.read_bytes().splitlines()]
    return [checkpoint for line in found if (checkpoint := Checkpoint.parse(line))]


def test_lines_follow_each_other_across_files(journal: Journal, directory: Path, record: Make, ocsf: Any) -> None:
    """Every line names the SHA-256 of its predecessor, over files and all, and every event is OCSF."""
    for number in range(3):
        journal.append(record(number).entries)
    journal.seal("rollover")
    journal.open("rollover")
    journal.append(record(4).entries)
    journal.seal("stop")
    found = lines(directory)
    assert [json.loads(line)["seq"] for line in found] == list(range(1, len(found) + 1))
    assert [json.loads(line)["prev"] for line in found] == [GENESIS, *(sha256(line).hexdigest() for line in found[:-1])]
    for line in found:
        ocsf(json.loads(line)["event"])


def test_a_file_begins_with_its_opening_and_ends_with_its_seal(journal: Journal, directory: Path) -> None:
    """The opening names the file before it, that file's last line, and the last checkpoint."""
    journal.seal("rollover")
    journal.open("rollover")
    first, second = journal_files(directory)
    seal = first.read_bytes().splitlines()[-1]
    opening = json.loads(second.read_bytes().splitlines()[0])
    own = opening["event"]["unmapped"]["gatehold"]
    assert json.loads(seal)["kind"] == "journal-seal"
    assert opening["kind"] == "journal-open"
    assert own["previous"] == {"file": first.name, "seq": 2, "sha256": sha256(seal).hexdigest()}
    assert own["checkpoint"] == {"number": 1, "sha256": checkpoints(directory)[0].digest}
    assert first.stat().st_mode & 0o777 == 0o400


def test_checkpoints_come_with_events_and_with_time(journal: Journal, record: Make, clock: Any) -> None:
    """After so many events, or so many seconds with one; never without any."""
    assert not journal.checkpoint_is_due()
    clock.now += 11
    assert journal.checkpoint_is_due()
    journal.checkpoint()
    clock.now += 11
    assert not journal.checkpoint_is_due()
    clock.now -= 11
    for number in range(5):
        assert not journal.checkpoint_is_due()
        journal.append(record(number).entries)
    assert journal.checkpoint_is_due()


def test_a_checkpoint_names_the_last_line(journal: Journal, directory: Path, record: Make) -> None:
    """Its hash, its number, its file."""
    journal.append(record(1).entries)
    journal.checkpoint()
    [checkpoint] = checkpoints(directory)
    assert checkpoint.sha256 == sha256(lines(directory)[-1]).hexdigest()
    assert (checkpoint.seq, checkpoint.file, checkpoint.chain) == (2, journal_files(directory)[0].name, "c1")


def test_a_new_day_fills_a_file(journal: Journal, record: Make, clock: Any) -> None:
    """So does its size."""
    assert not journal.is_full()
    clock.now += 86_400
    assert journal.is_full()
    clock.now -= 86_400
    while not journal.is_full():
        journal.append(record(1).entries)
    assert journal.file.size >= 10_000


def test_a_write_that_failed_leaves_no_trace(journal: Journal, directory: Path, record: Make, disk: Any) -> None:
    """After a rollback file and chain are as before, and the next line follows the last good one."""
    journal.append(record(1).entries)
    mark, before = journal.mark(), lines(directory)
    disk.room = 100
    with pytest.raises(OSError, match="No space"):
        journal.append(record(2).entries)
    disk.room = None
    journal.rollback(mark)
    assert lines(directory) == before
    journal.append(record(3).entries)
    assert json.loads(lines(directory)[-1])["prev"] == sha256(before[-1]).hexdigest()


def roll_over_often(journal: Journal) -> None:
    """Until something fails."""
    for _ in range(10):
        journal.seal("rollover")
        journal.open("rollover")


@pytest.mark.parametrize("room", [0, 100, 2000])
def test_a_seal_that_failed_is_none(journal: Journal, directory: Path, record: Make, disk: Any, room: int) -> None:
    """The file goes on, or is left; in either case the next line follows what stands there."""
    journal.append(record(1).entries)
    disk.room = room
    with pytest.raises(OSError, match="No space"):
        roll_over_often(journal)
    disk.room = None
    if journal.is_open:
        journal.repair()
    else:
        journal.open("fault")
    journal.append(record(2).entries)
    found = lines(directory)
    assert [json.loads(line)["prev"] for line in found] == [GENESIS, *(sha256(line).hexdigest() for line in found[:-1])]


def test_an_opening_that_failed_leaves_no_file(journal: Journal, directory: Path, disk: Any) -> None:
    """The next attempt takes the same number."""
    journal.seal("rollover")
    disk.room = 50
    with pytest.raises(OSError, match="No space"):
        journal.open("rollover")
    assert len(journal_files(directory)) == 1
    disk.room = None
    journal.open("rollover")
    assert [path.name[:6] for path in journal_files(directory)] == ["000001", "000002"]


def test_a_file_is_full_by_age(journal: Journal, clock: Any, record: Make) -> None:
    """Also on one day; what counts is when the file was begun, and whether it holds more than its beginning."""
    journal._limits = JournalLimits(file_age=600.0)
    clock.now += 599
    assert not journal.is_full()
    assert not journal.has_events
    journal.append(record(1).entries)
    assert journal.has_events
    clock.now += 1
    assert journal.is_full()
    journal.seal("rollover")
    journal.open("rollover")
    assert not journal.is_full()
    assert not journal.has_events
