"""Law: access that people granted in advance spares the calls that it covers, and opens nothing that rules keep shut."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.model import Channel
from gatehold.config.gateway import ApprovalsSpec
from gatehold.store import open_store
from tests.e2e.harness import Answer, GatewayProcess, Installation, clean_environment, running
from tests.e2e.test_approvals import CRM
from tests.e2e.test_grants import RULES

PATCHES = {"target": "crm", "verbs": ["PATCH"], "resource": "/customers/7", "duration": "5m", "justification": "T-1"}


@pytest.fixture(scope="module")
def gateway(installed: Installation) -> Iterator[GatewayProcess]:
    """A gateway with rules that leave grants behind."""
    installed.configure(hold="1s")
    installed.write("granting.yaml", RULES)
    installed.gatehold("users", "add", "ada", "--group", "sre", check=False)
    with running(installed, installed.way) as process:
        yield process


@pytest.fixture(autouse=True)
def _serving(gateway: GatewayProcess) -> None:
    """Every test needs it."""


def ask(installed: Installation, token: str, document: object | bytes, *options: str) -> Answer:
    """A request for access."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return api(installed, token, "/v1/access-requests", "-H", "Content-Type: application/json", *options, body=body)


def api(installed: Installation, token: str, path: str, *options: str, body: bytes | None = None) -> Answer:
    """A question to the agents' own API."""
    command = ["curl", "-sS", "-i", "--max-time", "30", "-H", f"Authorization: Bearer {token}", *options]
    command += [] if body is None else ["--data-binary", "@-"]
    url = path if path.startswith("http") else f"http://127.0.0.1:{installed.agent_api_port}{path}"
    done = subprocess.run([*command, url], input=body, capture_output=True, env=clean_environment(), check=False)
    return Answer.parse(done.stdout, done.returncode, done.stderr.decode())


def patch(installed: Installation, token: str, path: str = "/customers/7", *more: str) -> int:
    """The status of a PATCH; 405 is what the API itself says."""
    options = ("-X", "PATCH", "-H", "Content-Type: application/json", "--data-binary", '{"a": 1}', *more)
    return installed.curl(f"{CRM}{path}", *options, token=token).status


def test_granted_access_covers_its_calls(installed: Installation) -> None:
    """Asked, approved, used; another path, method or session is asked about as ever."""
    token = installed.token(subject="ahead")
    answer = ask(installed, token, PATCHES)
    assert answer.status == 202, answer
    number, status_url = answer.json["id"], answer.json["statusUrl"]
    assert ask(installed, token, PATCHES).json["id"] == number, "asked again, it joins"
    assert api(installed, token, status_url).json["state"] == "pending"
    assert patch(installed, token) == 429
    with open_store("sqlite", installed.data) as store:
        ApprovalDesk(store, ApprovalsSpec()).approve(number, "ada", channel=Channel.CONSOLE)
    told = api(installed, token, status_url).json
    assert (told["state"], told["kind"]) == ("spent", "access")
    assert told["grantExpires"]
    assert patch(installed, token) == 405
    assert patch(installed, token, "/customers/7?all=1") == 405, "queries were not limited"
    assert patch(installed, token, "/customers/8") == 429
    assert patch(installed, installed.token(subject="ahead")) == 429
    assert installed.curl(f"{CRM}/report.csv", token=token).status == 403


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"target": "nowhere"}, 403),
        ({"verbs": ["GET"]}, 403),
        ({"resource": "/orders"}, 403),
        ({"verbs": ["DELETE"]}, 403),
        ({"duration": "11m"}, 403),
        ({"resource": "/customers/{id}"}, 403),
        ({"verbs": ["patch"]}, 400),
        ({"resource": "/customers/7?x=1"}, 400),
        ({"resource": "/customers/%37"}, 400),
        ({"name": "x"}, 400),
        ({"duration": "0s"}, 400),
        ({"duration": 5}, 400),
        ({"justification": " "}, 400),
        ({"allow": True}, 400),
    ],
)
def test_what_cannot_be_granted_is_not_asked(installed: Installation, changes: dict[str, Any], status: int) -> None:
    """No rule that asks, one that asks every time, too long, too wide, or not understood."""
    answer = ask(installed, installed.token(subject="wishful"), {**PATCHES, **changes})
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/problem+json"


def test_other_requests_are_refused(installed: Installation) -> None:
    """Not by nobody, not by GET, not without JSON, not too large; the answer of another agent is not there."""
    token = installed.token(subject="curious")
    assert ask(installed, "x.y.z", PATCHES).status == 401
    assert api(installed, token, "/v1/access-requests").status == 405
    assert ask(installed, token, b"{").status == 400
    assert ask(installed, token, b'{"target": "crm", "target": "crm"}').status == 400
    assert ask(installed, token, b"[]").status == 400
    assert ask(installed, token, {**PATCHES, "justification": "x" * 17_000}).status in (400, 413)
    answer = ask(installed, token, {**PATCHES, "justification": "another"})
    other = installed.token(subject="somebody-else")
    assert api(installed, other, answer.json["statusUrl"]).status == 404
