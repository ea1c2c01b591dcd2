"""What deployments, replica sets and pods become. Called with the store locked."""

import hashlib
import json
from copy import deepcopy
from typing import Any

from gatehold.demo.kubernetes.defaults import apply_defaults
from gatehold.demo.kubernetes.events import record_event
from gatehold.demo.kubernetes.objects import (
    KubernetesObject,
    lookup,
    name_of,
    namespace_of,
    owner_reference,
    owner_uids,
    timestamp,
    uid_of,
)
from gatehold.demo.kubernetes.resources import DEPLOYMENTS, PODS, REPLICA_SETS, Resource
from gatehold.demo.kubernetes.states import REVISION, counted, rolled_out, running
from gatehold.demo.kubernetes.storage import SUFFIX_LETTERS, Store
from gatehold.demo.kubernetes.structs import conform

MOST_PODS = 20
"""Pods made for one replica set; further replicas count as ready without a pod."""
HASH_LABEL = "pod-template-hash"


def reconcile_deployment(store: Store, item: KubernetesObject) -> None:
    """Roll the current template out at once and report the sum of the replica sets."""
    if lookup(item, "metadata.deletionTimestamp"):
        return
    wanted = int(lookup(item, "spec.replicas") or 0)
    owned = [row for row in store.items(REPLICA_SETS, namespace_of(item)) if uid_of(item) in owner_uids(row)]
    digest = template_hash(item["spec"]["template"])
    current = next((row for row in owned if lookup(row, "metadata.labels") and _hash_of(row) == digest), None)
    if current is None:
        current = _new_replica_set(store, item, digest, revision=len(owned) + 1)
    for row in owned:
        target = wanted if uid_of(row) == uid_of(current) else 0
        if lookup(row, "spec.replicas") != target:
            _scale(store, item, row, target)
    _store(store, DEPLOYMENTS, rolled_out(item, current, timestamp(store.clock())))


def reconcile_replica_set(store: Store, item: KubernetesObject) -> None:
    """Have as many pods as replicas, within bounds, and report how many are ready."""
    wanted = int(lookup(item, "spec.replicas") or 0)
    pods = [pod for pod in store.items(PODS, namespace_of(item)) if uid_of(item) in owner_uids(pod)]
    alive = [pod for pod in pods if not lookup(pod, "metadata.deletionTimestamp")]
    for pod in alive[min(wanted, MOST_PODS) :]:
        store.remove(PODS, namespace_of(pod), name_of(pod))
    for _ in range(min(wanted, MOST_PODS) - len(alive)):
        _new_pod(store, item)
    ready = sum(1 for pod in alive[:wanted] if lookup(pod, "status.phase") == "Running")
    beyond = max(0, wanted - MOST_PODS) if ready else 0
    _store(store, REPLICA_SETS, counted(item, wanted, ready + beyond))


def reconcile_pod(store: Store, item: KubernetesObject) -> None:
    """Start a pod that waits; end one that is marked."""
    if lookup(item, "metadata.deletionTimestamp"):
        if not lookup(item, "metadata.finalizers"):
            store.remove(PODS, namespace_of(item), name_of(item))
    elif lookup(item, "status.phase") == "Pending":
        _store(store, PODS, running(item, timestamp(store.clock())))


def template_hash(template: dict[str, Any]) -> str:
    """The short name of a pod template."""
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).digest()
    return "".join(SUFFIX_LETTERS[byte % len(SUFFIX_LETTERS)] for byte in digest[:9])


def _store(store: Store, resource: Resource, item: KubernetesObject) -> None:
    """Keep a new state in the form in which objects are kept."""
    store.replace(resource, conform(item, resource.type)[0])


def _hash_of(item: KubernetesObject) -> str:
    return str(lookup(item, "metadata.labels").get(HASH_LABEL, ""))


def _new_replica_set(store: Store, owner: KubernetesObject, digest: str, *, revision: int) -> KubernetesObject:
    name = f"{name_of(owner)}-{digest}"
    existing = store.find(REPLICA_SETS, namespace_of(owner), name)
    if existing is not None:
        return existing
    template = deepcopy(owner["spec"]["template"])
    labels = template.setdefault("metadata", {}).setdefault("labels", {})
    labels[HASH_LABEL] = digest
    selector = deepcopy(owner["spec"]["selector"])
    selector.setdefault("matchLabels", {})[HASH_LABEL] = digest
    item = {
        "kind": "ReplicaSet",
        "apiVersion": "apps/v1",
        "metadata": {
            "name": name,
            "namespace": namespace_of(owner),
            "labels": dict(labels),
            "annotations": {REVISION: str(revision)},
            "ownerReferences": [owner_reference(owner)],
        },
        "spec": {"replicas": owner["spec"].get("replicas", 1), "selector": selector, "template": template},
    }
    apply_defaults(item)
    return store.create(REPLICA_SETS, conform(item, REPLICA_SETS.type)[0])


def _scale(store: Store, owner: KubernetesObject, item: KubernetesObject, replicas: int) -> None:
    before = lookup(item, "spec.replicas") or 0
    scaled = deepcopy(item)
    scaled["spec"]["replicas"] = replicas
    scaled["metadata"]["generation"] = item["metadata"].get("generation", 1) + 1
    store.replace(REPLICA_SETS, scaled)
    way = "up" if replicas > before else "down"
    message = f"Scaled {way} replica set {name_of(item)} from {before} to {replicas}"
    record_event(store, owner, "ScalingReplicaSet", message, component="deployment-controller")


def _new_pod(store: Store, owner: KubernetesObject) -> None:
    template = deepcopy(owner["spec"]["template"])
    prefix = f"{name_of(owner)}-"
    metadata: dict[str, Any] = {
        "name": prefix + store.name_suffix(),
        "generateName": prefix,
        "namespace": namespace_of(owner),
    }
    metadata |= {"labels": template["metadata"]["labels"], "ownerReferences": [owner_reference(owner)]}
    if "annotations" in template["metadata"]:
        metadata["annotations"] = template["metadata"]["annotations"]
    item = {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": template["spec"]}
    apply_defaults(item)
    store.create(PODS, conform(item, PODS.type)[0])
