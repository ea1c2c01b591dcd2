"""A bucket over HTTP, and a data directory with finished files."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from gatehold.config.recordings import RecordingsSpec
from gatehold.objects.ledger import Ledger
from gatehold.objects.place import ObjectPlace
from gatehold.objects.uploading import Uploading
from gatehold.store import Store, open_store
from policy.model import SessionId
from recordings.acts import GatewayMove, gateway_event
from recordings.events import Event
from recordings.recorder import Recorder
from tests.gatehold.keeping.recorders import recorder_in_thread

KEY = "planted-secret-access-key-5f2a91"
FLOW = b"5:hello}"
DAY = 86_400.0


class Server:
    """An S3 server that can be away."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.port: int = listening.getsockname()[1]
        self._running: ThreadedMotoServer | None = None
        self.come()
        self.client.create_bucket(Bucket="recordings")

    @property
    def client(self) -> Any:
        """For tests, without a gateway's code."""
        import boto3

        options = {"aws_access_key_id": "id", "aws_secret_access_key": KEY, "region_name": "us-east-1"}
        return boto3.client("s3", endpoint_url=self.url, **options)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def come(self) -> None:
        """Listen."""
        self.go()
        self._running = ThreadedMotoServer(ip_address="127.0.0.1", port=self.port, verbose=False)
        self._running.start()

    def go(self) -> None:
        """Listen no more; what it keeps stays."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    def objects(self) -> dict[str, bytes]:
        """Everything that is kept."""
        found = self.client.list_objects_v2(Bucket="recordings").get("Contents", ())
        return {each["Key"]: self.get(each["Key"]) for each in found}

    def get(self, key: str) -> bytes:
        data: bytes = self.client.get_object(Bucket="recordings", Key=key)["Body"].read()
        return data

    def put(self, key: str, data: bytes) -> None:
        """As somebody else."""
        self.client.put_object(Bucket="recordings", Key=key, Body=data)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """It is there, with an empty bucket."""
    from moto.s3.models import s3_backends

    for name in [name for name in os.environ if "proxy" in name.lower()]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BUCKET_KEY", KEY)
    s3_backends.reset()
    made = Server()
    yield made
    made.go()
    s3_backends.reset()


@pytest.fixture
def spec(server: Server) -> RecordingsSpec:
    """Of a gateway that uses it and keeps everything here too."""
    return spec_of(server)


def spec_of(server: Server, **more: Any) -> RecordingsSpec:
    """The same, with other words under ``objectStore``."""
    reached = {
        "endpoint": server.url,
        "region": "us-east-1",
        "accessKeyId": "id",
        "secretAccessKey": "${env:BUCKET_KEY}",
        **more,
    }
    words = {"url": "s3://recordings/gateway-1", "rollover": {"age": "1h"}, "objectStore": reached}
    return RecordingsSpec.model_validate(words, context={"base": Path("/")})


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


@dataclass
class Recording:
    """A recorder with a clock."""

    recorder: Recorder
    clock: Clock
    data_dir: Path

    async def call(self, session: str) -> None:
        """Record a flow of a session."""
        told = gateway_event(GatewayMove.START, time=self.clock())
        event = Event(kind=told.kind, data=told.data, session=session)
        await self.recorder.append(events=[event], flow=FLOW, session=SessionId(session), signed=True)

    async def next_file(self) -> None:
        """A day later: everything before is sealed."""
        self.clock.now += DAY
        event = gateway_event(GatewayMove.START, time=self.clock())
        await self.recorder.append(events=[event], session=SessionId(""), signed=True)
        self.clock.now += 1

    @property
    def flows(self) -> list[str]:
        """Names of flow files that are here."""
        paths = (self.data_dir / "recordings").rglob("*.flow")
        return sorted(path.relative_to(self.data_dir).as_posix() for path in paths)

    @property
    def moves(self) -> list[str]:
        """What the journal says of the bucket."""
        from recordings.listing import rows

        raws = [row.raw["event"]["unmapped"]["gatehold"] for row in rows(self.data_dir) if row.kind == "gateway"]
        return [raw["move"] for raw in raws if raw["move"].startswith("object-store")]


@pytest.fixture
async def recording(tmp_path: Path, clock: Clock, spec: RecordingsSpec) -> AsyncIterator[Recording]:
    """Two sessions of yesterday."""
    recorder = recorder_in_thread(spec, tmp_path, clock=clock)
    recorder.start(asyncio.get_running_loop())
    made = Recording(recorder, clock, tmp_path)
    for session in ("s-1", "s-2"):
        await made.call(session)
    await made.next_file()
    yield made
    await recorder.stop()


type Make = Callable[..., Uploading]


@pytest.fixture
def make(recording: Recording, server: Server, store: Store, clock: Clock) -> Make:
    """What copies; with other words under ``objectStore``."""
    from gatehold.objects.serving import Objects

    def made(**more: Any) -> Uploading:
        spec = spec_of(server, **more)
        return Objects(spec, recording.data_dir, store=store, recorder=recording.recorder, clock=clock).uploading()

    return made


@pytest.fixture
def place(spec: RecordingsSpec) -> ObjectPlace:
    """The bucket, as the gateway reaches it."""
    return ObjectPlace(spec)


def ledger_of(data_dir: Path, spec: RecordingsSpec) -> Ledger:
    """As another process reads it."""
    return Ledger(data_dir, spec.url)


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()
