"""Law: a gateway deletes what is due, after its journal says so and signs it; on every doubt it deletes nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gatehold.config.recordings import AuditSpec, RecordingsSpec
from gatehold.keeping.deleting import Deleting
from gatehold.store import Store, open_store
from gatehold.store.errors import StoreUnavailable
from gatehold.store.legal_holds import hold
from policy.model import SessionId
from recordings.acts import GatewayMove, gateway_event
from recordings.errors import RecorderUnavailable
from recordings.events import Event
from recordings.recorder import Recorder
from recordings.retention import Retention
from recordings.verify import verify
from tests.gatehold.keeping.recorders import recorder_in_thread

DAY = 86_400.0
SPEC = RecordingsSpec.model_validate({"retain": "2d", "rollover": {"age": "1h"}})


class Clock:
    """Time that moves when it is told to."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store("sqlite", tmp_path) as made:
        yield made


@pytest.fixture
async def recorder(tmp_path: Path, clock: Clock) -> AsyncIterator[Recorder]:
    """Two sessions of which the files were finished three days ago, one of today."""
    made = recorder_in_thread(SPEC, tmp_path, clock=clock)
    made.start(asyncio.get_running_loop())
    for session in ("s-1", "s-2", "s-3"):
        if session == "s-3":
            clock.now += DAY  # the next event seals what there is
            await made.append(events=[event(clock, "")], session=SessionId(""), durable=True)
            clock.now += 3 * DAY
        await made.append(events=[event(clock, session)], flow=b"5:hello}", session=SessionId(session), durable=True)
    yield made
    await made.stop()


def event(clock: Clock, session: str) -> Event:
    told = gateway_event(GatewayMove.START, time=clock())
    return Event(kind=told.kind, data=told.data, session=session)


@pytest.fixture
def deleting(tmp_path: Path, store: Store, recorder: Recorder, clock: Clock) -> Deleting:
    return Deleting(SPEC, AuditSpec(), tmp_path, store=store, recorder=recorder, clock=clock)


def flows(data_dir: Path) -> list[str]:
    """Sessions of which there are flow files."""
    return sorted(path.name[:3] for path in data_dir.rglob("*.flow"))


async def test_what_is_due_is_deleted(deleting: Deleting, recorder: Recorder, tmp_path: Path, clock: Clock) -> None:
    """Then nothing more, until there is something again; the journal goes on and is whole."""
    assert flows(tmp_path) == ["s-1", "s-2", "s-3"]
    assert len((await deleting.turn()).doomed) == 3
    assert flows(tmp_path) == ["s-3"]
    report = verify(tmp_path)
    assert report.intact, report.summary()
    assert report.deleted
    assert not (await deleting.turn()).doomed
    clock.now += 3 * DAY
    await recorder.append(events=[event(clock, "s-4")], session=SessionId("s-4"), durable=True)
    assert (await deleting.turn()).doomed
    assert verify(tmp_path).intact


async def test_what_is_on_hold_stays(deleting: Deleting, store: Store, tmp_path: Path) -> None:
    """Its flow file, and the journal that speaks of it; the other one's flow file goes."""
    with store.writing() as connection:
        hold(connection, "s-1", reason="case 7", by="os:root", now=1.0)
    await deleting.turn()
    assert flows(tmp_path) == ["s-1", "s-3"]
    assert verify(tmp_path).deleted == 0


async def test_a_hold_in_the_last_moment_counts(
    deleting: Deleting, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came after the event and before the deletion: nothing is deleted, and verify finds nothing wrong with that."""
    announced = Retention.is_announced

    def late(self: Retention, plan: object) -> bool:
        with store.writing() as connection:
            hold(connection, "s-2", reason="case 7", by="os:root", now=1.0)
        return announced(self, plan)  # type: ignore[arg-type]

    monkeypatch.setattr(Retention, "is_announced", late)
    await deleting.turn()
    assert flows(tmp_path) == ["s-1", "s-2", "s-3"]
    assert verify(tmp_path).intact


async def test_nothing_is_deleted_in_doubt(deleting: Deleting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the event did not arrive, or it cannot be told what is on hold."""
    with monkeypatch.context() as patched:
        patched.setattr(Retention, "is_announced", lambda *_: False)
        with pytest.raises(RecorderUnavailable):
            await deleting.turn()

    def unknown(_: object) -> None:
        raise StoreUnavailable("not now")

    monkeypatch.setattr("gatehold.keeping.deleting.holds", unknown)
    with pytest.raises(StoreUnavailable):
        await deleting.turn()
    assert flows(tmp_path) == ["s-1", "s-2", "s-3"]


async def test_the_task_deletes_and_ends(deleting: Deleting, tmp_path: Path) -> None:
    """It begins at once, and what it began is finished when it was asked to end."""
    deleting.start()
    while flows(tmp_path) != ["s-3"]:  # noqa: ASYNC110 (what is waited for happens in a thread)
        await asyncio.sleep(0.001)
    await deleting.close()
    assert verify(tmp_path).intact


async def test_without_bounds_there_is_no_task(tmp_path: Path, store: Store, recorder: Recorder, clock: Clock) -> None:
    """Nothing is removed by itself unless somebody asked for it."""
    idle = Deleting(RecordingsSpec(), AuditSpec(), tmp_path, store=store, recorder=recorder, clock=clock)
    idle.start()
    assert idle._task is None
    await idle.close()
