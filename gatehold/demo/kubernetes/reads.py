"""get: one object in the form the client asked for; and which objects a request is about."""

from gatehold.demo.kubernetes.answers import Answer
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.negotiation import negotiate
from gatehold.demo.kubernetes.objects import KubernetesObject, name_of, namespace_of
from gatehold.demo.kubernetes.rendering import View, render_item
from gatehold.demo.kubernetes.requests import Call
from gatehold.demo.kubernetes.scales import scale_of
from gatehold.demo.kubernetes.selectors import Predicate, field_predicate, label_predicate


def view_of(cluster: Cluster, call: Call) -> View:
    """How the caller wants to see what it asked for; raises ApiError (406)."""
    include = call.query.first("includeObject")
    return View(accepted=negotiate(call.accept), moment=cluster.store.clock(), include=include)


def get(cluster: Cluster, call: Call) -> Answer:
    """One object, or its scale; other subresources show the object itself."""
    view, target = view_of(cluster, call), call.target
    item = cluster.store.get(target.resource, target.namespace, target.name)
    return Answer(body=scale_of(item) if target.subresource == "scale" else render_item(item, view))


def selected(call: Call) -> Predicate:
    """Whether an object is one that a list, a watch or a deletecollection is about; raises ApiError (400)."""
    by_label = label_predicate(call.query.first("labelSelector"))
    by_field = field_predicate(call.query.first("fieldSelector"), call.target.resource)
    namespace, name = call.target.namespace, call.target.name

    def wanted(item: KubernetesObject) -> bool:
        here = namespace in ("", namespace_of(item)) and name in ("", name_of(item))
        return here and by_label(item) and by_field(item)

    return wanted
