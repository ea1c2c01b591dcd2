"""The hand that writes, without anybody between."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from recordings.errors import JournalDamagedError, RecorderBusyError
from recordings.events import Event
from recordings.journal import journal_files
from recordings.recorder.__main__ import opened
from recordings.recorder.jobs import Gap, Job, Report
from recordings.recorder.scribe import STOPPED, Scribe
from recordings.verify import verify
from recordings.writer import Writer, WriterLimits, is_in_use
from tests.recordings.conftest import Clock, Disk
from tests.recordings.recorder.recording import FLOW, moves, numbered, numbers

FULL = "OSError: No space left on device"
type Desk = tuple[Scribe, list[Report]]


@pytest.fixture
def desk(tmp_path: Path, clock: Clock) -> Desk:
    """A scribe, and what it reported."""
    reports: list[Report] = []
    return Scribe.open(tmp_path, WriterLimits(), reports.append, clock), reports


@pytest.fixture
def job(event: Event) -> Callable[..., Job]:
    """Makes jobs: ``job(3)`` has the number 3."""

    def make(number: int, **options: Any) -> Job:
        return Job(number=number, **({"events": [event], "flow": FLOW, "session": "s-1"} | options))

    return make


def once(batches: Sequence[Sequence[Job | Gap]]) -> Callable[[float], tuple[Sequence[Job | Gap], bool]]:
    """What is taken: these batches, one at a time, and then the end."""
    left = list(batches)
    return lambda _: (left.pop(0), True) if left else ([], False)


def test_what_is_written_is_reported_before_what_is_synced(
    desk: Desk, job: Callable[..., Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for the disk who did not ask for it; a report comes after the bytes, not before."""
    scribe, reports = desk
    sync, seen = Writer.sync, list[tuple[list[Report], int]]()
    monkeypatch.setattr(
        Writer, "sync", lambda *given: (seen.append(([*reports], verify(tmp_path).flows)), sync(*given))
    )
    scribe.write([job(1), job(2, durable=True), job(3), job(4, durable=True)])
    assert seen == [([Report(numbers=(1, 3))], 4)]
    assert reports == [Report(numbers=(1, 3)), Report(numbers=(2, 4))]
    scribe.close()


def test_one_that_has_no_form_is_lost_alone(desk: Desk, job: Callable[..., Job], event: Event, tmp_path: Path) -> None:
    """It is counted, and the count is told of in the same batch, before what was written."""
    scribe, reports = desk
    bad = Event(kind=event.kind, data={**event.data, "x": object()})
    scribe.write([job(1), job(2, events=[bad]), job(3)])
    reason = "what was to be recorded has no form: TypeError"
    assert reports == [Report(numbers=(2,), lost=reason), Report(), Report(numbers=(1, 3))]
    assert [(words["calls"], words["fault"]) for words in moves(tmp_path)] == [(1, reason)]
    scribe.close()


def test_nothing_of_a_batch_that_failed_is_written(
    desk: Desk, job: Callable[..., Job], tmp_path: Path, disk: Disk
) -> None:
    """All are reported lost with the reason; the next batch says how many, before its own events."""
    scribe, reports = desk
    scribe.write([job(1)])
    disk.room = 10
    scribe.write([job(2), job(3, durable=True)])
    scribe.write([job(4)])
    assert reports[1:] == [Report(numbers=(2, 3), lost=FULL, fault=FULL), Report(numbers=(4,), lost=FULL, fault=FULL)]
    disk.room = None
    scribe.write([job(5)])
    assert reports[3:] == [Report(), Report(numbers=(5,))]
    assert [words["calls"] for words in moves(tmp_path)] == [3]
    scribe.close()
    report = verify(tmp_path)
    assert report.intact, report.summary()
    assert report.flows == 2


def test_what_was_written_is_not_lost_by_a_sync_that_fails(
    desk: Desk, job: Callable[..., Job], disk: Disk, tmp_path: Path
) -> None:
    """Only those are refused that wait for it."""
    scribe, reports = desk
    disk.sync_fails = True
    scribe.write([job(1), job(2, durable=True)])
    reason = "OSError: Input/output error"
    assert reports == [Report(numbers=(1,)), Report(numbers=(2,), lost=reason, fault=reason)]
    disk.sync_fails = False
    scribe.write([job(3, durable=True)])
    assert reports[-1] == Report(numbers=(3,))
    assert [words["calls"] for words in moves(tmp_path)] == [1]
    scribe.close()


def test_a_gap_is_an_event(desk: Desk, job: Callable[..., Job], tmp_path: Path) -> None:
    """With the number of its calls and the reason; it is reported when that is written."""
    scribe, reports = desk
    scribe.write([Gap(7, 12, "the recorder's queue is full"), job(8)])
    assert reports == [Report(numbers=(7,)), Report(numbers=(8,))]
    assert [(words["calls"], words["fault"]) for words in moves(tmp_path)] == [(12, "the recorder's queue is full")]
    scribe.close()


def test_a_gap_waits_for_room(desk: Desk, job: Callable[..., Job], tmp_path: Path, disk: Disk) -> None:
    """It is told of together with what was lost meanwhile, once, as soon as there is room."""
    scribe, reports = desk
    disk.room = 0
    scribe.write([Gap(1, 12, "full")])
    scribe.write([job(2), Gap(3, 5, "full")])
    assert [report.numbers for report in reports if not report.lost] == []
    disk.room = None
    scribe.write([job(4)])
    assert [report.numbers for report in reports[-2:]] == [(1, 3), (4,)]
    assert [words["calls"] for words in moves(tmp_path)] == [18]
    scribe.close()


def test_it_comes_out_of_a_fault_by_itself(desk: Desk, job: Callable[..., Job], disk: Disk, tmp_path: Path) -> None:
    """Between two batches, when it looks after the files."""
    scribe, reports = desk
    disk.room = 0
    scribe.write([job(1)])
    disk.room = None
    scribe.work(once([[]]), interval=0.0)
    assert reports[-1] == Report()
    assert [words["calls"] for words in moves(tmp_path)] == [1]
    scribe.close()


def test_it_tells_of_a_fault_without_a_call(desk: Desk, tmp_path: Path) -> None:
    """A journal that somebody moved away is found out, and another one begun at the next look."""
    scribe, reports = desk
    (tmp_path / "journal" / "main").rename(tmp_path / "taken")
    scribe.work(once([]), interval=0.0)
    assert reports[-1].fault.startswith("FileNotFoundError")
    scribe.work(once([]), interval=0.0)
    assert reports[-1] == Report()
    assert len(journal_files(tmp_path / "journal" / "main")) == 1
    scribe.close()


def test_it_works_through_what_it_takes(desk: Desk, event: Event, job: Callable[..., Job], tmp_path: Path) -> None:
    """In order, batch by batch; the last one comes with the end."""
    scribe, reports = desk
    jobs = [job(n, events=[one]) for n, one in enumerate(numbered(event, 5))]
    batches = [(jobs[:2], True), ([], True), (jobs[2:], False)]
    scribe.work(lambda _: batches.pop(0), interval=1e6)
    assert numbers(tmp_path) == [0, 1, 2, 3, 4]
    assert [report.numbers for report in reports] == [(0, 1), (2, 3, 4)]
    scribe.close()


@pytest.mark.parametrize("seal", [True, False])
def test_the_last_report_comes_when_everything_is_done(
    tmp_path: Path, job: Callable[..., Job], disk: Disk, seal: bool
) -> None:
    """Whoever reads it may open the directory: all is synced, sealed where that was asked for, and let go of."""
    reports, seen = list[Report](), list[tuple[bool, bool]]()

    def tell(report: Report) -> None:
        reports.append(report)
        seen.append((is_in_use(tmp_path), disk.syncs > before))

    scribe, before = Scribe.open(tmp_path, WriterLimits(), tell), disk.syncs
    scribe.write([job(1)])
    before = disk.syncs
    scribe.close(seal=seal)
    assert reports[-1] == Report(fault=STOPPED, ended=True)
    assert seen[-1] == (False, True)
    report = verify(tmp_path)
    assert report.intact, report.summary()
    with_seal = [
        line for path in journal_files(tmp_path / "journal" / "main") for line in path.read_bytes().splitlines()
    ]
    assert any(b'"kind":"journal-seal"' in line for line in with_seal) == seal


def test_a_last_fault_is_told(desk: Desk, job: Callable[..., Job], disk: Disk, tmp_path: Path) -> None:
    """What cannot be sealed is let go of all the same; the next start finishes it."""
    scribe, reports = desk
    scribe.write([job(1)])
    disk.room = 0
    scribe.close()
    assert reports[-1] == Report(fault=FULL, ended=True)
    assert not is_in_use(tmp_path)
    disk.room = None
    Writer.open(tmp_path).close()
    assert verify(tmp_path).intact


def test_errors_of_the_start_are_the_writers(desk: Desk, tmp_path: Path) -> None:
    """Somebody else has the files; they cannot be continued; they cannot be written."""
    with pytest.raises(RecorderBusyError):
        Scribe.open(tmp_path, WriterLimits(), print)
    desk[0].close(seal=False)
    [path] = journal_files(tmp_path / "journal" / "main")
    path.write_bytes(path.read_bytes() + b"rubbish\n")
    with pytest.raises(JournalDamagedError):
        Scribe.open(tmp_path, WriterLimits(), print)
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        Scribe.open(tmp_path / "file", WriterLimits(), print)


def test_files_that_another_has_are_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job: Callable[..., Job]
) -> None:
    """The scribe of a gateway that was killed is still writing: the next one begins when it has ended."""
    last = Scribe.open(tmp_path, WriterLimits(), lambda _: None)
    tries: list[float] = []

    def pause(seconds: float) -> None:
        tries.append(seconds)
        last.write([job(len(tries))])
        if len(tries) == 3:
            last.close(seal=False)

    monkeypatch.setattr("recordings.recorder.__main__.time.sleep", pause)
    scribe = opened(lambda: Scribe.open(tmp_path, WriterLimits(), lambda _: None), 1e6)
    assert len(tries) == 3
    scribe.write([job(9)])
    scribe.close()
    report = verify(tmp_path)
    assert report.intact, report.summary()
    assert report.flows == 4


def test_files_that_another_keeps_are_not_waited_for_without_end(desk: Desk, tmp_path: Path) -> None:
    """The error says that somebody has them."""
    handles = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(RecorderBusyError):
        opened(lambda: Scribe.open(tmp_path, WriterLimits(), lambda _: None), 0.05)
    assert len(list(Path("/proc/self/fd").iterdir())) == handles
    desk[0].close()
