"""Law: retention deletes what it may and no more, and what it deleted is the only thing that verify does not miss."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recordings.checkpoints import signing_key
from recordings.journal import JournalLimits, journal_files
from recordings.ocsf import Kind
from recordings.retention import Kept, Plan, Retention, Wanted
from recordings.verify import Report, read_anchors, verify
from recordings.writer import Record, Writer, WriterLimits
from tests.recordings.conftest import Clock

type Make = Callable[..., Record]
SMALL = WriterLimits(journal=JournalLimits(file_size=9_000, checkpoint_events=5), part_size=250, quiet=1e9)
MANY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
DAY = 86_400.0
DAYS = 4


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No gateway is running that could be about to write a checkpoint."""
    monkeypatch.setattr("recordings.chaincheck._PATIENCE", (0.0,))


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, make_record: Make) -> Path:
    """Four days, each with two starts: one ended well, one as by a crash."""
    data_dir, clock = tmp_path_factory.mktemp("history") / "data", Clock()
    for start in range(DAYS * 2):
        writer = Writer.open(data_dir, limits=SMALL, clock=clock)
        for number in range(start * 8, start * 8 + 8):
            writer.write([make_record(number, session=f"s-{number % 4}", flow=number % 5 > 0)])
            writer.sync()
            writer.tidy()
        writer.close(seal=start % 2 == 0)
        clock.now += DAY / 2
    return data_dir


@pytest.fixture
def data_dir(history: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(history, tmp_path / "data")
    return tmp_path / "data"


NOW = Clock().now + DAYS * DAY


def delete(data_dir: Path, wanted: Wanted, kept: Kept | None = None, *, now: float = NOW, until: int = 10**6) -> Plan:
    """What the gateway does; ``until``: it is killed after so many files."""
    writer = Writer.open(data_dir, limits=SMALL, clock=Clock(now))
    retention = Retention(data_dir)
    plan = retention.plan(wanted, kept or Kept(), now=now)
    announce(writer, retention, plan, now)
    if until < len(plan.doomed):
        in_order = [each for each in plan.doomed if each.flow] + [each for each in plan.doomed if each.segment]
        for each in in_order[:until]:
            (data_dir / each.name).unlink()
        writer.close(seal=False)
    else:
        retention.carry_out(plan, now=now)
        writer.close()
    return plan


def announce(writer: Writer, retention: Retention, plan: Plan, now: float) -> None:
    """The events of a plan, signed."""
    entries = tuple(event.entry() for event in retention.events(plan, now=now))
    if entries:
        records = [Record(entries=entries, signed=True)]
        writer.write(records)
        writer.sync(records)


def checked(data_dir: Path) -> Report:
    """Verified with the key."""
    return verify(data_dir, keys=[signing_key(data_dir).public_key()])


def files(data_dir: Path) -> dict[str, bytes]:
    """All that was recorded."""
    kinds = (".jsonl", ".checkpoint", ".flow")
    return {str(path.relative_to(data_dir)): path.read_bytes() for path in data_dir.rglob("*") if path.suffix in kinds}


def events(data_dir: Path) -> list[dict[str, Any]]:
    """All lines."""
    found = journal_files(data_dir / "journal" / "main")
    return [json.loads(line) for path in found for line in path.read_bytes().splitlines()]


def test_by_age(data_dir: Path, ocsf: Any) -> None:
    """What is older than two days is gone, everything younger is there, and verify goes on from the last that is gone."""
    before = checked(data_dir)
    old = files(data_dir)
    plan = delete(data_dir, Wanted(retain=2 * DAY))
    report, left = checked(data_dir), files(data_dir)
    assert report.intact, report.summary()
    assert {name for name in old if "2027-01-15" in name or "-20270115" in name}.isdisjoint(left)
    assert {name for name in old if "2027-01-18" in name} <= left.keys()
    assert plan.bytes == sum(len(old[name]) for name in old.keys() - left.keys())
    assert 0 < report.deleted < before.events < report.last
    assert f"events 1 to {report.deleted} were deleted by retention" in " ".join(report.notes)
    assert events(data_dir)[0]["seq"] == report.deleted + 1
    (told,) = [line for line in events(data_dir) if line["kind"] == Kind.RETENTION]
    ocsf(told["event"])
    own = told["event"]["unmapped"]["gatehold"]
    assert own["journal"][-1]["last"] == report.deleted
    assert own["journal"][-1]["head"] == events(data_dir)[0]["prev"]
    assert {each["file"] for each in own["files"]} == {name for name in old if name not in left and "flow" in name}
    assert not list((data_dir / "recordings").glob("2027-01-15"))


def test_by_size(data_dir: Path) -> None:
    """The oldest go, and no more than are too many."""
    total = sum(map(len, files(data_dir).values()))
    plan = delete(data_dir, Wanted(keep=total // 2))
    assert plan.total >= total
    assert total // 2 <= plan.bytes <= total // 2 + 20_000
    assert checked(data_dir).intact
    assert not delete(data_dir, Wanted(keep=total)).doomed


def test_nothing_is_deleted_where_nothing_is_asked_for(data_dir: Path) -> None:
    """Nor is there an event."""
    assert not delete(data_dir, Wanted()).doomed
    assert checked(data_dir).deleted == 0


@MANY
@given(data=st.data())
def test_whatever_is_deleted_however_far_it_came(history: Path, tmp_path: Path, data: st.DataObject) -> None:
    """By age, by size, with holds and sinks, killed anywhere, several times: intact; nothing held and nothing young went."""
    data_dir = tmp_path / "data"
    shutil.rmtree(data_dir, ignore_errors=True)
    shutil.copytree(history, data_dir)
    now = NOW
    held = data.draw(st.sets(st.sampled_from(["s-0", "s-1", "s-2"]), max_size=1))
    for _ in range(data.draw(st.integers(1, 3))):
        wanted = Wanted(
            retain=data.draw(st.none() | st.floats(0.3 * DAY, 4 * DAY)),
            keep=data.draw(st.none() | st.integers(3000, 100_000)),
        )
        kept = Kept(sessions=held, journal_from=data.draw(st.none() | st.integers(1, 20)))
        before = files(data_dir)
        delete(data_dir, wanted, kept, now=now, until=data.draw(st.integers(0, 60)))
        report = checked(data_dir)
        assert report.intact, report.summary()
        gone = before.keys() - files(data_dir).keys()
        assert not any(name.rpartition("/")[2].startswith(f"{each}-") for name in gone for each in held)
        now += DAY / 2
    writer = Writer.open(data_dir, limits=SMALL, clock=Clock(now))
    writer.close()
    report = checked(data_dir)
    assert report.intact, report.summary()


@MANY
@given(data=st.data())
def test_what_was_not_deleted_by_retention_is_missed(history: Path, tmp_path: Path, data: st.DataObject) -> None:
    """After a retention every other file is as safe as before: removing, changing or bringing back one is found."""
    data_dir = tmp_path / "data"
    shutil.rmtree(data_dir, ignore_errors=True)
    shutil.copytree(history, data_dir)
    before = files(data_dir)
    delete(data_dir, Wanted(retain=data.draw(st.floats(DAY, 3 * DAY))))
    left = files(data_dir)
    gone = sorted(before.keys() - left.keys())
    name = data.draw(st.sampled_from(sorted(left)))
    match data.draw(st.sampled_from(["remove", "change", "bring back", "cut"])):
        case "remove":
            (data_dir / name).unlink()
        case "change" if left[name]:
            at = data.draw(st.integers(0, len(left[name]) - 1))
            put(data_dir / name, left[name][:at] + bytes([left[name][at] ^ 1]) + left[name][at + 1 :])
        case "cut" if left[name]:
            put(data_dir / name, left[name][: data.draw(st.integers(0, len(left[name]) - 1))])
        case _:
            back = data.draw(st.sampled_from([each for each in gone if not each.endswith(".checkpoint")]))
            put(data_dir / back, before[back])
            opened = [each for line in events(data_dir) if line["kind"] == "flows-open" for each in line_files(line)]
            if back in [each["file"] for each in opened]:
                return  # named by a line that is still there: as if the deletion had not come so far
            if checked(data_dir).intact:
                # Only the last journal file that went can be put back, together with its checkpoints.
                assert back == max(each for each in gone if each.endswith(".jsonl"))
            return
    assert not checked(data_dir).intact


def put(path: Path, content: bytes) -> None:
    """Make a file exactly this."""
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_a_deletion_that_nobody_signed_is_none(data_dir: Path, record: Make) -> None:
    """Whoever can write files but not sign makes a line that says so, and removes the files: a break."""
    clock = Clock(NOW)
    writer = Writer.open(data_dir, limits=SMALL, clock=clock)
    retention = Retention(data_dir)
    plan = retention.plan(Wanted(retain=DAY), Kept(), now=NOW)
    writer.write([Record(entries=tuple(event.entry() for event in retention.events(plan, now=NOW)))])
    writer.close(seal=False)
    assert checked(data_dir).intact
    retention.carry_out(plan, now=NOW)
    report = checked(data_dir)
    assert "was never signed" in report.summary()


def test_a_deletion_that_is_gone_itself_is_none(data_dir: Path) -> None:
    """Without its line the journal begins nowhere: rolled back to before it, and the old files removed."""
    before = files(data_dir)
    delete(data_dir, Wanted(retain=2 * DAY))
    for name in files(data_dir).keys() - before.keys():
        (data_dir / name).unlink()
    assert checked(data_dir).summary().endswith("file 000001 is missing")


def test_what_is_not_as_it_was_stays(data_dir: Path) -> None:
    """A flow file that somebody removed is evidence: the journal stays from there on, and verify finds it as before."""
    first = min(path for path in data_dir.rglob("*.flow"))
    first.unlink()
    plan = delete(data_dir, Wanted(retain=DAY))
    assert f"{first.relative_to(data_dir)} is missing, and was not deleted by retention" in plan.stuck
    assert any(each.flow for each in plan.doomed)
    report = checked(data_dir)
    assert str(first.relative_to(data_dir)) in report.summary()
    assert report.summary().startswith("journal/main/000001")


def test_anchors(data_dir: Path, tmp_path: Path) -> None:
    """One for an event that was deleted says nothing any more, one for a later event as much as before."""
    old = tmp_path / "old.checkpoint"
    old.write_bytes(min((data_dir / "journal").rglob("*.checkpoint")).read_bytes().splitlines()[0])
    delete(data_dir, Wanted(retain=2 * DAY))
    new = tmp_path / "new.checkpoint"
    new.write_bytes(max((data_dir / "journal").rglob("*.checkpoint")).read_bytes().splitlines()[-1])
    report = verify(data_dir, anchors=read_anchors(old))
    assert report.intact
    assert report.anchored == 0
    assert "for which an anchor vouches, was deleted by retention" in " ".join(report.notes)
    report = verify(data_dir, anchors=read_anchors(new))
    assert report.intact
    assert report.anchored == report.last


def test_a_sink_is_waited_for_until_it_is_too_late(data_dir: Path) -> None:
    """Journal files that it has not passed stay, flow files do not; at twice the age the journal goes, too."""
    plan = delete(data_dir, Wanted(retain=3 * DAY), Kept(journal_from=1))
    assert plan.doomed
    assert not any(each.segment for each in plan.doomed)
    plan = delete(data_dir, Wanted(retain=1.2 * DAY), Kept(journal_from=1))
    assert any(each.segment for each in plan.doomed)
    assert checked(data_dir).intact


def test_the_last_part_of_a_session_stays_for_its_day(tmp_path: Path, record: Make) -> None:
    """From its number the next part gets its own: no two files of the journal have one name."""
    clock = Clock()
    limits = WriterLimits(part_size=60, journal=JournalLimits(file_size=4000))
    for start in range(3):
        writer = Writer.open(tmp_path, limits=limits, clock=clock)
        for number in range(6):
            writer.write([record(start * 10 + number)])
        writer.close()
        clock.now += 60
        delete(tmp_path, Wanted(retain=1.0), now=clock.now)
    names = [each["file"] for line in events(tmp_path) if line["kind"] == "flows-open" for each in line_files(line)]
    assert len(names) == len(set(names))
    assert checked(tmp_path).intact


def line_files(line: dict[str, Any]) -> list[dict[str, Any]]:
    """What a line names."""
    found: list[dict[str, Any]] = line["event"]["unmapped"]["gatehold"]["files"]
    return found


def sifted(data_dir: Path) -> Plan:
    """What would be deleted of everything."""
    retention = Retention(data_dir)
    plan = retention.plan(Wanted(retain=0.0), Kept(), now=NOW)
    retention.sift(plan)
    return plan


def test_what_was_altered_is_evidence(data_dir: Path) -> None:
    """A flow of the same length: its file stays, and the journal from there on, so that verify goes on finding it."""
    whole = sifted(data_dir)
    assert not whole.stuck
    [altered] = [each for each in whole.doomed if each.flow][3:4]
    assert altered.flow
    path = data_dir / altered.name
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-2] + b"!}")
    plan = sifted(data_dir)
    assert f"{altered.name} is not as it was written" in plan.stuck[0]
    assert {each.name for each in whole.doomed if each.flow} - {each.name for each in plan.doomed} == {altered.name}
    assert all(each.segment.path < altered.flow.journal for each in plan.doomed if each.segment)


def test_an_altered_journal_is_evidence(data_dir: Path) -> None:
    """One byte of one line: the file stays, and every later one."""
    path = journal_files(data_dir / "journal" / "main")[2]
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b'"kind":"', b'"kinD":"', 1)
    path.chmod(0o600)
    path.write_bytes(b"".join(lines))
    plan = sifted(data_dir)
    assert [each.segment.number for each in plan.doomed if each.segment] == [1, 2]
    assert any(path.name in words for words in plan.stuck)


def test_evidence_is_not_in_the_way(data_dir: Path) -> None:
    """What was found once is left out of later plans at once: it takes nobody's place."""
    retention = Retention(data_dir)
    plan = retention.plan(Wanted(retain=0.0), Kept(), now=NOW)
    path = data_dir / plan.doomed[0].name
    path.chmod(0o600)
    path.write_bytes(b"x" * path.stat().st_size)
    retention.sift(plan)
    again = retention.plan(Wanted(retain=0.0), Kept(), now=NOW)
    assert [each.name for each in again.doomed] == [each.name for each in plan.doomed]
    assert again.stuck == plan.stuck


def test_what_no_checkpoint_covers_is_not_announced(data_dir: Path) -> None:
    """A line that is not signed may still be taken back."""
    writer = Writer.open(data_dir, limits=SMALL, clock=Clock(NOW))
    retention = Retention(data_dir)
    plan = retention.plan(Wanted(retain=0.0), Kept(), now=NOW)
    writer.write([Record(entries=tuple(event.entry() for event in retention.events(plan, now=NOW)))])
    assert not retention.is_announced(plan)
    announce(writer, retention, plan, NOW)
    assert retention.is_announced(plan)
    writer.close()


def test_a_name_that_was_announced_and_never_used(tmp_path: Path, make_record: Make) -> None:
    """A kill before the file was made: its name is given once more, and both are deleted as one."""
    clock = Clock()
    writer = Writer.open(tmp_path, limits=SMALL, clock=clock)
    writer._announce(writer._flows.plan(["s-1"], clock()))
    writer.close(seal=False)
    [path] = tmp_path.rglob("*.flow")
    path.unlink()
    for number in range(2):
        writer = Writer.open(tmp_path, limits=SMALL, clock=clock)
        writer.write([make_record(number, session="s-1" if number == 0 else "s-2")])
        writer.close()
        clock.now += 2 * DAY
    assert path.exists()
    plan = delete(tmp_path, Wanted(retain=DAY), now=clock.now)
    assert not plan.stuck
    assert not path.exists()
    assert checked(tmp_path).intact
