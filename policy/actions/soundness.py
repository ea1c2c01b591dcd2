"""Calls that no API server can carry out, whatever policy says of them.

A selector that does not parse, a write without a body, a patch whose document is not of the form that its type has: the
server answers 400 to each. They are found here so that nothing of them is passed on, nor looked up for them.
"""

from policy.actions.kubernetes import CONNECTING, KubernetesAction
from policy.actions.operations import MAX_OPERATIONS
from policy.actions.patches import JSON_PATCH
from policy.actions.payloads import patch_type
from policy.model import UNKNOWN

_WITH_BODY = frozenset({"create", "update", "patch"})


def why_unsound(action: KubernetesAction) -> str:
    """What is wrong with a call, for the agent; empty where nothing is."""
    if action.label_selector is UNKNOWN:
        return "The label selector cannot be read."
    if action.field_selector is UNKNOWN:
        return "The field selector cannot be read."
    if not action.resource_request or action.verb not in _WITH_BODY or action.subresource in CONNECTING:
        return ""
    if not action.has_body:
        return "A write needs a body."
    return _wrong_patch(action) if action.verb == "patch" else ""


def _wrong_patch(action: KubernetesAction) -> str:
    patch = action.payload().patch
    if patch is UNKNOWN:
        return ""
    if patch_type(action.content_type) != JSON_PATCH:
        return "" if isinstance(patch, dict) else "A patch of this type is an object."
    if not isinstance(patch, list):
        return "A json-patch is a list of operations."
    return f"A json-patch has {MAX_OPERATIONS} operations at most." if len(patch) > MAX_OPERATIONS else ""
