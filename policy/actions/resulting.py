"""What a write makes of an object, computed here from the object as it is: exactly, or not at all.

Exact means: as the API server computes it before it fills in defaults and asks admission. Sources: RFC 7396 (merge
patch), RFC 6902 (json-patch, as in github.com/evanphx/json-patch v4), k8s.io/apimachinery/pkg/util/strategicpatch.
Unknown stays what depends on a schema that is not here (lists in a strategic merge), on field owners (server-side
apply), on what a kind does with its status, and whatever the server would refuse.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Final

from policy.actions.jsontext import MAX_DEPTH, is_shallow
from policy.actions.kubernetes import KubernetesAction
from policy.actions.operations import NotApplicableError, operated
from policy.actions.patches import JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH
from policy.actions.payloads import patch_type
from policy.actions.scopes import BUILT_IN_GROUPS
from policy.model import UNKNOWN, Maybe

_FIXED: Final = ("apiVersion", "kind")
_FIXED_METADATA: Final = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp")
"""A write that states another one is refused by the server, or has no effect."""
_SERVERS: Final = (*_FIXED_METADATA, "resourceVersion", "generation", "managedFields", "selfLink")
"""Metadata that only the server writes."""

type Object = dict[str, Any]


def resulting(action: KubernetesAction, current: Object) -> Maybe[Object]:
    """The object after this write; unknown where the server might make something else of it.

    ``current`` is what is addressed: the object, or its Scale. It is not changed.
    """
    if action.subresource not in {"", "scale"}:
        return UNKNOWN
    written = _written(action, current)
    if written is UNKNOWN or not _keeps_identity(written, current) or _depth_exceeded(written):
        return UNKNOWN
    if action.subresource == "scale":
        return {**deepcopy(current), "spec": written.get("spec")}
    return _as_stored(action, written, current)


def _written(action: KubernetesAction, current: Object) -> Maybe[Object]:
    """The object that the request leads to, before the server restores what is its own."""
    payload = action.payload()
    if action.verb == "update":
        return payload.value
    if action.verb != "patch" or payload.patch is UNKNOWN:
        return UNKNOWN
    kind = patch_type(action.content_type)
    apply = _PATCHES.get(kind)
    if apply is None or (kind == STRATEGIC_MERGE_PATCH and action.group not in BUILT_IN_GROUPS):
        return UNKNOWN
    try:
        result = apply(current, payload.patch)
    except NotApplicableError:
        return UNKNOWN
    return result if isinstance(result, dict) else UNKNOWN


def _merged_strictly(current: Any, patch: Any) -> Any:
    """A merge patch without nulls in lists, of which the server takes some away."""
    if _nulls_in_lists(patch, within=False):
        raise NotApplicableError
    return _merged(current, patch)


def _nulls_in_lists(value: Any, *, within: bool) -> bool:
    if isinstance(value, dict):
        return any(_nulls_in_lists(each, within=within) for each in value.values())
    if isinstance(value, list):
        return any(_nulls_in_lists(each, within=True) for each in value)
    return value is None and within


def _merged(current: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(current) if isinstance(current, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), value)
    return merged


def _strategically_merged(current: Any, patch: Any) -> Any:
    """A strategic merge patch in which nothing depends on the schema: no lists and no directives."""
    _check_plain(patch)
    return _merged(current, patch)


def _check_plain(patch: Any) -> None:
    if isinstance(patch, list):
        raise NotApplicableError
    if isinstance(patch, dict):
        for key, value in patch.items():
            if key.startswith("$"):
                raise NotApplicableError
            _check_plain(value)


_PATCHES: Final[dict[str, Callable[[Object, Any], Any]]] = {
    MERGE_PATCH: _merged_strictly,
    STRATEGIC_MERGE_PATCH: _strategically_merged,
    JSON_PATCH: operated,
}


def _keeps_identity(written: Object, current: Object) -> bool:
    """Whether the write says nothing of what a write cannot change."""
    metadata, before = written.get("metadata"), current.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(before, dict):
        return False
    pairs = [(written.get(key), current.get(key)) for key in _FIXED]
    pairs += [(metadata.get(key), before.get(key)) for key in _FIXED_METADATA]
    return all(stated is None or stated == there for stated, there in pairs)


def _as_stored(action: KubernetesAction, written: Object, current: Object) -> Maybe[Object]:
    """With what only the server writes. Kinds that come with Kubernetes keep their status out of such writes."""
    if action.group not in BUILT_IN_GROUPS and written.get("status") != current.get("status"):
        return UNKNOWN
    before: Object = current["metadata"]
    metadata = {key: value for key, value in written["metadata"].items() if key not in _SERVERS}
    metadata |= {key: before[key] for key in _SERVERS if key in before}
    stored = {key: value for key, value in written.items() if key != "status"}
    stored |= {key: current[key] for key in (*_FIXED, "status") if key in current}
    return deepcopy({**stored, "metadata": metadata})


def _depth_exceeded(written: Object) -> bool:
    return not is_shallow(json.dumps(written).encode(), MAX_DEPTH)
