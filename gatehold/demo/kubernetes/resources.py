"""What the server serves: one row for each resource; discovery, routing and storage are made from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
STATUS_VERBS = ("get", "patch", "update")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subresource:
    """A path below an object."""

    name: str
    kind: str
    verbs: tuple[str, ...]
    group: str = ""
    version: str = ""
    """Group and version of the kind where they are not the resource's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One kind of object under one group and version."""

    group: str
    version: str
    plural: str
    kind: str
    type: str
    """Name of the type in `schemas`."""
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: Mapping[str, Subresource] = field(default_factory=dict)
    generation: bool = False
    """Whether writes to the spec count up metadata.generation."""
    custom: bool = False
    """Whether a CustomResourceDefinition makes it: no protobuf, no strategic merge."""
    aggregated: bool = False
    """Whether another server answers for it, one that does not know dry runs: what is tried is done."""

    @property
    def api_version(self) -> str:
        """`v1`, `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def singular(self) -> str:
        return self.kind.lower()

    @property
    def qualified(self) -> str:
        """`pods`, `deployments.apps`: how errors name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def key(self) -> tuple[str, str]:
        """Where its objects are stored: group and plural."""
        return self.group, self.plural


def _subresources(*rows: Subresource) -> dict[str, Subresource]:
    return {row.name: row for row in rows}


def _status(kind: str) -> Subresource:
    return Subresource(name="status", kind=kind, verbs=STATUS_VERBS)


def _proxy(kind: str) -> Subresource:
    return Subresource(name="proxy", kind=kind, verbs=("create", "delete", "get", "patch", "update"))


SCALE = Subresource(name="scale", kind="Scale", verbs=STATUS_VERBS, group="autoscaling", version="v1")

CONFIGMAPS = Resource(
    group="", version="v1", plural="configmaps", kind="ConfigMap", type="core.v1.ConfigMap", short_names=("cm",)
)
EVENTS = Resource(group="", version="v1", plural="events", kind="Event", type="core.v1.Event", short_names=("ev",))
NAMESPACES = Resource(
    group="",
    version="v1",
    plural="namespaces",
    kind="Namespace",
    type="core.v1.Namespace",
    namespaced=False,
    short_names=("ns",),
    verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    subresources=_subresources(_status("Namespace")),
)
NODES = Resource(
    group="",
    version="v1",
    plural="nodes",
    kind="Node",
    type="core.v1.Node",
    namespaced=False,
    short_names=("no",),
    subresources=_subresources(_proxy("NodeProxyOptions"), _status("Node")),
)
PODS = Resource(
    group="",
    version="v1",
    plural="pods",
    kind="Pod",
    type="core.v1.Pod",
    short_names=("po",),
    categories=("all",),
    generation=True,
    subresources=_subresources(
        Subresource(name="attach", kind="PodAttachOptions", verbs=("create", "get")),
        Subresource(name="ephemeralcontainers", kind="Pod", verbs=STATUS_VERBS),
        Subresource(name="eviction", kind="Eviction", verbs=("create",), group="policy", version="v1"),
        Subresource(name="exec", kind="PodExecOptions", verbs=("create", "get")),
        Subresource(name="log", kind="Pod", verbs=("get",)),
        Subresource(name="portforward", kind="PodPortForwardOptions", verbs=("create", "get")),
        _proxy("PodProxyOptions"),
        _status("Pod"),
    ),
)
REPLICATION_CONTROLLERS = Resource(
    group="",
    version="v1",
    plural="replicationcontrollers",
    kind="ReplicationController",
    type="core.v1.ReplicationController",
    short_names=("rc",),
    categories=("all",),
    generation=True,
    subresources=_subresources(SCALE, _status("ReplicationController")),
)
SECRETS = Resource(group="", version="v1", plural="secrets", kind="Secret", type="core.v1.Secret")
SERVICE_ACCOUNTS = Resource(
    group="",
    version="v1",
    plural="serviceaccounts",
    kind="ServiceAccount",
    type="core.v1.ServiceAccount",
    short_names=("sa",),
    subresources=_subresources(
        Subresource(name="token", kind="TokenRequest", verbs=("create",), group="authentication.k8s.io", version="v1")
    ),
)
SERVICES = Resource(
    group="",
    version="v1",
    plural="services",
    kind="Service",
    type="core.v1.Service",
    short_names=("svc",),
    categories=("all",),
    subresources=_subresources(_proxy("ServiceProxyOptions"), _status("Service")),
)
DEPLOYMENTS = Resource(
    group="apps",
    version="v1",
    plural="deployments",
    kind="Deployment",
    type="apps.v1.Deployment",
    short_names=("deploy",),
    categories=("all",),
    generation=True,
    subresources=_subresources(SCALE, _status("Deployment")),
)
REPLICA_SETS = Resource(
    group="apps",
    version="v1",
    plural="replicasets",
    kind="ReplicaSet",
    type="apps.v1.ReplicaSet",
    short_names=("rs",),
    categories=("all",),
    generation=True,
    subresources=_subresources(SCALE, _status("ReplicaSet")),
)
STATEFUL_SETS = Resource(
    group="apps",
    version="v1",
    plural="statefulsets",
    kind="StatefulSet",
    type="apps.v1.StatefulSet",
    short_names=("sts",),
    categories=("all",),
    generation=True,
    subresources=_subresources(SCALE, _status("StatefulSet")),
)
JOBS = Resource(
    group="batch",
    version="v1",
    plural="jobs",
    kind="Job",
    type="batch.v1.Job",
    categories=("all",),
    generation=True,
    subresources=_subresources(_status("Job")),
)
AUTOSCALERS = Resource(
    group="autoscaling",
    version="v2",
    plural="horizontalpodautoscalers",
    kind="HorizontalPodAutoscaler",
    type="autoscaling.v2.HorizontalPodAutoscaler",
    short_names=("hpa",),
    categories=("all",),
    subresources=_subresources(_status("HorizontalPodAutoscaler")),
)
API_SERVICES = Resource(
    group="apiregistration.k8s.io",
    version="v1",
    plural="apiservices",
    kind="APIService",
    type="apiregistration.v1.APIService",
    namespaced=False,
    subresources=_subresources(_status("APIService")),
)
DEFINITIONS = Resource(
    group="apiextensions.k8s.io",
    version="v1",
    plural="customresourcedefinitions",
    kind="CustomResourceDefinition",
    type="apiextensions.v1.CustomResourceDefinition",
    namespaced=False,
    short_names=("crd", "crds"),
    categories=("api-extensions",),
    generation=True,
    subresources=_subresources(_status("CustomResourceDefinition")),
)
FRONTENDS = Resource(
    group="shop.example",
    version="v1",
    plural="frontends",
    kind="Frontend",
    type="shop.v1.Frontend",
    generation=True,
    custom=True,
    subresources=_subresources(SCALE, _status("Frontend")),
)
METERS = Resource(
    group="metrics.example",
    version="v1beta1",
    plural="meters",
    kind="Meter",
    type="metrics.v1beta1.Meter",
    aggregated=True,
    subresources=_subresources(SCALE, _status("Meter")),
)


def _review(group: str, kind: str, type_name: str) -> Resource:
    return Resource(
        group=group,
        version="v1",
        plural=f"{kind.lower()}s",
        kind=kind,
        type=type_name,
        namespaced=False,
        verbs=("create",),
    )


ACCESS_REVIEWS = _review("authorization.k8s.io", "SelfSubjectAccessReview", "authorization.v1.SelfSubjectAccessReview")
RULES_REVIEWS = _review("authorization.k8s.io", "SelfSubjectRulesReview", "authorization.v1.SelfSubjectRulesReview")
SUBJECT_REVIEWS = _review("authentication.k8s.io", "SelfSubjectReview", "authentication.v1.SelfSubjectReview")

RESOURCES = (
    CONFIGMAPS,
    EVENTS,
    NAMESPACES,
    NODES,
    PODS,
    REPLICATION_CONTROLLERS,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICES,
    DEPLOYMENTS,
    REPLICA_SETS,
    STATEFUL_SETS,
    SUBJECT_REVIEWS,
    ACCESS_REVIEWS,
    RULES_REVIEWS,
    AUTOSCALERS,
    JOBS,
    API_SERVICES,
    DEFINITIONS,
    FRONTENDS,
    METERS,
)


@cache
def group_versions() -> Mapping[tuple[str, str], tuple[Resource, ...]]:
    """The resources under each group and version, in the order of `RESOURCES`."""
    found: dict[tuple[str, str], tuple[Resource, ...]] = {}
    for resource in RESOURCES:
        at = (resource.group, resource.version)
        found[at] = (*found.get(at, ()), resource)
    return found


@cache
def find(group: str, version: str, plural: str) -> Resource | None:
    """The resource of that name."""
    return next((row for row in group_versions().get((group, version), ()) if row.plural == plural), None)


@cache
def by_kind(api_version: str, kind: str) -> Resource | None:
    """The resource whose objects have that apiVersion and kind."""
    return next((row for row in RESOURCES if (row.api_version, row.kind) == (api_version, kind)), None)
