"""What rules ask of a Kubernetes object, read from its JSON value.

Each function answers for a complete object as a create or update sends it. What is of another type than the API says is
``UNKNOWN``; what is absent has the value that the server gives it.
"""

from collections.abc import Iterator
from typing import Any

from policy.actions.scopes import BUILT_IN_GROUPS, DEFAULT_REPLICAS
from policy.model import UNKNOWN, Maybe

_POD_SPECS = (
    ("spec",),
    ("spec", "template", "spec"),
    ("spec", "jobTemplate", "spec", "template", "spec"),
    ("template", "spec"),
)
_CONTAINER_LISTS = ("containers", "initContainers", "ephemeralContainers")


def name_of(value: dict[str, Any]) -> Maybe[str]:
    """``metadata.name``; empty where the server will choose one, or the object has none."""
    metadata = _part(value, "metadata")
    if metadata is UNKNOWN:
        return UNKNOWN
    name = metadata.get("name")
    return "" if name is None else name if isinstance(name, str) else UNKNOWN


def labels_of(value: dict[str, Any]) -> Maybe[dict[str, str]]:
    """``metadata.labels``."""
    metadata = _part(value, "metadata")
    labels = UNKNOWN if metadata is UNKNOWN else _part(metadata, "labels")
    if labels is UNKNOWN or not all(isinstance(label, str) for label in labels.values()):
        return UNKNOWN
    return labels


def default_replicas(group: str, resource: str, subresource: str) -> Maybe[int]:
    """What an absent ``spec.replicas`` means: 0 in a Scale, the API's default, unknown for other kinds."""
    return 0 if subresource == "scale" else DEFAULT_REPLICAS.get((group, resource), UNKNOWN)


def replicas_of(value: Any, default: Maybe[int]) -> Maybe[int]:
    """``spec.replicas``."""
    spec = _part(value, "spec") if isinstance(value, dict) else UNKNOWN
    return UNKNOWN if spec is UNKNOWN else as_replicas(spec.get("replicas"), default)


def as_replicas(value: Any, default: Maybe[int]) -> Maybe[int]:
    """One value of ``replicas``; null counts as absent."""
    if value is None:
        return default
    return value if isinstance(value, int) and not isinstance(value, bool) else UNKNOWN


def images_of(value: dict[str, Any], group: str) -> Maybe[tuple[str, ...]]:
    """Images of all containers, in a pod or in the template of one.

    Where a custom resource keeps its containers is not known: without any at the usual places its images are unknown.
    """
    images: list[str] = []
    found = False
    for containers in _container_lists(value):
        found = True
        if not isinstance(containers, list):
            return UNKNOWN
        for container in containers:
            image = container.get("image", "") if isinstance(container, dict) else None
            if not isinstance(image, str):
                return UNKNOWN
            images.append(image)
    return tuple(images) if found or group in BUILT_IN_GROUPS else UNKNOWN


def _container_lists(value: dict[str, Any]) -> Iterator[Any]:
    for path in _POD_SPECS:
        spec: Any = value
        for key in path:
            spec = spec.get(key) if isinstance(spec, dict) else None
        if isinstance(spec, dict):
            yield from (spec[name] for name in _CONTAINER_LISTS if spec.get(name) is not None)


def _part(value: dict[str, Any], key: str) -> Maybe[dict[str, Any]]:
    """An object within the object; absent and null are empty."""
    part = value.get(key)
    return {} if part is None else part if isinstance(part, dict) else UNKNOWN
