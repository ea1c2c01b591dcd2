"""A write is bound to the version of the object that it was judged for, so that the server refuses it if that changed.

The version goes where the server compares it: ``metadata.resourceVersion`` of an object that is replaced or merged
(409 on a difference), a ``test`` before all operations of a json-patch (422), ``preconditions`` of a delete (409).
Sources: k8s.io/apiserver, pkg/registry/rest/update.go, pkg/registry/generic/registry/store.go (0 and the empty version
mean any), pkg/endpoints/handlers/delete.go (a body replaces the options of the query).
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from policy.actions.jsontext import INT64, decode_utf8, read_json
from policy.actions.kubernetes import KubernetesAction
from policy.actions.patches import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, has_directives
from policy.actions.payloads import YAML, media_type, patch_type
from policy.actions.queries import Query
from policy.actions.readings import Unreadable
from policy.actions.requestinfo import first, truth
from policy.actions.splicing import with_first_item, with_member
from policy.actions.yamltext import is_json, read_yaml

_METADATA = ("metadata", "resourceVersion")
_PRECONDITIONS = ("preconditions", "resourceVersion")
_TYPES: Final = {"", "application/json", YAML}
_MERGES: Final = {MERGE_PATCH, STRATEGIC_MERGE_PATCH, APPLY_PATCH}
_INTEGER = re.compile(r"[-+]?[0-9]{1,19}")
_ESCAPED: Final = {ord(character): f"\\u{ord(character):04x}" for character in "\x7f\x85\u2028\u2029\ufeff"}
"""What JSON may hold as it is, and YAML reads as the end of a line, or not at all."""


def pin(action: KubernetesAction, body: bytes, resource_version: str) -> bytes:
    """The body to send so that the server refuses it if the object has another version; raises ``Unreadable``.

    A version that the request itself states is left. The content type stays what it is: a delete that had no body and
    no content type gets JSON, which is what the server takes a body without a content type for.
    """
    kind = patch_type(action.content_type) if action.verb == "patch" else media_type(action.content_type)
    if action.effect.deletes:
        return _pinned_delete(action, kind, body, resource_version)
    if not action.effect.rewrites:
        raise Unreadable("a request that does not rewrite an object cannot be bound to a version")
    if action.verb == "update" and kind in _TYPES:
        return _set(body, kind == YAML, _METADATA, resource_version, null_is_empty=True)
    if action.verb == "patch" and kind == JSON_PATCH:
        return _pinned_operations(body, resource_version)
    if action.verb == "patch" and kind in _MERGES:
        _check_directives(kind, body)
        return _set(body, kind == APPLY_PATCH, _METADATA, resource_version, null_is_empty=kind == APPLY_PATCH)
    raise Unreadable("a request of this kind cannot be bound to a version")


def _set(body: bytes, as_yaml: bool, path: tuple[str, str], version: str, *, null_is_empty: bool) -> bytes:
    text = _json_text(body, as_yaml)
    value = read_json(text.encode())
    if not null_is_empty and isinstance(value, dict) and path[0] in value and value[path[0]] is None:
        raise Unreadable(f"{path[0]} is removed")
    counts = _stated_in_metadata if path == _METADATA else _stated
    return with_member(text, path, version, stated=counts).encode()


def _json_text(body: bytes, as_yaml: bool) -> str:
    """The body as JSON: itself where it is, else what a YAML document says, if JSON can say exactly that."""
    if not as_yaml or is_json(body):
        read_json(body)
        return decode_utf8(body)
    value = read_yaml(body)
    _check_lossless(value)
    try:
        return json.dumps(value, ensure_ascii=False).encode("utf-8").decode().translate(_ESCAPED)
    except UnicodeEncodeError:
        raise Unreadable("a text that is not Unicode") from None


def _check_lossless(value: Any) -> None:
    """Refuse doubles that are whole, ``1.0`` or integers beyond 64 bits: JSON readers take them for something else."""
    if isinstance(value, float) and value.is_integer():
        raise Unreadable("a YAML number that JSON spells otherwise")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_lossless(item)


def _check_directives(kind: str, body: bytes) -> None:
    """Refuse a strategic merge patch whose directives would take the version away again."""
    value = read_json(body) if kind == STRATEGIC_MERGE_PATCH else {}
    if has_directives(value) or (isinstance(value, dict) and has_directives(value.get("metadata"))):
        raise Unreadable("a directive at the metadata")


def _pinned_operations(body: bytes, version: str) -> bytes:
    read_json(body)
    test = {"op": "test", "path": "/metadata/resourceVersion", "value": version}
    return with_first_item(decode_utf8(body), json.dumps(test)).encode()


def _pinned_delete(action: KubernetesAction, kind: str, body: bytes, version: str) -> bytes:
    if kind not in _TYPES:
        raise Unreadable("a content type that cannot be written here")
    if body:
        return _set(body, kind == YAML, _PRECONDITIONS, version, null_is_empty=True)
    if first(action.parameters, "resourceVersion"):
        return body
    return json.dumps(_delete_options(action.parameters, version)).encode()


def _delete_options(parameters: Query, version: str) -> Mapping[str, Any]:
    """``DeleteOptions`` (k8s.io/apimachinery/pkg/apis/meta/v1) of a query, bound to a version."""
    preconditions = {"resourceVersion": version}
    if uid := first(parameters, "uid"):
        preconditions["uid"] = uid
    options: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": preconditions}
    if "gracePeriodSeconds" in parameters:
        options["gracePeriodSeconds"] = _integer(first(parameters, "gracePeriodSeconds"))
    for name in ("orphanDependents", "ignoreStoreReadErrorWithClusterBreakingPotential"):
        if name in parameters:
            options[name] = truth(parameters, name)
    if "propagationPolicy" in parameters:
        options["propagationPolicy"] = first(parameters, "propagationPolicy")
    if "dryRun" in parameters:
        options["dryRun"] = list(parameters["dryRun"])
    return options


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text) or int(text) not in INT64:
        raise Unreadable("a grace period that is no number")
    return int(text)


def _stated(version: Any) -> bool:
    return version is not None


def _stated_in_metadata(version: Any) -> bool:
    """Whether a version in metadata is one: the empty one and 0 stand for any."""
    return version is not None and not (isinstance(version, str) and not version.strip("0"))
