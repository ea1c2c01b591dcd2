"""Law: no way to a gated effect escapes its rule.

A real gateway with packs stands before the API double. An operator, whom a door lets do everything, tries every way to
more replicas and every way into a container against ``kubernetes-prod-guardrails``; so does a reader, who has nothing
but ``kubernetes-read-only``; and a builder, who has a door too, every way to more rights against
``kubernetes-no-privilege-escalation``. What counts is what the double received, and what became of its objects.
"""

import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPResponse, HTTPSConnection
from typing import Any

import pytest

from gatehold.demo.kubernetes.apply import Manager, track
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.defaults import apply_defaults
from gatehold.demo.kubernetes.objects import lookup
from gatehold.demo.kubernetes.requests import parse_target
from gatehold.demo.kubernetes.resources import (
    AUTOSCALERS,
    DEPLOYMENTS,
    FRONTENDS,
    METERS,
    PODS,
    REPLICA_SETS,
    REPLICATION_CONTROLLERS,
    STATEFUL_SETS,
)
from gatehold.demo.kubernetes.structs import conform
from gatehold.demo.received import Received, RequestLog
from tests.e2e.clusters import one_cluster
from tests.e2e.harness import GatewayProcess, Installation, installation, running
from tests.e2e.rows import APPLY, Row, manifest, row
from tests.e2e.ways_in import container_rows, escalation_rows
from tests.e2e.write_paths import FEW, HPAS, SETS, WORKLOADS, replicas_rows, small_rows

PACKS = """
    - kubernetes-discovery
    - {use: kubernetes-read-only, agents: {groups: [readers]}}
    - {use: kubernetes-no-privilege-escalation, agents: {groups: [builders]}}
    - use: kubernetes-prod-guardrails
      parameters: {scaled: [deployments, replicasets, replicationcontrollers, statefulsets, frontends, meters]}"""
CONFIGURATION = one_cluster(
    """
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: doors}
rules:
  - name: operators-do-everything
    effect: allow
    agents: {groups: [operators, builders]}
    kubernetes: {targets: [main], namespaces: ["*"], apiGroups: ["*"], resources: ["*"], verbs: ["*"]}
  - name: operators-ask-everything
    effect: allow
    agents: {groups: [operators, builders]}
    kubernetes: {targets: [main], nonResourcePaths: ["*"], verbs: ["*"]}
""",
    packs=PACKS,
)
THRESHOLD = 10
CONNECTING = frozenset({"attach", "exec", "portforward", "proxy"})
SCALED = (DEPLOYMENTS, REPLICA_SETS, REPLICATION_CONTROLLERS, STATEFUL_SETS, FRONTENDS, METERS)
WORKERS = 16
MARK = "Kubectl-Session"
"""A header that clients may send: it tells what was forwarded from what the gateway asks itself."""
AGENTS = {"operator": "operators", "reader": "readers", "builder": "builders"}


POD = "POD"
"""Stands for a pod's name in the paths."""
ROWS = [*replicas_rows(), *container_rows(POD)]
TRIES = [
    *(("operator", one) for one in ROWS),
    *(("reader", one) for one in ROWS),
    *(("builder", one) for one in escalation_rows()),
]
"""Who tries what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an agent got."""

    status: int
    decision: str
    """The gateway's name for it; empty where the answer is not the gateway's."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a row."""

    answer: Answer
    arrived: tuple[str, ...]
    """What of it reached the cluster and did something there."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The configuration above, and a workload `web` of every kind."""
    with installation(tmp_path_factory.mktemp("paths")) as made:
        made.write("gateway.yaml", CONFIGURATION)
        for collection, (api_version, kind) in WORKLOADS.items():
            add(made.cluster, collection, manifest(api_version, kind, "web", 3))
        autoscaler = {"metadata": {"name": "web", "namespace": "prod"}, "spec": {"maxReplicas": 5}}
        add(made.cluster, HPAS, {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", **autoscaler})
        yield made


def add(cluster: Cluster, collection: str, item: dict[str, Any]) -> None:
    """Put an object into the cluster that is not there yet."""
    target = parse_target(collection)
    assert target is not None
    if cluster.store.find(target.resource, "prod", item["metadata"]["name"]) is None:
        apply_defaults(item)
        track(None, item, target.resource.type, Manager(name="setup", moment=cluster.store.clock()))
        cluster.store.create(target.resource, conform(item, target.resource.type)[0])


@pytest.fixture(scope="module")
def gateway(installed: Installation) -> Iterator[GatewayProcess]:
    """One gateway for the whole table: nothing in it leaves a trace in the cluster."""
    with running(installed) as process:
        yield process


@pytest.fixture(scope="module")
def outcomes(gateway: GatewayProcess, installed: Installation) -> dict[tuple[str, str], Outcome]:
    """What came of every row, for each agent; many at a time, because held calls take a while."""
    pod = installed.cluster.store.items(PODS, "prod")[0]["metadata"]["name"]

    installed.cluster.received = RequestLog(kept=100_000)

    def attempt(at: int) -> Answer:
        agent, one = TRIES[at]
        token = installed.token(f"{agent}-{at % WORKERS}", (AGENTS[agent],))  # an agent may have few under way
        return send(installed, token, one, str(at), pod)

    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        answers = list(pool.map(attempt, range(len(TRIES))))
    arrived = {str(at): list[str]() for at in range(len(TRIES))}
    for each in installed.cluster.received:
        mark = each.header(MARK)
        assert mark or not escaped(each)  # what the gateway itself asks does nothing
        if mark:
            arrived[mark].append(f"{each.method} {each.path}")
    return {
        (agent, one.name): Outcome(answer=answer, arrived=tuple(arrived[str(at)]))
        for at, ((agent, one), answer) in enumerate(zip(TRIES, answers, strict=True))
    }


def send(installed: Installation, token: str, one: Row, mark: str, pod: str) -> Answer:
    """Send a row to the gateway exactly as it is written."""
    trust = ssl.create_default_context(cafile=installed.ca)
    with closing(HTTPSConnection("127.0.0.1", installed.cluster_proxy_port, context=trust, timeout=60)) as connection:
        connection.putrequest(one.method, one.path.replace(POD, pod), skip_accept_encoding=True)
        for name, value in (("Authorization", f"Bearer {token}"), (MARK, mark), *one.headers):
            connection.putheader(name, value)
        if one.body or one.method not in ("GET", "HEAD"):
            connection.putheader("Content-Length", str(len(one.body)))
        connection.endheaders(one.body or None)
        return read(connection.getresponse())


def read(response: HTTPResponse) -> Answer:
    """The gateway's answer; without its header it is somebody else's."""
    content = b"" if response.status == HTTPStatus.SWITCHING_PROTOCOLS else response.read()
    return Answer(
        status=response.status,
        decision=response.headers.get("Gatehold-Decision") or "",
        text=content.decode("utf-8", "replace")[:600],
    )


def escaped(received: Received) -> bool:
    """Whether what arrived did something: a write that is not a dry run, or a way into a container."""
    path, _, query = received.path.partition("?")
    if received.header("upgrade") or CONNECTING & set(path.split("/")):
        return True
    tried = "dryRun=All" in query.split("&") and "/metrics.example/" not in path
    return received.method not in ("GET", "HEAD") and not tried


@pytest.mark.parametrize(("agent", "one"), TRIES, ids=str)
def test_no_way_around(outcomes: dict[tuple[str, str], Outcome], agent: str, one: Row) -> None:
    """Held or refused by the gateway, and nothing of it arrived."""
    outcome = outcomes[agent, one.name]
    answer = outcome.answer
    assert outcome.arrived == () or one.expect == "pointless"
    assert 400 <= answer.status < 500, answer
    held = answer.status == HTTPStatus.TOO_MANY_REQUESTS
    assert not held or "approval-pending" in answer.text, answer
    if one.expect == "held" and agent == "operator":
        assert held, answer
    if one.expect == "refused" or agent != "operator":
        assert not held, answer


def test_nothing_has_changed(outcomes: dict[tuple[str, str], Outcome], installed: Installation) -> None:
    """No workload has more replicas than anybody approved, no autoscaler may give it more, and all are there."""
    store = installed.cluster.store
    found = [(item, "spec.replicas") for resource in SCALED for item in store.items(resource, "prod")]
    found += [(item, "spec.maxReplicas") for item in store.items(AUTOSCALERS, "prod")]
    assert [item for item, path in found if (lookup(item, path) or 0) > THRESHOLD] == []
    assert {item["kind"] for item, _ in found if item["metadata"]["name"] == "web"} >= {
        kind for _, kind in WORKLOADS.values()
    }


@pytest.mark.parametrize("one", list(small_rows("small")), ids=str)
def test_what_needs_no_approval_passes(gateway: GatewayProcess, installed: Installation, one: Row) -> None:
    """The same forms of write with few replicas do what they say."""
    store = installed.cluster.store
    if store.find(STATEFUL_SETS, "prod", "small"):
        store.remove(STATEFUL_SETS, "prod", "small")
    if "create" not in one.name:
        add(installed.cluster, SETS, manifest("apps/v1", "StatefulSet", "small", 3))
    answer = send(installed, installed.token("operator", ("operators",)), one, "small", "")
    assert answer.status in (HTTPStatus.OK, HTTPStatus.CREATED), answer
    assert lookup(store.get(STATEFUL_SETS, "prod", "small"), "spec.replicas") == FEW


def test_an_apply_that_drops_the_field(gateway: GatewayProcess, installed: Installation) -> None:
    """It gives the replicas back to their default, which needs no approval; what it leaves is judged, not what it says."""
    store, token = installed.cluster.store, installed.token("operator", ("operators",))
    whole, path = manifest("apps/v1", "StatefulSet", "dropped", 5), f"{SETS}/dropped?fieldManager=owner"
    assert send(installed, token, row("apply", "PATCH", path, whole, APPLY), "a", "").status == HTTPStatus.CREATED
    del whole["spec"]["replicas"]
    assert send(installed, token, row("apply", "PATCH", path, whole, APPLY), "b", "").status == HTTPStatus.OK
    assert lookup(store.get(STATEFUL_SETS, "prod", "dropped"), "spec.replicas") == 1
