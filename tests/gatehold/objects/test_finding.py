"""Law: commands find recorded calls here or, where they are asked to, in the bucket; nothing of that stays."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gatehold.config.recordings import RecordingsSpec
from gatehold.objects.finding import FlowFiles, NoBucket, NotFetched, all_flow_files, flow_files
from gatehold.objects.place import BucketUnavailable, ObjectDiffers, ObjectMissing
from policy.model import SessionId
from recordings.errors import RecordUnreadable
from recordings.listing import Row, timeline
from recordings.retention import Kept, Retention, Wanted
from tests.gatehold.objects.conftest import DAY, FLOW, Make, Recording, Server


class Found:
    """What a command sees of two sessions, of which the bucket has all."""

    def __init__(self, data_dir: Path, spec: RecordingsSpec) -> None:
        self.configuration: Any = self.of(data_dir, spec)
        self.data_dir = data_dir

    @staticmethod
    def of(data_dir: Path, spec: RecordingsSpec) -> Any:
        return SimpleNamespace(data_dir=data_dir, gateway=SimpleNamespace(spec=SimpleNamespace(recordings=spec)))

    def rows(self, session: str = "s-1") -> list[Row]:
        return timeline(self.data_dir, session)

    async def some[T](self, look: Callable[[FlowFiles], T], *, fetch: bool) -> T:
        """Look at those of a session."""

        def work() -> T:
            with flow_files(self.configuration, self.rows(), fetch=fetch) as files:
                return look(files)

        return await asyncio.to_thread(work)

    async def all[T](self, look: Callable[[FlowFiles], T], *, fetch: bool, since: float | None = None) -> T:
        """Look at all."""

        def work() -> T:
            with all_flow_files(self.configuration, since=since, fetch=fetch) as files:
                return look(files)

        return await asyncio.to_thread(work)


@pytest.fixture
async def found(recording: Recording, spec: RecordingsSpec) -> Found:
    return Found(recording.data_dir, spec)


def count(files: FlowFiles) -> int:
    """Flow files that a reader of directories sees."""
    return sum(1 for directory in files.directories for _ in directory.rglob("*.flow"))


async def test_what_is_here_is_read_here(recording: Recording, make: Make, server: Server, found: Found) -> None:
    """The bucket is not asked, also where it might be."""
    await make().turn()
    server.go()
    for fetch in (False, True):
        [record] = await found.some(
            lambda files: [files.record(row) for row in found.rows() if row.length], fetch=fetch
        )
        assert record == FLOW
        assert await found.all(lambda files: (count(files), files.left), fetch=fetch) == (2, "")


async def test_what_is_only_there(recording: Recording, make: Make, found: Found) -> None:
    """Is told, with what to do; or fetched, and nothing of it stays."""
    await make(deleteLocal=True).turn()
    with pytest.raises(NotFetched, match="1 flow file is only in the bucket: add --fetch"):
        await found.some(count, fetch=False)
    directories: list[Path] = []

    def look(files: FlowFiles) -> list[bytes]:
        directories.extend(files.directories)
        assert files.directories[1].stat().st_mode & 0o777 == 0o700
        return [files.record(row) for row in found.rows() if row.length]

    assert await found.some(look, fetch=True) == [FLOW]
    assert [path.exists() for path in directories] == [True, False]
    told = (0, "2 flow files are only in the bucket, not read (--fetch)")
    assert await found.all(lambda files: (count(files), files.left), fetch=False) == told
    assert await found.all(lambda files: (count(files), files.left), fetch=True) == (2, "")


async def test_only_days_that_are_asked_for(recording: Recording, make: Make, found: Found) -> None:
    """A file of a day that ended before has no call that counts."""
    made = recording.clock()
    await make(deleteLocal=True).turn()
    for since, number in ((made - DAY - 2, 2), (made + 2 * DAY, 0)):
        assert await found.all(count, fetch=True, since=since) == number
    assert await found.all(lambda files: files.left, fetch=False, since=made + 2 * DAY) == ""


async def test_what_retention_deleted_may_be_there(recording: Recording, make: Make, found: Found) -> None:
    """Whatever removed it here: the bucket has it."""
    await make().turn()
    retention, now = Retention(recording.data_dir), recording.clock()
    doomed = [name for name in recording.flows if "/s-1" in name]
    keep = Kept(flows=lambda name: name not in doomed, journals=lambda _: True)
    plan = retention.plan(Wanted(retain=0.0), keep, now=now)
    events = retention.events(plan, now=now)
    await recording.recorder.append(events=events, session=SessionId(""), signed=True)
    retention.carry_out(plan, now=now)
    assert await found.all(count, fetch=True) == 2


@pytest.mark.parametrize("planted", [b"5:hellO}", FLOW + b"x", b""])
async def test_other_bytes_are_refused(
    recording: Recording, make: Make, server: Server, found: Found, planted: bytes
) -> None:
    """By everybody."""
    await make(deleteLocal=True).turn()
    for key in server.objects():
        server.put(key, planted)
    for asked in (found.some, found.all):
        with pytest.raises(ObjectDiffers):
            await asked(count, fetch=True)


async def test_what_is_nowhere(recording: Recording, make: Make, server: Server, found: Found) -> None:
    """A session without it cannot be read; of all recordings it is left out, and that is told."""
    await make(deleteLocal=True).turn()
    [key] = [key for key in server.objects() if "/s-1-" in key]
    server.client.delete_object(Bucket="recordings", Key=key)
    with pytest.raises(ObjectMissing):
        await found.some(count, fetch=True)
    told = (1, "1 flow file is neither here nor in the bucket")
    assert await found.all(lambda files: (count(files), files.left), fetch=True) == told


async def test_what_the_journal_does_not_account_for(recording: Recording, make: Make, found: Found) -> None:
    """The bucket is not asked for it: ``audit verify`` says what is wrong."""
    await make().turn()
    for name in recording.flows:
        (recording.data_dir / name).unlink()
    with pytest.raises(RecordUnreadable, match="audit verify"):
        await found.some(lambda files: [files.record(row) for row in found.rows() if row.length], fetch=False)
    with pytest.raises(ObjectMissing, match="does not say"):
        await found.some(count, fetch=True)
    assert await found.all(lambda files: files.left, fetch=False) == ""


async def test_a_bucket_that_is_away_or_unknown(recording: Recording, make: Make, server: Server, found: Found) -> None:
    """It is said which."""
    await make(deleteLocal=True).turn()
    server.go()
    for asked in (found.some, found.all):
        with pytest.raises(BucketUnavailable, match="recordings"):
            await asked(count, fetch=True)
    found.configuration = found.of(recording.data_dir, RecordingsSpec())
    for asked in (found.some, found.all):
        with pytest.raises(NoBucket):
            await asked(count, fetch=True)
