"""Which verbs one Kubernetes call counts as.

For a wall or turnstile one of them is enough. A door has to name them all: an apply that may create needs ``create``
beside ``patch``, as the server itself asks for both when it creates (k8s.io/apiserver, endpoints/handlers/patch.go).
A PUT creates what is missing only for some kinds (``AllowCreateOnUpdate`` in k8s.io/kubernetes, pkg/registry). For
those that it is known not to create, ``update`` alone is enough for a door; walls take every PUT for a create as well.
"""

from policy.actions.kubernetes import KubernetesAction

_NOT_CREATED_BY_PUT = frozenset(
    {
        *(("", name) for name in ("pods", "secrets", "configmaps", "serviceaccounts", "persistentvolumeclaims")),
        *(("", name) for name in ("namespaces", "nodes", "persistentvolumes", "replicationcontrollers")),
        *(("apps", name) for name in ("deployments", "replicasets", "statefulsets", "daemonsets")),
        *(("batch", name) for name in ("jobs", "cronjobs")),
        *(("networking.k8s.io", name) for name in ("ingresses", "networkpolicies")),
        ("autoscaling", "horizontalpodautoscalers"),
    }
)


def counted_verbs(action: KubernetesAction) -> tuple[str, ...]:
    """Every verb that the call may turn out to be."""
    return (action.verb, *action.also_verbs)


def required_verbs(action: KubernetesAction) -> tuple[tuple[str, ...], ...]:
    """What a door has to name: one of each group."""
    if action.verb == "head":
        return (counted_verbs(action),)
    if action.verb == "update" and (action.group, action.resource) in _NOT_CREATED_BY_PUT:
        return ((action.verb,),)
    return tuple((verb,) for verb in counted_verbs(action))
