"""A few lines of controllers: enough for `kubectl rollout status`, `get -w` and deletions to end.

Level-triggered: a change names an object, and after a moment the object is compared with what it should be.

============ ==========================================================================================
Deployment   owns a ReplicaSet for its template, scales the others to none, reports their sum
ReplicaSet   owns as many pods as it should have replicas (a bounded number), reports how many are ready
Pod          starts on the demo's node, ends when it is marked for deletion
Namespace    empties when it is marked for deletion, then goes
any          goes when its owner is gone
============ ==========================================================================================
"""

import asyncio
from collections.abc import Callable
from threading import Lock

from gatehold.demo.kubernetes import workloads
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.deletes import dependents
from gatehold.demo.kubernetes.objects import (
    KubernetesObject,
    lookup,
    name_of,
    namespace_of,
    uid_of,
)
from gatehold.demo.kubernetes.resources import (
    DEPLOYMENTS,
    NAMESPACES,
    PODS,
    REPLICA_SETS,
    RESOURCES,
    Resource,
)
from gatehold.demo.kubernetes.storage import Change, Store

type Key = tuple[str, str, str]
"""Plural, namespace, name."""


class Controllers:
    """Acts on the changes of a cluster while a loop runs."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due: set[Key] = set()
        self._lock = Lock()
        cluster.store.observe(self._changed)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin: everything that exists is looked at once."""
        self._loop = loop
        for resource in (DEPLOYMENTS, REPLICA_SETS, PODS, NAMESPACES):
            for item in self._cluster.store.items(resource):
                self._schedule(resource, item)

    def stop(self) -> None:
        """Act no more."""
        self._loop = None

    def _changed(self, change: Change) -> None:
        if change.type == "DELETED":
            self._later(lambda: self._collect(uid_of(change.item)))
        else:
            self._schedule(change.resource, change.item)
        for reference in change.item["metadata"].get("ownerReferences") or []:
            owner = {"ReplicaSet": REPLICA_SETS, "Deployment": DEPLOYMENTS}.get(reference["kind"])
            if owner:
                self._schedule_key(owner, namespace_of(change.item), reference["name"])

    def _schedule(self, resource: Resource, item: KubernetesObject) -> None:
        if resource.plural in RECONCILERS:
            self._schedule_key(resource, namespace_of(item), name_of(item))

    def _schedule_key(self, resource: Resource, namespace: str, name: str) -> None:
        key = (resource.plural, namespace, name)
        with self._lock:
            if key in self._due or self._loop is None:
                return
            self._due.add(key)
        self._later(lambda: self._reconcile(resource, key))

    def _later(self, action: Callable[[], None]) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(loop.call_later, self._cluster.settle, action)

    def _reconcile(self, resource: Resource, key: Key) -> None:
        with self._lock:
            self._due.discard(key)
        if self._loop is None:
            return
        with self._cluster.store.locked():
            item = self._cluster.store.find(resource, key[1], key[2])
            if item is not None:
                RECONCILERS[resource.plural](self._cluster.store, item)

    def _collect(self, uid: str) -> None:
        """Take away what a deleted owner leaves behind."""
        with self._cluster.store.locked():
            for resource, item in dependents(self._cluster.store, uid):
                self._cluster.store.remove(resource, namespace_of(item), name_of(item))


def _namespace(store: Store, item: KubernetesObject) -> None:
    if lookup(item, "metadata.deletionTimestamp") is None:
        return
    name = name_of(item)
    for resource in RESOURCES:
        if resource.namespaced:
            for inside in store.items(resource, name):
                store.remove(resource, name, name_of(inside))
    store.remove(NAMESPACES, "", name)


RECONCILERS: dict[str, Callable[[Store, KubernetesObject], None]] = {
    "deployments": workloads.reconcile_deployment,
    "namespaces": _namespace,
    "pods": workloads.reconcile_pod,
    "replicasets": workloads.reconcile_replica_set,
}
