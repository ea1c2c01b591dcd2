"""Law: recordings are replayed by stock mitmproxy, and through the gateway: with a token of now, and nothing recorded.

One recorded session of real clients; what was recorded of it is sent to another target.
"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from mitmproxy import http
from mitmproxy.io import FlowReader

from gatehold.demo.customers import CustomersApi
from gatehold.demo.serving import serve
from gatehold.store import open_store
from gatehold.store.outbox import waiting
from gatehold.store.users import add_user
from recordings.listing import Row, rows
from tests.e2e.harness import BIN, CRM_TOKEN, Installation, clean_environment, free_port, installation, running

CRM = "https://crm.corp.example"
PODS = "https://kubernetes.corp.example/api/v1/namespaces/prod/pods"
STAGING_TOKEN = "staging-planted-credential-77d0"
STAGING = """
apiVersion: gatehold.dev/v1
kind: Target
metadata: {name: staging}
spec:
  family: http
  hosts: ["open.corp.example:443"]
  connect: 127.0.0.1:@STAGING@
  allowPrivate: true
  tls: {ca: "@CA@"}
  credential: {header: Authorization, prefix: "Bearer ", value: "staging-planted-credential-77d0"}
---
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: staging}
rules:
  - name: testers-read
    effect: allow
    agents: {groups: [testers]}
    http: {targets: [staging], methods: [GET, HEAD], paths: ["/**"]}
  - name: testers-write
    effect: allow
    agents: {groups: [testers]}
    http: {targets: [staging], methods: [POST], paths: ["/customers"]}
  - name: nobody-reads-the-staged-report
    effect: deny
    http: {targets: [staging], paths: ["/report.csv"]}
  - name: mask-staging
    effect: constrain
    http: {targets: [staging], methods: ["*"], paths: ["/customers", "/customers/**"]}
    mask: {profiles: [pii, pci]}
"""


TO_STAGING = ("--from", "crm", "--target", "staging")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A session that is over, in a gateway that still runs."""

    installed: Installation
    staging: CustomersApi
    agent_token: str = field(repr=False)
    session: str
    flow_file: str
    decisions: dict[str, str]
    staging_port: int

    @property
    def token_file(self) -> Path:
        """With the token of a tester."""
        path = self.installed.directory / "tester.token"
        path.write_text(self.installed.token(subject="tester", groups=["testers"]))
        return path

    def replay(self, *options: str) -> dict[str, Any]:
        """The command's report."""
        done = self.installed.gatehold("replay", self.session, *TO_STAGING, "--json", *options)
        report: dict[str, Any] = json.loads(done.stdout)
        return report


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """Reads, a refusal, a masked request, a write, a stream."""
    with installation(tmp_path_factory.mktemp("replay")) as made:
        made.configure()
        staging = CustomersApi(credential=STAGING_TOKEN)
        with serve(staging.app(), certificate=made.certificate.pair) as served:
            made.write("staging.yaml", STAGING.replace("@STAGING@", str(served.port)))
            with running(made):
                with open_store("sqlite", made.data) as store, store.writing() as connection:
                    add_user(connection, "ada", ["sre"], by="test", now=1.0)
                token = made.token(subject="recorded")
                body = ("-H", "Content-Type: application/json", "-d", '{"name": "Kit", "vip": false}')
                answers = {
                    "read": made.curl(f"{CRM}/customers/1?fields=%61ll&x=%2e", token=token),
                    "denied": made.curl(f"{CRM}/report.csv", token=token),
                    "masked": made.curl(f"{CRM}/echo?token=ghp_{'a1B2' * 9}", token=token),
                    "written": made.curl(f"{CRM}/customers", *body, token=token),
                    "echo": made.curl(f"{CRM}/echo", "-H", "X-Api-Key: planted", "-H", "X-Trace: 7", token=token),
                }
                assert made.curl(PODS, token=token).status == 200
                decisions = {name: answer.headers["gatehold-decision"] for name, answer in answers.items()}
                [listed] = json.loads(made.gatehold("recordings", "list", "--json").stdout)["items"]
                yield Recorded(
                    installed=made, staging=staging, staging_port=served.port, agent_token=token, decisions=decisions,
                    session=listed["session"], flow_file=listed["file"],
                )  # fmt: skip


def settings(**options: object) -> list[str]:
    """Options of mitmproxy."""
    return [part for name, value in options.items() for part in ("--set", f"{name}={value}")]


def test_stock_client_replay_sends_the_calls(recorded: Recorded, tmp_path: Path) -> None:
    """``mitmdump -C``: the recorded requests reach a server, with no credential of then."""
    before = len(recorded.staging.received)
    out = tmp_path / "again.flow"
    done = subprocess.run(
        [
            *(BIN / "mitmdump", "-n", "-C", recorded.flow_file, "-w", out, "--map-remote"),
            *(f"#//(crm|kubernetes).corp.example#//127.0.0.1:{recorded.staging_port}", "--modify-headers", f"/~q/Authorization/Bearer {STAGING_TOKEN}"),
            *settings(confdir=tmp_path, ssl_insecure="true"),
        ],
        capture_output=True, text=True, timeout=90, check=False, env=clean_environment(HOME=str(tmp_path)),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    received = list(recorded.staging.received)[before:]
    assert [request.method for request in received] == ["GET", "GET", "GET", "POST", "GET", "GET"]
    told = repr([request.headers for request in received])
    assert recorded.agent_token not in told
    assert CRM_TOKEN not in told
    with out.open("rb") as file:
        flows = [flow for flow in FlowReader(file).stream() if isinstance(flow, http.HTTPFlow)]
    assert all(flow.response and flow.is_replay == "request" for flow in flows)


@contextmanager
def server_replay(recorded: Recorded, directory: Path) -> Iterator[int]:
    """``mitmdump -S``; yields its port."""
    port = free_port()
    options = {"confdir": directory, "connection_strategy": "lazy", "upstream_cert": "false", "server_replay_extra": 404,
               "server_replay_reuse": "true", "server_replay_refresh": "false", "listen_host": "127.0.0.1"}  # fmt: skip
    command = [BIN / "mitmdump", "-S", recorded.flow_file, "-p", str(port), *settings(**options)]
    environment = clean_environment(HOME=str(directory), PYTHONUNBUFFERED="1")
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        try:
            printed = ""
            for line in process.stdout or ():
                printed += line
                if "proxy listening" in line:
                    yield port
                    return
            raise AssertionError(printed)
        finally:
            process.terminate()


def test_stock_server_replay_answers_as_then(recorded: Recorded, tmp_path: Path) -> None:
    """``mitmdump -S``: a client gets the recorded answers, masked as they were, with no gateway and no target."""
    before = len(recorded.installed.customers.received)
    with server_replay(recorded, tmp_path) as port:

        def ask(path: str) -> subprocess.CompletedProcess[str]:
            command = ["curl", "-sS", "-w", "\n%{http_code}", "--path-as-is", "--max-time", "30", "-x", f"http://127.0.0.1:{port}",
                       "--cacert", tmp_path / "mitmproxy-ca-cert.pem", f"{CRM}{path}"]  # fmt: skip
            return subprocess.run(command, capture_output=True, text=True, check=True, env=clean_environment())

        body, _, status = ask("/customers/1?fields=%61ll&x=%2e").stdout.rpartition("\n")
        assert status == "200"
        assert json.loads(body)["email"] == "<EMAIL_ADDRESS>"
        assert ask("/report.csv").stdout.rpartition("\n")[2] == "403"
        assert ask("/never").stdout.rpartition("\n")[2] == "404"
    assert len(recorded.installed.customers.received) == before


def test_a_dry_run_sends_nothing(recorded: Recorded) -> None:
    """It needs no token, leaves no trace, and says why calls are left out."""
    before = len(recorded.staging.received)
    report = recorded.replay("--dry-run")
    by_decision = {item["then"]["decision"]: item for item in report["items"]}
    skipped = {name: by_decision[decision].get("skipped", "") for name, decision in recorded.decisions.items()}
    assert skipped == {"read": "", "denied": "", "masked": "masked", "written": "write", "echo": ""}
    assert report["counts"] == {
        "sent": 3,
        "differ": 0,
        "broken": 0,
        "skipped": {"masked": 1, "other-target": 1, "write": 1},
    }
    assert len(recorded.staging.received) == before
    assert not replays(recorded)


def replays(recorded: Recorded) -> list[Row]:
    """What the journal says of replays."""
    found = rows(recorded.installed.data)
    return [row for row in found if row.raw["event"].get("entity", {}).get("type") == "replay"]


def test_calls_are_made_again_through_the_gateway(recorded: Recorded) -> None:
    """By the rules for the agent of now, to the target of now with its own credential; each is on record."""
    before = len(recorded.staging.received)
    report = recorded.replay("--token-file", str(recorded.token_file), "--as", "ada", "--speed", "1000")
    items = {item["then"]["decision"]: item for item in report["items"]}
    read, denied, echo = (items[recorded.decisions[name]] for name in ("read", "denied", "echo"))
    assert (read["now"]["status"], read["now"]["rule"], read["body"]) == (200, "testers-read", "same")
    assert read["differences"] == ["rule planners-read -> testers-read"]
    assert (denied["now"]["code"], denied["now"]["status"]) == ("denied-by-rule", 403)
    assert echo["now"]["status"] == 200
    received = list(recorded.staging.received)[before:]
    assert [(each.method, each.path) for each in received] == [
        ("GET", "/customers/1?fields=%61ll&x=%2e"),
        ("GET", "/echo"),
    ]
    for request in received:
        fields = {name.lower(): value for name, value in request.headers}
        assert fields["authorization"] == f"Bearer {STAGING_TOKEN}"
        assert "x-api-key" not in fields
    assert dict(received[1].headers)["x-trace"] == "7"
    journal = {row.decision: row for row in rows(recorded.installed.data) if row.kind in {"outcome", "refusal"}}
    assert {journal[item["now"]["decision"]].agent for item in (read, denied, echo)} == {"tester"}


def test_who_replayed_is_on_record(recorded: Recorded) -> None:
    """That it began before the first call, and how it ended; never the token."""
    recorded.replay("--token-file", str(recorded.token_file), "--as", "ada")
    with open_store("sqlite", recorded.installed.data) as store:
        still = [each.event for each in waiting(store)]
    events = [row.raw["event"] for row in replays(recorded)]
    told = json.dumps([still, events])
    assert '"ended"' in told
    assert "ada (os:" in told
    assert recorded.token_file.read_text() not in told


def test_writes_are_made_where_they_are_asked_for(recorded: Recorded) -> None:
    """With the body of then."""
    before = len(recorded.staging.received)
    report = recorded.replay("--token-file", str(recorded.token_file), "--include-writes")
    assert report["counts"]["sent"] == 4
    posted = [each for each in list(recorded.staging.received)[before:] if each.method == "POST"]
    assert [json.loads(each.body) for each in posted] == [{"name": "Kit", "vip": False}]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--target", "none", "--dry-run"], "no target 'none'"),
        (["--target", "main", "--dry-run", "--from", "crm"], "family kubernetes"),
        (["--target", "staging", "--dry-run"], "say --from: the session has calls to crm, main"),
        ([*TO_STAGING], "--token-file"),
        ([*TO_STAGING, "--token-file", "/none"], "/none"),
        ([*TO_STAGING, "--dry-run", "--as", "nobody"], "no user is named 'nobody'"),
        ([*TO_STAGING, "--dry-run", "--speed", "0"], "--speed"),
    ],
)
def test_what_cannot_be_run(recorded: Recorded, options: list[str], words: str) -> None:
    """Exit 2, and says why."""
    done = recorded.installed.gatehold("replay", recorded.session, *options, check=False)
    assert done.returncode == 2
    assert words in done.stderr


def test_a_token_that_is_not_taken(recorded: Recorded, tmp_path: Path) -> None:
    """Ends it: no call can be made; the token is not shown."""
    path = tmp_path / "token"
    path.write_text("not.a.token")
    done = recorded.installed.gatehold("replay", recorded.session, *TO_STAGING, "--token-file", str(path), check=False)
    assert done.returncode == 1
    assert "407" in done.stderr
    assert "not.a.token" not in done.stderr + done.stdout


def test_a_table_for_people(recorded: Recorded) -> None:
    """With what differs; the exit code says so where it is asked for."""
    options = (*TO_STAGING, "--token-file", str(recorded.token_file))
    done = recorded.installed.gatehold("replay", recorded.session, *options, "--fail-on-difference", check=False)
    assert done.returncode == 1
    assert "rule planners-read -> testers-read" in done.stdout
    assert "3 calls sent, 3 differ, 0 broke off" in done.stdout
    assert "left out, 1: its request was masked" in done.stdout


def test_calls_to_a_cluster(recorded: Recorded) -> None:
    """The same; a refusal is read from a Kubernetes ``Status``."""
    planner = recorded.installed.directory / "planner.token"
    planner.write_text(recorded.installed.token(subject="again"))
    options = ("replay", recorded.session, "--from", "main", "--target", "main", "--json", "--token-file")
    same = json.loads(recorded.installed.gatehold(*options, str(planner)).stdout)
    [made] = [item for item in same["items"] if "now" in item]
    assert (made["differences"], made["now"]["status"]) == ([], 200)
    other = json.loads(recorded.installed.gatehold(*options, str(recorded.token_file)).stdout)
    [refused] = [item for item in other["items"] if "now" in item]
    assert refused["now"]["status"] == 403
    assert refused["now"]["code"] not in ("", "allowed")
