"""Law: a gateway deletes what is due, keeps what is on hold, and what it deleted is no break; everything else is found."""

import json
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import BIN, CRM_TOKEN, Installation, clean_environment, installation, running

CRM = "https://crm.corp.example"
pytestmark = pytest.mark.timeout(600)
SETTINGS = "spec:\n  recordings: {retain: 1s, sync: always, rollover: {size: 64KiB, age: 1m}}\n"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Two runs with calls of two agents that keep everything, and one that keeps a second of them."""
    with installation(tmp_path_factory.mktemp("retention")) as made:
        made.configure()
        tokens = [made.token(subject=each) for each in ("held", "other")]
        for _ in range(2):
            with running(made):
                for token in tokens:
                    assert made.curl(f"{CRM}/customers", token=token).status == 200
        made.gatehold("recordings", "hold", session_of(made, "held"), "--reason", "case 7")
        path = made.config / "gateway.yaml"
        path.write_text(path.read_text().replace("spec:\n", SETTINGS, 1))
        with running(made):
            assert made.curl(f"{CRM}/customers", token=tokens[0]).status == 200
            until(lambda: any(line["kind"] == "retention" for line in journal(made)))
            until(lambda: len(flows(made, "other")) < 2)
        yield made


def until(condition: Any) -> None:
    """Wait for another process."""
    ends = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.05)


def journal(installed: Installation) -> list[dict[str, Any]]:
    """All whole lines."""
    files = sorted((installed.data / "journal").rglob("*.jsonl"))
    texts = [line for file in files for line in file.read_bytes().split(b"\n")[:-1]]
    return [json.loads(line) for line in texts]


def session_of(installed: Installation, subject: str) -> str:
    """As the list of recordings names it."""
    (item,) = json.loads(installed.gatehold("recordings", "list", "--agent", subject, "--json").stdout)["items"]
    session: str = item["session"]
    return session


def flows(installed: Installation, subject: str) -> list[Path]:
    """The flow files of an agent's session that are there."""
    (item,) = json.loads(installed.gatehold("recordings", "list", "--agent", subject, "--json").stdout)["items"]
    return [Path(file) for file in item["files"] if Path(file).exists()]


def test_what_is_due_is_gone_and_what_is_held_is_not(installed: Installation) -> None:
    """The other agent's older file went, its newest of the day stays; of the session on hold nothing went."""
    assert len(flows(installed, "other")) == 1
    assert len(flows(installed, "held")) == 3
    (told,) = [line for line in journal(installed) if line["kind"] == "retention"]
    own = told["event"]["unmapped"]["gatehold"]
    assert [each["session"] for each in own["files"]] == [session_of(installed, "other")]
    (held,) = [line for line in journal(installed) if line["event"].get("entity", {}).get("type") == "legal-hold"]
    assert held["event"]["comment"] == "case 7"


def test_the_record_is_whole(installed: Installation) -> None:
    """With the key; and not any more when something goes that nobody announced."""
    key = installed.directory / "key.pem"
    key.write_text(installed.gatehold("audit", "key").stdout)
    done = installed.gatehold("audit", "verify", "--key", str(key))
    assert "flow files deleted by retention: 1" in done.stdout
    path = flows(installed, "other")[0]
    content = path.read_bytes()
    path.unlink()
    done = installed.gatehold("audit", "verify", "--key", str(key), check=False)
    assert done.returncode == 1
    assert f"{path.relative_to(installed.data)} is missing" in done.stdout
    path.write_bytes(content)


def test_the_index_is_private_and_holds_no_secret(installed: Installation) -> None:
    """0600, fed by the gateway, and nothing in it that is not in the journal."""
    path = installed.data / "index.db"
    assert path.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(path) as connection:
        words = {text for (text,) in connection.execute("SELECT text FROM words")}
    connection.close()
    assert {"held", "other", "crm"} <= words
    assert CRM_TOKEN.encode() not in path.read_bytes()


def test_a_call_is_seen_while_it_is_recorded(installed: Installation) -> None:
    """A tail that began before the call shows it."""
    command = [BIN / "gatehold", "recordings", "tail", "--json", "-n", "0", "--config", installed.config]
    environment = clean_environment(CRM_TOKEN=CRM_TOKEN)
    with running(installed), subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as tail:
        assert tail.stdout is not None
        token = installed.token(subject="seen")
        until(lambda: installed.curl(f"{CRM}/customers", token=token).status == 200 and tail.poll() is None)
        shown = None
        while shown is None or shown["agent"] != "seen":
            installed.curl(f"{CRM}/customers", token=token)
            shown = json.loads(tail.stdout.readline())
        assert (shown["target"], shown["kind"], shown["status"]) == ("crm", "outcome", 200)
        tail.terminate()
