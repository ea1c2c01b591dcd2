"""Law: a hold keeps what is recorded, a prune says what it does before it does it, and never beside a gateway."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from gatehold.cli.recordings import app
from gatehold.store import legal_holds, open_store, outbox
from policy.model import SessionId
from recordings.acts import GatewayMove, gateway_event
from recordings.events import Event
from recordings.retention import Plan, Retention
from recordings.verify import verify
from recordings.writer import Record, Writer
from tests.gatehold.cli.test_sessions import GATEWAY

DAY = 86_400.0


@pytest.fixture
def config(tmp_path: Path) -> str:
    """Recordings are kept for three days; there are some of ten days ago, and of today."""
    (tmp_path / "gateway.yaml").write_text(GATEWAY + "  recordings: {retain: 3d}\n")
    clock = [time.time() - 11 * DAY]
    writer = Writer.open(tmp_path / "data", clock=lambda: clock[0])
    for session in ("s-1", "s-2", "", "s-3"):
        clock[0] += DAY if session in {"", "s-3"} else 0.0
        told = gateway_event(GatewayMove.START, time=clock[0])
        event = Event(kind=told.kind, data=told.data, session=SessionId(session))
        writer.write([Record(entries=(event.entry(),), flow=b"5:hello}" if session else None, session=session)])
    writer.close()
    return str(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def pruned(config: str, *options: str) -> dict[str, Any]:
    done = run("prune", *options, "--json", "--config", config)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_dry_run_deletes_nothing(config: str, tmp_path: Path) -> None:
    """It names files, bytes and why; without --dry-run they go, and the journal says so."""
    said = pruned(config, "--dry-run")
    assert said["deleted"] is False
    flows = {each["session"] for each in said["items"] if each["session"]}
    assert flows == {"s-1", "s-2"}  # the newest journal file, and what it speaks of, stay until there is a newer one
    assert {each["reason"] for each in said["items"]} == {"age"}
    names = [each["file"] for each in said["items"]]
    assert all((tmp_path / "data" / name).exists() for name in names)
    shown = run("prune", "--dry-run", "--config", config)
    assert f"{len(names)} files, {said['bytes']} of {said['total']} bytes would be deleted" in shown.stdout
    assert {each["file"] for each in pruned(config)["items"]} >= set(names)
    assert not any((tmp_path / "data" / name).exists() for name in names)
    report = verify(tmp_path / "data")
    assert report.intact, report.summary()
    assert report.deleted


def test_what_is_on_hold_stays(config: str, tmp_path: Path) -> None:
    """Until it is released; both are told to the audit trail with who and why."""
    done = run("hold", "s-1", "--reason", "case 7", "--config", config)
    assert (done.exit_code, done.stdout) == (0, "s-1: on hold\n")
    (held,) = json.loads(run("holds", "--json", "--config", config).stdout)["items"]
    assert (held["session"], held["reason"]) == ("s-1", "case 7")
    assert "case 7" in run("holds", "--config", config).stdout
    said = pruned(config, "--dry-run")
    assert {each["session"] for each in said["items"] if each["session"]} == {"s-2"}
    assert "s-1 is on hold" in said["stuck"][0]
    assert run("release", "s-1", "--config", config).exit_code == 0
    assert {each["session"] for each in pruned(config)["items"] if each["session"]} == {"s-1", "s-2", "s-3"}
    with open_store("sqlite", tmp_path / "data") as store:
        told = [waiting.event for waiting in outbox.waiting(store)]
    assert [(each["kind"], each["action"], each["session"]) for each in told] == [
        ("legal-hold", "hold", "s-1"),
        ("legal-hold", "release", "s-1"),
    ]


def test_what_cannot_be_held(config: str) -> None:
    """Twice, or released without a hold: an error; a session of which nothing is known is held for what comes."""
    assert run("release", "s-1", "--config", config).exit_code == 1
    done = run("hold", "later\x1b", "--reason", "case 8", "--config", config)
    assert done.exit_code == 0
    assert "nothing is recorded of it yet" in done.stderr
    assert "\x1b" not in done.output
    assert run("hold", "later\x1b", "--reason", "case 8", "--config", config).exit_code == 1


def test_a_gateway_that_runs_prunes_by_itself(config: str, tmp_path: Path) -> None:
    """Two hands never write to one journal."""
    writer = Writer.open(tmp_path / "data")
    done = run("prune", "--config", config)
    writer.close()
    assert done.exit_code == 1
    assert "a gateway is running" in done.stderr


def test_without_bounds(config: str, tmp_path: Path) -> None:
    """Nothing is deleted that nobody wants deleted."""
    (tmp_path / "gateway.yaml").write_text(GATEWAY)
    assert pruned(config)["items"] == []
    assert "neither `retain` nor `keep`" in run("prune", "--config", config).stdout


def test_a_hold_in_the_last_moment_counts(config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It came after the event and before the deletion: nothing is deleted."""
    events = Retention.events

    def late(self: Retention, plan: Plan, *, now: float) -> list[Any]:
        with open_store("sqlite", tmp_path / "data") as store, store.writing() as connection:
            legal_holds.hold(connection, "s-2", reason="case 7", by="os:root", now=1.0)
        return events(self, plan, now=now)

    monkeypatch.setattr(Retention, "events", late)
    done = run("prune", "--config", config)
    assert done.exit_code != 0
    assert len(list((tmp_path / "data").rglob("*.flow"))) == 3
    assert verify(tmp_path / "data").intact
