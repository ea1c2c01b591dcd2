"""Laws of ``gatehold replay``: it says what it would send, and sends nothing that it was not asked for."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gatehold.authority import load_or_create
from gatehold.cli.replay import app
from gatehold.config import load
from gatehold.replaying.planning import Again
from gatehold.replaying.sending import Answer, NoGateway
from gatehold.store import open_store
from gatehold.store.outbox import waiting
from policy.model import Agent, DecisionId, Family, SessionId, TargetName
from recordings.events import Call, outcome
from recordings.writer import Record, Writer, WriterLimits
from tests.gatehold.history.recorded import Camera

BASIC = Path(__file__).parents[3] / "examples" / "basic"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration in whose data directory a read and a write are recorded."""
    directory = tmp_path_factory.mktemp("replay") / "config"
    shutil.copytree(BASIC, directory, ignore=shutil.ignore_patterns("data", "keys"))
    configuration = load(directory)
    camera, writer = Camera(configuration), Writer.open(configuration.data_dir, limits=WriterLimits())
    for number, (method, path) in enumerate((("GET", "/customers"), ("DELETE", "/customers/7"))):
        call = Call(
            id=DecisionId(f"d-{number}"),
            agent=Agent(issuer="corp", subject="a1", session=SessionId("s-1")),
            target=TargetName("crm"),
            family=Family.HTTP,
            scheme="https",
            host="crm",
            port=443,
            method=method,
            path=path,
            operation=f"{method} /cust\x1bomers",
            verb=method,
            client=("10.0.0.9", 1),
            time=float(number),
        )
        flow = camera.record(path, method=method, at=float(number), decision=f"d-{number}")
        event = outcome(call, status=200, time=float(number))
        writer.write([Record(entries=(event.entry(),), flow=flow, session="s-1")])
    writer.close()
    return directory


def run(config: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, and what was printed where."""
    done = CliRunner().invoke(app, [*arguments, "--config", str(config)])
    return done.exit_code, done.stdout, done.stderr


def test_a_dry_run_says_what_would_be_sent(config: Path) -> None:
    """For people and for programs; nothing that an agent chose steers the terminal, and there is no event."""
    code, out, _ = run(config, "s-1", "--target", "crm", "--dry-run")
    assert code == 0
    assert "1 call would be sent" in out
    assert "left out, 1: it is a write" in out
    assert "\x1b" not in out
    code, out, _ = run(config, "s-1", "--target", "crm", "--dry-run", "--include-writes", "--json")
    document = json.loads(out)
    assert (document["counts"]["sent"], document["dryRun"]) == (2, True)
    with open_store("sqlite", config / "data") as store:
        assert not waiting(store)


def test_one_call_alone(config: Path) -> None:
    """By its decision."""
    code, out, _ = run(config, "d-0", "--target", "crm", "--dry-run", "--json")
    assert code == 0
    assert [item["then"]["decision"] for item in json.loads(out)["items"]] == ["d-0"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["s-9\x1b", "--target", "crm", "--dry-run"], 1, "no calls were recorded of s-9<U+001B>"),
        (["s-1", "--target", "crm", "--dry-run", "--from", "main"], 2, "no calls to such a target 'main'"),
        (["s-1", "--target", "crm"], 2, "--token-file"),
        (["s-1", "--target", "crm", "--dry-run", "--speed", "nan"], 2, "--speed"),
    ],
)
def test_what_cannot_be_run(config: Path, arguments: list[str], code: int, words: str) -> None:
    """It says why."""
    found, _, err = run(config, *arguments)
    assert found == code
    assert words in err


def test_no_gateway(config: Path, tmp_path: Path) -> None:
    """It is told; that it was tried is on record, the token is not."""
    load_or_create(config / "data")
    token = tmp_path / "token"
    token.write_text("planted-token")
    spec = (config / "gateway.yaml").read_text()
    (config / "gateway.yaml").write_text(spec.replace("port: 8080}", "port: 9}"))
    code, out, err = run(config, "s-1", "--target", "crm", "--token-file", str(token))
    assert code == 1
    assert "cannot be reached" in err
    assert "0 calls sent" in out
    with open_store("sqlite", config / "data") as store:
        told = [each.event for each in waiting(store)]
    assert [event["state"] for event in told] == ["started", "ended"]
    assert "planted-token" not in json.dumps(told) + out + err


class Way:
    """Answers once, then there is no gateway any more."""

    def __init__(self) -> None:
        self.sent = 0

    def __enter__(self) -> "Way":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def send(self, again: Again) -> Answer:
        """The one answer."""
        self.sent += 1
        if self.sent > 1:
            raise NoGateway("the gateway at 127.0.0.1:9 cannot be reached")
        return Answer(status=200, decision="dec_new", code="allowed", rule="", body=b"{}")


def test_what_was_done_is_told_when_it_ends_early(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And why it ended; exit 1."""
    monkeypatch.setattr("gatehold.cli.replay._sender", lambda *_: Way())
    code, out, err = run(config, "s-1", "--target", "crm", "--include-writes", "--json")
    document = json.loads(out)
    assert code == 1
    assert [item["now"]["decision"] for item in document["items"]] == ["dec_new"]
    assert document["failure"] == "the gateway at 127.0.0.1:9 cannot be reached"
    assert document["failure"] in err
