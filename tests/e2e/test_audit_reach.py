"""Law: what a gateway records reaches its sinks and anchors, can be asked for, and is nothing but masked.

Also when a sink is away for a while, and over a kill; and a data directory that was rolled back is told of.
"""

import csv
import io
import json
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from gatehold.demo import records
from tests.e2e.harness import CRM_TOKEN, GatewayProcess, Installation, command_line, installation, running
from tests.recordings.conftest import ocsf_check

CRM = "https://crm.corp.example"
pytestmark = pytest.mark.timeout(600)
AUDIT = """spec:
  audit:
    sinks:
      - {{name: lines, file: {directory}/lines.jsonl}}
      - {{name: siem, webhook: {{url: "http://127.0.0.1:{port}/events", secret: "${{file:{directory}/hook.key}}"}}}}
    anchors:
      - {{name: elsewhere, directory: {directory}/anchors, every: 1s}}
"""


@dataclass(slots=True)
class Siem:
    """Takes events over HTTP; away until it is told to be there."""

    port: int = 0
    is_away: bool = True
    bodies: list[bytes] = field(default_factory=list)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """All that it got."""
        return [json.loads(line) for body in self.bodies for line in body.splitlines()]


@pytest.fixture(scope="module")
def siem() -> Iterator[Siem]:
    """It listens."""
    this = Siem()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not this.is_away:
                this.bodies.append(body)
            self.send_response(503 if this.is_away else 204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        this.port = server.server_port
        Thread(target=server.serve_forever, daemon=True).start()
        yield this
        server.shutdown()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, siem: Siem) -> Iterator[Installation]:
    """Three runs: one that is killed, one in which the receiver comes back, one of an old copy of everything."""
    with installation(tmp_path_factory.mktemp("reach")) as made:
        made.configure()
        (made.directory / "anchors").mkdir()
        (made.directory / "hook.key").write_text("whsec_" + "QUFB" * 10)
        path = made.config / "gateway.yaml"
        audit = AUDIT.format(directory=made.directory, port=siem.port)
        path.write_text(path.read_text().replace("spec:\n", audit, 1))
        killed = GatewayProcess(made, command_line("run", made.config))
        try:
            killed.wait_ready()
            ask(made)
        finally:
            killed.stop(signal.SIGKILL)
        shutil.copytree(made.data, made.directory / "old")
        siem.is_away = False
        with running(made):
            made.curl(f"{CRM}/echo?id=%3D1%2B1")
        yield made


def ask(installed: Installation) -> None:
    """Calls of one session that are answered, refused and held, and one of nobody."""
    token = installed.token()
    for url, options in (("/customers", ()), ("/report.csv", ()), ("/customers/9", ("-X", "DELETE"))):
        installed.curl(f"{CRM}{url}", *options, token=token)
    installed.curl(f"{CRM}/echo", token=None)


def journal(installed: Installation) -> list[dict[str, Any]]:
    """All lines."""
    files = sorted((installed.data / "journal").rglob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def wanted(installed: Installation) -> list[int]:
    """Numbers of the lines that a sink gets."""
    own = {"journal-open", "journal-seal", "flows-open", "flows-seal"}
    return [line["seq"] for line in journal(installed) if line["kind"] not in own]


def test_every_event_reaches_every_sink(installed: Installation, siem: Siem) -> None:
    """In order, at least once, though one was away and the gateway was killed meanwhile."""
    lines = [json.loads(line) for line in (installed.directory / "lines.jsonl").read_text().splitlines()]
    for told in (lines, siem.lines):
        assert list(dict.fromkeys(line["seq"] for line in told)) == wanted(installed)
        assert all(line in journal(installed) for line in told)


def test_nothing_unmasked_leaves(installed: Installation, siem: Siem) -> None:
    """No credential, token or masked value in what sinks got or what is exported."""
    customer = records.customers()[0]
    planted = [CRM_TOKEN, "whsec_", *(str(customer[key]) for key in ("email", "card", "iban", "ssn"))]
    places = [b"".join(siem.bodies).decode(), (installed.directory / "lines.jsonl").read_text()]
    places += [installed.gatehold("audit", "export", "--format", form).stdout for form in ("jsonl", "ocsf", "csv")]
    for value in planted:
        assert not any(value in place for place in places)


def test_exports(installed: Installation) -> None:
    """All lines, in three forms; every event fits the OCSF schema, no cell is a formula."""
    found = installed.gatehold("audit", "export", "--format", "ocsf").stdout.splitlines()
    check = ocsf_check()
    for line in found:
        check(json.loads(line))
    assert [json.loads(line) for line in found] == [line["event"] for line in journal(installed)]
    exported = installed.gatehold("audit", "export", "--format", "jsonl").stdout
    assert exported == "".join(path.read_text() for path in sorted((installed.data / "journal").rglob("*.jsonl")))
    table = list(csv.reader(io.StringIO(installed.gatehold("audit", "export", "--format", "csv").stdout)))
    assert len(table) == len(journal(installed)) + 1


def test_queries(installed: Installation) -> None:
    """By what was decided, for people and for programs."""

    def ask(*options: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(installed.gatehold("audit", "query", "--json", *options).stdout)[
            "items"
        ]
        return found

    [refused] = ask("--code", "denied-by-rule")
    assert (refused["rule"], refused["target"], refused["path"]) == ("nobody-reads-the-report", "crm", "/report.csv")
    assert ask("--decision", refused["decision"]) == [refused]
    assert {row["kind"] for row in ask("--verdict", "allow", "--kind", "intent")} == {"intent"}
    [opened, *_] = ask("--kind", "approval")
    assert ask("--approval", opened["approval"])
    assert len(ask("--session", refused["session"])) >= 4
    assert [row["seq"] for row in ask("--limit", "3")] == [line["seq"] for line in journal(installed)][-3:]
    assert ask("--since", "0s") == []
    shown = installed.gatehold("audit", "query", "--text", "report").stdout
    assert "nobody-reads-the-report" in shown
    assert installed.gatehold("audit", "query", "--resource", "a/b/c/d", check=False).returncode == 2


def test_an_anchor_finds_a_roll_back(installed: Installation, tmp_path: Path) -> None:
    """``verify`` and ``doctor`` with the copies; the next start says so, in the journal and to every sink."""
    anchors = installed.directory / "anchors"
    key = tmp_path / "key.pem"
    key.write_text(installed.gatehold("audit", "key").stdout)
    options = ("audit", "verify", "--key", str(key), "--anchor", str(anchors))
    good = installed.gatehold(*options)
    assert f"anchored to event {journal(installed)[-1]['seq']}" in good.stdout
    assert "the journal reaches what it vouches for" in installed.gatehold("doctor", check=False).stdout
    current = installed.data.rename(installed.directory / "current")
    shutil.copytree(installed.directory / "old", installed.data)
    try:
        bad = installed.gatehold(*options, check=False)
        assert bad.returncode == 1
        assert "it was cut off" in bad.stdout
        assert "rolled back" in installed.gatehold("doctor", check=False).stdout
        with running(installed) as process:
            pass
        assert "rolled back" in process.output
        [told] = json.loads(installed.gatehold("audit", "query", "--text", "rolled back", "--json").stdout)["items"]
        assert told["kind"] == "gateway"
    finally:
        shutil.rmtree(installed.data)
        current.rename(installed.data)
