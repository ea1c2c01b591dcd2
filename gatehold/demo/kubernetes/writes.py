"""create, update and patch: decode, admit, keep the books of field managers, store."""

from copy import deepcopy
from typing import Any

from gatehold.demo.kubernetes import statuses
from gatehold.demo.kubernetes.admission import mutated
from gatehold.demo.kubernetes.answers import Answer
from gatehold.demo.kubernetes.apply import Manager, track
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.decoding import decode_object, is_protobuf, strict_error
from gatehold.demo.kubernetes.defaults import apply_defaults
from gatehold.demo.kubernetes.objects import KubernetesObject, lookup, meta, name_of, uid_of, version_of
from gatehold.demo.kubernetes.options import WriteOptions, is_apply, write_options
from gatehold.demo.kubernetes.reads import view_of
from gatehold.demo.kubernetes.rendering import View, render_item
from gatehold.demo.kubernetes.requests import Call
from gatehold.demo.kubernetes.resources import NAMESPACES
from gatehold.demo.kubernetes.scales import API_VERSION, TYPE, scale_of, scaled
from gatehold.demo.kubernetes.structs import conform
from gatehold.demo.kubernetes.validation import validate

SERVER_OWNED = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink")
"""Metadata that a client cannot change."""


def create(cluster: Cluster, call: Call) -> Answer:
    """POST of an object."""
    options, view = write_options(call), view_of(cluster, call)
    item, warnings = _decoded(call, options)
    with cluster.store.locked():
        created = create_object(cluster, call, item, dry_run=options.dry_run)
    return shown(call, created, view, code=201, warnings=warnings)


def create_object(cluster: Cluster, call: Call, item: KubernetesObject, *, dry_run: bool) -> KubernetesObject:
    """Admit a new object and store it unless this is a dry run; raises ApiError."""
    resource, store, metadata = call.target.resource, cluster.store, meta(item)
    _place(call, metadata)
    if metadata.pop("resourceVersion", None):
        raise statuses.bad_request("resourceVersion should not be set on objects to be created")
    for name in SERVER_OWNED:
        metadata.pop(name, None)
    item.pop("status", None)
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = metadata["generateName"] + store.name_suffix()
    if resource.namespaced:
        _check_namespace(cluster, call, metadata.get("name", ""))
    fresh = store.prepared(resource, item)
    apply_defaults(fresh)
    fresh = mutated(cluster, call, fresh, dry_run=dry_run)
    fresh, _ = conform(fresh, resource.type)
    validate(fresh, resource)
    if store.find(resource, call.target.namespace, name_of(fresh)):
        raise statuses.already_exists(resource, name_of(fresh))
    if not is_apply(call):
        track(None, fresh, resource.type, Manager(name=call.manager, moment=store.clock()))
        fresh, _ = conform(fresh, resource.type)
    return fresh if dry_run else store.create(resource, fresh)


def update(cluster: Cluster, call: Call) -> Answer:
    """PUT of an object, its status or its scale."""
    options, view = write_options(call), view_of(cluster, call)
    with cluster.store.locked():
        old = cluster.store.get(call.target.resource, call.target.namespace, call.target.name)
        item, warnings = _decoded(call, options)
        check_name(call, item)
        if call.target.subresource == "scale":
            item = scaled(old, item)
        changed = change_object(cluster, call, old, item, dry_run=options.dry_run)
    return shown(call, changed, view, warnings=warnings)


def change_object(
    cluster: Cluster,
    call: Call,
    old: KubernetesObject,
    item: KubernetesObject,
    *,
    dry_run: bool,
) -> KubernetesObject:
    """Admit the new state of an object and store it unless this is a dry run; raises ApiError."""
    resource, store, below = call.target.resource, cluster.store, call.target.subresource
    _check_preconditions(call, old, item)
    new = _settled(old, item, below)
    apply_defaults(new)
    if below == "scale":
        new = scaled(new, mutated(cluster, call, scale_of(new), dry_run=dry_run))
    else:
        new = mutated(cluster, call, new, dry_run=dry_run)
    new, _ = conform(new, resource.type)
    validate(new, resource, old)
    if resource.generation and new.get("spec") != old.get("spec"):
        meta(new)["generation"] = old["metadata"].get("generation", 1) + 1
    if not is_apply(call):
        track(old, new, resource.type, Manager(name=call.manager, moment=store.clock(), subresource=below))
    new, _ = conform(new, resource.type)
    if dry_run:
        return new
    stored = store.replace(resource, new)
    if lookup(stored, "metadata.deletionTimestamp") and _released(stored):
        store.remove(resource, call.target.namespace, call.target.name)
    return stored


def _released(item: KubernetesObject) -> bool:
    """Whether a deleted object waits for nothing more: it was held by finalizers, and the last is gone."""
    return not item["metadata"].get("finalizers") and item["kind"] not in ("Namespace", "Pod")


def _settled(old: KubernetesObject, item: KubernetesObject, below: str) -> KubernetesObject:
    """The new state with what this path cannot change taken from the old one."""
    if below in ("status", "ephemeralcontainers"):
        new = deepcopy(old)
        if below == "status":
            new["status"] = deepcopy(item.get("status") or {})
        else:
            new["spec"]["ephemeralContainers"] = lookup(item, "spec.ephemeralContainers") or []
        return new
    new = deepcopy(item)
    new.pop("status", None)
    if "status" in old:
        new["status"] = deepcopy(old["status"])
    metadata, before = meta(new), old["metadata"]
    for name in SERVER_OWNED:
        metadata.pop(name, None)
    metadata |= {name: before[name] for name in SERVER_OWNED if name in before}
    metadata |= {"name": before["name"], "resourceVersion": before["resourceVersion"]}
    if "namespace" in before:
        metadata["namespace"] = before["namespace"]
    if "managedFields" not in metadata and "managedFields" in before:
        metadata["managedFields"] = before["managedFields"]
    return new


def _decoded(call: Call, options: WriteOptions) -> tuple[KubernetesObject, list[str]]:
    """The object in the body and the warnings it deserves."""
    resource, scale = call.target.resource, call.target.subresource == "scale"
    if resource.custom and not scale and is_protobuf(call.content_type):
        raise statuses.unsupported_media_type(statuses.CUSTOM_BODY_TYPES)
    decoded = decode_object(
        call.body,
        call.content_type,
        api_version=API_VERSION if scale else resource.api_version,
        kind="Scale" if scale else resource.kind,
        type_name=TYPE if scale else resource.type,
    )
    if decoded.strict and options.validation == "Strict":
        raise strict_error(resource.kind, resource.api_version, decoded.strict)
    return decoded.item, decoded.strict if options.validation == "Warn" else []


def shown(call: Call, item: KubernetesObject, view: View, *, code: int = 200, warnings: list[str]) -> Answer:
    """The object as the client asked to see it."""
    if call.target.subresource == "scale":
        return Answer(body=scale_of(item), code=code, warnings=warnings)
    return Answer(body=render_item(item, view), code=code, warnings=warnings)


def _place(call: Call, metadata: dict[str, Any]) -> None:
    """Put a new object into the namespace of the path."""
    if not call.target.resource.namespaced:
        metadata.pop("namespace", None)
    elif metadata.setdefault("namespace", call.target.namespace) != call.target.namespace:
        raise statuses.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )


def _check_namespace(cluster: Cluster, call: Call, name: str) -> None:
    namespace = cluster.store.get(NAMESPACES, "", call.target.namespace)
    if lookup(namespace, "status.phase") == "Terminating":
        why = f"unable to create new content in namespace {call.target.namespace} because it is being terminated"
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {call.target.namespace} is being terminated",
            "field": "metadata.namespace",
        }
        raise statuses.forbidden(call.target.resource, name, why, [cause])


def check_name(call: Call, item: KubernetesObject) -> None:
    name = name_of(item)
    if name and name != call.target.name:
        raise statuses.bad_request(
            f"the name of the object ({name}) does not match the name on the URL ({call.target.name})"
        )
    namespace = meta(item).get("namespace", call.target.namespace)
    if namespace != call.target.namespace:
        raise statuses.bad_request(
            f"the namespace of the object ({namespace}) does not match the namespace on the request "
            f"({call.target.namespace})"
        )


def _check_preconditions(call: Call, old: KubernetesObject, item: KubernetesObject) -> None:
    resource, name = call.target.resource, call.target.name
    if uid_of(item) and uid_of(item) != uid_of(old):
        why = f"Precondition failed: UID in precondition: {uid_of(item)}, UID in object meta: {uid_of(old)}"
        raise statuses.conflict(resource, name, why)
    if version_of(item) and version_of(item) != version_of(old):
        raise statuses.conflict(resource, name)
