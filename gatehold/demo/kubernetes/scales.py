"""The scale subresource: a view of an object's replicas as `autoscaling/v1` Scale."""

from copy import deepcopy
from typing import Any

from gatehold.demo.kubernetes import statuses
from gatehold.demo.kubernetes.objects import KubernetesObject, lookup, name_of
from gatehold.demo.kubernetes.selectors import format_selector
from gatehold.demo.kubernetes.statuses import Cause

SHOWN_METADATA = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
API_VERSION = "autoscaling/v1"
TYPE = "autoscaling.v1.Scale"


def scale_of(item: KubernetesObject) -> dict[str, Any]:
    """The Scale of a workload."""
    metadata = {name: item["metadata"][name] for name in SHOWN_METADATA if name in item["metadata"]}
    replicas = lookup(item, "spec.replicas") or 0
    status = {
        "replicas": lookup(item, "status.replicas") or 0,
        "selector": _selector(item),
    }
    spec = {"replicas": replicas} if replicas else {}
    return {"kind": "Scale", "apiVersion": API_VERSION, "metadata": metadata, "spec": spec, "status": status}


def _selector(item: KubernetesObject) -> str:
    found = lookup(item, "spec.selector")
    return format_selector({"matchLabels": found} if item["kind"] == "ReplicationController" else found)


def scaled(item: KubernetesObject, scale: dict[str, Any]) -> KubernetesObject:
    """A copy of the workload with the replicas and the resourceVersion that a Scale asks for."""
    replicas = lookup(scale, "spec.replicas") or 0
    if replicas < 0:
        why = f"Invalid value: {replicas}: must be greater than or equal to 0"
        raise statuses.invalid("Scale", "autoscaling", name_of(item), [Cause(field="spec.replicas", message=why)])
    result = deepcopy(item)
    result.setdefault("spec", {})["replicas"] = replicas
    version = lookup(scale, "metadata.resourceVersion")
    if version:
        result["metadata"]["resourceVersion"] = version
    return result
