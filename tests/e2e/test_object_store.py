"""Law: a gateway's finished recordings reach its bucket; while that is away calls go on; what is only there is found there."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from recordings.acts import GatewayMove, gateway_event
from recordings.events import Event
from recordings.writer import Record, Writer
from tests.e2e.harness import Installation, installation, running
from tests.gatehold.objects.conftest import KEY, Server

CRM = "https://crm.corp.example"
pytestmark = pytest.mark.timeout(600)
RECORDINGS = """spec:
  recordings:
    url: s3://recordings/gateway-1
    objectStore:
      endpoint: {url}
      region: us-east-1
      accessKeyId: id
      secretAccessKey: "${{file:{directory}/bucket.key}}"
      deleteLocal: true
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """It is there, with an empty bucket."""
    from moto.s3.models import s3_backends

    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("NO_PROXY", "127.0.0.1")
        s3_backends.reset()
        made = Server()
        made.go()
        yield made
        made.go()
        s3_backends.reset()


@pytest.fixture(scope="module")
def output() -> list[str]:
    """What all runs said."""
    return []


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, server: Server, output: list[str]) -> Iterator[Installation]:
    """Three runs: with the bucket, without it, and with it again."""
    with installation(tmp_path_factory.mktemp("bucket")) as made:
        made.configure()
        (made.directory / "bucket.key").write_text(KEY)
        path = made.config / "gateway.yaml"
        words = RECORDINGS.format(url=server.url, directory=made.directory)
        path.write_text(path.read_text().replace("spec:\n", words, 1))
        yesterday(made)
        for is_there in (True, False, True):
            (server.come if is_there else server.go)()
            with running(made) as process:
                token = made.token()
                assert made.curl(f"{CRM}/customers", token=token).status == 200
                while is_there and any("/s-old" in str(path) for path in flows(made)):
                    made.curl(f"{CRM}/customers", token=token)
            output.append(process.output)
        yield made


def yesterday(installed: Installation) -> None:
    """A session of then; of those of today the newest file stays here."""
    writer = Writer.open(installed.data, clock=lambda: time.time() - 90_000)
    told = gateway_event(GatewayMove.START, time=time.time() - 90_000)
    event = Event(kind=told.kind, data=told.data, session="s-old")
    writer.write([Record(entries=(event.entry(),), flow=b"5:hello}", session="s-old")])
    writer.close()


def flows(installed: Installation) -> list[Path]:
    """Flow files that are here."""
    return sorted((installed.data / "recordings").rglob("*.flow"))


def test_everything_is_in_the_bucket(installed: Installation, server: Server) -> None:
    """Journal files with the bytes that they have here, and flow files that are here no more."""
    there = {key.split("/", 2)[2]: data for key, data in server.objects().items()}
    here = sorted((installed.data / "journal/main").glob("*"))
    assert len(here) == 8
    for path in here:
        assert there[path.relative_to(installed.data).as_posix()] == path.read_bytes()
    assert sum(name.endswith(".flow") for name in there) == 4


def test_a_bucket_that_was_away_is_an_event(installed: Installation) -> None:
    """And nothing in what was recorded or said is its key."""
    found = json.loads(installed.gatehold("audit", "query", "--text", "are not copied", "--json").stdout)["items"]
    assert found
    assert {row["kind"] for row in found} == {"gateway"}


def test_a_verification_reads_there(installed: Installation) -> None:
    """Where it is asked to; else it says what it did not read."""
    told = installed.gatehold("audit", "verify")
    assert "only in the bucket; they were not read" in told.stdout
    read = json.loads(installed.gatehold("audit", "verify", "--fetch", "--json").stdout)
    assert read["intact"]
    assert read["fetchedFlows"] == read["uploadedFlows"] == 1


def test_a_session_is_fetched(installed: Installation, tmp_path: Path) -> None:
    """Its flow files are what stock tools read; ``doctor`` says what arrived."""
    session = "s-old"
    fetched = json.loads(installed.gatehold("recordings", "fetch", session, "--out", str(tmp_path), "--json").stdout)[
        "items"
    ]
    assert [each["fetched"] for each in fetched] == [True]
    assert Path(fetched[0]["path"]).read_bytes() == b"5:hello}"
    assert installed.gatehold("recordings", "fetch", session, "--out", str(tmp_path), check=False).returncode == 1
    assert "0 files (0 bytes) to be copied" in installed.gatehold("doctor", check=False).stdout


def test_the_key_is_nowhere(installed: Installation, output: list[str]) -> None:
    """Neither in what was said nor in any file but its own."""
    assert not any(KEY in said for said in output)
    for path in installed.directory.rglob("*"):
        if path.is_file() and path.name != "bucket.key":
            assert KEY.encode() not in path.read_bytes()


def test_the_bucket_is_away_for_commands(installed: Installation, server: Server) -> None:
    """They say so, in words."""
    server.go()
    done = installed.gatehold("audit", "verify", "--fetch", check=False)
    assert done.returncode == 2
    assert "gatehold: recordings: " in done.stderr
    doctor = installed.gatehold("doctor", check=False).stdout
    assert "recordings stay here until it answers" in doctor
    server.come()
