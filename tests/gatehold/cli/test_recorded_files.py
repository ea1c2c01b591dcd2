"""Law: all commands that read recorded calls know ``--fetch``; without it they say what to do, and read nothing there."""

import json
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gatehold.cli.main import main
from gatehold.config import load
from policy.model import Agent, SessionId
from recordings.deletions import UPLOADED
from recordings.events import outcome
from recordings.retention import Kept, Retention, Wanted
from recordings.writer import Record, Writer
from tests.gatehold.cli.recorded import call
from tests.gatehold.history.recorded import Camera

BASIC = Path(__file__).parents[3] / "examples" / "basic"
DAY = 86_400.0


class Bucket:
    """A directory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked: list[Path] = []

    def save(self, name: str, path: Path) -> int:
        """Copy a file."""
        self.asked.append(path)
        shutil.copy(self.path / name, path)
        return path.stat().st_size


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration whose one recorded call is only in the bucket, and the bucket beside it."""
    directory = tmp_path_factory.mktemp("fetch")
    config = directory / "config"
    shutil.copytree(BASIC, config, ignore=shutil.ignore_patterns("data", "keys"))
    gateway = config / "gateway.yaml"
    gateway.write_text(gateway.read_text().replace("mode: required", "url: s3://recordings/gateway-1"))
    configuration, before = load(config), time.time() - DAY
    flow = Camera(configuration).record("/customers", at=before, decision="d-0")
    made = replace(call(0), time=before, agent=Agent(issuer="corp", subject="a1", session=SessionId("s-1")))
    write(
        configuration.data_dir,
        Record(entries=(outcome(made, status=200, time=before).entry(),), flow=flow, session="s-1"),
    )
    drop(configuration.data_dir, directory / "bucket")
    return config


def write(data_dir: Path, *records: Record) -> None:
    writer = Writer.open(data_dir, clock=lambda: time.time() - DAY)
    writer.write(list(records))
    writer.close()


def drop(data_dir: Path, bucket: Path) -> None:
    """As a gateway does it, once another journal file has begun."""
    write(data_dir)
    retention, now = Retention(data_dir), time.time()
    plan = retention.plan(Wanted(retain=0.0), Kept(journals=lambda _: True), now=now)
    plan.doomed = [replace(each, reason=UPLOADED) for each in plan.doomed]
    write(data_dir, Record(entries=tuple(event.entry() for event in retention.events(plan, now=now))))
    shutil.copytree(data_dir / "recordings", bucket / "recordings")
    retention.carry_out(plan, now=now)


@pytest.fixture
def bucket(config: Path, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    made = Bucket(config.parent / "bucket")
    monkeypatch.setattr("gatehold.objects.finding.bucket_of", lambda _: made)
    return made


def run(capsys: pytest.CaptureFixture[str], config: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command."""
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--config", str(config)])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


@pytest.mark.parametrize(
    "arguments",
    [
        ["recordings", "export", "s-1", "--jsonl"],
        ["recordings", "export", "s-1", "--har"],
        ["recordings", "export", "s-1", "--csv"],
        ["replay", "s-1", "--target", "crm", "--dry-run"],
    ],
)
def test_a_session(config: Path, bucket: Bucket, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """Fetched, read, and gone again."""
    code, out, err = run(capsys, config, *arguments)
    assert (code, out) == (1, "")
    assert err == "gatehold: 1 flow file is only in the bucket: add --fetch, or see 'gatehold recordings fetch'\n"
    assert bucket.asked == []
    code, out, err = run(capsys, config, *arguments, "--fetch")
    assert (code, err) == (0, "")
    assert "/customers" in out or "1 call would be sent" in out
    assert [path.exists() for path in bucket.asked] == [False]


@pytest.mark.parametrize(
    "arguments", [["whatif", "--candidate", str(BASIC)], ["suggest"], ["suggest", "--unused"], ["coverage"], ["shadow"]]
)
def test_all_recordings(config: Path, bucket: Bucket, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """The same; where there is nothing else, nothing is judged."""
    code, _, err = run(capsys, config, "policy", *arguments)
    assert code == 2
    assert err.endswith("; 1 flow file is only in the bucket, not read (--fetch)\n")
    code, out, _ = run(capsys, config, "policy", *arguments, "--fetch", "--json")
    assert code == 0
    assert [path.exists() for path in bucket.asked] == [False]
    if arguments != ["suggest"]:
        assert json.loads(out)["remarks"] == []


def test_a_viewer(
    config: Path, bucket: Bucket, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it shows was fetched; all of it is gone when it ends."""
    shown: list[bytes] = []

    def mitmweb(command: list[str], **_: Any) -> Any:
        shown.append(Path(command[3]).read_bytes())
        bucket.asked.append(Path(command[3]))
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(subprocess, "run", mitmweb)
    assert run(capsys, config, "recordings", "open", "s-1", "--fetch") == (0, "", "")
    assert shown == [path.read_bytes() for path in bucket.path.rglob("*.flow")]
    assert [path.exists() for path in bucket.asked] == [False, False]


def test_what_is_left_is_remarked(config: Path, bucket: Bucket, capsys: pytest.CaptureFixture[str]) -> None:
    """Where others are here."""
    path = config / "data" / "recordings" / "2026-01-31" / "s-2.flow"
    path.parent.mkdir(parents=True)
    path.write_bytes(next(bucket.path.rglob("*.flow")).read_bytes())
    try:
        code, out, _ = run(capsys, config, "policy", "coverage", "--json")
    finally:
        shutil.rmtree(path.parent)
    assert code == 0
    assert json.loads(out)["remarks"] == ["1 flow file is only in the bucket, not read (--fetch)"]


def test_other_recordings_have_no_bucket(config: Path, bucket: Bucket, capsys: pytest.CaptureFixture[str]) -> None:
    """The bucket is the configuration's own."""
    code, _, err = run(capsys, config, "policy", "coverage", "--fetch", "--recordings", str(bucket.path))
    assert (code, bucket.asked) == (2, [])
    assert "leave out --recordings" in err


def test_a_printed_command_fetches_nothing(config: Path, bucket: Bucket, capsys: pytest.CaptureFixture[str]) -> None:
    """Its files would be gone before anybody runs it."""
    code, _, err = run(capsys, config, "recordings", "open", "s-1", "--print-command")
    assert (code, "add --fetch, or see 'gatehold recordings fetch'" in err) == (1, True)
    code, _, err = run(capsys, config, "recordings", "open", "s-1", "--print-command", "--fetch")
    assert (code, bucket.asked) == (2, [])
    assert "see 'gatehold recordings fetch'" in err
