"""Objects, lists and watch events in the form that was negotiated."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gatehold.demo.kubernetes import statuses
from gatehold.demo.kubernetes.negotiation import META, Accepted
from gatehold.demo.kubernetes.objects import KubernetesObject, version_of
from gatehold.demo.kubernetes.resources import Resource
from gatehold.demo.kubernetes.tables import cells_of, columns_of

INCLUDED = frozenset({"", "Metadata", "Object", "None"})


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How a client wants to see objects."""

    accepted: Accepted
    moment: datetime
    """The time to which ages are counted."""
    include: str = ""
    """What of an object goes into a Table's row: `Metadata` (or empty), `Object` or `None`."""


def render_item(item: KubernetesObject, view: View) -> dict[str, Any]:
    """One object."""
    match view.accepted.form:
        case "Table":
            return _table([item], view) | {"metadata": {"resourceVersion": version_of(item)}}
        case "PartialObjectMetadata":
            return _partial(item, view)
        case "plain":
            return item
    raise statuses.not_acceptable("application/json")


def render_list(
    items: Sequence[KubernetesObject], resource: Resource, view: View, *, metadata: dict[str, Any]
) -> dict[str, Any]:
    """A list with its metadata (resourceVersion, continue, remainingItemCount)."""
    match view.accepted.form:
        case "Table":
            return _table(items, view, resource.kind) | {"metadata": metadata}
        case "PartialObjectMetadataList":
            head = {"kind": "PartialObjectMetadataList", "apiVersion": f"{META}/{view.accepted.version}"}
            return head | {"metadata": metadata, "items": [_partial(item, view) for item in items]}
        case "plain":
            head = {"kind": f"{resource.kind}List", "apiVersion": resource.api_version}
            return head | {"metadata": metadata, "items": [_listed(item, resource) for item in items]}
    raise statuses.not_acceptable("application/json")


def render_event(kind: str, item: KubernetesObject, view: View, *, headers: bool) -> dict[str, Any]:
    """A watch event. Tables name their columns in the first event only."""
    if item["kind"] == "Status" or view.accepted.form == "plain":
        return {"type": kind, "object": item}
    if view.accepted.form == "Table":
        table = render_item(item, view)
        return {"type": kind, "object": table if headers else table | {"columnDefinitions": None}}
    return {"type": kind, "object": _partial(item, view)}


def _listed(item: KubernetesObject, resource: Resource) -> dict[str, Any]:
    """An item of a list of built-in objects names neither kind nor version."""
    if resource.custom:
        return item
    return {name: value for name, value in item.items() if name not in ("kind", "apiVersion")}


def _partial(item: KubernetesObject, view: View) -> dict[str, Any]:
    head = {"kind": "PartialObjectMetadata", "apiVersion": f"{META}/{view.accepted.version}"}
    return head | {"metadata": item["metadata"]}


def _table(items: Sequence[KubernetesObject], view: View, kind: str = "") -> dict[str, Any]:
    if view.include not in INCLUDED:
        raise statuses.bad_request(f'unrecognized includeObject value: "{view.include}"')
    rows = [{"cells": cells_of(item, view.moment), "object": _row_object(item, view)} for item in items]
    return {
        "kind": "Table",
        "apiVersion": f"{META}/{view.accepted.version}",
        "metadata": {},
        "columnDefinitions": columns_of(kind or items[0]["kind"]),
        "rows": rows,
    }


def _row_object(item: KubernetesObject, view: View) -> dict[str, Any] | None:
    if view.include == "None":
        return None
    return item if view.include == "Object" else _partial(item, view)
