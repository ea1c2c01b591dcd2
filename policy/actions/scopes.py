"""What the API groups that come with Kubernetes 1.36 hold: which groups, and which resources live in no namespace.

A resource that is not listed is taken for a namespaced one, so a cluster-wide call to it counts as a call to every
namespace.
"""

BUILT_IN_GROUPS = frozenset(
    {
        *("", "apps", "autoscaling", "batch", "extensions", "policy"),
        *("admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "authentication.k8s.io"),
        *("authorization.k8s.io", "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io"),
        *("flowcontrol.apiserver.k8s.io", "internal.apiserver.k8s.io", "metrics.k8s.io", "networking.k8s.io"),
        *("node.k8s.io", "rbac.authorization.k8s.io", "resource.k8s.io", "scheduling.k8s.io", "storage.k8s.io"),
        "storagemigration.k8s.io",
    }
)

_CLUSTER_SCOPED: dict[str, tuple[str, ...]] = {
    "": ("nodes", "persistentvolumes", "componentstatuses"),
    "admissionregistration.k8s.io": (
        *("mutatingwebhookconfigurations", "validatingwebhookconfigurations"),
        *("validatingadmissionpolicies", "validatingadmissionpolicybindings"),
        *("mutatingadmissionpolicies", "mutatingadmissionpolicybindings"),
    ),
    "apiextensions.k8s.io": ("customresourcedefinitions",),
    "apiregistration.k8s.io": ("apiservices",),
    "authentication.k8s.io": ("tokenreviews", "selfsubjectreviews"),
    "authorization.k8s.io": ("selfsubjectaccessreviews", "selfsubjectrulesreviews", "subjectaccessreviews"),
    "certificates.k8s.io": ("certificatesigningrequests", "clustertrustbundles"),
    "flowcontrol.apiserver.k8s.io": ("flowschemas", "prioritylevelconfigurations"),
    "internal.apiserver.k8s.io": ("storageversions",),
    "metrics.k8s.io": ("nodes",),
    "networking.k8s.io": ("ingressclasses", "ipaddresses", "servicecidrs"),
    "node.k8s.io": ("runtimeclasses",),
    "rbac.authorization.k8s.io": ("clusterroles", "clusterrolebindings"),
    "resource.k8s.io": ("deviceclasses", "resourceslices", "devicetaintrules"),
    "scheduling.k8s.io": ("priorityclasses",),
    "storage.k8s.io": (*("csidrivers", "csinodes", "storageclasses", "volumeattachments", "volumeattributesclasses"),),
    "storagemigration.k8s.io": ("storageversionmigrations",),
}

CLUSTER_SCOPED = frozenset((group, resource) for group, names in _CLUSTER_SCOPED.items() for resource in names)
"""(group, resource) of what lives in no namespace; not ``namespaces``, as a namespace counts as being in itself."""

DEFAULT_REPLICAS = {
    ("apps", "deployments"): 1,
    ("apps", "replicasets"): 1,
    ("apps", "statefulsets"): 1,
    ("", "replicationcontrollers"): 1,
}
"""What the server fills in for an absent ``spec.replicas`` of (group, resource)."""
