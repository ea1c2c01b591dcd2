"""Kubernetes objects as plain JSON values, and small helpers to read them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

type KubernetesObject = dict[str, Any]
type Clock = Callable[[], datetime]


def now() -> datetime:
    """The time of day, in UTC."""
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """A `metav1.Time`: RFC 3339 in UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_timestamp(moment: datetime) -> str:
    """A `metav1.MicroTime`: RFC 3339 in UTC with microseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_timestamp(text: str) -> datetime:
    """The moment a `metav1.Time` stands for; raises ValueError."""
    return datetime.fromisoformat(text)


def meta(item: KubernetesObject) -> dict[str, Any]:
    """The object's metadata; an empty one is put in if it is missing."""
    found: dict[str, Any] = item.setdefault("metadata", {})
    return found


def name_of(item: KubernetesObject) -> str:
    return str(item.get("metadata", {}).get("name", ""))


def namespace_of(item: KubernetesObject) -> str:
    return str(item.get("metadata", {}).get("namespace", ""))


def uid_of(item: KubernetesObject) -> str:
    return str(item.get("metadata", {}).get("uid", ""))


def version_of(item: KubernetesObject) -> str:
    """The object's resourceVersion."""
    return str(item.get("metadata", {}).get("resourceVersion", ""))


def labels_of(item: KubernetesObject) -> dict[str, str]:
    labels: dict[str, str] = item.get("metadata", {}).get("labels") or {}
    return labels


def lookup(item: Any, path: str) -> Any:
    """The value at a dotted path, None where any step is missing."""
    for step in path.split("."):
        if not isinstance(item, dict):
            return None
        item = item.get(step)
    return item


def owner_reference(owner: KubernetesObject) -> dict[str, Any]:
    """How a controller marks what it made for `owner`."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": uid_of(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def owner_uids(item: KubernetesObject) -> set[str]:
    """The uids of an object's owners."""
    return {str(reference.get("uid")) for reference in item.get("metadata", {}).get("ownerReferences") or []}
