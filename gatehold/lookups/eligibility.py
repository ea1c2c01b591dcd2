"""Whether the same request with ``dryRun=All`` is sure to change nothing. Pure.

The API server keeps that promise for what it stores itself: built-in groups and custom resources. An aggregated API may
ignore the parameter and execute. Some requests have an effect that is not the object: a token is made, a pod is bound
or evicted, a tunnel opened; those are never tried out.
"""

from enum import Enum, auto

from policy.actions.kubernetes import KubernetesAction
from policy.actions.scopes import BUILT_IN_GROUPS

_STORED = frozenset({"", "scale", "status", "ephemeralcontainers", "resize", "finalize", "approval"})
"""Subresources that write the object itself."""
_AGGREGATED = frozenset({"metrics.k8s.io"})
"""Groups that come with many clusters, but from a server of their own."""
_ASKING = frozenset({"authentication.k8s.io", "authorization.k8s.io"})
"""Groups whose creates are questions: nothing is stored."""
_EFFECTS = frozenset({("", "bindings")})
_VERBS = frozenset({"create", "update", "patch"})


class Group(Enum):
    """Who serves a group."""

    BUILT_IN = auto()
    UNKNOWN = auto()
    """A custom resource or an aggregated API: the cluster has to be asked."""


def objection(action: KubernetesAction) -> str:
    """Why this request is not tried out; empty where it may be, as far as the request tells."""
    if not action.resource_request or action.verb not in _VERBS:
        return "requests of this kind are not tried out"
    if "dryRun" in action.parameters:
        return "the request is a dry run already"
    if action.subresource not in _STORED or (action.verb == "create" and action.subresource):
        return f"the subresource {action.subresource} has effects that a dry run does not keep back"
    if action.group in _ASKING or (action.group, action.resource) in _EFFECTS or action.upgrade:
        return "the request does not store an object"
    return f"the group {action.group} is served by an API server of its own" if action.group in _AGGREGATED else ""


def served_by(action: KubernetesAction) -> Group:
    """Who serves the group of a request."""
    return Group.BUILT_IN if action.group in BUILT_IN_GROUPS - _AGGREGATED else Group.UNKNOWN
