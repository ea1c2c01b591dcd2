import json
import os
import pty
import pwd
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gatehold.approvals.approvers import Quorum
from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.model import Approval, Fingerprint, HeldCall, RuleRef
from gatehold.approvals.states import ApprovalState
from gatehold.cli.approvals import app
from gatehold.config import load
from gatehold.store import Store, open_store, outbox
from gatehold.store.users import add_user
from policy.model import RuleName, SessionId, TargetName
from tests.gatehold.cli.conftest import GATEWAY

WITH_APPROVALS = GATEWAY + "  approvals: {local: users}\n"
ME = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "gateway.yaml").write_text(WITH_APPROVALS)
    return tmp_path


@pytest.fixture
def store(config: Path) -> Iterator[Store]:
    with open_store("sqlite", config / "data") as store:
        with store.writing() as connection:
            for name, groups in {"alice": ["sre"], "carol": ["security"], "olga": ["sre"]}.items():
                add_user(connection, name, groups, by="test", now=0.0)
        yield store


@pytest.fixture
def ask(config: Path, store: Store) -> Callable[..., Approval]:
    """Has the gateway ask for a call."""
    desk = ApprovalDesk(store, load(config).gateway.spec.approvals)

    def ask(key: str = "1", count: int = 1, path: str = "/customers/1") -> Approval:
        return desk.open_or_join(
            HeldCall(
                issuer="corp",
                subject="a1",
                session=SessionId("s1"),
                people=frozenset({"a1", "olga"}),
                target=TargetName("crm"),
                method="DELETE",
                path=path,
                rules=(RuleRef(name=RuleName("no-deletes"), digest="d"),),
                quorum=Quorum(sets=(frozenset({"sre"}),), count=count),
                fingerprint=Fingerprint(key.rjust(64, "0")),
            )
        )

    return ask


@pytest.fixture
def run(config: Path) -> Callable[..., Any]:
    return lambda *arguments: CliRunner().invoke(app, [*arguments, "--config", str(config)])


def test_the_gateway_asks_and_a_person_says_yes(run: Callable[..., Any], ask: Callable[..., Approval]) -> None:
    """List, show, approve: the gateway's process finds the answer in the store."""
    approval = ask()
    listed = json.loads(run("list", "--json").output)["items"]
    assert [(each["id"], each["state"], each["target"]) for each in listed] == [(approval.id, "pending", "crm")]
    assert json.loads(run("show", approval.id, "--json").output) == listed[0]
    result = run("approve", approval.id, "--as", "alice", "--reason", "fine")
    assert (result.exit_code, result.output) == (0, f"{approval.id} is approved\n")
    answered = ask()
    assert (answered.id, answered.state) == (approval.id, ApprovalState.APPROVED)
    assert [(each.user, each.os_user, each.reason) for each in answered.answers] == [("alice", ME, "fine")]


def test_a_person_says_no(run: Callable[..., Any], ask: Callable[..., Approval]) -> None:
    """With a reason, which the gateway finds."""
    approval = ask()
    assert run("deny", approval.id, "--as", "alice", "--reason", "not today").exit_code == 0
    assert (ask().state, ask().reason) == (ApprovalState.DENIED, "not today")


def test_a_yes_that_is_not_enough_says_so(run: Callable[..., Any], ask: Callable[..., Approval]) -> None:
    """Who approves alone sees that others are needed."""
    approval = ask(count=2)
    assert "still pending: 1 said yes; it needs 2 people of sre" in run("approve", approval.id, "--as", "alice").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["approve", "apr_none", "--as", "alice"], "no approval has the id 'apr_none'"),
        (["show", "a\x1b[31m"], r"no approval has the id 'a\x1b[31m'"),
        (["approve", "ID", "--as", "mallory"], "no user is named mallory"),
        (["approve", "ID", "--as", "carol"], "none of the groups that may answer: sre"),
        (["deny", "ID", "--as", "carol", "--reason", "no"], "none of the groups that may answer: sre"),
        (["approve", "ID", "--as", "olga"], "olga is behind this call"),
        (["deny", "ID", "--as", "alice"], "a denial needs a reason"),
        (["deny", "ID", "--as", "alice", "--reason", " "], "a denial needs a reason"),
    ],
)
def test_what_does_not_count_is_said(
    run: Callable[..., Any], ask: Callable[..., Approval], arguments: list[str], message: str
) -> None:
    """Exit 1, one line on standard error, the approval as it was."""
    approval = ask()
    result = run(*(approval.id if each == "ID" else each for each in arguments))
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert ask() == approval


def test_a_late_answer_is_said(run: Callable[..., Any], ask: Callable[..., Approval], store: Store) -> None:
    """Also when the gateway does not run: what is overdue is ended first."""
    approval = ask()
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE approvals SET expires = 1000.0")
    result = run("approve", approval.id, "--as", "alice")
    assert result.exit_code == 1
    assert "is expired already" in result.stderr
    assert json.loads(run("show", approval.id, "--json").output)["state"] == "expired"


def test_local_answers_can_be_off(run: Callable[..., Any], ask: Callable[..., Approval], config: Path) -> None:
    """``approvals.local: off`` is a refusal, not a hint; reading stays possible."""
    approval = ask()
    (config / "gateway.yaml").write_text(WITH_APPROVALS.replace("local: users", "local: off"))
    result = run("approve", approval.id, "--as", "alice")
    assert result.exit_code == 1
    assert "switched off" in result.stderr
    assert run("show", approval.id).exit_code == 0
    assert ask().state is ApprovalState.PENDING


def test_answers_are_audited(run: Callable[..., Any], ask: Callable[..., Approval], store: Store) -> None:
    """Those that count and those that do not, with user and account, for the gateway to put into its journal."""
    approval = ask()
    run("approve", approval.id, "--as", "carol")
    run("approve", approval.id, "--as", "alice")
    events = [waiting.event for waiting in outbox.waiting(store) if "approval" in waiting.event["kind"]]
    assert [(event["kind"], event["by"], event["os_user"]) for event in events[1:]] == [
        ("approval-answer-refused", "user:carol", ME),
        ("approval", "user:alice", ME),
    ]


@pytest.mark.parametrize(
    "arguments",
    [["approve", "apr_1"], ["approve", "--as", "alice"], ["list", "--state", "purple"], ["show"], ["fly"]],
)
def test_wrong_usage(run: Callable[..., Any], arguments: list[str]) -> None:
    """Exit 2."""
    assert run(*arguments).exit_code == 2


def test_lists_by_state(run: Callable[..., Any], ask: Callable[..., Approval]) -> None:
    """Any of the states, for programs and for people; an empty list is a list."""
    first, second = ask("1"), ask("2")
    run("deny", first.id, "--as", "alice", "--reason", "no")
    pending = json.loads(run("list", "--state", "pending", "--json").output)["items"]
    assert [each["id"] for each in pending] == [second.id]
    assert json.loads(run("list", "--state", "spent", "--json").output) == {"items": []}
    table = run("list").output.splitlines()
    assert table[0].split() == ["ID", "STATE", "LEFT", "AGENT", "TARGET", "CALL", "RULE"]
    assert len(table) == 3


def test_hostile_text_shows_as_text(run: Callable[..., Any], ask: Callable[..., Approval]) -> None:
    """What an agent wrote reaches no terminal as it is."""
    approval = ask(path="/\x1b[2J\u202e\u200b\n")
    for arguments in (["list"], ["show", approval.id], ["list", "--json"], ["show", approval.id, "--json"]):
        output = run(*arguments).output
        assert all(character.isprintable() or character == "\n" for character in output)
    assert "/<U+001B>[2J<U+202E><U+200B><U+000A>" in run("show", approval.id).output


@pytest.mark.parametrize("as_json", [True, False])
def test_watching(config: Path, ask: Callable[..., Approval], run: Callable[..., Any], as_json: bool) -> None:
    """Goes on after the list: prints what appears and what moves, and ends without an error when interrupted."""
    first = ask("1")
    # Whoever runs the tests in the background may have interrupts ignored, which a process inherits.
    script = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    script += "from gatehold.cli.approvals import app; app()"
    command = [sys.executable, "-c", script, "list", "--watch"]
    command += ["--config", str(config), *(["--json"] if as_json else [])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None

    def line() -> str:
        assert process.stdout is not None
        return process.stdout.readline()

    if not as_json:
        assert line().startswith("ID")
    assert first.id in line()
    second = ask("2")
    assert second.id in line()
    run("approve", first.id, "--as", "alice")
    changed = line()
    assert (json.loads(changed)["state"] if as_json else changed.split()[1]) == "approved"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 0


def test_commands_import_neither_the_proxy_nor_what_is_slow() -> None:
    """Half a second each is what people notice."""
    script = (
        "import sys; import gatehold.cli.approvals, gatehold.cli.users, gatehold.approvals.desk, gatehold.approvals.presenting\n"
        "print(sorted({'mitmproxy', 'alembic', 'presidio_analyzer', 'spacy', 'kubernetes', 'starlette'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True) == "[]\n"


def test_watching_at_a_terminal(config: Path, ask: Callable[..., Approval], run: Callable[..., Any]) -> None:
    """Each line has its time, and what waits for people rings; whatever an agent wrote rings nothing."""
    controller, terminal = pty.openpty()
    command = [
        sys.executable,
        "-c",
        "from gatehold.cli.approvals import app; app()",
        "list",
        "--watch",
        "--config",
        config,
    ]
    process = subprocess.Popen(command, stdout=terminal, stderr=terminal, stdin=subprocess.DEVNULL)
    os.close(terminal)
    with os.fdopen(controller, "rb", buffering=0) as reading:
        seen = b""
        while b"watching" not in seen:
            seen += reading.read(4096)
        approval = ask("2", path="/x\a\x1b[2J")
        while b"<U+001B>[2J" not in seen:
            seen += reading.read(4096)
        run("approve", approval.id, "--as", "alice")
        while b"approved" not in seen:
            seen += reading.read(4096)
        process.terminate()
        process.wait(30)
    assert seen.count(b"\a") == 1
    assert b"\x1b" not in seen
    assert re.search(rb"\x07\d\d:\d\d:\d\d  apr_\S+  pending    ", seen)
