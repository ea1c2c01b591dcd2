"""Laws of ``gatehold grants`` and of breaking the glass on the command line: what is there is shown, and can be ended."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gatehold.approvals.approvers import Quorum
from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.model import Channel, Fingerprint, GrantTerms, HeldCall, RuleRef
from gatehold.cli import approvals, grants
from gatehold.config.gateway import ApprovalsSpec
from gatehold.store import open_store
from gatehold.store.users import add_user
from policy.model import RuleName, SessionId, TargetName
from tests.gatehold.cli.conftest import GATEWAY

WITH_APPROVALS = GATEWAY + "  approvals: {breakGlass: [glass], maxGrant: 1h}\n"
TERMS = GrantTerms(scope="rule", seconds=600.0, verb="DELETE", resource="/customers/*", name="", like="a" * 64)


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A configuration with one open question, ada of sre and gwen of the glass."""
    (tmp_path / "gateway.yaml").write_text(WITH_APPROVALS)
    with open_store("sqlite", tmp_path / "data") as store:
        with store.writing() as connection:
            add_user(connection, "ada", ["sre"], by="test", now=0.0)
            add_user(connection, "gwen", ["glass"], by="test", now=0.0)
        ApprovalDesk(store, ApprovalsSpec()).open_or_join(
            HeldCall(
                issuer="corp",
                subject="a1\x1b[2J",
                session=SessionId("s1"),
                people=frozenset({"a1"}),
                target=TargetName("crm"),
                method="DELETE",
                path="/customers/1",
                rules=(RuleRef(name=RuleName("no-deletes"), digest="d1"),),
                quorum=Quorum(sets=(frozenset({"sre"}),), count=2),
                fingerprint=Fingerprint("f" * 64),
                terms=TERMS,
            )
        )
    return str(tmp_path)


def run(app: object, *arguments: str) -> tuple[int, str]:
    """Exit code and output of a command."""
    done = CliRunner().invoke(app, list(arguments))  # type: ignore[arg-type]
    return done.exit_code, done.output


def the_approval(config: str) -> str:
    """The id of the open question."""
    [found] = json.loads(run(approvals.app, "list", "--json", "--config", config)[1])["items"]
    return str(found["id"])


def test_a_grant_is_listed_and_revoked(config: str) -> None:
    """With what it covers, everything made visible; once it is revoked there is none."""
    number = the_approval(config)
    with open_store("sqlite", Path(config) / "data") as store:
        with store.writing() as connection:
            add_user(connection, "bob", ["sre"], by="test", now=0.0)
        for name in ("ada", "bob"):
            ApprovalDesk(store, ApprovalsSpec()).approve(number, name, channel=Channel.CONSOLE)
    code, listed = run(grants.app, "list", "--config", config)
    assert code == 0
    assert "\x1b" not in listed
    assert "DELETE /customers/*" in listed
    [grant] = json.loads(run(grants.app, "list", "--json", "--config", config)[1])["items"]
    assert (grant["inForce"], grant["approval"]) == (True, number)
    assert run(grants.app, "revoke", grant["id"], "--config", config) == (0, f"{grant['id']} is revoked\n")
    assert run(grants.app, "revoke", grant["id"], "--config", config)[0] == 1
    assert json.loads(run(grants.app, "list", "--json", "--config", config)[1])["items"] == []
    [ended] = json.loads(run(grants.app, "list", "--all", "--json", "--config", config)[1])["items"]
    assert ended["revoked"]


def test_the_glass_is_broken_with_a_reason(config: str) -> None:
    """By those who may, and told."""
    number = the_approval(config)
    assert run(approvals.app, "force", number, "--as", "ada", "--reason", "r", "--config", config)[0] == 1
    assert run(approvals.app, "force", number, "--as", "gwen", "--config", config)[0] == 1
    code, told = run(approvals.app, "force", number, "--as", "gwen", "--reason", "outage", "--config", config)
    assert (code, told) == (0, f"{number} is approved\n")
    assert "forced" in run(approvals.app, "show", number, "--config", config)[1]


def test_an_answer_names_what_was_shown(config: str) -> None:
    """Another digest is refused."""
    number = the_approval(config)
    code, told = run(approvals.app, "approve", number, "--as", "ada", "--shown", "0" * 64, "--config", config)
    assert code == 1
    assert "look at it again" in told
    shown = json.loads(run(approvals.app, "show", number, "--json", "--config", config)[1])["shown"]
    assert run(approvals.app, "approve", number, "--as", "ada", "--shown", shown, "--config", config)[0] == 0
