"""Law: an agent can ask who it is, why it was refused and whether it may go on; of its own calls, and of no others.

Real curl, a real gateway process in both ways to run it.
"""

import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.harness import (
    Answer,
    GatewayProcess,
    Installation,
    clean_environment,
    command_line,
    installation,
    running,
)

CRM = "https://crm.corp.example"


def curl_command(installed: Installation, url: str, token: str) -> list[str]:
    """A question by real curl; ``url`` is a path or what an answer named."""
    address = url if url.startswith("http") else f"http://127.0.0.1:{installed.agent_api_port}{url}"
    return ["curl", "-sS", "-i", "--noproxy", "*", "--max-time", "60", "-H", f"Authorization: Bearer {token}", address]


def ask(installed: Installation, url: str, token: str) -> Answer:
    """One question and its answer."""
    done = subprocess.run(
        curl_command(installed, url, token), capture_output=True, env=clean_environment(), check=False, timeout=70
    )
    return Answer.parse(done.stdout, done.returncode, done.stderr.decode())


@contextmanager
def asking(installed: Installation, url: str, token: str) -> Iterator[subprocess.Popen[bytes]]:
    """A question whose answer is waited for."""
    command = curl_command(installed, url, token)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment()) as curl:
        try:
            yield curl
        finally:
            curl.kill()


def answer_of(curl: "subprocess.Popen[bytes]") -> Answer:
    """What it got in the end."""
    out, err = curl.communicate(timeout=70)
    return Answer.parse(out, curl.returncode, err.decode())


def delete(installed: Installation, number: int, token: str) -> Answer:
    """A call that has to be approved."""
    return installed.curl(f"{CRM}/customers/{number}", "-X", "DELETE", token=token)


@pytest.fixture
def customer() -> int:
    """One that no test before asked about: an answered approval answers for the same call again."""
    return 1000 + secrets.randbelow(1_000_000)


def answer_approval(installed: Installation, verb: str, approval: str) -> None:
    """A person answers on the gateway's own machine."""
    installed.gatehold("approvals", verb, approval, "--as", "ursula", "--reason", f"e2e {verb}")


@pytest.fixture(scope="module", autouse=True)
def approver(installed: Installation) -> None:
    """Somebody who may answer."""
    installed.gatehold("users", "add", "ursula", "--group", "sre")


def test_whoami(gateway: GatewayProcess, installed: Installation) -> None:
    """The agent as policy sees it; nobody without a token of this gateway."""
    answer = ask(installed, "/v1/whoami", installed.token("asker", ["planners", "ci"]))
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    facts = answer.json
    assert [facts[key] for key in ("issuer", "subject", "groups")] == ["corp", "asker", ["ci", "planners"]]
    assert facts["session"]
    assert facts["expiresAt"].endswith("Z")
    for token in ("wrong", installed.token(audience="other"), installed.token(now=1_700_000_000.0)):
        refused = ask(installed, "/v1/whoami", token)
        assert refused.status == 401
        assert refused.headers["www-authenticate"].startswith("Bearer")
        assert refused.json["code"] == "unauthenticated"


def test_an_agent_asks_why_it_was_refused(gateway: GatewayProcess, installed: Installation) -> None:
    """The decision says what the refusal said; an allowed call has one as well; another agent finds nothing."""
    token = installed.token("asker")
    problem = installed.curl(f"{CRM}/report.csv?mail=ann%40corp.example", token=token).json
    url = f"/v1/decisions/{problem['decision']}"
    told = ask(installed, url, token).json
    assert told.pop("time")
    assert told == {
        "decision": problem["decision"],
        "verdict": "deny",
        "code": "denied-by-rule",
        "rule": "nobody-reads-the-report",
        "reason": problem["detail"],
        "target": "crm",
        "method": "GET",
        "path": told["path"],
        "approval": None,
        "status": 403,
    }
    assert told["path"].startswith("/report.csv")
    allowed = installed.curl(f"{CRM}/echo", token=token)
    told = ask(installed, f"/v1/decisions/{allowed.headers['gatehold-decision']}", token).json
    assert [told[key] for key in ("verdict", "code", "rule", "status")] == ["allow", "allowed", "planners-read", 200]
    foreign = ask(installed, url, installed.token("other"))
    assert foreign.status == 404
    assert foreign.body == ask(installed, "/v1/decisions/dec_none", token).body


def test_a_call_under_way_is_known(gateway: GatewayProcess, installed: Installation) -> None:
    """What policy said of a stream can be asked while it is open; it has no status yet."""
    token = installed.token("asker")
    command = ["curl", "-sSNi", "--max-time", "30", "--suppress-connect-headers", "--cacert", str(installed.ca),
               "--proxy", f"http://agent:{token}@127.0.0.1:{installed.proxy_port}", f"{CRM}/events"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=clean_environment()) as curl:
        assert curl.stdout is not None
        head = b"".join(iter(curl.stdout.readline, b"\r\n"))
        decision = Answer.parse(head + b"\r\n", 0, "").headers["gatehold-decision"]
        told = ask(installed, f"/v1/decisions/{decision}", token).json
        curl.terminate()
    assert [told[key] for key in ("verdict", "code", "path", "status")] == ["allow", "allowed", "/events", None]


def test_an_agent_waits_for_its_approval(gateway: GatewayProcess, installed: Installation, customer: int) -> None:
    """Pending with a statusUrl; the long poll ends with the yes; the same request passes, once."""
    token = installed.token("deleter")
    problem = delete(installed, customer, token).json
    assert problem["code"] == "approval-pending"
    url = problem["approval"]["statusUrl"]
    assert url.startswith(f"http://127.0.0.1:{installed.agent_api_port}/v1/approvals/apr_")
    pending = ask(installed, url, token).json
    assert [pending[key] for key in ("state", "retry", "rule", "target")] == [
        "pending",
        False,
        "planners-delete-customers",
        "crm",
    ]
    assert ask(installed, f"/v1/decisions/{problem['decision']}", token).json["approval"] == pending["id"]
    foreign = ask(installed, url, installed.token("other"))
    assert foreign.status == 404
    assert foreign.body == ask(installed, "/v1/approvals/apr_none", token).body
    with asking(installed, f"{url}?wait=60s", token) as curl:
        answer_approval(installed, "approve", pending["id"])
        approved = answer_of(curl).json
    assert [approved[key] for key in ("state", "retry", "reason")] == ["approved", True, None]
    passed = delete(installed, customer, token)
    assert passed.status == 404, "the customer does not exist; the target said so"
    assert passed.headers["gatehold-approval"] == pending["id"]
    assert ask(installed, url, token).json["state"] == "spent"


def test_an_agent_reads_why_it_was_denied(gateway: GatewayProcess, installed: Installation, customer: int) -> None:
    """The approver's words, and no retry."""
    token = installed.token("deleter")
    problem = delete(installed, customer, token).json
    answer_approval(installed, "deny", problem["approval"]["id"])
    denied = ask(installed, f"{problem['approval']['statusUrl']}?wait=60s", token).json
    assert [denied[key] for key in ("state", "retry", "reason")] == ["denied", False, "e2e deny"]


def test_the_proxy_does_not_lead_here(gateway: GatewayProcess, installed: Installation) -> None:
    """Agents ask directly; through the gateway its own listeners do not exist."""
    answer = installed.curl(f"http://127.0.0.1:{installed.agent_api_port}/v1/whoami")
    assert answer.status == 403
    assert answer.json["code"] == "unregistered-target"


def test_a_port_in_use_starts_nothing(gateway: GatewayProcess, installed: Installation, tmp_path: Path) -> None:
    """A second gateway with the first one's port: exit 1, and it says which."""
    for file in installed.config.glob("*.yaml"):
        shutil.copy(file, tmp_path / file.name)
    second = GatewayProcess(installed, command_line(installed.way, tmp_path))
    try:
        assert second.process.wait(timeout=60) == 1, second.output
    finally:
        second.stop()
    assert f"the agent API cannot listen at http://127.0.0.1:{installed.agent_api_port}" in second.output
    assert "in use" in second.output


def test_a_stopping_gateway_ends_the_waits(tmp_path: Path) -> None:
    """Who waits is answered, and the process ends by itself, at once."""
    with installation(tmp_path) as site:
        site.configure()
        with running(site) as process:
            token = site.token()
            url = delete(site, 1, token).json["approval"]["statusUrl"]
            head = f"GET {url}?wait=60s HTTP/1.1\r\nHost: agents.test\r\nAuthorization: Bearer {token}\r\n\r\n"
            with socket.create_connection(("127.0.0.1", site.agent_api_port), timeout=30) as waiting:
                waiting.sendall(head.replace(f"http://127.0.0.1:{site.agent_api_port}", "").encode())
                assert ask(site, "/v1/whoami", token).status == 200, "what was sent before has been heard"
                assert process.stop() == 0, process.output
                answer = b"".join(iter(lambda: waiting.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 503 "), answer
    assert b"The gateway is stopping." in answer
