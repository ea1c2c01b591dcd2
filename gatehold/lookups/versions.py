"""The resource version that a write itself insists on: a write with another one than the object's is refused anyway.

Pure.
"""

from typing import Any

from policy.actions.jsontext import read_json
from policy.actions.kubernetes import KubernetesAction
from policy.actions.patches import APPLY_PATCH, JSON_PATCH
from policy.actions.payloads import patch_type
from policy.actions.readings import Unreadable
from policy.actions.yamltext import read_yaml

_POINTER = "/metadata/resourceVersion"


def version_of(value: dict[str, Any], key: str = "metadata") -> str:
    """``metadata.resourceVersion`` of an object; empty where it has none."""
    part = value.get(key)
    version = part.get("resourceVersion") if isinstance(part, dict) else None
    return version if isinstance(version, str) else ""


def stated_version(action: KubernetesAction, body: bytes) -> str:
    """The resource version that a write insists on; empty where on none, or where its body is not read here.

    The empty version and 0 stand for any.
    """
    try:
        version = _stated(action, body) if body else ""
    except Unreadable:
        return ""
    return version if version.strip("0") else ""


def _stated(action: KubernetesAction, body: bytes) -> str:
    kind = patch_type(action.content_type) if action.verb == "patch" else action.content_type
    value = read_yaml(body) if kind == APPLY_PATCH or "yaml" in kind else read_json(body)
    if kind == JSON_PATCH:
        return _tested(value)
    if not isinstance(value, dict):
        return ""
    return version_of(value, "preconditions" if action.verb == "delete" else "metadata")


def _tested(operations: Any) -> str:
    """The version that the operations test or set; the API server takes a set one for a condition as well."""
    if not isinstance(operations, list):
        return ""
    stated = [
        str(operation.get("value") or "")
        for operation in operations
        if isinstance(operation, dict) and operation.get("path") == _POINTER
    ]
    return next((version for version in stated if version), "")
