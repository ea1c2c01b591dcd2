"""Laws of reading a record: exactly the bytes that the journal names, or a reason."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from recordings.errors import RecordUnreadable
from recordings.listing import Row, rows
from recordings.reading import record as read
from recordings.writer import Record, Writer


@pytest.fixture
def row(tmp_path: Path, record: Callable[..., Record]) -> Row:
    """The second of two calls in one file."""
    writer = Writer.open(tmp_path)
    for number in (1, 2):
        writer.write([record(number, size=30)])
    writer.close()
    return next(row for row in rows(tmp_path) if row.decision == "d-2")


def test_the_bytes_are_read(tmp_path: Path, row: Row) -> None:
    """Of that call and no other."""
    assert read(tmp_path, row, most=100).endswith(b"02}")


def test_too_many_are_not(tmp_path: Path, row: Row) -> None:
    """The size is known before anything is read."""
    with pytest.raises(RecordUnreadable, match=f"{row.length} bytes"):
        read(tmp_path, row, most=row.length - 1)


def test_altered_ones_are_not(tmp_path: Path, row: Row) -> None:
    """Changed, cut, gone, or a link to elsewhere."""
    path = tmp_path / row.file
    content = path.read_bytes()
    path.chmod(0o600)
    for altered in (content.replace(b"02}", b"03}"), content[:-1]):
        path.write_bytes(altered)
        with pytest.raises(RecordUnreadable, match="not as the journal says"):
            read(tmp_path, row)
    path.unlink()
    with pytest.raises(RecordUnreadable, match="missing"):
        read(tmp_path, row)
    (tmp_path / "copy").write_bytes(content)
    path.symlink_to(tmp_path / "copy")
    with pytest.raises(RecordUnreadable, match="cannot be read"):
        read(tmp_path, row)


@pytest.mark.parametrize("file", ["/etc/passwd", "recordings/../../etc/passwd", "journal/x", "recording"])
def test_other_files_are_not(tmp_path: Path, row: Row, file: str) -> None:
    """Whatever a journal says."""
    with pytest.raises(RecordUnreadable, match="no recording"):
        read(tmp_path, replace(row, file=file))
