"""get and list: selectors, chunks, and the form the client asked for."""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from gatehold.demo.kubernetes import statuses
from gatehold.demo.kubernetes.answers import Answer
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.negotiation import negotiate
from gatehold.demo.kubernetes.objects import KubernetesObject, name_of, namespace_of
from gatehold.demo.kubernetes.rendering import View, render_item, render_list
from gatehold.demo.kubernetes.requests import Call
from gatehold.demo.kubernetes.scales import scale_of
from gatehold.demo.kubernetes.selectors import Predicate, field_predicate, label_predicate


def view_of(cluster: Cluster, call: Call) -> View:
    """How the caller wants to see what it asked for; raises ApiError (406)."""
    include = call.query.first("includeObject")
    return View(accepted=negotiate(call.accept), moment=cluster.store.clock(), include=include)


def get(cluster: Cluster, call: Call) -> Answer:
    """One object, or its scale; other subresources show the object itself."""
    view, target = view_of(cluster, call), call.target
    item = cluster.store.get(target.resource, target.namespace, target.name)
    return Answer(body=scale_of(item) if target.subresource == "scale" else render_item(item, view))


def list_items(cluster: Cluster, call: Call) -> Answer:
    """All objects that match, or a chunk of them."""
    view, wanted = view_of(cluster, call), selected(call)
    with cluster.store.locked():
        revision = cluster.store.revision
        items = [item for item in cluster.store.items(call.target.resource, call.target.namespace) if wanted(item)]
    chunk, metadata = _chunk(items, call, revision)
    return Answer(body=render_list(chunk, call.target.resource, view, metadata=metadata))


def selected(call: Call) -> Predicate:
    """Whether an object is one that a list, a watch or a deletecollection is about; raises ApiError (400)."""
    by_label = label_predicate(call.query.first("labelSelector"))
    by_field = field_predicate(call.query.first("fieldSelector"), call.target.resource)
    namespace, name = call.target.namespace, call.target.name

    def wanted(item: KubernetesObject) -> bool:
        here = namespace in ("", namespace_of(item)) and name in ("", name_of(item))
        return here and by_label(item) and by_field(item)

    return wanted


def _chunk(
    items: Sequence[KubernetesObject], call: Call, revision: int
) -> tuple[Sequence[KubernetesObject], dict[str, Any]]:
    """The objects after the continue token up to the limit, and the list's metadata."""
    namespace = call.target.namespace
    if token := call.query.first("continue"):
        revision, start = _read_token(token)
        items = [item for item in items if _key(item, namespace) >= start]
    metadata: dict[str, Any] = {"resourceVersion": str(revision)}
    limit = call.query.number("limit") or len(items)
    if limit < len(items):
        metadata["continue"] = _token(revision, _key(items[limit - 1], namespace) + "\0")
        if not call.query.first("labelSelector") and not call.query.first("fieldSelector"):
            metadata["remainingItemCount"] = len(items) - limit
    return items[:limit], metadata


def _key(item: KubernetesObject, namespace: str) -> str:
    """The object's key below the list's prefix in etcd."""
    whole = bool(namespace) or not namespace_of(item)
    return name_of(item) if whole else f"/{namespace_of(item)}/{name_of(item)}"


def _token(revision: int, start: str) -> str:
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_token(token: str) -> tuple[int, str]:
    try:
        content = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return int(content["rv"]), str(content["start"])
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise statuses.bad_request("continue key is not valid: not encoded by this server") from error
