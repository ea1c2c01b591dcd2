"""What controllers make of changes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.controllers import Controllers
from gatehold.demo.kubernetes.objects import lookup, owner_uids, uid_of
from gatehold.demo.kubernetes.resources import (
    DEPLOYMENTS,
    EVENTS,
    NAMESPACES,
    PODS,
    REPLICA_SETS,
    Resource,
)
from gatehold.demo.kubernetes.states import REVISION
from gatehold.demo.kubernetes.workloads import MOST_PODS

WEB = "/apis/apps/v1/namespaces/prod/deployments/web"
MERGE = "application/merge-patch+json"


@pytest.fixture
async def live(ticking_cluster: Cluster) -> AsyncIterator[Cluster]:
    """The cluster with its controllers at work, at once."""
    ticking_cluster.settle = 0
    controllers = Controllers(ticking_cluster)
    controllers.start(asyncio.get_running_loop())
    yield ticking_cluster
    controllers.stop()


async def until(cluster: Cluster, holds: Callable[[], Any]) -> None:
    """Return when it holds; every change of the cluster is a reason to look again."""
    async with asyncio.timeout(30):
        while True:
            seen = cluster.store.revision
            if holds():
                return
            await cluster.store.wait_beyond(seen, 30)


def status(cluster: Cluster, name: str = "web", namespace: str = "prod") -> dict[str, Any]:
    return cluster.store.get(DEPLOYMENTS, namespace, name)["status"]


def pods_of(cluster: Cluster, namespace: str = "prod") -> list[dict[str, Any]]:
    return cluster.store.items(PODS, namespace)


async def test_a_scaled_deployment_follows(live: Cluster, ask: Any) -> None:
    """Pods come and go with the replicas; the status ends up complete and observed; an event says so."""
    for replicas in (5, 1):
        generation = ask("PATCH", WEB, {"spec": {"replicas": replicas}}, content_type=MERGE)[1]["metadata"][
            "generation"
        ]
        await until(live, lambda generation=generation: status(live)["observedGeneration"] == generation)
        await until(live, lambda replicas=replicas: status(live).get("availableReplicas") == replicas)
        assert len(pods_of(live)) == replicas
        assert all(lookup(pod, "status.phase") == "Running" for pod in pods_of(live))
    reasons = {event["reason"] for event in live.store.items(EVENTS, "prod")}
    assert reasons == {"ScalingReplicaSet"}


async def test_a_new_template_gets_a_new_replica_set(live: Cluster, ask: Any) -> None:
    """The old replica set goes to none, the revision counts up, and the conditions speak of the new one."""
    body = {"spec": {"template": {"metadata": {"annotations": {"restartedAt": "now"}}}}}
    ask("PATCH", WEB, body, content_type=MERGE)
    await until(live, lambda: len(live.store.items(REPLICA_SETS, "prod")) == 2)
    await until(live, lambda: status(live).get("availableReplicas") == 3 and len(pods_of(live)) == 3)
    by_replicas = {row["spec"]["replicas"]: row for row in live.store.items(REPLICA_SETS, "prod")}
    assert set(by_replicas) == {0, 3}
    deployment = live.store.get(DEPLOYMENTS, "prod", "web")
    assert deployment["metadata"]["annotations"][REVISION] == "2"
    assert all(uid_of(by_replicas[3]) in owner_uids(pod) for pod in pods_of(live))


async def test_a_deleted_pod_is_replaced(live: Cluster, ask: Any) -> None:
    """A pod that ends goes, and another takes its place."""
    before = {pod["metadata"]["name"] for pod in pods_of(live)}
    ask("DELETE", f"/api/v1/namespaces/prod/pods/{min(before)}")

    def replaced() -> bool:
        names = {pod["metadata"]["name"] for pod in pods_of(live)}
        return min(before) not in names and len(names) == 3

    await until(live, replaced)


async def test_what_is_owned_goes_with_its_owner(live: Cluster, ask: Any) -> None:
    """A deleted deployment takes its replica sets and pods along."""
    ask("DELETE", WEB)
    await until(live, lambda: not live.store.items(REPLICA_SETS, "prod") and not pods_of(live))


async def test_a_namespace_empties_and_goes(live: Cluster, ask: Any) -> None:
    """Nothing of it is left."""
    ask("DELETE", "/api/v1/namespaces/dev-1")
    await until(live, lambda: live.store.find(NAMESPACES, "", "dev-1") is None)
    everything: tuple[Resource, ...] = (PODS, DEPLOYMENTS, REPLICA_SETS)
    assert not any(live.store.items(resource, "dev-1") for resource in everything)


async def test_large_numbers_have_few_pods(live: Cluster, ask: Any) -> None:
    """The replicas are all there in the status, the pods only up to a bound."""
    ask("PATCH", WEB, {"spec": {"replicas": 500}}, content_type=MERGE)
    await until(live, lambda: status(live).get("availableReplicas") == 500)
    assert len(pods_of(live)) == MOST_PODS


def test_nothing_moves_without_a_loop(ticking_cluster: Cluster, ask: Any) -> None:
    """Before the start changes are kept and nobody acts on them."""
    Controllers(ticking_cluster)
    ask("PATCH", WEB, {"spec": {"replicas": 5}}, content_type=MERGE)
    assert len(pods_of(ticking_cluster)) == 3
