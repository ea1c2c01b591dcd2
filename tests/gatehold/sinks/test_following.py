"""Law: from any position every later line is read once and in order, over files and restarts, while more are written."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatehold.sinks import following
from gatehold.sinks.following import beginning, follow
from gatehold.sinks.position import Position
from recordings.lines import Line
from tests.gatehold.sinks.conftest import JournalUnderTest


def first(journal: JournalUnderTest) -> Position:
    """The beginning of everything."""
    return Position(file=journal.files[0].name)


def rest(journal: JournalUnderTest, position: Position) -> tuple[list[Line], Position]:
    """All lines behind a position."""
    lines: list[Line] = []
    while (batch := follow(journal.data_dir, position)).lines:
        lines += batch.lines
        position = batch.position
        assert batch.missing is None
        assert not batch.again
    return lines, position


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(
    steps=st.lists(st.sampled_from(["write", "write", "stop", "crash", "read"]), max_size=12), lines=st.integers(1, 60)
)
def test_every_line_is_read_once(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, steps: list[str], lines: int
) -> None:
    """Whatever was done between two looks."""
    monkeypatch.setattr(following, "MOST_LINES", lines)
    journal = JournalUnderTest(tmp_path_factory.mktemp("following") / "data", file_size=4000)
    position, seqs = first(journal), list[int]()
    for step in [*steps, "read"]:
        match step:
            case "write":
                journal.write(3)
            case "read":
                found, position = rest(journal, position)
                seqs += [line.seq for line in found]
            case _:
                journal.restart(seal=step == "stop")
    journal.writer.close()
    found, _ = rest(journal, position)
    assert seqs + [line.seq for line in found] == list(range(1, journal.last + 1))


def test_a_new_sink_begins_with_this_start(journal: JournalUnderTest) -> None:
    """Not with the whole past."""
    journal.write(3)
    journal.restart()
    position = beginning(journal.data_dir)
    assert position == Position(file=journal.files[-1].name)


def test_a_torn_line_is_waited_for(journal: JournalUnderTest) -> None:
    """Half a line is none yet."""
    _found, position = rest(journal, first(journal))
    with journal.files[-1].open("ab") as file:
        file.write(b'{"chain":"')
    assert follow(journal.data_dir, position).lines == []
    assert follow(journal.data_dir, position).position == position


def test_lines_that_were_taken_back_are_told_anew(journal: JournalUnderTest) -> None:
    """A full disk took back what was read: the file is told from its beginning, so that nothing is left out."""
    journal.write(3)
    _, position = rest(journal, first(journal))
    for gone in (replace(position, sha256="ab" * 32), replace(position, offset=position.offset + 10_000)):
        journal.write(1)
        batch = follow(journal.data_dir, gone)
        assert batch.again
        assert batch.lines[0].kind == "journal-open"
        assert batch.lines[-1].seq == journal.last


def test_files_that_are_gone_are_told(journal: JournalUnderTest) -> None:
    """Which, and the next line comes after them."""
    position = first(journal)
    journal.write(40)
    assert len(journal.files) > 3
    for path in journal.files[:2]:
        path.unlink()
    batch = follow(journal.data_dir, position)
    assert batch.missing == (1, 2)
    assert batch.lines[0].kind == "journal-open"
    assert follow(journal.data_dir, batch.position).missing is None


def test_a_line_that_is_none_is_passed_over(journal: JournalUnderTest) -> None:
    """Somebody edited the journal: the sink goes on, ``audit verify`` says what happened."""
    journal.write(3)
    path = journal.files[0]
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = b"rubbish\n"
    path.write_bytes(b"".join(lines))
    batch = follow(journal.data_dir, first(journal))
    assert batch.skipped == 1
    assert [line.seq for line in batch.lines] == [1, 2, 4]


def test_nothing_is_there(tmp_path: Path) -> None:
    """No journal yet."""
    assert beginning(tmp_path) is None
    assert follow(tmp_path, Position(file="000001-20260101.jsonl")).lines == []


@pytest.mark.parametrize("written", [0, 44])
def test_another_journal_is_read_from_its_beginning(journal: JournalUnderTest, tmp_path: Path, written: int) -> None:
    """The old one was moved away: its files had higher numbers, or the same ones."""
    journal.write(40)
    _, position = rest(journal, first(journal))
    assert position.number > 2
    journal.writer.close()
    (journal.data_dir / "journal").rename(tmp_path / "moved")
    journal = JournalUnderTest(journal.data_dir)
    journal.write(written)
    batch = follow(journal.data_dir, position)
    assert batch.again
    assert [batch.lines[0].seq, batch.lines[0].kind] == [1, "journal-open"]
    lines, _ = rest(journal, batch.position)
    assert [line.seq for line in [*batch.lines, *lines]] == list(range(1, journal.last + 1))
