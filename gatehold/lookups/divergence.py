"""Where the answer to a write tells other facts than those by which it was judged. Pure."""

from typing import Any

from gatehold.lookups.requests import KubernetesObject
from policy.actions import objects
from policy.actions.kubernetes import KubernetesAction
from policy.model import UNKNOWN, Maybe


def divergence(judged: KubernetesAction, real: KubernetesObject) -> dict[str, tuple[Any, Any]]:
    """Fact by name: as judged, as it is. Facts that one side does not tell are left out."""
    pairs: dict[str, tuple[Maybe[Any], Maybe[Any]]] = {"replicas": (judged.replicas, _real_replicas(judged, real))}
    if not judged.subresource:
        pairs["labels"] = (judged.labels, objects.labels_of(real))
        pairs["images"] = (judged.images, objects.images_of(real, judged.group))
    return {
        name: (expected, actual)
        for name, (expected, actual) in pairs.items()
        if expected is not UNKNOWN and actual is not UNKNOWN and expected != actual
    }


def _real_replicas(judged: KubernetesAction, real: KubernetesObject) -> Maybe[int]:
    if judged.subresource not in {"", "scale"}:
        return UNKNOWN
    default = objects.default_replicas(judged.group, judged.resource, judged.subresource)
    return objects.replicas_of(real, default)
