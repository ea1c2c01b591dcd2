"""Law: a gated effect meets its gate whichever way it is written, by what the object is and will be; and a yes is for
the change that was shown."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from gatehold.demo.kubernetes.admission import Mutation
from gatehold.demo.kubernetes.audit import Attributes
from gatehold.demo.kubernetes.resources import DEPLOYMENTS
from tests.e2e.clusters import one_cluster
from tests.e2e.harness import Answer, GatewayProcess, Installation, installation, require, running
from tests.e2e.test_kubernetes import Kubectl

CONFIGURATION = one_cluster(
    """
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: ladder}
rules:
  - name: deployments
    effect: allow
    agents: {groups: [planners]}
    kubernetes:
      targets: [main]
      namespaces: [prod]
      apiGroups: [apps]
      resources: [deployments, deployments/scale]
      verbs: [get, list, create, update, patch, delete]
  - name: secrets
    effect: allow
    agents: {groups: [planners]}
    kubernetes: {targets: [main], namespaces: [prod], apiGroups: [""], resources: [secrets], verbs: [get, patch]}
  - name: scale-up
    effect: constrain
    kubernetes:
      targets: [main]
      namespaces: [prod]
      apiGroups: [apps]
      resources: [deployments, deployments/scale]
      verbs: [create, update, patch]
    when: k8s.replicas > 10 && k8s.replicas > k8s.oldReplicas
    approval: {groups: [sre]}
  - name: secrets-change
    effect: constrain
    kubernetes: {targets: [main], namespaces: [prod], apiGroups: [""], resources: [secrets], verbs: [patch]}
    approval: {groups: [sre]}
  - name: not-the-frozen
    effect: deny
    kubernetes: {targets: [main], namespaces: [prod], apiGroups: [apps], resources: [deployments], names: [frozen], verbs: ["*"]}
""",
    impersonate=True,
)
CLUSTER = "https://kubernetes.corp.example"
ALL = "/apis/apps/v1/namespaces/prod/deployments"
JSON, MERGE = "application/json", "application/merge-patch+json"
STRATEGIC, APPLY = "application/strategic-merge-patch+json", "application/apply-patch+yaml"
OPERATIONS = "application/json-patch+json"
PATIENCE = 30.0


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One installation; the gateway's two ways to run differ before policy only."""
    with installation(tmp_path_factory.mktemp("ladder")) as made:
        made.write("all.yaml", CONFIGURATION)
        yield made


@pytest.fixture(scope="module")
def gateway(installed: Installation) -> Iterator[GatewayProcess]:
    with running(installed, "run") as process:
        for name in ("ada", "bob"):
            installed.gatehold("users", "add", name, "--group", "sre")
        yield process


@pytest.fixture(autouse=True)
def cluster(gateway: GatewayProcess, installed: Installation) -> Iterator[Installation]:
    """A fresh ``app`` with 3 replicas, no webhooks, nothing received."""
    installed.cluster.mutations.clear()
    for name in ("app", "made"):
        remove(installed, name)
    store_object(installed, "app", 3)
    installed.cluster.received.clear()
    yield installed
    installed.cluster.mutations.clear()
    installed.cluster.authorized = None


def deployment(name: str, replicas: int | None) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "selector": {"matchLabels": {"app": name}},
        "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "main", "image": "registry.example/app:1"}]},
        },
    }
    spec |= {} if replicas is None else {"replicas": replicas}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "prod"},
        "spec": spec,
    }


def direct(installed: Installation, method: str, path: str, body: Any = None, content_type: str = JSON) -> Any:
    """A call past the gateway, as another user of the cluster makes it."""
    import httpx2

    from tests.e2e.harness import CLUSTER_TOKEN

    headers = {"Authorization": f"Bearer {CLUSTER_TOKEN}", "Content-Type": content_type}
    with httpx2.Client(verify=False, trust_env=False) as client:
        content = None if body is None else json.dumps(body).encode()
        answer = client.request(
            method, f"https://127.0.0.1:{installed.cluster_port}{path}", content=content, headers=headers
        )
    return answer.status_code, answer.json()


def remove(installed: Installation, name: str) -> None:
    direct(installed, "DELETE", f"{ALL}/{name}")


def store_object(installed: Installation, name: str, replicas: int) -> None:
    status, _ = direct(installed, "POST", ALL, deployment(name, replicas))
    assert status == 201
    settle(installed, name)


def settle(installed: Installation, name: str = "app") -> None:
    """Until its controllers have nothing more to write."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        item = direct(installed, "GET", f"{ALL}/{name}")[1]
        status = item.get("status", {})
        settled = status.get("observedGeneration") == item["metadata"]["generation"]
        if settled and status.get("readyReplicas") == item["spec"]["replicas"]:
            return
    raise AssertionError(f"{name} does not settle")


def replicas_of(installed: Installation, name: str = "app") -> int:
    return int(direct(installed, "GET", f"{ALL}/{name}")[1]["spec"]["replicas"])


class Agent:
    """An agent that sends requests by curl, through the proxy."""

    def __init__(self, installed: Installation) -> None:
        self.installed = installed
        self.token = installed.token()

    def __call__(self, method: str, path: str, body: Any = None, content_type: str = JSON) -> Answer:
        options = ["-X", method]
        if body is not None:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            file = self.installed.directory / f"body-{time.monotonic_ns()}"
            file.write_bytes(raw)
            options += ["-H", f"Content-Type: {content_type}", "--data-binary", f"@{file}"]
        return self.installed.curl(CLUSTER + path, *options, token=self.token)


@pytest.fixture
def agent(installed: Installation) -> Agent:
    return Agent(installed)


def scale_object(replicas: int) -> dict[str, Any]:
    metadata = {"name": "app", "namespace": "prod"}
    return {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": metadata, "spec": {"replicas": replicas}}


def operations(replicas: int) -> list[dict[str, Any]]:
    return [{"op": "replace", "path": "/spec/replicas", "value": replicas}]


def indirect(replicas: int) -> list[dict[str, Any]]:
    """Replicas by way of another field, from which they are copied."""
    return [
        {"op": "add", "path": "/spec/minReadySeconds", "value": replicas},
        {"op": "copy", "from": "/spec/minReadySeconds", "path": "/spec/replicas"},
    ]


def protobuf_deployment(name: str, replicas: int) -> bytes:
    """An envelope as kubectl sends it: runtime.Unknown around a Deployment."""

    def field(number: int, value: bytes | int) -> bytes:
        if isinstance(value, int):
            return bytes([number << 3]) + varint(value)
        return bytes([number << 3 | 2]) + varint(len(value)) + value

    def varint(value: int) -> bytes:
        out = b""
        while value > 0x7F:
            out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
        return out + bytes([value])

    container = field(1, b"main") + field(2, b"registry.example/app:1")
    labels = field(1, b"app") + field(2, name.encode())
    template = field(1, field(11, labels)) + field(2, field(2, container))
    spec = field(1, replicas) + field(2, field(1, labels)) + field(3, template)
    raw = field(1, field(1, name.encode()) + field(3, b"prod")) + field(2, spec)
    return b"k8s\0" + field(1, field(1, b"apps/v1") + field(2, b"Deployment")) + field(2, raw)


def yaml_of(value: Any) -> bytes:
    import yaml

    return yaml.safe_dump(value).encode()


type Write = tuple[str, str, Callable[[int], Any], str]
CHANGES: dict[str, Write] = {
    "put": ("PUT", f"{ALL}/app", lambda n: deployment("app", n), JSON),
    "put-yaml": ("PUT", f"{ALL}/app", lambda n: yaml_of(deployment("app", n)), "application/yaml"),
    "merge": ("PATCH", f"{ALL}/app", lambda n: {"spec": {"replicas": n}}, MERGE),
    "strategic": ("PATCH", f"{ALL}/app", lambda n: {"spec": {"replicas": n}}, STRATEGIC),
    "json-patch": ("PATCH", f"{ALL}/app", operations, OPERATIONS),
    "apply": ("PATCH", f"{ALL}/app?fieldManager=t&force=true", lambda n: yaml_of(deployment("app", n)), APPLY),
    "scale-put": ("PUT", f"{ALL}/app/scale", scale_object, JSON),
    "scale-merge": ("PATCH", f"{ALL}/app/scale", lambda n: {"spec": {"replicas": n}}, MERGE),
    "scale-json-patch": ("PATCH", f"{ALL}/app/scale", operations, OPERATIONS),
}
CREATES: dict[str, Write] = {
    "create": ("POST", ALL, lambda n: deployment("made", n), JSON),
    "create-yaml": ("POST", ALL, lambda n: yaml_of(deployment("made", n)), "application/yaml"),
    "create-protobuf": ("POST", ALL, lambda n: protobuf_deployment("made", n), "application/vnd.kubernetes.protobuf"),
    "apply-new": ("PATCH", f"{ALL}/made?fieldManager=t", lambda n: yaml_of(deployment("made", n)), APPLY),
}
EVERY = CHANGES | CREATES


def code_of(answer: Answer) -> str:
    """The gateway's own code; empty where the cluster answered."""
    causes = answer.json.get("details", {}).get("causes", []) if answer.json.get("kind") == "Status" else []
    return next((cause["message"] for cause in causes if cause.get("reason") == "code"), "")


def send(agent: Agent, name: str, replicas: int) -> Answer:
    """Send a write as client-go does: again while the object changes meanwhile, as its controllers make it do."""
    method, path, body, content_type = EVERY[name]
    for _ in range(10):
        answer = agent(method, path, body(replicas), content_type)
        if code_of(answer) != "conflict":
            break
    return answer


def pending(installed: Installation) -> list[dict[str, Any]]:
    listed = json.loads(installed.gatehold("approvals", "list", "--state", "pending", "--json").stdout)
    items: list[dict[str, Any]] = listed["items"]
    return items


def journal(installed: Installation, kind: str) -> list[dict[str, Any]]:
    """The events of a kind, oldest first."""
    lines = [
        json.loads(line)
        for file in sorted((installed.data / "journal").glob("*/*"))
        for line in file.read_text().splitlines()
    ]
    return [line for line in lines if line.get("kind") == kind]


def written(installed: Installation) -> list[str]:
    """The real writes that arrived."""
    received = installed.cluster.received
    return [f"{each.method} {each.path}" for each in received if each.method != "GET" and "dryRun" not in each.path]


@pytest.mark.parametrize("name", sorted(EVERY))
def test_every_way_to_many_replicas_is_held(agent: Agent, installed: Installation, name: str) -> None:
    """Whatever the method, the body's form and the path; nothing but looks reach the cluster."""
    answer = send(agent, name, 20)
    assert (answer.status, code_of(answer)) == (429, "approval-pending"), answer.body
    assert written(installed) == []


@pytest.mark.parametrize("name", sorted(EVERY))
def test_every_way_to_few_replicas_passes(agent: Agent, installed: Installation, name: str) -> None:
    """Without a question, and with the effect that was meant."""
    answer = send(agent, name, 5)
    assert answer.status in (200, 201), answer.body
    assert replicas_of(installed, "made" if name in CREATES else "app") == 5


def test_many_replicas_are_no_scale_up_where_there_are_more(agent: Agent, installed: Installation) -> None:
    """By what the object is now: from 30 to 20 is a step down."""
    direct(installed, "PATCH", f"{ALL}/app", {"spec": {"replicas": 30}}, MERGE)
    for name in sorted(CHANGES):
        answer = send(agent, name, 20)
        assert answer.status == 200, (name, answer.body)
        direct(installed, "PATCH", f"{ALL}/app", {"spec": {"replicas": 30}}, MERGE)


def test_replicas_that_are_only_moved_there_are_seen(agent: Agent, installed: Installation) -> None:
    """No reading of the patch alone tells them."""
    assert send_operations(agent, indirect(20)).status == 429
    assert written(installed) == []


def send_operations(agent: Agent, patch: list[dict[str, Any]]) -> Answer:
    return agent("PATCH", f"{ALL}/app", patch, OPERATIONS)


def test_looks_are_the_agents_and_carry_no_effect(agent: Agent, installed: Installation) -> None:
    """Under its impersonated name, with the gateway's credential, and in the journal by the decision's id."""
    answer = send_operations(agent, indirect(5))
    received = list(installed.cluster.received)
    assert [each.method for each in received] == ["GET", "PATCH", "PATCH"]
    assert {each.header("impersonate-user") for each in received} == {"agent:corp:planner-1"}
    assert "dryRun=All" in received[1].path
    told = [each for each in journal(installed, "lookup") if answer.headers["gatehold-decision"] in json.dumps(each)]
    purposes = [each["event"]["unmapped"]["gatehold"]["purpose"] for each in told]
    assert purposes == ["current-object", "resulting-object"]


def test_nothing_is_asked_for_what_is_denied_anyway(agent: Agent, installed: Installation) -> None:
    """Neither where a rule denies, nor where none could allow, nor where the gate has its answer."""
    assert code_of(agent("PATCH", f"{ALL}/frozen", {"metadata": {}}, MERGE)) == "denied-by-rule"
    assert code_of(agent("PATCH", "/apis/apps/v1/namespaces/dev-1/deployments/api", {"x": 1}, MERGE)) == "default-deny"
    assert list(installed.cluster.received) == []
    assert send(agent, "merge", 5).status == 200
    assert [each.method for each in installed.cluster.received] == ["PATCH"]


def test_what_is_found_is_not_told(agent: Agent, installed: Installation) -> None:
    """An object that is not there, and one whose write cannot be tried: the refusals read alike."""
    missing = agent("PATCH", f"{ALL}/missing", {"spec": {"replicas": 20}}, MERGE)
    broken = agent("PATCH", f"{ALL}/app", [{"op": "move", "from": "/nowhere", "path": "/spec/replicas"}], OPERATIONS)
    assert (missing.status, code_of(missing)) == (403, "unevaluable")
    told = [
        json.loads(each.body.replace(each.headers["gatehold-decision"].encode(), b"ID")) for each in (missing, broken)
    ]
    assert told[0] == told[1]
    (refused,) = [
        each for each in journal(installed, "refusal") if missing.headers["gatehold-decision"] in json.dumps(each)
    ]
    assert "the cluster answers 404" in json.dumps(refused)


def approve_next(installed: Installation) -> dict[str, Any]:
    """Say yes to the one question that is open, once it is."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = pending(installed)
        if found:
            installed.gatehold("approvals", "approve", found[0]["id"], "--as", "ada")
            return found[0]
    raise AssertionError("nothing is pending")


def drop_questions(installed: Installation) -> None:
    for each in pending(installed):
        installed.gatehold("approvals", "deny", each["id"], "--as", "ada", "--reason", "cleared")


def test_a_yes_is_for_the_change_that_was_shown(agent: Agent, installed: Installation) -> None:
    """The approver sees old and new; approved, the same request passes, bound to the version that was judged."""
    drop_questions(installed)
    assert send(agent, "merge", 21).status == 429
    (asked,) = pending(installed)
    assert "-  replicas: 3" in asked["diff"]
    assert "+  replicas: 21" in asked["diff"]
    shown = installed.gatehold("approvals", "show", asked["id"]).stdout
    assert "+  replicas: 21" in shown
    approve_next(installed)
    assert send(agent, "merge", 21).status == 200
    assert replicas_of(installed) == 21
    (sent,) = [each for each in installed.cluster.received if each.method == "PATCH" and "dryRun" not in each.path]
    assert "resourceVersion" in json.loads(sent.body)["metadata"]


def test_a_changed_object_voids_a_yes(agent: Agent, installed: Installation) -> None:
    """Somebody else changes it after the yes: the yes is revoked, and the next try asks about the new change."""
    drop_questions(installed)
    assert send(agent, "merge", 22).status == 429
    asked = approve_next(installed)
    direct(installed, "PATCH", f"{ALL}/app", {"metadata": {"labels": {"tier": "gold"}}}, MERGE)
    answer = send(agent, "merge", 22)
    assert (answer.status, code_of(answer)) == (429, "approval-pending")
    assert json.loads(installed.gatehold("approvals", "show", asked["id"], "--json").stdout)["state"] == "revoked"
    (again,) = pending(installed)
    assert "tier: gold" in again["diff"] or again["id"] != asked["id"]
    assert replicas_of(installed) == 3


def test_a_change_while_a_person_thinks_voids_the_yes(agent: Agent, installed: Installation) -> None:
    """Also where the call is still held when the yes comes."""
    drop_questions(installed)
    with ThreadPoolExecutor() as pool:
        held: Future[Answer] = pool.submit(send, agent, "merge", 23)
        deadline = time.monotonic() + PATIENCE
        while not pending(installed) and time.monotonic() < deadline:
            pass
        direct(installed, "PATCH", f"{ALL}/app", {"metadata": {"labels": {"tier": "gold"}}}, MERGE)
        asked = approve_next(installed)
        assert held.result().status == 429
    if json.loads(installed.gatehold("approvals", "show", asked["id"], "--json").stdout)["state"] == "approved":
        assert send(agent, "merge", 23).status == 429  # the hold was over first; the retry finds it out
    assert json.loads(installed.gatehold("approvals", "show", asked["id"], "--json").stdout)["state"] == "revoked"
    assert replicas_of(installed) == 3


def test_a_new_status_voids_nothing(agent: Agent, installed: Installation) -> None:
    """It is not what was approved."""
    drop_questions(installed)
    assert send(agent, "strategic", 24).status == 429
    asked = approve_next(installed)
    _, current = direct(installed, "GET", f"{ALL}/app")
    current["status"] = {"observedGeneration": 77}
    assert direct(installed, "PUT", f"{ALL}/app/status", current)[0] == 200
    answer = send(agent, "strategic", 24)
    assert answer.status == 200, answer.body
    assert json.loads(installed.gatehold("approvals", "show", asked["id"], "--json").stdout)["state"] == "spent"


def test_a_concurrent_change_is_judged_anew(agent: Agent, installed: Installation) -> None:
    """The write that was judged does not happen to another object; the agent is told to send it again."""
    direct(installed, "PATCH", f"{ALL}/app", {"spec": {"replicas": 30}}, MERGE)
    store = installed.cluster.store

    def race(attributes: Attributes) -> bool:
        """Somebody is faster than the write that was judged, and scales down."""
        if attributes.verb == "update":
            current = store.get(DEPLOYMENTS, "prod", "app")
            store.replace(DEPLOYMENTS, current | {"spec": current["spec"] | {"replicas": 2}})
        return True

    installed.cluster.authorized = race
    answer = agent("PUT", f"{ALL}/app", deployment("app", 20))
    installed.cluster.authorized = None
    assert (answer.status, code_of(answer)) == (429, "conflict")
    assert (answer.json["reason"], answer.headers["retry-after"]) == ("TooManyRequests", "1")
    assert replicas_of(installed) == 2
    assert code_of(agent("PUT", f"{ALL}/app", deployment("app", 20))) == "approval-pending"


def test_a_conflict_of_the_agents_own_is_passed_on(agent: Agent, installed: Installation) -> None:
    """Field managers that disagree are the agent's affair; nothing about versions is."""
    send(agent, "apply", 5)
    answer = agent("PATCH", f"{ALL}/app?fieldManager=other", yaml_of(deployment("app", 6)), APPLY)
    assert (answer.status, code_of(answer)) == (409, "")


def test_a_stale_request_is_a_conflict(agent: Agent, installed: Installation) -> None:
    """As the cluster itself would say it, so that clients read the object again."""
    body = deployment("app", 20)
    body["metadata"]["resourceVersion"] = "1"
    direct(installed, "PATCH", f"{ALL}/app", {"spec": {"replicas": 30}}, MERGE)
    answer = agent("PUT", f"{ALL}/app", body)
    assert (answer.status, answer.json["reason"], code_of(answer)) == (409, "Conflict", "stale")


def test_another_effect_than_was_judged_is_an_incident(
    agent: Agent, installed: Installation, gateway: GatewayProcess
) -> None:
    """A webhook that shows itself at real writes only is noticed afterwards, loudly."""

    def more(item: dict[str, Any]) -> dict[str, Any]:
        return item | {"spec": item["spec"] | {"replicas": 99}}

    installed.cluster.mutations.append(Mutation(change=more, occasion="writes"))
    answer = send_operations(agent, indirect(5))
    assert answer.status == 200
    (incident,) = [
        each for each in journal(installed, "incident") if answer.headers["gatehold-decision"] in json.dumps(each)
    ]
    differing = incident["event"]["unmapped"]["gatehold"]["differing"]
    assert differing["replicas"] == {"judged": 5, "real": 99}
    assert "incident" in gateway.output


def test_what_admission_makes_of_a_write_is_seen(agent: Agent, installed: Installation) -> None:
    """A webhook that multiplies replicas is seen by the try, before anything happens."""

    def more(item: dict[str, Any]) -> dict[str, Any]:
        return item | {"spec": item["spec"] | {"replicas": 99}}

    installed.cluster.mutations.append(Mutation(change=more))
    assert send_operations(agent, indirect(5)).status == 429
    assert written(installed) == []


def test_a_secrets_value_is_not_shown_to_approvers(agent: Agent, installed: Installation) -> None:
    """That it changes is."""
    drop_questions(installed)
    value = base64.b64encode(b"n3w-secret-value").decode()
    answer = agent("PATCH", "/api/v1/namespaces/prod/secrets/db-credentials", {"data": {"password": value}}, MERGE)
    assert answer.status == 429
    (asked,) = pending(installed)
    assert "! data.password: a value that is hidden here changes" in asked["diff"]
    assert value not in json.dumps(asked)


def test_kubectl_works_as_ever(installed: Installation) -> None:
    """Scale, apply and server-side apply pass the ladder; what is gated waits, and ends 0 once it is approved."""
    kubectl = Kubectl(installed, "reverse", require("kubectl"), installed.token())
    drop_questions(installed)
    assert "scaled" in kubectl("scale", "deployment/app", "-n", "prod", "--replicas=6")
    manifest = json.dumps(deployment("app", 7))
    assert "serverside-applied" in kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=manifest)
    assert "created" in kubectl("create", "deployment", "made", "-n", "prod", "--image=registry.example/app:1")
    with ThreadPoolExecutor() as pool:
        scaled = pool.submit(kubectl, "scale", "deployment/app", "-n", "prod", "--replicas=25")
        approve_next(installed)
        assert "scaled" in scaled.result()
    assert replicas_of(installed) == 25
