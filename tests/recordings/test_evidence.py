"""Law: what is deleted was as it had been written; what was not is left for people to look at."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from recordings.evidence import flows_of, holds, is_chained
from recordings.journal import JournalLimits, journal_files
from recordings.lines import FlowRef
from recordings.segments import Segment
from recordings.writer import Record, Writer, WriterLimits

LIMITS = WriterLimits(journal=JournalLimits(file_size=14_000, checkpoint_events=6))


def ref(data: bytes, offset: int) -> FlowRef:
    """Of a flow."""
    return FlowRef(file="recordings/a.flow", length=len(data), offset=offset, sha256=sha256(data).hexdigest())


@pytest.mark.parametrize(
    ("content", "held"), [(b"onetwo", True), (b"ontwo", False), (b"onetwo!", False), (b"oneTwo", False), (b"", False)]
)
def test_a_file_holds_its_flows_and_nothing_else(tmp_path: Path, content: bytes, held: bool) -> None:
    """Every byte, to the end."""
    path = tmp_path / "a.flow"
    path.write_bytes(content)
    assert holds(path, [ref(b"one", 0), ref(b"two", 3)], 6) is held
    assert not holds(path, [ref(b"one", 0)], 6)
    assert not holds(path, [ref(b"one", 1)], 3)


@pytest.fixture
def data_dir(tmp_path: Path, record: Callable[..., Record]) -> Path:
    """Two starts; the first was killed between flows and their lines."""
    writer = Writer.open(tmp_path, limits=LIMITS)
    writer.write([record(1, session="s-1"), record(2, session="s-2")])
    writer.write([record(3, session="s-1")])
    writer.close(seal=False)
    left = record(4, session="s-1")
    assert left.flow
    [path] = tmp_path.rglob("s-1-*.flow")
    with path.open("ab") as file:
        file.write(left.flow)
    Writer.open(tmp_path, limits=LIMITS).close()
    return tmp_path


def test_flows_with_and_without_a_line(data_dir: Path) -> None:
    """What a crash left counts, too."""
    first, *_ = journal_files(data_dir / "journal" / "main")
    names = [path.relative_to(data_dir).as_posix() for path in data_dir.rglob("*.flow")]
    told = flows_of(first, names)
    assert sorted(map(len, told.values())) == [1, 3]
    assert all(holds(data_dir / name, told[name], (data_dir / name).stat().st_size) for name in names)
    assert flows_of(first, ["recordings/other.flow"]) == {"recordings/other.flow": []}


def test_a_journal_file_is_chained_to_the_next_one(data_dir: Path) -> None:
    """Not after a change of a line, wherever it is."""
    first, second = journal_files(data_dir / "journal" / "main")
    segment = Segment.read(first, second)
    assert segment
    assert is_chained(segment)
    content = first.read_bytes()
    first.chmod(0o600)
    for number in range(content.count(b"\n")):
        lines = content.splitlines(keepends=True)
        lines[number] = lines[number].replace(b'"version":"1', b'"version":"2')
        first.write_bytes(b"".join(lines))
        assert not is_chained(segment)
        del lines[number]
        first.write_bytes(b"".join(lines))
        assert not is_chained(segment)
