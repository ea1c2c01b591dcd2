"""Law: a risky call waits for a person, passes once when one says yes, and never otherwise; other calls go on."""

import json
import re
import subprocess
import threading
import time
from concurrent.futures import Future
from typing import Any

import pytest

from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.presenting import to_json
from gatehold.approvals.states import ApprovalState
from gatehold.config.gateway import ApprovalsSpec
from gatehold.store import open_store
from tests.e2e.harness import Answer, GatewayProcess, Installation, clean_environment, require
from tests.e2e.test_kubernetes import Kubectl

CRM = "https://crm.corp.example"
PATIENCE = 30.0
"""Seconds for something to appear that other processes do."""


@pytest.fixture(autouse=True)
def approvers(gateway: GatewayProcess, installed: Installation) -> None:
    """Two people may approve; what the upstream received before is of no interest."""
    for name in ("ada", "bob"):
        installed.gatehold("users", "add", name, "--group", "sre", check=False)
    installed.customers.received.clear()


def pending(installed: Installation, path: str) -> dict[str, Any]:
    """The open approval for a path, once there is one."""
    deadline = time.monotonic() + PATIENCE
    with open_store("sqlite", installed.data) as store:
        desk = ApprovalDesk(store, ApprovalsSpec())
        while time.monotonic() < deadline:
            for approval in desk.listing(state=ApprovalState.PENDING):
                if path in approval.call.path:
                    return to_json(approval)
    raise AssertionError(f"no approval was asked for {path}")


def start(installed: Installation, path: str, token: str) -> "tuple[Future[Answer], threading.Thread]":
    """A DELETE that waits in a thread of its own."""
    future: Future[Answer] = Future()
    thread = threading.Thread(
        target=lambda: future.set_result(installed.curl(f"{CRM}{path}", "-X", "DELETE", token=token)), daemon=True
    )
    thread.start()
    return future, thread


def deletes(installed: Installation) -> list[str]:
    """The paths of the DELETE calls that arrived."""
    return [each.path for each in installed.customers.received if each.method == "DELETE"]


def test_an_approved_call_passes_once(installed: Installation) -> None:
    """Held, approved, forwarded; the same call again is another question."""
    token = installed.token(subject="deleter")
    future, thread = start(installed, "/customers/2", token)
    approval = pending(installed, "/customers/2")
    assert approval["agent"]
    assert approval["rule"] == "planners-delete-customers"
    assert not deletes(installed)
    installed.gatehold("approvals", "approve", approval["id"], "--as", "ada", "--reason", "asked for")
    thread.join(PATIENCE)
    answer = future.result(1)
    if answer.status == 429:  # the hold was over before the approval; the retry finds it
        answer = installed.curl(f"{CRM}/customers/2", "-X", "DELETE", token=token)
    assert answer.status == 204
    assert answer.headers["gatehold-approval"] == approval["id"]
    assert deletes(installed) == ["/customers/2"]
    assert installed.curl(f"{CRM}/customers/2", "-X", "DELETE", token=token).status == 429
    assert deletes(installed) == ["/customers/2"]


def test_a_denied_call_is_told_why(installed: Installation) -> None:
    """The approver's reason reaches the agent; a repetition is denied as well."""
    token = installed.token(subject="denied")
    future, thread = start(installed, "/customers/3", token)
    approval = pending(installed, "/customers/3")
    installed.gatehold("approvals", "deny", approval["id"], "--as", "bob", "--reason", "not this one")
    thread.join(PATIENCE)
    answer = future.result(1)
    if answer.status == 429:
        answer = installed.curl(f"{CRM}/customers/3", "-X", "DELETE", token=token)
    assert answer.status == 403
    assert answer.json["code"] == "approval-denied"
    assert "not this one" in answer.json["detail"]
    assert installed.curl(f"{CRM}/customers/3", "-X", "DELETE", token=token).json["code"] == "approval-denied"
    assert not deletes(installed)


def test_nobody_answered_is_a_pending_answer_and_the_retry_passes_once(installed: Installation) -> None:
    """429 with Retry-After and the approval's id; approved later, the same request passes, once."""
    token = installed.token(subject="patient")
    answer = installed.curl(f"{CRM}/customers/4", "-X", "DELETE", token=token)
    assert answer.status == 429
    problem = answer.json
    assert problem["type"].endswith("/approval-pending")
    assert problem["code"] == "approval-pending"
    assert int(answer.headers["retry-after"]) > 0
    assert problem["approval"]["statusUrl"].endswith(problem["approval"]["id"])
    joined = installed.curl(f"{CRM}/customers/4", "-X", "DELETE", token=token)
    assert joined.json["approval"]["id"] == problem["approval"]["id"], "a repetition asks nobody twice"
    installed.gatehold("approvals", "approve", problem["approval"]["id"], "--as", "ada", "--reason", "fine")
    changed = installed.curl(f"{CRM}/customers/4?x=1", "-X", "DELETE", token=token)
    assert changed.status == 429, "a changed request is another question"
    other = installed.curl(f"{CRM}/customers/4", "-X", "DELETE", token=installed.token(subject="somebody-else"))
    assert other.status == 429, "another agent's request is another question"
    assert not deletes(installed)
    assert installed.curl(f"{CRM}/customers/4", "-X", "DELETE", token=token).status == 204
    assert deletes(installed) == ["/customers/4"]


def test_curl_waits_by_itself(installed: Installation) -> None:
    """``--retry`` heeds Retry-After: the same command goes on past the hold, and ends with the target's answer."""
    command = ["curl", "-sS", "-i", "--retry", "30", "--retry-max-time", "60", "-X", "DELETE", "--cacert", installed.ca,
               "--proxy", f"http://agent:{installed.token(subject='retrier')}@127.0.0.1:{installed.proxy_port}",
               "--suppress-connect-headers", f"{CRM}/customers/8"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=clean_environment()) as curl:
        assert curl.stdout is not None
        assert any(" 429" in line for line in curl.stdout), "the hold is over, and nobody has answered"
        asked = pending(installed, "/customers/8")
        installed.gatehold("approvals", "approve", asked["id"], "--as", "ada", "--reason", "fine")
        statuses = re.findall(r"HTTP/[\d.]+ (\d+)", curl.stdout.read())
    assert curl.returncode == 0
    assert statuses[-1] == "204"
    assert deletes(installed) == ["/customers/8"]


def test_a_client_that_left_is_not_forwarded(installed: Installation) -> None:
    """Gone while held: the later approval sends nothing by itself."""
    token = installed.token(subject="impatient")
    gone = installed.curl(f"{CRM}/customers/5", "-X", "DELETE", token=token, timeout=1)
    assert gone.status == 0
    approval = pending(installed, "/customers/5")
    installed.gatehold("approvals", "approve", approval["id"], "--as", "ada", "--reason", "late")
    assert installed.curl(f"{CRM}/echo", token=token).status == 200
    assert not deletes(installed)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["approve", "apr_unknown", "--as", "ada", "--reason", "x"], "no approval"),
        (["approve", "@ID@", "--as", "nobody", "--reason", "x"], "nobody"),
        (["deny", "@ID@", "--as", "ada", "--reason", ""], "reason"),
    ],
)
def test_wrong_answers_are_refused(installed: Installation, arguments: list[str], words: str) -> None:
    """Unknown id, unknown person, no reason: said clearly, nothing changed."""
    answer = installed.curl(f"{CRM}/customers/6", "-X", "DELETE", token=installed.token(subject="wrong-answers"))
    number = answer.json["approval"]["id"]
    done = installed.gatehold("approvals", *[each.replace("@ID@", number) for each in arguments], check=False)
    assert done.returncode in (1, 2)
    assert words in done.stderr
    assert not deletes(installed)


def test_kubectl_waits_through_a_held_scale(gateway: GatewayProcess, installed: Installation) -> None:
    """kubectl retries by itself on 429 and Retry-After, and ends 0 once somebody approved."""
    kubectl = Kubectl(installed, "reverse", require("kubectl"), installed.token(subject="scaler"))
    with kubectl.start("scale", "deployment/web", "-n", "prod", "--replicas=12") as scale:
        approval = pending(installed, "deployments/web/scale")
        assert "scale prod/web to 12" in json.dumps(approval)
        installed.gatehold("approvals", "approve", approval["id"], "--as", "ada", "--reason", "launch day")
        assert scale.stdout is not None
        output = scale.stdout.read()
        assert scale.wait(60) == 0
    assert "scaled" in output
    assert "12" in kubectl("get", "deployment", "web", "-n", "prod", "-o", "jsonpath={.spec.replicas}")


def refusals(installed: Installation, path: str, code: str) -> int:
    """How many calls for a path the journal says were refused with a code."""
    lines = [line for file in installed.data.rglob("*.jsonl") for line in file.read_text().splitlines()]
    return sum(path in line and f'"{code}"' in line for line in lines if line.endswith("}"))


def test_kubectl_outlives_several_refusals(gateway: GatewayProcess, installed: Installation) -> None:
    """Nobody answers for longer than a call is held, again and again; then somebody does, and the write arrives once."""
    path = "deployments/slow/scale"
    kubectl = Kubectl(installed, "reverse", require("kubectl"), installed.token(subject="patient-scaler"))
    kubectl("create", "deployment", "slow", "-n", "prod", "--image=registry.example/slow:1")
    installed.cluster.received.clear()
    with kubectl.start("scale", "deployment/slow", "-n", "prod", "--replicas=13") as scale:
        approval = pending(installed, path)
        deadline = time.monotonic() + PATIENCE
        while refusals(installed, path, "approval-pending") < 3 and time.monotonic() < deadline:
            assert scale.poll() is None
        assert not arrived(installed, path)
        installed.gatehold("approvals", "approve", approval["id"], "--as", "ada", "--reason", "at last")
        assert scale.stdout is not None
        output = scale.stdout.read()
        assert scale.wait(60) == 0
    assert "scaled" in output
    assert refusals(installed, path, "approval-pending") >= 3
    assert arrived(installed, path) == ["PATCH"]
    assert "13" in kubectl("get", "deployment", "slow", "-n", "prod", "-o", "jsonpath={.spec.replicas}")


def arrived(installed: Installation, path: str) -> list[str]:
    """The writes to a path that reached the cluster; what is only tried is none."""
    return [
        each.method
        for each in installed.cluster.received
        if path in each.path and each.method != "GET" and "dryRun" not in each.path
    ]
