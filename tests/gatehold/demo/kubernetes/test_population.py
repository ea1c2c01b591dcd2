"""Pods in numbers."""

import json

from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.population import TEAMS, populate, relabel
from gatehold.demo.kubernetes.resources import NAMESPACES, PODS
from gatehold.demo.kubernetes.structs import conform


def test_pods_are_like_real_ones(ticking_cluster: Cluster) -> None:
    """Stored form, real size, two field managers, labels to choose by, a namespace around them."""
    store = ticking_cluster.store
    pods = populate(store, 30)
    assert len({pod["metadata"]["name"] for pod in store.items(PODS, "load")}) == 30
    assert store.find(NAMESPACES, "", "load") is not None
    sizes = [len(json.dumps(pod, separators=(",", ":"))) for pod in pods]
    assert all(5_000 < size < 6_500 for size in sizes)
    for pod in pods:
        assert conform(pod, PODS.type) == (pod, [])
        assert len(pod["metadata"]["managedFields"]) == 2
    assert {pod["metadata"]["labels"]["team"] for pod in pods} == set(TEAMS)


def test_labels_can_be_changed(ticking_cluster: Cluster) -> None:
    """Set, taken away, with a new version of the object."""
    (pod,) = populate(ticking_cluster.store, 1)
    changed = relabel(ticking_cluster.store, PODS, "load", "load-0000", {"team": "x", "app": None})
    assert changed["metadata"]["labels"] == {"team": "x", "number": "0", "pod-template-hash": "5d8f7c9b6"}
    assert changed["metadata"]["resourceVersion"] > pod["metadata"]["resourceVersion"]
