"""The scribe in a process of its own: what it survives, and what becomes of the calls where it does not."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from mitmproxy.test import tflow

from policy.codes import Code
from policy.model import SessionId
from recordings.errors import JournalDamagedError, RecorderBusyError, RecorderUnavailable
from recordings.events import Call, Event, outcome
from recordings.flows import RecordedMessage, flow_parts
from recordings.journal import journal_files
from recordings.recorder import Mode, Recorder, RecorderLimits
from recordings.recorder.jobs import Job
from recordings.recorder.processes import ScribeProcess
from recordings.said import said
from recordings.verify import verify
from recordings.writer import Writer, is_in_use
from tests.recordings.recorder.recording import NEVER, moves, numbered, numbers, put, until
from tests.recordings.strangers import Stranger

ROOT = Path(__file__).parents[3]
SESSION = SessionId("s-1")
SOON = 0.01
"""An interval after which another process is started."""


class Staffed(NamedTuple):
    """A recorder, and where its scribe works."""

    recorder: Recorder
    hand: ScribeProcess

    @property
    def pid(self) -> int:
        """Of the scribe that runs."""
        assert self.hand.pid is not None
        return self.hand.pid

    def signal(self, number: int) -> None:
        """Send the scribe a signal."""
        os.kill(self.pid, number)


type Make = Callable[..., Staffed]


def files() -> list[Path]:
    """What this process has open."""
    found = []
    for handle in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one that lists them
            found.append(handle.readlink())
    return found


def children() -> set[int]:
    """Processes that this one has started and that it has not seen the end of."""
    return {int(pid) for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()}


@pytest.fixture(autouse=True)
async def nothing_left() -> AsyncIterator[None]:
    """Law of every test here: no process and no file is left over."""
    before, running = len(files()), children()
    yield
    assert len(files()) <= before
    assert children() <= running


@pytest.fixture
async def staffed(nothing_left: None, tmp_path: Path) -> AsyncIterator[Make]:
    """Makes recorders that run, and stops them."""
    made: list[Recorder] = []

    def make(mode: Mode = "required", **given: Any) -> Staffed:
        limits = RecorderLimits(**({"interval": NEVER} | given))
        hand = ScribeProcess(tmp_path, limits)
        recorder = Recorder(tmp_path, mode=mode, limits=limits, hand=hand)
        made.append(recorder)
        recorder.start(asyncio.get_running_loop())
        return Staffed(recorder, hand)

    yield make
    for recorder in made:
        await recorder.stop()


@pytest.fixture
def left_behind(tmp_path: Path) -> Iterator[Callable[..., Stranger]]:
    """Makes gateways that are killed: ``left_behind(calls=3, size=10)`` is their scribe, which is held up."""
    with ExitStack() as scribes:

        def make(*, calls: int, size: int) -> Stranger:
            command = [sys.executable, "-m", "tests.recordings.recorder.gateway", str(tmp_path), str(calls), str(size)]
            done = subprocess.run(command, stdout=subprocess.PIPE, cwd=ROOT, check=False)
            assert done.returncode == -signal.SIGKILL
            scribe = scribes.enter_context(Stranger(int(done.stdout)))
            scribes.callback(scribe.send, signal.SIGCONT)
            return scribe

        yield make


class Holder:
    """Another process that has the directory."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        assert process.stdout is not None
        process.stdout.readline()

    def let_go(self) -> None:
        """Tell it to; this does not wait until it has."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()


@pytest.fixture
def holder(nothing_left: None, tmp_path: Path) -> Iterator[Holder]:
    """It has the test's directory already."""
    program = "import sys; from pathlib import Path; from recordings.writer import Writer; "
    program += "w = Writer.open(Path(sys.argv[1])); print(flush=True); sys.stdin.read(1); w.close()"
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        yield Holder(process)


async def refused(waiting: list[asyncio.Future[None]]) -> list[str]:
    """Why each of them was refused."""
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(each, RecorderUnavailable) for each in found)
    return [each.reason for each in found if isinstance(each, RecorderUnavailable)]


async def test_the_scribe_is_another_process(staffed: Make, event: Event, tmp_path: Path) -> None:
    """It alone holds the directory, until it is stopped."""
    made = staffed()
    assert made.pid != os.getpid()
    assert os.getsid(made.pid) == made.pid
    await put(made.recorder, event)
    assert is_in_use(tmp_path)
    assert not [path for path in files() if path.is_relative_to(tmp_path)]
    await made.recorder.stop()
    assert made.hand.pid is None
    assert not is_in_use(tmp_path)


async def test_a_busy_directory_is_told(tmp_path: Path) -> None:
    """As the same error as if the files had been opened here."""
    writer = Writer.open(tmp_path)
    recorder = Recorder(tmp_path, limits=RecorderLimits(patience=0.0))
    with pytest.raises(RecorderBusyError, match="in use by another gateway"):
        recorder.start(asyncio.get_running_loop())
    assert not recorder.healthy
    writer.close()


async def test_a_directory_that_becomes_free_is_waited_for(tmp_path: Path, event: Event, holder: Holder) -> None:
    """The start goes on as soon as the other one has let go."""
    recorder = Recorder(tmp_path, limits=RecorderLimits(patience=NEVER))
    holder.let_go()
    recorder.start(asyncio.get_running_loop())
    await put(recorder, event)
    await recorder.stop()
    assert verify(tmp_path).intact


async def test_a_damaged_journal_is_told(tmp_path: Path) -> None:
    """With the words for the person who has to look."""
    Writer.open(tmp_path).close(seal=False)
    [path] = journal_files(tmp_path / "journal" / "main")
    path.write_bytes(path.read_bytes() + b"rubbish\n")
    with pytest.raises(JournalDamagedError, match="cannot be continued"):
        Recorder(tmp_path).start(asyncio.get_running_loop())


async def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """The system's error, with its number."""
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"exists|Not a directory") as failed:
        Recorder(tmp_path / "file").start(asyncio.get_running_loop())
    assert failed.value.errno


@pytest.mark.parametrize("python", ["/nowhere/python", "/bin/false"])
async def test_a_process_that_does_not_start_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: str
) -> None:
    """Whether there is none, or it ends at once."""
    recorder = Recorder(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", python)
        with pytest.raises(OSError, match=r"No such file|ended while it started"):
            recorder.start(asyncio.get_running_loop())
    assert not recorder.healthy
    recorder.start(asyncio.get_running_loop())
    assert recorder.healthy
    await recorder.stop()


@pytest.mark.parametrize("mode", ["required", "best-effort"])
async def test_a_scribe_that_is_killed_costs_what_it_had_not_reported(
    staffed: Make, event: Event, tmp_path: Path, mode: Mode
) -> None:
    """Who waits is refused, nobody hangs, another one is started, and the journal says how many calls are missing."""
    made = staffed(mode, interval=SOON)
    before, *others = numbered(event, 12)
    await put(made.recorder, before)
    old = made.pid
    made.signal(signal.SIGSTOP)
    waiting = [put(made.recorder, one, durable=n % 2 == 0) for n, one in enumerate(others[:10])]
    made.signal(signal.SIGKILL)
    if mode == "required":
        assert all("the recorder's process ended" in reason for reason in await refused(waiting))
    else:
        await asyncio.gather(*waiting)
    await until(lambda: made.recorder.healthy)
    assert made.pid != old
    await put(made.recorder, others[-1])
    assert numbers(tmp_path) == [0, 11]
    [recovered] = moves(tmp_path)
    assert (recovered["move"], recovered["calls"]) == ("recorder-recovered", 10)
    assert "the recorder's process ended" in recovered["fault"]
    await made.recorder.stop()
    report = verify(tmp_path)
    assert report.intact, report.summary()


@pytest.mark.parametrize("mode", ["required", "best-effort"])
async def test_calls_without_a_scribe_are_counted(
    staffed: Make, event: Event, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: Mode
) -> None:
    """From its end until another one is at work, however often one cannot be started."""
    made = staffed(mode, interval=SOON)
    tries: list[int] = []

    def refuse(_: str) -> None:
        tries.append(1)
        raise OSError(12, "Cannot allocate memory")

    with monkeypatch.context() as patch:
        patch.setattr("recordings.recorder.processes.start_python", refuse)
        made.signal(signal.SIGKILL)
        await until(lambda: len(tries) == 3)
        assert not made.recorder.healthy
        assert "the recorder's process ended" in made.recorder.fault
        waiting = [put(made.recorder, event) for _ in range(4)]
        assert all(future.done() for future in waiting)
        if mode == "required":
            assert len(await refused(waiting)) == 4
        else:
            await asyncio.gather(*waiting)
    await until(lambda: made.recorder.healthy)
    await put(made.recorder, event)
    assert [words["calls"] for words in moves(tmp_path)] == [4]
    assert verify(tmp_path).flows == 1


async def test_it_may_be_killed_again_and_again(staffed: Make, event: Event, tmp_path: Path) -> None:
    """Every call is either in the journal or counted in a gap, and none is in it twice."""
    made = staffed(interval=SOON)
    events, kept = iter(numbered(event, 200)), list[int]()
    for turn in range(4):
        waiting = [put(made.recorder, next(events)) for _ in range(25)]
        if turn % 2:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        made.signal(signal.SIGKILL)
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        kept += [turn * 25 + n for n, end in enumerate(ends) if end is None]
        await until(lambda: made.recorder.healthy)
    await made.recorder.stop()
    found, lost = numbers(tmp_path), sum(words["calls"] for words in moves(tmp_path))
    assert set(kept) <= set(found)
    assert found == sorted(set(found))
    assert lost == 100 - len(kept)
    report = verify(tmp_path)
    assert report.intact, report.summary()


async def test_a_scribe_that_cannot_start_again_is_tried_again(staffed: Make, event: Event, tmp_path: Path) -> None:
    """The journal was moved to where it cannot be written; recording goes on when it can."""
    made = staffed(interval=SOON)
    await put(made.recorder, event)
    (tmp_path / "journal").rename(tmp_path / "aside")
    (tmp_path / "journal").touch()
    old = made.pid
    made.signal(signal.SIGKILL)
    await until(lambda: made.hand.pid not in (None, old))
    tried = made.hand.pid
    await until(lambda: made.hand.pid not in (None, tried))
    assert not made.recorder.healthy
    (tmp_path / "journal").unlink()
    (tmp_path / "aside").rename(tmp_path / "journal")
    await until(lambda: made.recorder.healthy)
    await put(made.recorder, event)
    assert verify(tmp_path).flows == 2


async def test_what_reached_the_scribe_of_a_killed_gateway_is_written(
    left_behind: Callable[..., Stranger], tmp_path: Path
) -> None:
    """All of it, in order; then the scribe ends and lets go of the directory, and the next start goes on."""
    scribe = left_behind(calls=100, size=10)
    assert is_in_use(tmp_path)
    assert numbers(tmp_path) == []
    scribe.send(signal.SIGCONT)
    scribe.wait()
    assert numbers(tmp_path) == list(range(100))
    assert not is_in_use(tmp_path)
    report = verify(tmp_path)
    assert report.intact, report.summary()
    assert report.flows == 100
    recorder = Recorder(tmp_path)
    recorder.start(asyncio.get_running_loop())
    await recorder.stop()
    assert verify(tmp_path).intact


async def test_what_was_cut_by_the_end_of_the_gateway_is_left_out(
    left_behind: Callable[..., Stranger], tmp_path: Path
) -> None:
    """The pipe held less than there was: what came whole is written, half a call is not."""
    scribe = left_behind(calls=100, size=100_000)
    scribe.send(signal.SIGCONT)
    scribe.wait()
    found = numbers(tmp_path)
    assert found == list(range(len(found)))
    assert len(found) < 100
    report = verify(tmp_path)
    assert report.intact, report.summary()
    assert report.flows == len(found)


async def test_the_next_gateway_waits_for_the_scribe_of_the_last(
    left_behind: Callable[..., Stranger], tmp_path: Path, event: Event
) -> None:
    """It begins behind what that one still writes."""
    scribe = left_behind(calls=50, size=10_000)
    recorder = Recorder(tmp_path, limits=RecorderLimits(patience=NEVER))
    scribe.send(signal.SIGCONT)
    recorder.start(asyncio.get_running_loop())
    found = numbers(tmp_path)
    assert found == list(range(len(found)))
    assert len(found) > 0
    await put(recorder, event)
    await recorder.stop()
    report = verify(tmp_path)
    assert report.intact, report.summary()
    assert report.flows == len(found) + 1


async def test_a_full_pipe_holds_up_nobody(staffed: Make, event: Event, tmp_path: Path) -> None:
    """Many megabytes wait here, the loop goes on, and all of it is written, in order, when the scribe goes on."""
    made = staffed()
    made.signal(signal.SIGSTOP)
    body = os.urandom(1 << 20)
    flow = b"%d:%b}" % (len(body), body)
    waiting = [put(made.recorder, one, flow=flow, durable=n % 7 == 0) for n, one in enumerate(numbered(event, 40))]
    for _ in range(100):
        await asyncio.sleep(0)
    assert not any(future.done() for future in waiting)
    assert made.recorder.healthy
    made.signal(signal.SIGCONT)
    await asyncio.gather(*waiting)
    assert numbers(tmp_path) == list(range(40))
    await made.recorder.stop()
    report = verify(tmp_path)
    assert report.intact, report.summary()
    assert report.flows == 40
    assert sum(path.read_bytes().count(flow) for path in (tmp_path / "recordings").rglob("*.flow")) == 40


@pytest.mark.parametrize("limits", [{"queue_records": 5}, {"queue_bytes": 5 << 20}])
async def test_what_waits_is_bounded(staffed: Make, event: Event, tmp_path: Path, limits: dict[str, int]) -> None:
    """A scribe that is held up costs so much memory, and then calls; both are over when it goes on."""
    made = staffed(**limits)
    made.signal(signal.SIGSTOP)
    flow = b"%d:%b}" % (1 << 20, b"x" * (1 << 20))
    waiting = [put(made.recorder, event, flow=flow) for _ in range(12)]
    turned = [future for future in waiting if future.done()]
    assert len(turned) in (7, 8)
    assert not made.recorder.healthy
    made.signal(signal.SIGCONT)
    assert len(await refused(turned)) == len(turned)
    await asyncio.gather(*(future for future in waiting if future not in turned))
    await put(made.recorder, event)
    assert made.recorder.healthy
    assert sum(words["calls"] for words in moves(tmp_path)) == len(turned)
    assert verify(tmp_path).flows == 13 - len(turned)


@pytest.mark.parametrize("size", [1000, 100_000, 5_000_000])
async def test_large_bodies_arrive_as_they_are(staffed: Make, call: Call, tmp_path: Path, size: int) -> None:
    """Those of request and answer, beside small ones, whatever the pipe cuts them into."""
    made = staffed()
    made.signal(signal.SIGSTOP)
    expected = []
    for bodies in [(os.urandom(size), b"small"), (None, os.urandom(size)), (os.urandom(size), os.urandom(size))]:
        live = tflow.tflow(resp=True)
        request, response = (RecordedMessage(body=body) for body in bodies)
        parts = flow_parts(live, request=request, response=response, remarks={"code": Code.ALLOWED.value})
        events = [said(outcome, call, status=200, time=call.time)]
        job = Job(number=0, events=events, flow=parts)
        expected.append((job.record().flow, made.recorder.append(events=events, flow=parts, session=SESSION)))
    made.signal(signal.SIGCONT)
    await asyncio.gather(*(future for _, future in expected))
    [path] = (tmp_path / "recordings").rglob("*.flow")
    assert path.read_bytes() == b"".join(flow or b"" for flow, _ in expected)


async def test_the_order_stays_under_load(staffed: Make, event: Event, tmp_path: Path) -> None:
    """Large and small, to be synced or not, in one turn of the loop or over many."""
    made = staffed()
    waiting = []
    for number, one in enumerate(numbered(event, 1500)):
        body = b"x" * (200_000 if number % 97 == 0 else 50)
        flow = None if number % 3 == 0 else b"%d:%b}" % (len(body), body)
        waiting.append(put(made.recorder, one, flow=flow, durable=number % 11 == 0))
        if number % 13 == 0:
            await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    assert numbers(tmp_path) == list(range(1500))
    await made.recorder.stop()
    report = verify(tmp_path)
    assert report.intact, report.summary()


@pytest.mark.parametrize("noticed", [True, False])
async def test_a_stop_without_a_scribe_ends(staffed: Make, event: Event, tmp_path: Path, noticed: bool) -> None:
    """Whether its end was noticed before or not: who waits is refused, nothing is started any more."""
    made = staffed()
    made.signal(signal.SIGSTOP)
    waiting = [put(made.recorder, event) for _ in range(3)]
    made.signal(signal.SIGKILL)
    if noticed:
        await until(lambda: not made.recorder.healthy)
    await made.recorder.stop()
    assert len(await refused(waiting)) == 3
    assert made.hand.pid is None
    assert made.recorder.fault == "the recorder is not running"
    assert not is_in_use(tmp_path)
    Writer.open(tmp_path).close()
    assert verify(tmp_path).intact


@pytest.mark.parametrize("mode", ["required", "best-effort"])
async def test_a_stop_does_not_wait_without_end(
    staffed: Make, event: Event, tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: Mode
) -> None:
    """A scribe that does not come to an end is ended: who waits is refused, and the log says how many are missing."""
    made = staffed(mode, ending=0.01)
    await put(made.recorder, event)
    made.signal(signal.SIGSTOP)
    waiting = [put(made.recorder, event) for _ in range(3)]
    await made.recorder.stop()
    if mode == "required":
        assert await refused(waiting) == ["the recorder was stopped"] * 3
    else:
        await asyncio.gather(*waiting)
    assert made.hand.pid is None
    assert "3 calls are not on record" in caplog.text
    Writer.open(tmp_path).close()
    report = verify(tmp_path)
    assert report.intact, report.summary()
    assert report.flows == 1


async def test_a_stop_while_another_scribe_starts_ends(staffed: Make, event: Event, tmp_path: Path) -> None:
    """It is let go of, wherever it was."""
    made = staffed(interval=SOON)
    await put(made.recorder, event)
    old = made.pid
    made.signal(signal.SIGKILL)
    await until(lambda: made.hand.pid not in (None, old))
    await made.recorder.stop()
    Writer.open(tmp_path).close()
    report = verify(tmp_path)
    assert report.intact, report.summary()
    assert report.flows == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_signals_for_all_do_not_end_it(staffed: Make, event: Event, tmp_path: Path, number: int) -> None:
    """Whoever stops a service may send them to all of its processes: the gateway is the one that ends it."""
    made = staffed()
    before = made.pid
    waiting = put(made.recorder, event)
    made.signal(number)
    await waiting
    made.signal(number)
    await put(made.recorder, event)
    assert made.pid == before
    await made.recorder.stop()
    report = verify(tmp_path)
    assert report.intact, report.summary()
    assert moves(tmp_path) == []


async def test_a_start_after_a_stop_has_another_process(staffed: Make, event: Event, tmp_path: Path) -> None:
    """Nothing of the first is left in it."""
    made = staffed()
    await put(made.recorder, event)
    first = made.pid
    await made.recorder.stop()
    made.recorder.start(asyncio.get_running_loop())
    assert made.pid != first
    await put(made.recorder, event)
    assert verify(tmp_path).flows == 2
