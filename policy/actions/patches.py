"""What a patch makes of ``spec.replicas``, as far as the patch alone tells.

A patch may set the field, leave it as it is, or do something to it that depends on the object. Only the first two are
answered; everything else is unknown, never guessed.
"""

from dataclasses import dataclass
from typing import Any, Final

from policy.actions.objects import as_replicas, replicas_of
from policy.model import UNKNOWN, Maybe

JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH: Final = "application/strategic-merge-patch+json"
APPLY_PATCH: Final = "application/apply-patch+yaml"

_REPLICAS = ["spec", "replicas"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a write does to ``spec.replicas``."""

    replicas: Maybe[int] = UNKNOWN
    """The number afterwards."""
    unchanged: bool = False
    """Whether the write leaves the number as it is, whatever it is."""


UNCHANGED = Change(unchanged=True)
OPEN = Change()


def replicas_change(patch_type: str, patch: Any, default: Maybe[int]) -> Change:
    """The change that a patch makes; ``default`` is what an absent field means for this resource."""
    if patch_type == JSON_PATCH:
        return _by_operations(patch, default)
    if not isinstance(patch, dict):
        return OPEN
    if patch_type == MERGE_PATCH:
        return _by_merge(patch, default)
    if patch_type == STRATEGIC_MERGE_PATCH and not has_directives(patch) and not has_directives(patch.get("spec")):
        return _by_merge(patch, default)
    if patch_type == APPLY_PATCH:
        return Change(replicas=replicas_of(patch, UNKNOWN))
    return OPEN


def has_directives(value: Any) -> bool:
    """Whether a strategic merge patch holds orders here; one on the order of a list changes nothing."""
    return isinstance(value, dict) and any(
        key.startswith("$") and not key.startswith("$setElementOrder/") for key in value
    )


def _by_merge(patch: dict[str, Any], default: Maybe[int]) -> Change:
    """RFC 7396: what is absent stays, null removes."""
    if "spec" not in patch:
        return UNCHANGED
    spec = patch["spec"]
    if not isinstance(spec, dict):
        return OPEN
    if "replicas" not in spec:
        return UNCHANGED
    return Change(replicas=as_replicas(spec["replicas"], default))


def _by_operations(patch: Any, default: Maybe[int]) -> Change:
    """RFC 6902: the operations one after the other."""
    if not isinstance(patch, list):
        return OPEN
    change = UNCHANGED
    for operation in patch:
        if (change := _after(change, operation, default)) == OPEN:
            return OPEN
    return change


def _after(change: Change, operation: Any, default: Maybe[int]) -> Change:
    """The change after one more operation; open where the outcome depends on the object, or on the server's mood."""
    if not isinstance(operation, dict) or not isinstance(kind := operation.get("op"), str):
        return OPEN
    if kind == "test":
        return change
    touched = [operation.get("path")] + ([operation.get("from")] if kind == "move" else [])
    places = [place_of(pointer) for pointer in touched]
    if None in places or kind not in {"add", "replace", "remove", "move", "copy"}:
        return OPEN
    if not any(_overlaps(place) for place in places if place is not None):
        return change
    return _set(kind, places[0], operation, default)


def _set(kind: str, place: list[str] | None, operation: dict[str, Any], default: Maybe[int]) -> Change:
    """The change by an operation on the field or on something that holds it."""
    value = operation.get("value")
    if kind in {"add", "replace"} and "value" in operation:
        if place == _REPLICAS:
            return Change(replicas=as_replicas(value, default))
        if place == ["spec"]:
            return Change(replicas=replicas_of({"spec": value}, default) if isinstance(value, dict) else UNKNOWN)
        if place == []:
            return Change(replicas=replicas_of(value, default))
    if kind == "remove" and place == _REPLICAS:
        return Change(replicas=default)
    return OPEN


def place_of(pointer: Any) -> list[str] | None:
    """The keys of a JSON pointer (RFC 6901); None for what is none, on which servers differ."""
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        return None
    return [key.replace("~1", "/").replace("~0", "~") for key in pointer.split("/")[1:]]


def _overlaps(place: list[str]) -> bool:
    """Whether a place is the field, holds it, or lies below it."""
    shorter = min(len(place), len(_REPLICAS))
    return place[:shorter] == _REPLICAS[:shorter]
