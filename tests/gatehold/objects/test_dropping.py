"""Law: a flow file leaves this disk only when the bucket has it; the journal says so, and a verifier reads it there."""

import asyncio

import pytest

from gatehold.config.recordings import AuditSpec, RecordingsSpec
from gatehold.keeping.deleting import kept
from gatehold.objects.fetching import Fetching
from gatehold.objects.place import BucketUnavailable, ObjectDiffers
from gatehold.store import Store
from gatehold.store.legal_holds import hold
from recordings.retention import Retention, Wanted
from recordings.verify import verify
from tests.gatehold.objects.conftest import FLOW, Make, Recording, Server


async def test_what_is_there_is_dropped(recording: Recording, make: Make, spec: RecordingsSpec) -> None:
    """Journal files stay; the journal is whole, says what is only in the bucket, and can be verified with it."""
    data_dir = recording.data_dir
    assert len(recording.flows) == 2
    await make(deleteLocal=True).turn()
    assert recording.flows == []
    assert len(list(data_dir.rglob("journal/main/*.jsonl"))) == 2
    report = verify(data_dir)
    assert report.intact, report.summary()
    assert (report.flows, report.deleted_flows, report.uploaded_flows) == (0, 0, 2)
    assert any("2 files are only in the bucket" in note for note in report.notes)
    read = await asyncio.to_thread(verify, data_dir, elsewhere=Fetching(spec, data_dir).open)
    assert read.intact, read.summary()
    assert (read.flows, read.uploaded_flows, read.fetched_flows) == (2, 2, 2)
    await make(deleteLocal=True).turn()
    assert verify(data_dir).intact


@pytest.mark.parametrize("planted", [b"5:hellO}", FLOW + b"x", FLOW[:-1], None])
async def test_tampering_in_the_bucket_is_found(
    recording: Recording, make: Make, server: Server, spec: RecordingsSpec, planted: bytes | None
) -> None:
    """By a verification that reads there, and by a fetch."""
    fetched = recording.data_dir / "fetched"
    name = recording.flows[0]
    await make(deleteLocal=True).turn()
    [key] = [key for key in server.objects() if key.endswith(name)]
    if planted is None:
        server.client.delete_object(Bucket="recordings", Key=key)
    else:
        server.put(key, planted)
    report = await asyncio.to_thread(verify, recording.data_dir, elsewhere=Fetching(spec, recording.data_dir).open)
    assert name in report.summary()
    assert not report.intact
    with pytest.raises((ObjectDiffers, BucketUnavailable)):
        await asyncio.to_thread(Fetching(spec, recording.data_dir).save, name, fetched)
    assert not fetched.exists()


async def test_a_bucket_that_lost_it_is_no_reason_to_drop(recording: Recording, make: Make, server: Server) -> None:
    """It is asked right before, whatever was noted."""
    await make().turn()
    for key in server.objects():
        server.put(key, b"")
    uploading = make(deleteLocal=True)
    for _ in range(2):
        await uploading.turn()
    assert len(recording.flows) == 2
    assert set(recording.moves) == {"object-store-conflict"}


async def test_what_is_on_hold_stays_here(recording: Recording, make: Make, store: Store) -> None:
    """The other one goes."""
    with store.writing() as connection:
        hold(connection, "s-1", reason="case 7", by="os:root", now=1.0)
    await make(deleteLocal=True).turn()
    assert len(recording.flows) == 1
    assert "/s-1" in recording.flows[0]


async def test_what_changed_since_stays_here(recording: Recording, make: Make) -> None:
    """Same length, other bytes: it is told, and is there for people to see."""
    await make().turn()
    path = recording.data_dir / recording.flows[0]
    path.chmod(0o600)
    path.write_bytes(b"5:hellO}")
    await make(deleteLocal=True).turn()
    assert [recording.data_dir / name for name in recording.flows] == [path]
    assert recording.moves == ["object-store-conflict"]


async def test_retention_waits_for_the_bucket(
    recording: Recording, make: Make, server: Server, store: Store, spec: RecordingsSpec
) -> None:
    """What did not arrive is not deleted, neither flow files nor journal files; what did is."""
    retention, now = Retention(recording.data_dir), recording.clock() + 10

    def plan() -> list[str]:
        keeping = kept(store, recording.data_dir, AuditSpec(), spec)
        return [each.name for each in retention.plan(Wanted(retain=1.0), keeping, now=now).doomed]

    server.go()
    await make().turn()
    assert plan() == []
    server.come()
    await make().turn()
    assert len(plan()) == 3


async def test_what_was_altered_before_it_was_copied_stays(recording: Recording, make: Make) -> None:
    """The copy is the altered one; what is here is evidence, and verify goes on finding it."""
    [altered, other] = recording.flows
    path = recording.data_dir / altered
    path.chmod(0o600)
    path.write_bytes(FLOW.replace(b"hello", b"hellO"))
    await make(deleteLocal=True).turn()
    assert recording.flows == [altered]
    assert other != altered
    assert recording.moves == ["object-store-conflict"]
    assert "was changed" in verify(recording.data_dir).summary()
