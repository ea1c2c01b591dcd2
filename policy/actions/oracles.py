"""Patches that would read what is hidden from the agent.

A json-patch (RFC 6902) can copy or move a hidden value to a place where nothing hides it, and can ask of a hidden value
whether it is this one. Both are refused where the place that is read is hidden, lies in something hidden or holds it,
whatever else the patch does. Adding, replacing and removing tell nothing that the agent did not say itself.
"""

from typing import Any, Final

from policy.actions.kubernetes import KubernetesAction
from policy.actions.patches import JSON_PATCH, place_of
from policy.actions.payloads import patch_type
from policy.model import UNKNOWN

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
"""Holds a whole manifest, with what is hidden in it."""

_ANYWHERE: Final = (["metadata", "annotations", LAST_APPLIED],)
_IN_SECRETS: Final = (["data"], ["stringData"], *_ANYWHERE)
_BLIND: Final = frozenset({"add", "replace", "remove"})


def reads_hidden(action: KubernetesAction) -> bool:
    """Whether a call is a json-patch that reads what is hidden, where values of Secrets are.

    True as well for one to a Secret that cannot be understood.
    """
    if action.verb != "patch" or patch_type(action.content_type) != JSON_PATCH:
        return False
    is_secret = (action.group, action.resource) == ("", "secrets")
    patch = action.payload().patch
    if patch is UNKNOWN or not isinstance(patch, list):
        return is_secret
    hidden = _IN_SECRETS if is_secret else _ANYWHERE
    return any(_reads(operation, hidden, strict=is_secret) for operation in patch)


def _reads(operation: Any, hidden: tuple[list[str], ...], *, strict: bool) -> bool:
    """Whether one operation reads a hidden place; with ``strict`` also where it is none that servers agree on."""
    if not isinstance(operation, dict):
        return strict
    kind = operation.get("op")
    if isinstance(kind, str) and kind in _BLIND:
        return False
    places = [place_of(operation[key]) for key in ("from", "path") if key in operation]
    return (strict and None in places) or any(place is not None and _overlaps(place, hidden) for place in places)


def _overlaps(place: list[str], hidden: tuple[list[str], ...]) -> bool:
    """Whether a place is hidden, lies in something hidden or holds it. Case does not count: decoders differ on it."""
    folded = [key.lower() for key in place]
    for each in hidden:
        shorter = min(len(folded), len(each))
        if folded[:shorter] == [key.lower() for key in each[:shorter]]:
            return True
    return False
