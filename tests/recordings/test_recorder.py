"""The recorder as the data path sees it."""

import asyncio
import json
import shutil
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from policy.codes import Code
from policy.model import SessionId
from recordings.errors import RecorderBusyError, RecorderUnavailable
from recordings.events import Call, Event, outcome
from recordings.journal import journal_files
from recordings.recorder import Mode, Recorder, RecorderLimits
from recordings.verify import verify
from recordings.writer import Writer
from tests.recordings.conftest import Clock, Disk

FLOW = b"5:hello}"
NEVER = 1e6
"""An interval that does not end within a test."""


@pytest.fixture
def event(call: Call) -> Event:
    """The end of a call."""
    return outcome(call, status=200, time=call.time)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Callable[..., Recorder]]:
    """Makes recorders that run, and stops them."""
    made: list[Recorder] = []

    def make(mode: Mode = "required", **limits: Any) -> Recorder:
        recorder = Recorder(tmp_path, mode=mode, limits=RecorderLimits(**({"interval": NEVER} | limits)))
        recorder.start(asyncio.get_running_loop())
        made.append(recorder)
        return recorder

    yield make
    for recorder in made:
        await recorder.stop()


def put(recorder: Recorder, event: Event, *, flow: bytes | None = FLOW, durable: bool = False) -> asyncio.Future[None]:
    """One call."""
    return recorder.append(events=[event], flow=flow, session=SessionId("s-1"), durable=durable)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for the thread."""
    while not condition():  # noqa: ASYNC110 (what is waited for happens in a thread)
        await asyncio.sleep(0.001)


def moves(data_dir: Path) -> list[dict[str, Any]]:
    """What the gateway told of itself."""
    lines = [line for path in journal_files(data_dir / "journal" / "main") for line in path.read_bytes().splitlines()]
    found = [json.loads(line)["event"]["unmapped"]["gatehold"] for line in lines]
    return [words for words in found if "move" in words]


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
    events = [Event(kind=event.kind, data={**event.data, "message": str(n)}, session="s-1") for n in range(500)]
    await asyncio.gather(*(put(recorder, one, durable=n % 9 == 0) for n, one in enumerate(events)))
    await recorder.stop()
    [path] = journal_files(tmp_path / "journal" / "main")
    found = [json.loads(line)["event"].get("message", "") for line in path.read_bytes().splitlines()]
    assert [int(message) for message in found if message] == list(range(500))
    assert verify(tmp_path).flows == 500


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


async def test_before_the_start_nothing_is_recorded(tmp_path: Path, event: Event) -> None:
    """A call that comes too early is refused."""
    recorder = Recorder(tmp_path)
    assert not recorder.healthy
    with pytest.raises(RecorderUnavailable):
        put(recorder, event)


async def test_a_second_gateway_is_refused(running: Callable[..., Recorder], tmp_path: Path) -> None:
    """One directory, one recorder."""
    running()
    with pytest.raises(RecorderBusyError):
        Recorder(tmp_path).start(asyncio.get_running_loop())


async def test_a_full_disk_refuses_and_comes_back(
    running: Callable[..., Recorder], event: Event, tmp_path: Path, disk: Any
) -> None:
    """Required: calls fail with a refusal that carries its code; with the first one after there is room, all is well."""
    recorder = running()
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
    running: Callable[..., Recorder], event: Event, tmp_path: Path, disk: Any
) -> None:
    """A probe is made every interval, so that readiness does not wait for somebody who tries."""
    recorder = running(interval=0.01)
    disk.room = 0
    with pytest.raises(RecorderUnavailable):
        await put(recorder, event)
    assert not recorder.healthy
    disk.room = None
    await until(lambda: recorder.healthy)


async def test_best_effort_goes_on_and_tells(
    running: Callable[..., Recorder], event: Event, tmp_path: Path, disk: Any
) -> None:
    """The calls are answered, and the gap is an event with their number."""
    recorder = running("best-effort")
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
    running: Callable[..., Recorder],
    event: Event,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mode: Mode,
    limits: dict[str, int],
) -> None:
    """Memory is bounded: what does not fit fails at once, and is counted."""
    gate, write = threading.Event(), Writer.write
    monkeypatch.setattr(Writer, "write", lambda *arguments: (gate.wait(), write(*arguments))[1])
    recorder = running(mode, **limits)
    first = put(recorder, event, durable=True)
    await until(recorder._lock.locked)
    waiting = [put(recorder, event) for _ in range(10)]
    assert not recorder.healthy
    gate.set()
    results = await asyncio.gather(first, *waiting, return_exceptions=True)
    turned_away = [result for result in results if result is not None]
    assert all(isinstance(result, RecorderUnavailable) for result in turned_away)
    await put(recorder, event)
    assert recorder.healthy
    lost = sum(words["calls"] for words in moves(tmp_path))
    assert lost > 0
    assert len(turned_away) == (lost if mode == "required" else 0)
    assert verify(tmp_path).flows == 12 - lost


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
    await put(recorder, event)
    assert recorder.healthy


async def test_a_durable_call_that_cannot_be_synced_fails(
    running: Callable[..., Recorder], event: Event, disk: Any
) -> None:
    """The others of its batch were only to be written."""
    recorder = running()
    await put(recorder, event)
    disk.sync_fails = True
    with pytest.raises(RecorderUnavailable, match="Input/output"):
        await put(recorder, event, durable=True)
    disk.sync_fails = False
    await put(recorder, event, durable=True)


async def test_a_fault_of_ours_refuses_too(
    running: Callable[..., Recorder], event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception that nobody thought of does not leave a call waiting, nor end the thread, nor tell its words."""
    recorder = running()
    with monkeypatch.context() as patch:
        patch.setattr(Writer, "write", lambda *_: (_ for _ in ()).throw(KeyError("SECRET")))
        with pytest.raises(RecorderUnavailable, match="KeyError") as refused:
            await put(recorder, event)
        assert "SECRET" not in str(refused.value)
    await put(recorder, event)
    assert recorder.healthy


async def test_a_small_record_needs_no_thread(
    running: Callable[..., Recorder], event: Event, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is to be written only, is written by the loop, at once; what is durable or large, by the thread."""
    hands, write = [], Writer.write
    monkeypatch.setattr(
        Writer, "write", lambda *given: (hands.append(threading.current_thread().name), write(*given))[1]
    )
    recorder = running(on_loop=100, interval=3600.0)
    assert put(recorder, event).done()
    await put(recorder, event, durable=True)
    await put(recorder, event, flow=b"x" * 101)
    await put(recorder, event)
    assert hands == [threading.main_thread().name, "recorder", "recorder", threading.main_thread().name]
    assert verify(tmp_path).intact


async def test_the_loop_goes_on_while_the_thread_writes(
    running: Callable[..., Recorder], event: Event, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small records queue up behind one that takes long: nobody blocks, and the order stays."""
    gate, sync = threading.Event(), Writer.sync
    monkeypatch.setattr(Writer, "sync", lambda *given: (gate.wait(), sync(*given))[1])
    recorder = running()
    events = [Event(kind=event.kind, data={**event.data, "message": str(n)}, session="s-1") for n in range(4)]
    slow = put(recorder, events[0], durable=True)
    await until(recorder._lock.locked)
    behind = []
    for one in events[1:]:
        behind.append(put(recorder, one))
        await asyncio.sleep(0)
    assert not any(future.done() for future in (slow, *behind))
    gate.set()
    await asyncio.gather(slow, *behind)
    [path] = journal_files(tmp_path / "journal" / "main")
    found = [json.loads(line)["event"].get("message", "") for line in path.read_bytes().splitlines()]
    assert [int(message) for message in found if message] == [0, 1, 2, 3]


async def test_what_is_no_event_is_refused_at_once(running: Callable[..., Recorder], event: Event) -> None:
    """Before anything is queued."""
    recorder = running()
    with pytest.raises(ValueError, match="without an event"):
        recorder.append(events=[], flow=FLOW, session=SessionId("s"))
    with pytest.raises(TypeError):
        put(recorder, Event(kind=event.kind, data={"x": object()}))
    assert recorder.healthy


async def test_a_call_that_was_given_up_is_recorded(
    running: Callable[..., Recorder], event: Event, tmp_path: Path
) -> None:
    """An agent that goes away takes back its wait, not the record."""
    recorder = running()
    waiting = put(recorder, event)
    waiting.cancel()
    await put(recorder, event)
    assert verify(tmp_path).flows == 2


async def test_everything_waits_for_the_disk_where_that_is_asked_for(tmp_path: Path, event: Event, disk: Disk) -> None:
    """``sync: always``: an outcome that would be synced within a second is synced before it counts as written."""
    recorder = Recorder(tmp_path, sync="always", limits=RecorderLimits(interval=NEVER))
    recorder.start(asyncio.get_running_loop())
    before = disk.syncs
    await put(recorder, event)
    assert disk.syncs > before
    await recorder.stop()


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


async def test_a_quiet_journal_rolls_over_too(tmp_path: Path, event: Event, clock: Clock) -> None:
    """Without a call that would begin the next file; a file that holds only its beginning stays."""
    recorder = Recorder(tmp_path, limits=RecorderLimits(interval=0.001), clock=clock)
    recorder.start(asyncio.get_running_loop())
    await put(recorder, event)
    clock.now += 86_400
    await until(lambda: len(journal_files(tmp_path / "journal" / "main")) == 2)
    clock.now += 86_400
    await put(recorder, event, durable=True)
    assert len(journal_files(tmp_path / "journal" / "main")) == 3
    await recorder.stop()
    assert verify(tmp_path).intact
