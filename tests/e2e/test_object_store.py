"""Law: a gateway's finished recordings reach its bucket; while that is away calls go on; what is only there is found there."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gatehold.config import load
from policy.model import Agent, SessionId
from recordings.events import outcome
from recordings.writer import Record, Writer
from tests.e2e.harness import BIN, Installation, installation, running
from tests.gatehold.cli.recorded import call
from tests.gatehold.history.recorded import Camera
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
    """A call of then; of sessions of today the newest file stays here."""
    then = time.time() - 90_000
    writer = Writer.open(installed.data, clock=lambda: then)
    agent = Agent(issuer="corp", subject="planner-1", session=SessionId("s-old"))
    event = outcome(replace(call(0), agent=agent, time=then), status=200, time=then)
    flow = Camera(load(installed.config)).record("/customers/old", agent=agent, at=then, decision="d-0")
    writer.write([Record(entries=(event.entry(),), flow=flow, session="s-old")])
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
    assert b"/customers/old" in Path(fetched[0]["path"]).read_bytes()
    assert installed.gatehold("recordings", "fetch", session, "--out", str(tmp_path), check=False).returncode == 1
    assert "0 files (0 bytes) to be copied" in installed.gatehold("doctor", check=False).stdout


@pytest.mark.parametrize(
    "command",
    [
        ("recordings", "export", "s-old", "--har"),
        ("replay", "s-old", "--target", "crm", "--dry-run"),
        ("policy", "coverage", "--json"),
    ],
)
def test_commands_read_there(installed: Installation, command: tuple[str, ...]) -> None:
    """Where they are asked to; else they say so."""
    before = installed.gatehold(*command, check=False)
    assert "1 flow file is only in the bucket" in before.stdout + before.stderr
    assert installed.gatehold(*command, "--fetch").stdout != before.stdout


def test_the_copy_is_verified_alone(installed: Installation, tmp_path: Path, server: Server) -> None:
    """By its key and the environment of the store; a change is found."""
    key = tmp_path / "key.pem"
    key.write_text(installed.gatehold("audit", "key").stdout)

    def verify() -> subprocess.CompletedProcess[str]:
        command = [BIN / "gatehold", "audit", "verify", "--url", "s3://recordings/gateway-1", "--key", key]
        names = {"ACCESS_KEY_ID": "id", "SECRET_ACCESS_KEY": KEY, "REGION": "us-east-1", "ENDPOINT_URL": server.url}
        environment = os.environ | {f"AWS_{name}": value for name, value in names.items()}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    done = verify()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "intact\ncopied to event " in done.stdout
    told = json.loads(
        installed.gatehold("audit", "verify", "--url", "s3://recordings/gateway-1", "--key", str(key), "--json").stdout
    )
    [chain] = told["chains"]
    assert (told["intact"], chain["fetchedFlows"], chain["vouched"]) == (True, 4, chain["copied"])
    [old] = [name for name in server.objects() if "/s-old" in name]
    data = server.get(old)
    server.put(old, data.replace(b"/customers/old", b"/customers/new"))
    assert "was changed" in verify().stdout
    assert verify().returncode == 1
    server.put(old, data)


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
