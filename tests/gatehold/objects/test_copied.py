"""Law: a copy in a bucket is verified alone; it says how far it goes, and everything that was changed there is found."""

import asyncio
import base64
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gatehold.config.recordings import RecordingsSpec
from gatehold.objects.copied import Copies, NoCopy
from gatehold.objects.place import BucketUnavailable, ObjectPlace
from gatehold.sinks.anchors import newest_checkpoint
from policy.model import SessionId
from recordings.checkpoints import Checkpoint, signing_key
from recordings.findings import Report
from recordings.listing import rows
from recordings.retention import Kept, Retention, Wanted
from tests.gatehold.objects.conftest import KEY, Make, Recording, Server

PREFIX = "gateway-1"


@pytest.fixture
async def copied(recording: Recording, make: Make) -> Path:
    """Its data directory: two journal files, of which one was copied, with the flows of two sessions."""
    await make().turn()
    return recording.data_dir


async def verified(
    data_dir: Path, spec: RecordingsSpec, *, anchors: tuple[Checkpoint, ...] = (), only: str = ""
) -> dict[str, Report]:
    """By chain, with the key of a data directory."""
    keys = [signing_key(data_dir).public_key()]

    def work() -> dict[str, Report]:
        copies = Copies(ObjectPlace(spec), keys=keys, anchors=anchors)
        return {found.chain: found.report for found in copies.verified(only)}

    return await asyncio.to_thread(work)


async def only_one(data_dir: Path, spec: RecordingsSpec, **more: tuple[Checkpoint, ...]) -> Report:
    [report] = (await verified(data_dir, spec, **more)).values()
    return report


def newest(data_dir: Path) -> Checkpoint:
    found = newest_checkpoint(data_dir)
    assert found is not None
    return found


async def test_what_was_copied_is_verified(copied: Path, spec: RecordingsSpec) -> None:
    """Journal and flows; what came later is not there yet, and an anchor says that there is more."""
    report = await only_one(copied, spec)
    assert report.intact, report.summary()
    last = next(row.seq for row in rows(copied) if row.kind == "journal-seal")
    assert (report.last, report.vouched, report.flows, report.fetched_flows) == (last, last, 2, 2)
    [note] = report.notes
    assert f"vouches for event {newest(copied).seq}: events from {last + 1} on were not copied yet, or are gone" in note


@pytest.mark.parametrize("drop", [False, True])
async def test_all_of_it(recording: Recording, make: Make, spec: RecordingsSpec, tmp_path: Path, *, drop: bool) -> None:
    """Whether files were dropped at the gateway or not, and with the gateway's own directory gone."""
    for session in ("s-3", "s-4"):
        await recording.call(session)
        await recording.next_file()
        await make(deleteLocal=drop).turn()
    anchor, keys = newest(recording.data_dir), recording.data_dir / "keys"
    shutil.copytree(keys, tmp_path / "elsewhere" / "keys")
    shutil.rmtree(recording.data_dir / "recordings", ignore_errors=True)
    report = await only_one(tmp_path / "elsewhere", spec, anchors=(anchor,))
    assert report.intact, report.summary()
    assert (report.flows, report.fetched_flows) == (4, 4)
    assert 0 < report.anchored <= report.vouched == report.last < anchor.seq


async def test_what_retention_deleted(recording: Recording, make: Make, server: Server, spec: RecordingsSpec) -> None:
    """At the gateway, the bucket still has, and it is verified; in the bucket too, the journal says that it may be gone."""
    await make().turn()
    retention, now = Retention(recording.data_dir), recording.clock() + 10
    plan = retention.plan(Wanted(retain=0.0), Kept(), now=now)
    assert len(plan.doomed) == 3
    events = retention.events(plan, now=now)
    await recording.recorder.append(events=events, session=SessionId(""), signed=True)
    retention.carry_out(plan, now=now)
    await recording.next_file()
    await make().turn()
    report = await only_one(recording.data_dir, spec)
    assert report.intact, report.summary()
    assert (report.deleted, report.flows, report.deleted_flows) == (0, 2, 0)
    for key in server.objects():
        if "2027-01-15/" in key or "main/000001" in key:
            server.client.delete_object(Bucket="recordings", Key=key)
    report = await only_one(recording.data_dir, spec)
    assert report.intact, report.summary()
    assert report.deleted == 7
    for key in server.objects():
        if "main/000002" in key:
            server.client.delete_object(Bucket="recordings", Key=key)
    assert not (await only_one(recording.data_dir, spec)).intact


def flow(data: bytes) -> bytes:
    return data.replace(b"5:hello}", b"5:hellO}")


def journal(data: bytes) -> bytes:
    return data.replace(b'"start"', b'"begin"', 1)


type Case = tuple[str, Callable[[bytes], bytes] | None, str]
"""Part of a name, what becomes of the bytes (None: they are removed), and what is said of it."""


@pytest.mark.parametrize(
    "case",
    [
        (".flow", flow, "was changed"),
        (".flow", lambda data: data + b"x", "9 bytes in the bucket, but was sealed with 8"),
        (".flow", lambda data: data[:-1], "ends within the flow"),
        (".flow", None, "is missing"),
        (".jsonl", journal, "was changed"),
        (".jsonl", lambda data: data[: data.index(b"\n") + 1], "it was cut off"),
        (".jsonl", lambda _: b"", "no journal file of this chain is there"),
        ("main/000001", None, "no journal file of this chain is there"),
        (".checkpoint", lambda data: data.replace(b'"number":1', b'"number":2'), "checkpoint"),
        (".checkpoint", lambda _: b"", "checkpoint is missing"),
        ("anchors/", lambda data: data.replace(b'"number":', b'"number":1'), "is not signed by a given key"),
        ("anchors/", lambda _: b"{}\n", "no checkpoint of this chain"),
        ("anchors/", lambda _: b"", "no checkpoint of this chain"),
    ],
)
async def test_what_was_changed_there_is_found(copied: Path, server: Server, spec: RecordingsSpec, case: Case) -> None:
    """The first bad place is named."""
    part, change, words = case
    for key, data in server.objects().items():
        if part in key and not (part == ".checkpoint" and "anchors" in key):
            if change is None:
                server.client.delete_object(Bucket="recordings", Key=key)
            else:
                server.put(key, change(data))
    report = await only_one(copied, spec)
    assert not report.intact
    assert words in report.summary()


async def test_a_journal_file_is_missing(
    recording: Recording, make: Make, server: Server, spec: RecordingsSpec
) -> None:
    """Of the last one nobody can tell; of those before everybody."""
    for _ in range(2):
        await recording.next_file()
    await make().turn()
    for key in server.objects():
        if "main/000002" in key:
            server.client.delete_object(Bucket="recordings", Key=key)
    report = await only_one(recording.data_dir, spec)
    assert report.summary() == "journal/main: file 000002 is missing"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("recordings/2020-01-01/s-9-0123456789ab-1.flow", "the journal knows no such flow file"),
        ("recordings/x.flow", "the journal knows no such flow file"),
        ("journal/main/000009.jsonl", "not a file of this journal"),
        ("journal/main/000001-20270115.txt", "not a file of this journal"),
        ("journal/other/000001-20270115.jsonl", "not a file of this journal"),
        ("journal/main/deeper/000002-20270116.jsonl", "not a file of this journal"),
        ("journal/main/000007-20270116.jsonl", "intact"),
        ("journal/main/000007-20270116.checkpoint", "belongs to no journal file"),
    ],
)
async def test_what_was_put_there_is_found(
    copied: Path, server: Server, spec: RecordingsSpec, name: str, words: str
) -> None:
    """A journal file without its checkpoints may still be under way: it is not read, and that is told."""
    server.put(f"{PREFIX}/{newest(copied).chain}/{name}", b"")
    report = await only_one(copied, spec)
    assert words in report.summary()
    assert report.intact == (words == "intact")
    assert any(name in note for note in report.notes) == report.intact


async def test_flows_come_before_their_journal(copied: Path, server: Server, spec: RecordingsSpec) -> None:
    """They are counted."""
    server.put(f"{PREFIX}/{newest(copied).chain}/recordings/2030-01-01/s-9-0123456789ab-1.flow", b"")
    report = await only_one(copied, spec)
    assert report.intact
    assert any("1 flow files of events that were not copied yet" in note for note in report.notes)


async def test_the_key_comes_from_outside(copied: Path, spec: RecordingsSpec, tmp_path: Path) -> None:
    """Another one vouches for nothing."""
    report = await only_one(tmp_path / "other", spec)
    assert "is not signed by a given key" in report.summary()


async def test_an_anchor_from_outside(copied: Path, spec: RecordingsSpec) -> None:
    """Counts as far as the copy goes; one that says something else is a break; one of a lost chain, too."""
    key = signing_key(copied)
    own = newest(copied)

    def anchor(**changed: Any) -> Checkpoint:
        return signed(key, words(own) | changed)

    report = await only_one(copied, spec, anchors=(anchor(seq=2, sha256="0" * 64),))
    assert "event 2 is not the one that anchor vouches for" in report.summary()
    later = Checkpoint(**words(own) | {"seq": 1000})
    assert "is not signed by a given key" in (await only_one(copied, spec, anchors=(later,))).summary()
    reports = await verified(copied, spec, anchors=(anchor(chain="lost"),))
    assert reports[own.chain].intact
    assert "no journal file of this chain is there" in reports["lost"].summary()


def words(checkpoint: Checkpoint) -> dict[str, Any]:
    """What it says, without its signature."""
    return {name: value for name, value in asdict(checkpoint).items() if name != "signature"}


def signed(key: Ed25519PrivateKey, said: dict[str, Any]) -> Checkpoint:
    """A checkpoint that says anything."""
    signature = base64.b64encode(key.sign(Checkpoint(**said).signed_bytes())).decode()
    return Checkpoint(**said, signature=signature)


async def test_several_chains(copied: Path, server: Server, spec: RecordingsSpec) -> None:
    """Each by itself, or one of them; a chain under another's name is none; other folders are nobody's."""
    chain = newest(copied).chain
    for key, data in server.objects().items():
        server.put(key.replace(chain, "0123456789abcdef"), data)
    server.put(f"{PREFIX}/notes/readme", b"")
    reports = await verified(copied, spec)
    assert {chain: report.intact for chain, report in reports.items()} == {chain: True, "0123456789abcdef": False}
    assert reports["0123456789abcdef"].summary().endswith(f"this is chain {chain}")
    assert list(await verified(copied, spec, only=chain)) == [chain]
    with pytest.raises(NoCopy, match="chain other is not there"):
        await verified(copied, spec, only="other")


async def test_nothing_is_there(recording: Recording, server: Server, spec: RecordingsSpec) -> None:
    """Which is no success; nor is a bucket that is away."""
    with pytest.raises(NoCopy, match="the journal of a gateway is not there"):
        await verified(recording.data_dir, spec)
    server.go()
    with pytest.raises(BucketUnavailable, match="recordings") as raised:
        await verified(recording.data_dir, spec)
    assert KEY not in str(raised.value)
