"""Law: whatever is done to a finished record, and however much of it, ``verify`` finds it; a roll-back, an anchor does."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recordings.checkpoints import Checkpoint, signing_key
from recordings.journal import JournalLimits
from recordings.recovery import whole_flows
from recordings.verify import verify
from recordings.writer import Record, Writer, WriterLimits

type Make = Callable[..., Record]
type Content = dict[str, bytes]
SMALL = WriterLimits(journal=JournalLimits(file_size=12_000, checkpoint_events=5), part_size=250)
EDITS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=250, deadline=None)
KINDS = (".jsonl", ".checkpoint", ".flow")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No gateway is running that could be about to write a checkpoint."""
    monkeypatch.setattr("recordings.chaincheck._PATIENCE", (0.0,))


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, make_record: Make) -> tuple[Path, list[Content]]:
    """A directory to verify in, and what a record looked like after each of nine starts and stops."""
    data_dir = tmp_path_factory.mktemp("edits") / "data"
    states = []
    for start in range(9):
        writer = Writer.open(data_dir, limits=SMALL)
        for number in range(start * 6, start * 6 + 6):
            writer.write([make_record(number, session=f"s-{number % 3}", flow=number % 4 > 0)])
            writer.sync()
            writer.tidy()
        writer.close()
        states.append(read(data_dir))
    return data_dir, states


def read(data_dir: Path) -> Content:
    """All files of a record."""
    return {str(path.relative_to(data_dir)): path.read_bytes() for path in data_dir.rglob("*") if path.suffix in KINDS}


def put(data_dir: Path, content: Content) -> None:
    """Make the record exactly this."""
    for name, old in read(data_dir).items():
        if content.get(name) != old:
            (data_dir / name).unlink()
    for name, new in content.items():
        path = data_dir / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(new)


def parts(name: str, content: bytes, tmp: Path) -> list[bytes]:
    """The lines of a file, or its flows."""
    if not name.endswith(".flow"):
        return content.splitlines(keepends=True)
    tmp.write_bytes(content)
    with tmp.open("rb") as file:
        return [content[offset : offset + length] for offset, length in whole_flows(file, 0)]


def edited(data: st.DataObject, content: Content, tmp: Path) -> Content:
    """One edit of one kind at one place."""
    made, name = dict(content), data.draw(st.sampled_from(sorted(content)))
    other = data.draw(st.sampled_from(sorted(each for each in content if Path(each).suffix == Path(name).suffix)))
    pieces, foreign = parts(name, content[name], tmp), parts(other, content[other], tmp)
    at = data.draw(st.integers(0, max(0, len(pieces) - 1)))
    to = data.draw(st.integers(0, max(0, len(pieces) - 1)))
    byte = data.draw(st.integers(0, max(0, len(content[name]) - 1)))
    match data.draw(st.sampled_from(EDIT_KINDS)):
        case "change" if content[name]:
            changed = bytearray(content[name])
            changed[byte] ^= data.draw(st.integers(1, 255))
            made[name] = bytes(changed)
        case "remove" if pieces:
            made[name] = b"".join(pieces[:at] + pieces[at + 1 :])
        case "duplicate" if pieces:
            made[name] = b"".join([*pieces[:to], pieces[at], *pieces[to:]])
        case "swap" if pieces:
            pieces[at], pieces[to] = pieces[to], pieces[at]
            made[name] = b"".join(pieces)
        case "insert" if foreign:
            made[name] = b"".join([*pieces[:at], data.draw(st.sampled_from(foreign)), *pieces[at:]])
        case "truncate":
            made[name] = content[name][:byte]
        case "append":
            made[name] = content[name] + data.draw(st.binary(min_size=1, max_size=40))
        case "remove file":
            del made[name]
        case "empty file":
            made[name] = b""
        case "swap files":
            made[name], made[other] = content[other], content[name]
        case "copy file":
            made[other] = content[name]
        case "add file":
            made[str(Path(name).with_stem(Path(name).stem + data.draw(st.sampled_from(["x", "-2", "0"]))))] = content[
                name
            ]
    return made


EDIT_KINDS = (
    *("change", "remove", "duplicate", "swap", "insert", "truncate", "append"),
    *("remove file", "empty file", "swap files", "copy file", "add file"),
)


@EDITS
@given(data=st.data())
def test_every_edit_is_found(history: tuple[Path, list[Content]], tmp_path: Path, data: st.DataObject) -> None:
    """Up to three edits of bytes, lines, flows and whole files: intact is only what is byte for byte as it was."""
    data_dir, states = history
    true = made = states[-1]
    for _ in range(data.draw(st.integers(1, 3))):
        made = edited(data, made, tmp_path / "piece")
    put(data_dir, made)
    report = verify(data_dir, keys=[signing_key(data_dir).public_key()])
    assert report.intact == (made == true), report.summary()
    if not report.intact:
        assert report.first_break is not None
        assert report.first_break.file
        assert report.first_break.message


@EDITS
@given(data=st.data())
def test_a_roll_back_with_its_checkpoints_is_found_against_an_anchor(
    history: tuple[Path, list[Content]], data: st.DataObject
) -> None:
    """An older state is whole by itself; any checkpoint that is younger finds it, whichever one was copied away."""
    data_dir, states = history
    state = data.draw(st.integers(0, len(states) - 1))
    anchors = checkpoints(states[-1])
    anchor = data.draw(st.sampled_from(anchors))
    put(data_dir, states[state])
    key = signing_key(data_dir).public_key()
    alone = verify(data_dir, keys=[key])
    assert alone.intact, alone.summary()
    assert alone.anchored == 0
    report = verify(data_dir, keys=[key], anchors=[anchor])
    assert report.intact == (anchor.seq <= alone.events), report.summary()
    assert report.anchored == (anchor.seq if report.intact else report.anchored)
    if not report.intact:
        assert "it was cut off" in report.summary()


def checkpoints(content: Content) -> list[Checkpoint]:
    """All of a record, in order."""
    lines = [line for name in sorted(content) if name.endswith(".checkpoint") for line in content[name].splitlines()]
    return [found for line in lines if (found := Checkpoint.parse(line))]


@EDITS
@given(data=st.data())
def test_files_of_two_times_do_not_go_together(history: tuple[Path, list[Content]], data: st.DataObject) -> None:
    """Some files rolled back to one of their earlier states, the others not: found without an anchor."""
    data_dir, states = history
    true, older = states[-1], states[data.draw(st.integers(0, len(states) - 2))]
    changed = sorted(name for name in true if older.get(name) != true[name])
    back = set(data.draw(st.lists(st.sampled_from(changed), min_size=1, max_size=len(changed) - 1, unique=True)))
    made = {name: old for name in true if (old := older.get(name) if name in back else true[name]) is not None}
    put(data_dir, made)
    report = verify(data_dir, keys=[signing_key(data_dir).public_key()])
    assert report.intact == any(made == state for state in states), report.summary()


def test_a_record_of_another_gateway_is_not_this_one(
    history: tuple[Path, list[Content]], tmp_path: Path, make_record: Make
) -> None:
    """Everything replaced by another record, signed with another key: whole, but not by the key that is known."""
    data_dir, states = history
    put(data_dir, states[-1])
    writer = Writer.open(tmp_path / "other")
    writer.write([make_record(1)])
    writer.close()
    shutil.copytree(data_dir / "keys", tmp_path / "keys")
    assert verify(tmp_path / "other").intact
    report = verify(tmp_path / "other", keys=[signing_key(tmp_path).public_key()])
    assert "not signed by a given key" in report.summary()
