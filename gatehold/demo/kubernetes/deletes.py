"""delete, deletecollection and eviction."""

from copy import deepcopy
from datetime import timedelta
from typing import Any

from gatehold.demo.kubernetes import statuses
from gatehold.demo.kubernetes.answers import Answer
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.decoding import decode_object
from gatehold.demo.kubernetes.negotiation import negotiate
from gatehold.demo.kubernetes.objects import (
    KubernetesObject,
    lookup,
    meta,
    name_of,
    namespace_of,
    owner_uids,
    timestamp,
    uid_of,
    version_of,
)
from gatehold.demo.kubernetes.options import DeleteOptions, delete_options
from gatehold.demo.kubernetes.reads import selected, view_of
from gatehold.demo.kubernetes.rendering import render_list
from gatehold.demo.kubernetes.requests import Call
from gatehold.demo.kubernetes.resources import RESOURCES, Resource
from gatehold.demo.kubernetes.storage import Store

RETURNED = frozenset({"pods", "serviceaccounts", "services"})
"""Resources whose deletion answers with the object instead of a Status."""
KEPT_NAMESPACES = frozenset({"default", "kube-public", "kube-system"})


def delete(cluster: Cluster, call: Call) -> Answer:
    """DELETE of one object."""
    options, target = delete_options(call), call.target
    negotiate(call.accept)
    with cluster.store.locked():
        item = cluster.store.get(target.resource, target.namespace, target.name)
        left = delete_object(cluster, target.resource, item, options)
    finishing = lookup(left, "metadata.deletionTimestamp") is not None
    if finishing or target.resource.plural in RETURNED:
        return Answer(body=left)
    return Answer(body=statuses.success(target.resource, target.name, uid_of(item)))


def delete_collection(cluster: Cluster, call: Call) -> Answer:
    """DELETE of everything that matches; the selectors come from the query, the options as for one object."""
    options, view, resource = delete_options(call), view_of(cluster, call), call.target.resource
    wanted = selected(call)
    with cluster.store.locked():
        items = [item for item in cluster.store.items(resource, call.target.namespace) if wanted(item)]
        gone = [delete_object(cluster, resource, item, options) for item in items]
        metadata = {"resourceVersion": str(cluster.store.revision)}
    return Answer(body=render_list(gone, resource, view, metadata=metadata))


def evict(cluster: Cluster, call: Call) -> Answer:
    """POST of an eviction: a deletion of the pod with the options inside."""
    decoded = decode_object(
        call.body, call.content_type, api_version="policy/v1", kind="Eviction", type_name="policy.v1.Eviction"
    )
    given = decoded.item.get("deleteOptions") or {}
    options = DeleteOptions(
        dry_run="All" in (given.get("dryRun") or call.query.all("dryRun")),
        grace_period=given.get("gracePeriodSeconds"),
        uid=lookup(given, "preconditions.uid"),
        resource_version=lookup(given, "preconditions.resourceVersion"),
    )
    with cluster.store.locked():
        pod = cluster.store.get(call.target.resource, call.target.namespace, call.target.name)
        delete_object(cluster, call.target.resource, pod, options)
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
    return Answer(body=status, code=201)


def delete_object(
    cluster: Cluster, resource: Resource, item: KubernetesObject, options: DeleteOptions
) -> KubernetesObject:
    """Delete an object, or mark it for deletion where something has to end first; returns its last state."""
    _check(resource, item, options)
    if resource.plural == "namespaces" or item["metadata"].get("finalizers"):
        grace: int | None = 0
    else:
        grace = _grace(resource, item, options)
    if options.dry_run:
        return _marked(cluster, item, grace) if grace is not None else item
    if options.propagation == "Orphan":
        _orphan(cluster, item)
    if grace is None:
        return cluster.store.remove(resource, namespace_of(item), name_of(item))
    return cluster.store.replace(resource, _marked(cluster, item, grace))


def _check(resource: Resource, item: KubernetesObject, options: DeleteOptions) -> None:
    name = name_of(item)
    if resource.plural == "namespaces" and name in KEPT_NAMESPACES:
        raise statuses.forbidden(resource, name, "this namespace may not be deleted")
    for what, wanted, found in (
        ("UID", options.uid, uid_of(item)),
        ("ResourceVersion", options.resource_version, version_of(item)),
    ):
        if wanted is not None and wanted != found:
            why = f"Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {found}"
            raise statuses.conflict(resource, name, why)


def _grace(resource: Resource, item: KubernetesObject, options: DeleteOptions) -> int | None:
    """Seconds a pod has to end; None for what ends at once."""
    if resource.plural != "pods":
        return None
    granted = options.grace_period
    seconds = lookup(item, "spec.terminationGracePeriodSeconds") if granted is None else granted
    started = lookup(item, "spec.nodeName")
    return int(seconds) if seconds and started else None


def _marked(cluster: Cluster, item: KubernetesObject, grace: int) -> KubernetesObject:
    """The object on its way out."""
    marked = deepcopy(item)
    metadata = meta(marked)
    if "deletionTimestamp" in metadata:
        return marked
    metadata["deletionTimestamp"] = timestamp(cluster.store.clock() + timedelta(seconds=grace))
    if item["kind"] == "Namespace":
        marked.setdefault("status", {})["phase"] = "Terminating"
    else:
        metadata["deletionGracePeriodSeconds"] = grace
    return marked


def _orphan(cluster: Cluster, owner: KubernetesObject) -> None:
    """Let the dependents of an object live on without it."""
    uid = uid_of(owner)
    for resource, item in dependents(cluster.store, uid):
        free = deepcopy(item)
        meta(free)["ownerReferences"] = [row for row in meta(free)["ownerReferences"] if row.get("uid") != uid]
        cluster.store.replace(resource, free)


def dependents(store: Store, uid: str) -> list[tuple[Resource, dict[str, Any]]]:
    """All objects that name `uid` as an owner."""
    return [
        (resource, item)
        for resource in RESOURCES
        if "list" in resource.verbs
        for item in store.items(resource)
        if uid in owner_uids(item)
    ]
