"""The recorder as the data path sees it."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from policy.codes import Code
from policy.model import SessionId
from recordings.errors import RecorderBusyError, RecorderUnavailable
from recordings.events import Call, Event, intent, outcome, refusal
from recordings.journal import journal_files
from recordings.recorder import Mode, Recorder, RecorderLimits
from recordings.recorder.jobs import Gap, Job, Report
from recordings.said import said
from recordings.verify import verify
from recordings.writer import Writer
from tests.recordings.conftest import Clock, Disk
from tests.recordings.recorder.recording import FLOW, Gate, moves, numbered, numbers, put, told, until


async def test_what_was_awaited_is_in_the_files(running: Callable[..., Recorder], event: Event, tmp_path: Path) -> None:
    """When the future is done a reader finds flow and event, without any flush."""
    recorder = running()
    assert recorder.healthy
    await put(recorder, event)
    assert verify(tmp_path).flows == 1
    await put(recorder, event, durable=True)
    assert verify(tmp_path).flows == 2
    await recorder.stop()
    report = verify(tmp_path)
    assert report.intact, report.summary()
    assert not recorder.healthy


async def test_many_callers_share_a_batch(running: Callable[..., Recorder], event: Event, tmp_path: Path) -> None:
    """All are written, each once, in the order in which they were given."""
    recorder = running()
    await asyncio.gather(*(put(recorder, one, durable=n % 9 == 0) for n, one in enumerate(numbered(event, 500))))
    await recorder.stop()
    assert numbers(tmp_path) == list(range(500))
    assert verify(tmp_path).flows == 500


async def test_what_is_said_becomes_events(running: Callable[..., Recorder], call: Call, tmp_path: Path) -> None:
    """In the order in which it was said, as if it had been made at once; the flow belongs to the last."""
    recorder = running()
    first = said(intent, call, time=call.time, fingerprint="f")
    last = said(outcome, call, status=200, time=call.time + 1)
    await recorder.append(events=[first, last], flow=FLOW, session=SessionId("s-1"))
    await recorder.append(
        events=[said(refusal, call, code=Code.MALFORMED, status=400, reason="no", time=1.0)], session=SessionId("s-1")
    )
    found = [event for event in told(tmp_path) if "correlation_uid" in event["metadata"]]
    made = [first.event().data, last.event().data, refusal(call, code="malformed", status=400, reason="no", time=1.0)]
    for event, expected in zip(found, made, strict=True):
        data = expected.data if isinstance(expected, Event) else expected
        assert event["unmapped"] == data["unmapped"]
        assert (event["time"], event["status_code"]) == (data["time"], data["status_code"])
    assert verify(tmp_path).flows == 1


async def test_stop_writes_what_is_queued(running: Callable[..., Recorder], event: Event, tmp_path: Path) -> None:
    """Nothing that was accepted is dropped; afterwards nothing is accepted."""
    recorder = running()
    waiting = [put(recorder, event) for _ in range(50)]
    await recorder.stop()
    await asyncio.gather(*waiting)
    assert verify(tmp_path).flows == 50
    with pytest.raises(RecorderUnavailable):
        await put(recorder, event)
    await recorder.stop()


async def test_while_it_stops_nothing_is_accepted(
    within: Callable[..., Recorder], event: Event, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came before is written, what comes now is refused, and readiness says so."""
    gate, recorder = Gate(monkeypatch, "write"), within()
    with gate.opened():
        before = put(recorder, event)
        await gate.entered()
        stopping = asyncio.ensure_future(recorder.stop())
        await asyncio.sleep(0)
        assert not recorder.healthy
        with pytest.raises(RecorderUnavailable, match="not running"):
            await put(recorder, event)
    await stopping
    await before
    assert verify(tmp_path).flows == 1


async def test_before_the_start_nothing_is_recorded(tmp_path: Path, event: Event) -> None:
    """A call that comes too early is refused."""
    recorder = Recorder(tmp_path)
    assert not recorder.healthy
    with pytest.raises(RecorderUnavailable):
        put(recorder, event)


async def test_it_runs_once_at_a_time(running: Callable[..., Recorder], event: Event, tmp_path: Path) -> None:
    """A second start is a mistake; one after a stop is not, and it is healthy at once."""
    recorder = running()
    with pytest.raises(RuntimeError, match="runs already"):
        recorder.start(asyncio.get_running_loop())
    await put(recorder, event)
    await recorder.stop()
    recorder.start(asyncio.get_running_loop())
    assert (recorder.healthy, recorder.fault) == (True, "")
    await put(recorder, event)
    assert verify(tmp_path).flows == 2


async def test_a_second_gateway_is_refused(running: Callable[..., Recorder], tmp_path: Path) -> None:
    """One directory, one recorder."""
    running()
    second = Recorder(tmp_path, limits=RecorderLimits(patience=0.0))
    with pytest.raises(RecorderBusyError, match="in use by another gateway"):
        second.start(asyncio.get_running_loop())
    assert not second.healthy


async def test_a_full_disk_refuses_and_comes_back(
    within: Callable[..., Recorder], event: Event, tmp_path: Path, disk: Disk
) -> None:
    """Required: calls fail with a refusal that carries its code; with the first one after there is room, all is well."""
    recorder = within()
    await put(recorder, event)
    disk.room = 100
    for _ in range(3):
        with pytest.raises(RecorderUnavailable, match="No space") as refused:
            await put(recorder, event)
        assert refused.value.code is Code.RECORDER_UNAVAILABLE
        assert not recorder.healthy
        assert "No space" in recorder.fault
    disk.room = None
    await put(recorder, event)
    assert recorder.healthy
    assert recorder.fault == ""
    [recovered] = moves(tmp_path)
    assert (recovered["move"], recovered["calls"]) == ("recorder-recovered", 3)
    await recorder.stop()
    report = verify(tmp_path)
    assert report.intact, report.summary()
    assert report.flows == 2


async def test_it_comes_back_without_a_call(
    within: Callable[..., Recorder], event: Event, tmp_path: Path, disk: Disk
) -> None:
    """A probe is made every interval, so that readiness does not wait for somebody who tries."""
    recorder = within(interval=0.01)
    disk.room = 0
    with pytest.raises(RecorderUnavailable):
        await put(recorder, event)
    assert not recorder.healthy
    disk.room = None
    await until(lambda: recorder.healthy)


async def test_best_effort_goes_on_and_tells(
    within: Callable[..., Recorder], event: Event, tmp_path: Path, disk: Disk
) -> None:
    """The calls are answered, and the gap is an event with their number."""
    recorder = within("best-effort")
    disk.room = 0
    for _ in range(3):
        await put(recorder, event)
    assert not recorder.healthy
    disk.room = None
    await put(recorder, event)
    [recovered] = moves(tmp_path)
    assert recovered["calls"] == 3
    assert verify(tmp_path).flows == 1


@pytest.mark.parametrize("mode", ["required", "best-effort"])
@pytest.mark.parametrize("limits", [{"queue_records": 3}, {"queue_bytes": 20}])
async def test_a_full_queue_turns_calls_away(  # noqa: PLR0917
    within: Callable[..., Recorder],
    event: Event,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mode: Mode,
    limits: dict[str, int],
) -> None:
    """Memory is bounded: what does not fit fails at once, and is counted."""
    gate, recorder = Gate(monkeypatch, "write"), within(mode, **limits)
    with gate.opened():
        first = put(recorder, event, durable=True)
        await gate.entered()
        waiting = [put(recorder, event) for _ in range(10)]
        assert not recorder.healthy
        assert recorder.fault == "the recorder's queue is full"
        turned = [future for future in waiting if future.done()]
    results = await asyncio.gather(first, *waiting, return_exceptions=True)
    turned_away = [result for result in results if result is not None]
    assert all(isinstance(result, RecorderUnavailable) for result in turned_away)
    await put(recorder, event)
    assert recorder.healthy
    lost = sum(words["calls"] for words in moves(tmp_path))
    assert lost == len(turned) > 0
    assert len(turned_away) == (lost if mode == "required" else 0)
    assert verify(tmp_path).flows == 12 - lost


async def test_one_record_is_always_taken(running: Callable[..., Recorder], event: Event, tmp_path: Path) -> None:
    """Larger than the queue as it is: nothing waits beside it."""
    recorder = running(queue_bytes=20)
    body = b"x" * 1000
    await put(recorder, event, flow=b"%d:%b}" % (len(body), body))
    assert (verify(tmp_path).flows, recorder.healthy) == (1, True)


async def test_an_unlinked_directory_is_noticed(running: Callable[..., Recorder], event: Event, tmp_path: Path) -> None:
    """Files that lost their name are not written to: one refusal, then recording goes on in new ones."""
    recorder = running()
    await put(recorder, event)
    shutil.rmtree(tmp_path / "recordings")
    with pytest.raises(RecorderUnavailable, match="was removed"):
        await put(recorder, event)
    await put(recorder, event)
    assert len(list((tmp_path / "recordings").rglob("*.flow"))) == 1


async def test_files_are_looked_after_between_calls(
    running: Callable[..., Recorder], event: Event, tmp_path: Path
) -> None:
    """A journal that was moved away is found out within an interval, and written on elsewhere."""
    recorder = running(interval=0.01)
    await put(recorder, event)
    (tmp_path / "journal" / "main").rename(tmp_path / "taken")
    await until(lambda: len(journal_files(tmp_path / "journal" / "main")) == 1)
    await until(lambda: recorder.healthy)
    await put(recorder, event)
    assert recorder.healthy


async def test_a_durable_call_that_cannot_be_synced_fails(
    within: Callable[..., Recorder], event: Event, disk: Disk
) -> None:
    """The others of its batch were only to be written."""
    recorder = within()
    await put(recorder, event)
    disk.sync_fails = True
    with pytest.raises(RecorderUnavailable, match="Input/output"):
        await put(recorder, event, durable=True)
    disk.sync_fails = False
    await put(recorder, event, durable=True)


async def test_a_fault_of_ours_refuses_too(
    within: Callable[..., Recorder], event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception that nobody thought of does not leave a call waiting, nor end the scribe, nor tell its words."""
    recorder = within()
    with monkeypatch.context() as patch:
        patch.setattr(Writer, "write", lambda *_: (_ for _ in ()).throw(KeyError("SECRET")))
        with pytest.raises(RecorderUnavailable, match="KeyError") as refused:
            await put(recorder, event)
        assert "SECRET" not in str(refused.value)
    await put(recorder, event)
    assert recorder.healthy


async def test_the_loop_goes_on_while_the_scribe_writes(
    within: Callable[..., Recorder], event: Event, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small records queue up behind one that takes long: nobody blocks, and the order stays."""
    gate, recorder = Gate(monkeypatch, "sync"), within()
    first, *others = numbered(event, 4)
    with gate.opened():
        slow = put(recorder, first, durable=True)
        await gate.entered()
        behind = []
        for one in others:
            behind.append(put(recorder, one))
            await asyncio.sleep(0)
        assert not any(future.done() for future in (slow, *behind))
    await asyncio.gather(slow, *behind)
    assert numbers(tmp_path) == [0, 1, 2, 3]


async def test_nothing_is_recorded_without_an_event(running: Callable[..., Recorder]) -> None:
    """A mistake of the caller's, found out at once."""
    recorder = running()
    with pytest.raises(ValueError, match="without an event"):
        recorder.append(events=[], flow=FLOW, session=SessionId("s"))
    assert recorder.healthy


@pytest.mark.parametrize("mode", ["required", "best-effort"])
@pytest.mark.parametrize("odd", [object(), 1j, float("nan")])
@pytest.mark.parametrize("in_process", [True, False])
async def test_what_has_no_form_is_refused_alone(  # noqa: PLR0917
    running: Callable[..., Recorder],
    within: Callable[..., Recorder],
    event: Event,
    tmp_path: Path,
    mode: Mode,
    odd: Any,
    in_process: bool,
) -> None:
    """Whether it is found out here or by the scribe: the others of its turn are written, it is counted and forgotten."""
    recorder = (running if in_process else within)(mode)
    before, bad, after = (
        put(recorder, event),
        put(recorder, Event(kind=event.kind, data={**event.data, "x": odd})),
        put(recorder, event),
    )
    if mode == "required":
        with pytest.raises(RecorderUnavailable, match=r"has no form: (TypeError|ValueError)"):
            await bad
    await asyncio.gather(before, after, bad, return_exceptions=True)
    await put(recorder, event)
    assert recorder.healthy
    assert sum(words["calls"] for words in moves(tmp_path)) == 1
    assert verify(tmp_path).flows == 3


async def test_a_call_that_was_given_up_is_recorded(
    running: Callable[..., Recorder], event: Event, tmp_path: Path
) -> None:
    """An agent that goes away takes back its wait, not the record."""
    recorder = running()
    waiting = put(recorder, event)
    waiting.cancel()
    await put(recorder, event)
    assert verify(tmp_path).flows == 2


async def test_a_call_that_was_given_up_may_be_lost(within: Callable[..., Recorder], event: Event, disk: Disk) -> None:
    """There is nobody to be told of it."""
    recorder = within()
    disk.room = 0
    waiting = put(recorder, event)
    waiting.cancel()
    with pytest.raises(RecorderUnavailable):
        await put(recorder, event)
    disk.room = None
    await put(recorder, event)


async def test_everything_waits_for_the_disk_where_that_is_asked_for(
    within: Callable[..., Recorder], event: Event, disk: Disk
) -> None:
    """``sync: always``: an outcome that would be synced within a second is synced before it counts as written."""
    recorder = within(sync="always")
    before = disk.syncs
    await put(recorder, event)
    assert disk.syncs > before


async def test_an_event_is_signed_at_once_where_that_is_asked_for(
    running: Callable[..., Recorder], event: Event, tmp_path: Path
) -> None:
    """Before the future is done a checkpoint covers it."""
    recorder = running()
    await put(recorder, event)
    assert verify(tmp_path).vouched == 1
    await recorder.append(events=[event], session=SessionId(""), signed=True)
    report = verify(tmp_path)
    assert report.vouched == report.events


async def test_a_quiet_journal_rolls_over_too(
    within: Callable[..., Recorder], tmp_path: Path, event: Event, clock: Clock
) -> None:
    """Without a call that would begin the next file; a file that holds only its beginning stays."""
    recorder = within(interval=0.001)
    await put(recorder, event)
    clock.now += 86_400
    await until(lambda: len(journal_files(tmp_path / "journal" / "main")) == 2)
    clock.now += 86_400
    await put(recorder, event, durable=True)
    assert len(journal_files(tmp_path / "journal" / "main")) == 3
    await recorder.stop()
    assert verify(tmp_path).intact


class Puppet:
    """A hand that reports what a test says."""

    def __init__(self) -> None:
        self.given: list[Job | Gap] = []
        self.tell: Callable[[Report], None] = lambda _: None
        self.restarted = asyncio.Event()

    def start(self, loop: asyncio.AbstractEventLoop, told: Callable[[Report], None]) -> None:
        """Remember whom to tell."""
        self.tell = told

    def restart(self) -> None:
        """Remember it."""
        self.restarted.set()

    def give(self, job: Job | Gap) -> int:
        """Remember it."""
        self.given.append(job)
        return 0

    def end(self) -> None:
        """At once."""
        self.tell(Report(fault="ended", ended=True))

    def drop(self) -> None:
        """There is nothing."""


@pytest.fixture
async def puppet(tmp_path: Path) -> AsyncIterator[tuple[Recorder, Puppet]]:
    """A recorder that hangs on strings."""
    hand = Puppet()
    recorder = Recorder(tmp_path, mode="best-effort", limits=RecorderLimits(interval=0.0), hand=hand)
    recorder.start(asyncio.get_running_loop())
    yield recorder, hand
    await recorder.stop()


async def test_what_an_ended_scribe_had_not_told_of_is_not_forgotten(
    puppet: tuple[Recorder, Puppet], event: Event
) -> None:
    """What it lost, what it was told of, what waited and what came afterwards: the next one is told the sum, once."""
    recorder, hand = puppet
    lost, bad, waits = put(recorder, event), Event(kind=event.kind, data={}), put(recorder, event)
    hand.tell(Report(numbers=(1,), lost="No space left", fault="No space left"))
    assert (lost.done(), waits.done(), recorder.fault) == (True, False, "No space left")
    hand.tell(Report(fault="it ended", ended=True))
    assert waits.done()
    assert put(recorder, bad).done()
    await hand.restarted.wait()
    assert not recorder.healthy
    hand.tell(Report())
    assert hand.given[2:] == [Gap(3, 3, "it ended")]
    assert not recorder.healthy
    hand.restarted.clear()
    hand.tell(Report(fault="it ended again", ended=True))
    await hand.restarted.wait()
    hand.tell(Report())
    [gap] = hand.given[3:]
    assert isinstance(gap, Gap)
    assert gap.calls == 3
    hand.tell(Report(numbers=(gap.number,)))
    assert recorder.healthy
    assert len(hand.given) == 4


async def test_what_a_scribe_told_of_is_not_told_again(puppet: tuple[Recorder, Puppet], event: Event) -> None:
    """Its own losses are an event before it goes on: its end afterwards adds nothing."""
    recorder, hand = puppet
    put(recorder, event)
    hand.tell(Report(numbers=(1,), lost="No space left", fault="No space left"))
    hand.tell(Report())
    assert recorder.healthy
    hand.tell(Report(fault="it ended", ended=True))
    await hand.restarted.wait()
    hand.tell(Report())
    assert recorder.healthy
    assert len(hand.given) == 1


async def test_one_gap_is_told_at_a_time(puppet: tuple[Recorder, Puppet], event: Event, tmp_path: Path) -> None:
    """What is turned away meanwhile is counted for the next, so that no count waits in the queue with the calls."""
    recorder, hand = puppet
    recorder._limits = RecorderLimits(queue_records=1)
    for _ in range(6):
        put(recorder, event)
    assert hand.given[1:] == [Gap(2, 1, "the recorder's queue is full")]
    hand.tell(Report(numbers=(1, 2)))
    assert hand.given[2:] == [Gap(3, 4, "the recorder's queue is full")]
    assert not recorder.healthy
    hand.tell(Report(numbers=(3,)))
    assert recorder.healthy
