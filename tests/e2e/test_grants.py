"""Law: a yes that leaves a grant spares later calls the question, and only those that are what the approver saw.

Anything else is asked about: another body, query, header, path, method, namespace, session, agent, or more of what was
bounded; and everything, once the grant ended, or whoever gave it may not give it any more.
"""

import json
from collections.abc import Iterator

import pytest

from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.model import Channel
from gatehold.approvals.states import ApprovalState
from gatehold.config.gateway import ApprovalsSpec
from gatehold.store import open_store
from tests.e2e.harness import Answer, GatewayProcess, Installation, require, running
from tests.e2e.test_approvals import CRM, PATIENCE, pending
from tests.e2e.test_kubernetes import Kubectl

RULES = """
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: granting}
rules:
  - name: patches-ask
    effect: constrain
    http: {targets: [crm], methods: [PATCH], paths: ["/customers/{id}"]}
    approval: {groups: [sre], grant: 10m, scope: resource}
  - name: puts-ask
    effect: constrain
    http: {targets: [crm], methods: [PUT], paths: ["/customers/{id}"]}
    approval: {groups: [sre], grant: 10m, scope: rule}
  - name: whole-posts-ask
    effect: constrain
    http: {targets: [crm], methods: [POST], paths: ["/customers"]}
    approval: {groups: [sre], unshowable: refuse}
  - name: dev-scale-asks
    effect: constrain
    kubernetes: {targets: [main], namespaces: ["dev-*"], apiGroups: [apps], resources: [deployments/scale], verbs: [update, patch]}
    approval: {groups: [sre], grant: 10m, scope: resource}
  - name: dev-watches-ask
    effect: constrain
    kubernetes: {targets: [main], namespaces: ["dev-*"], apiGroups: [""], resources: [configmaps], verbs: [watch]}
    approval: {groups: [sre], grant: 10m, scope: rule}
"""


@pytest.fixture(scope="module")
def gateway(installed: Installation) -> Iterator[GatewayProcess]:
    """A gateway with rules that leave grants behind."""
    installed.configure(hold="1s")
    installed.write("granting.yaml", RULES)
    for name in ("ada", "bob"):
        installed.gatehold("users", "add", name, "--group", "sre", check=False)
    with running(installed, installed.way) as process:
        yield process


@pytest.fixture(autouse=True)
def _serving(gateway: GatewayProcess) -> None:
    """Every test needs it."""


def write(installed: Installation, method: str, path: str, token: str, body: object, *more: str) -> Answer:
    """One write to the customers' API."""
    options = ("-X", method, "-H", "Content-Type: application/json", "--data-binary", json.dumps(body), *more)
    return installed.curl(f"{CRM}{path}", *options, token=token)


def approve(installed: Installation, answer: Answer, *, user: str = "ada") -> str:
    """Say yes to what a pending answer names; returns the approval's id."""
    assert answer.status == 429, answer
    number: str = answer.json["approval"]["id"]
    with open_store("sqlite", installed.data) as store:
        ApprovalDesk(store, ApprovalsSpec()).approve(number, user, channel=Channel.CONSOLE)
    return number


def grant_of(installed: Installation, approval: str) -> str:
    """The grant that an approval left."""
    with open_store("sqlite", installed.data) as store:
        [found] = ApprovalDesk(store, ApprovalsSpec()).grants_of(approval)
    return found


def outcomes(installed: Installation, grant: str) -> int:
    """How many calls the journal says passed by a grant."""
    lines = [line for file in installed.data.rglob("*.jsonl") for line in file.read_text().splitlines()]
    return sum(grant in line and '"outcome"' in line for line in lines)


def test_only_the_call_that_was_seen_passes_again(installed: Installation) -> None:
    """As often as it comes, until the grant is revoked; every change of it is another question."""
    token, body = installed.token(subject="patcher"), {"phone": "+49 30 1234567"}
    approval = approve(installed, write(installed, "PATCH", "/customers/2", token, body))
    for _ in range(2):
        assert write(installed, "PATCH", "/customers/2", token, body).status == 405, "by the API, not the gateway"
    grant = grant_of(installed, approval)
    assert outcomes(installed, grant) == 2
    with open_store("sqlite", installed.data) as store:
        used = ApprovalDesk(store, ApprovalsSpec()).get(approval)
    assert used.state is ApprovalState.SPENT, "the first call by the grant used the yes up"
    changed = [
        write(installed, "PATCH", "/customers/2", token, {"phone": "+49 30 7654321"}),
        write(installed, "PATCH", "/customers/2", token, {**body, "name": "Mallory"}),
        write(installed, "PATCH", "/customers/2?force=1", token, body),
        write(installed, "PATCH", "/customers/2", token, body, "-H", "X-Force: yes"),
        write(installed, "PATCH", "/customers/3", token, body),
        write(installed, "PATCH", "/customers/2", installed.token(subject="patcher"), body),
        write(installed, "PATCH", "/customers/2", installed.token(subject="other"), body),
    ]
    assert [each.status for each in changed] == [429] * len(changed)
    assert outcomes(installed, grant) == 2
    assert grant in installed.gatehold("grants", "list").stdout
    installed.gatehold("grants", "revoke", grant, "--reason", "enough")
    assert write(installed, "PATCH", "/customers/2", token, body).status == 429


def test_a_grant_for_a_rule_is_for_its_paths(installed: Installation) -> None:
    """Another thing of the same kind, but with the same body; and only as long as who approved is in the group."""
    token, body = installed.token(subject="putter"), {"name": "Ada Example"}
    approve(installed, write(installed, "PUT", "/customers/2", token, body), user="bob")
    assert write(installed, "PUT", "/customers/2", token, body).status != 429
    assert write(installed, "PUT", "/customers/4", token, body).status != 429
    assert write(installed, "PUT", "/customers/4", token, {"name": "Mallory"}).status == 429
    assert write(installed, "PATCH", "/customers/4", token, body).status == 429
    installed.gatehold("users", "remove", "bob")
    assert write(installed, "PUT", "/customers/2", token, body).status == 429
    installed.gatehold("users", "add", "bob", "--group", "sre")


def test_what_cannot_be_shown_is_refused_where_a_rule_says_so(installed: Installation) -> None:
    """A body that people would see masked, cut or not at all is not asked about."""
    token = installed.token(subject="poster")
    masked = write(installed, "POST", "/customers", token, {"vip": False, "email": "someone@example.com"})
    assert (masked.status, masked.json["code"]) == (403, "denied-by-rule")
    assert "shown" in masked.json["detail"]
    assert write(installed, "POST", "/customers", token, {"vip": False, "note": "plain"}).status == 429


def test_replicas_are_bounded_by_what_was_seen(gateway: GatewayProcess, installed: Installation) -> None:
    """kubectl scales up to the number that somebody approved, this deployment and no other one."""
    admin = Kubectl(installed, "reverse", require("kubectl"), installed.token(subject="maker"))
    for name in ("bounded", "unbounded"):
        admin("create", "deployment", name, "-n", "dev-1", "--image=registry.example/app:1")
    kubectl = Kubectl(installed, "reverse", require("kubectl"), installed.token(subject="bounded-scaler"))
    with kubectl.start("scale", "deployment/bounded", "-n", "dev-1", "--replicas=5") as scale:
        approval = pending(installed, "deployments/bounded/scale")
        assert approval["together"], "the calls of one command belong together"
        installed.gatehold("approvals", "approve", approval["id"], "--as", "ada", "--shown", approval["shown"])
        assert scale.wait(60) == 0
    kubectl("scale", "deployment/bounded", "-n", "dev-1", "--replicas=3")
    assert "3" in kubectl("get", "deployment", "bounded", "-n", "dev-1", "-o", "jsonpath={.spec.replicas}")
    for name, count in (("bounded", 6), ("unbounded", 2)):
        with kubectl.start("scale", f"deployment/{name}", "-n", "dev-1", f"--replicas={count}") as scale:
            other = pending(installed, f"deployments/{name}/scale")
            installed.gatehold("approvals", "deny", other["id"], "--as", "ada", "--reason", "more than that")
            assert scale.wait(60) != 0


def test_an_open_stream_ends_with_its_grant(gateway: GatewayProcess, installed: Installation) -> None:
    """A watch that a grant let in is cut when the grant is revoked."""
    kubectl = Kubectl(installed, "reverse", require("kubectl"), installed.token(subject="watcher"))
    arguments = ("get", "configmaps", "-n", "dev-1", "--watch-only", "--output=name")
    with kubectl.start(*arguments) as watch:
        approval = pending(installed, "/configmaps")
        installed.gatehold("approvals", "approve", approval["id"], "--as", "ada")
        admin = Kubectl(installed, "reverse", require("kubectl"), installed.token(subject="map-maker"))
        seen = ""
        for number in range(int(PATIENCE)):
            admin("create", "configmap", f"seen-{number}", "-n", "dev-1")
            assert watch.stdout is not None
            seen = watch.stdout.readline()
            if seen:
                break
        assert "seen-" in seen
        installed.gatehold("grants", "revoke", grant_of(installed, approval["id"]))
        watch.stdout.read()
        watch.wait(PATIENCE)
