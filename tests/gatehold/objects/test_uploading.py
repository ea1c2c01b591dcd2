"""Law: every finished file reaches the bucket once, whatever fails in between; what it has otherwise stays and is told."""

import asyncio
import json
import logging
import socket
import subprocess
import sys

import pytest

from gatehold.config.recordings import RecordingsSpec
from gatehold.objects.ledger import LEDGER
from gatehold.objects.place import ObjectPlace
from gatehold.sinks.anchors import newest_checkpoint
from recordings.journal import journal_files
from tests.gatehold.objects.conftest import KEY, Make, Recording, Server, ledger_of

KILLED = """
import asyncio, sys
from pathlib import Path
from gatehold.config.recordings import RecordingsSpec
from gatehold.objects.ledger import Ledger
from gatehold.objects.place import ObjectPlace
from gatehold.objects.uploading import Uploading

async def tell(*_): ...

spec = RecordingsSpec.model_validate_json(sys.argv[2], context={"base": Path("/")})
data_dir = Path(sys.argv[1])
asyncio.run(Uploading(data_dir, ObjectPlace(spec), Ledger(data_dir, spec.url), tell=tell).turn())
"""


def finished(recording: Recording) -> dict[str, bytes]:
    """What has to be in the bucket but for anchors, by name below the chain."""
    first, *_ = sorted((recording.data_dir / "journal/main").glob("*.jsonl"))
    paths = [recording.data_dir / name for name in recording.flows]
    paths += [first, first.with_suffix(".checkpoint")]
    return {path.relative_to(recording.data_dir).as_posix(): path.read_bytes() for path in paths}


def copied(server: Server) -> dict[str, bytes]:
    """What is in the bucket, by name below the chain."""
    found = {key.split("/", 2)[2]: data for key, data in server.objects().items()}
    return {name: data for name, data in found.items() if not name.startswith("anchors/")}


async def test_what_is_finished_is_copied(recording: Recording, make: Make, server: Server) -> None:
    """Flow files, journal files, checkpoints, and the newest checkpoint of the open file; what is open is not."""
    await recording.call("s-3")
    uploading = make()
    assert await uploading.turn()
    names = finished(recording)
    assert len(recording.flows) == 3
    open_flow = next(name for name in recording.flows if "/s-3" in name)
    del names[open_flow]
    assert copied(server) == names
    anchors = [key for key in server.objects() if "/anchors/" in key]
    assert len(anchors) == 1
    assert recording.moves == []


async def test_what_arrived_is_not_sent_again(
    recording: Recording, make: Make, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by the next turn nor after a restart; a day later there is more."""
    uploading = make()
    await uploading.turn()
    before = copied(server)
    puts: list[str] = []
    create = ObjectPlace.create

    def counted(self: ObjectPlace, name: str, data: bytes, digest: str) -> None:
        puts.append(name)
        create(self, name, data, digest)

    monkeypatch.setattr(ObjectPlace, "create", counted)
    await uploading.turn()
    assert puts == []
    await make().turn()
    assert [name for name in puts if "/anchors/" not in name] == []
    await recording.call("s-3")
    await recording.next_file()
    await uploading.turn()
    assert before.items() < copied(server).items()


async def test_a_bucket_that_is_away_and_comes_back(
    recording: Recording, make: Make, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """Recording goes on; it is an event once, and the end of it is one; no key is told."""
    uploading = make()
    server.go()
    with caplog.at_level(logging.DEBUG):
        for _ in range(2):
            assert not await uploading.turn()
        await recording.call("s-3")
        await recording.next_file()
        server.come()
        assert await uploading.turn()
    assert recording.moves == ["object-store-fault", "object-store-recovered"]
    assert len(copied(server)) == 3 + 2 * 2
    journal = b"".join(path.read_bytes() for path in recording.data_dir.rglob("*.jsonl"))
    assert KEY not in caplog.text
    assert KEY.encode() not in journal


async def test_other_bytes_in_the_bucket(
    recording: Recording, make: Make, server: Server, spec: RecordingsSpec
) -> None:
    """Are not overwritten and told once; all else is copied, and the file here stays for good."""
    name = recording.flows[0]
    newest = newest_checkpoint(recording.data_dir)
    assert newest
    server.put(f"gateway-1/{newest.chain}/{name}", b"planted")
    uploading = make(deleteLocal=True)
    for _ in range(2):
        assert await uploading.turn()
    assert recording.moves == ["object-store-conflict"]
    assert copied(server)[name] == b"planted"
    assert len(copied(server)) == 4
    assert recording.flows == [name]
    assert name not in ledger_of(recording.data_dir, spec)
    await make(deleteLocal=True).turn()
    assert recording.flows == [name]


async def test_a_file_that_was_changed_here_is_not_copied(recording: Recording, make: Make, server: Server) -> None:
    """It has another length than it was sealed with: evidence stays here, and nothing wrong stays in the bucket."""
    name = recording.flows[0]
    path = recording.data_dir / name
    path.chmod(0o600)
    path.write_bytes(b"5:hello}5:hello}")
    uploading = make(deleteLocal=True)
    for _ in range(2):
        await uploading.turn()
    assert name not in copied(server)
    assert recording.moves == ["object-store-conflict"]
    assert recording.flows == [name]


async def test_a_crash_before_it_was_noted(recording: Recording, make: Make, server: Server) -> None:
    """The bucket says that it has it, with the same bytes: that is no conflict. A torn note counts as none."""
    await make().turn()
    before = server.objects()
    ledger = recording.data_dir / LEDGER
    ledger.write_bytes(ledger.read_bytes()[:-40])
    assert await make().turn()
    assert server.objects() == before
    assert len(ledger.read_bytes().splitlines()) == 5
    ledger.unlink()
    assert await make().turn()
    assert recording.moves == []


async def test_a_kill_in_the_middle_of_an_upload(
    recording: Recording, make: Make, server: Server, spec: RecordingsSpec
) -> None:
    """Nothing half is in the bucket; the next start copies everything."""
    server.go()
    reached = {
        "endpoint": server.url,
        "region": "us-east-1",
        "accessKeyId": "id",
        "secretAccessKey": "${env:BUCKET_KEY}",
    }
    words = json.dumps({"url": spec.url, "objectStore": reached})
    with socket.create_server(("127.0.0.1", server.port)) as listening:
        listening.settimeout(30)
        child = await asyncio.to_thread(
            subprocess.Popen, [sys.executable, "-c", KILLED, str(recording.data_dir), words]
        )
        connection, _ = await asyncio.to_thread(listening.accept)
        assert (await asyncio.to_thread(connection.recv, 4096)).startswith(b"PUT ")
        child.kill()
        await asyncio.to_thread(child.wait)
        connection.close()
    server.come()
    assert copied(server) == {}
    assert await make().turn()
    assert copied(server) == finished(recording)


async def test_the_task_copies_and_a_stop_copies_the_rest(recording: Recording, make: Make, server: Server) -> None:
    """What the recorder seals as it ends arrives, too."""
    uploading = make()
    uploading.start()
    await recording.call("s-3")
    await recording.recorder.stop()
    await uploading.close()
    found = copied(server)
    assert sum(name.endswith(".flow") for name in found) == 3
    assert sum(name.endswith(".jsonl") for name in found) == len(journal_files(recording.data_dir / "journal/main"))


async def test_what_nobody_expected_is_told_and_tried_again(
    make: Make, recording: Recording, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    """No error ends the task."""
    uploading = make()
    with monkeypatch.context() as patched:
        patched.setattr("gatehold.objects.uploading.read_finished", lambda *_: 1 / 0)
        assert not await uploading.turn()
    assert recording.moves == ["object-store-fault"]
    assert await uploading.turn()
    assert copied(server) == finished(recording)
