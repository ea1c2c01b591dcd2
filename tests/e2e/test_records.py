"""Law: every call leaves a flow and an event, readable by stock tools and provably unchanged, and no secret anywhere.

These tests run a gateway of their own to the end, and then look at everything that it left behind and printed.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gatehold.demo import records
from gatehold.demo.kubernetes.seed import PASSWORDS
from tests.e2e.harness import (
    BIN,
    CLUSTER_TOKEN,
    COMMANDS,
    CRM_TOKEN,
    Answer,
    Installation,
    clean_environment,
    free_port,
    installation,
    running,
)

CRM = "https://crm.corp.example"
K8S = "https://kubernetes.corp.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session that is over: what was said, and what is left."""

    installed: Installation
    token: str
    answers: dict[str, Answer]
    output: str
    exit_code: int


@pytest.fixture(scope="module", params=sorted(COMMANDS))
def session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """Calls of every kind through a gateway that was then stopped."""
    with installation(tmp_path_factory.mktemp("records")) as made:
        made.configure()
        token = made.token(subject="recorded")
        with running(made, request.param) as process:
            json_body = ("-H", "Content-Type: application/json", "-d")
            card = records.customers()[0]["card"]
            answers = {
                "masked": made.curl(f"{CRM}/customers", token=token),
                "echo": made.curl(f"{CRM}/echo", token=token),
                "denied": made.curl(f"{CRM}/report.csv", token=token),
                "pending": made.curl(f"{CRM}/customers/9", "-X", "DELETE", token=token),
                "posted": made.curl(f"{CRM}/customers", *json_body, f'{{"card": "{card}", "vip": false}}', token=token),
                "query": made.curl(f"{CRM}/echo?token=ghp_{'a1B2' * 9}", token=token),
                "withheld": made.curl(f"{CRM}/avatar.png", token=token),
                "secrets": made.curl(f"{K8S}/api/v1/secrets", token=token),
                "nobody": made.curl(f"{CRM}/echo", token=None),
                "garbage": made.curl(f"{CRM}/echo", token=token[:-8] + "AAAAAAAA"),
                "down": made.curl("https://down.corp.example/x", token=token),
            }
            process.stop()
        yield Session(
            installed=made,
            token=token,
            answers=answers,
            output=process.output,
            exit_code=process.process.returncode,
        )


def written(session: Session) -> dict[Path, bytes]:
    """Everything under the data directory but keys, which are secret by nature."""
    files = [file for file in session.installed.data.rglob("*") if file.is_file()]
    return {file: file.read_bytes() for file in files if "keys" not in file.parts and file.name != "ca-key.pem"}


def journal(session: Session) -> list[dict[str, object]]:
    """All lines of the journal."""
    files = sorted((session.installed.data / "journal").rglob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_the_session_went_as_expected(session: Session) -> None:
    """What the other tests look at is there."""
    statuses = {name: answer.status for name, answer in session.answers.items()}
    assert statuses == {
        "masked": 200, "echo": 200, "denied": 403, "pending": 429, "posted": 201, "query": 200, "withheld": 502,
        "secrets": 200, "nobody": 0, "garbage": 0, "down": 502,
    }  # fmt: skip
    assert session.exit_code == 0, session.output


def test_no_secret_is_anywhere(session: Session) -> None:
    """Tokens, credentials and masked values are in no file, no log line and no answer."""
    customer = records.customers()[0]
    planted = [session.token, session.token.split(".")[2], CRM_TOKEN, CLUSTER_TOKEN, *PASSWORDS.values()]
    planted += [str(customer[key]) for key in ("email", "card", "iban", "ssn")] + ["ghp_" + "a1B2" * 9]
    places = {str(path): content for path, content in written(session).items()}
    places["output"] = session.output.encode()
    shown = {name: answer for name, answer in session.answers.items() if name not in ("posted", "query")}
    places |= {f"answer {name}": answer.body + repr(answer.headers).encode() for name, answer in shown.items()}
    for value in planted:
        for place, content in places.items():
            assert value.encode() not in content, f"{value!r} is in {place}"


def test_every_call_has_an_intent_or_a_refusal_and_an_outcome(session: Session) -> None:
    """What was forwarded was announced before; what was refused says so."""
    by_kind: dict[str, set[object]] = {}
    for line in journal(session):
        by_kind.setdefault(str(line["kind"]), set()).add(line.get("decision"))
    decisions = {name: answer.headers.get("gatehold-decision") for name, answer in session.answers.items()}
    for name in ("masked", "echo", "posted", "query", "secrets"):
        assert decisions[name] in by_kind["intent"]
        assert decisions[name] in by_kind["outcome"]
    for name in ("denied", "pending", "withheld", "down"):
        assert decisions[name] in by_kind["refusal"]
    for name in ("denied", "pending"):
        assert decisions[name] not in by_kind["intent"]
    assert by_kind["authentication"]
    assert by_kind["gateway"]


def test_verify_vouches_for_it(session: Session) -> None:
    """Intact, by the command that an auditor runs."""
    done = session.installed.gatehold("audit", "verify", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "intact" in done.stdout


def test_an_edit_is_found(session: Session, tmp_path: Path) -> None:
    """One changed byte in a recording, and verify names it."""
    [flow, *_] = sorted((session.installed.data / "recordings").rglob("*.flow"))
    original = flow.read_bytes()
    try:
        flow.write_bytes(original.replace(b"GET", b"PUT", 1))
        done = session.installed.gatehold("audit", "verify", check=False)
    finally:
        flow.write_bytes(original)
    assert done.returncode == 1
    assert flow.name in done.stdout + done.stderr


def test_recordings_are_listed(session: Session) -> None:
    """The session, its agent and its calls."""
    listed = json.loads(session.installed.gatehold("recordings", "list", "--json").stdout)["items"]
    [mine] = [row for row in listed if "recorded" in json.dumps(row["agent"])]
    assert mine["calls"] >= 8
    assert session.installed.gatehold("recordings", "show", mine["session"]).stdout


def test_stock_mitmproxy_reads_the_recordings(session: Session) -> None:
    """``mitmdump -nr`` prints every flow, with its decision as comment."""
    flows = sorted((session.installed.data / "recordings").rglob("*.flow"))
    assert flows
    environment = {**os.environ, "HOME": str(session.installed.directory)}
    for flow in flows:
        command = [BIN / "mitmdump", "-nr", flow, "--flow-detail", "1"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
        assert done.returncode == 0, done.stderr
        assert "GET https://" in done.stdout


def test_stock_mitmweb_shows_the_recordings(session: Session, tmp_path: Path) -> None:
    """``mitmweb -n -r`` lists the flows, each with its decision as comment, and nothing that was masked."""
    [flow, *_] = sorted((session.installed.data / "recordings").rglob("*.flow"))
    port = free_port()
    options = {"confdir": tmp_path, "web_port": port, "web_open_browser": "false", "web_password": "auditor"}
    settings = [part for name, value in options.items() for part in ("--set", f"{name}={value}")]
    web = subprocess.Popen(
        [BIN / "mitmweb", "-n", "-r", flow, *settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        command = ["curl", "-sf", "--retry", "60", "--retry-connrefused", "--retry-delay", "1", "-H",
                   "Authorization: Bearer auditor", f"http://127.0.0.1:{port}/flows"]  # fmt: skip
        done = subprocess.run(command, capture_output=True, check=True, timeout=90, env=clean_environment())
    finally:
        web.terminate()
        web.wait(timeout=30)
    shown = json.loads(done.stdout)
    assert shown
    assert all(each["comment"] for each in shown)
    assert CRM_TOKEN.encode() not in done.stdout


def test_files_are_for_the_owner_only(session: Session) -> None:
    """Nobody else on the machine reads what agents did."""
    for path in session.installed.data.rglob("*"):
        if path.name != "ca.pem":
            assert path.stat().st_mode & 0o077 == 0, path
