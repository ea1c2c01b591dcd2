"""The cells of an object's row in a Table, by kind (pkg/printers/internalversion/printers.go)."""

from datetime import datetime
from typing import Any

from gatehold.demo.kubernetes.ages import UNKNOWN, age, since
from gatehold.demo.kubernetes.objects import KubernetesObject, lookup, name_of
from gatehold.demo.kubernetes.selectors import format_selector

NONE = "<none>"


def default(item: KubernetesObject, moment: datetime) -> list[Any]:
    return [name_of(item), age(item, moment)]


def pod(item: KubernetesObject, moment: datetime) -> list[Any]:
    states = lookup(item, "status.containerStatuses") or []
    ready = sum(1 for state in states if state.get("ready"))
    return [
        name_of(item),
        f"{ready}/{len(lookup(item, 'spec.containers') or [])}",
        _pod_phase(item, states),
        str(sum(state.get("restartCount", 0) for state in states)),
        age(item, moment),
        lookup(item, "status.podIP") or NONE,
        lookup(item, "spec.nodeName") or NONE,
        lookup(item, "status.nominatedNodeName") or NONE,
        NONE,
    ]


def _pod_phase(item: KubernetesObject, states: list[dict[str, Any]]) -> str:
    if lookup(item, "metadata.deletionTimestamp"):
        return "Terminating"
    for state in states:
        for stage in ("waiting", "terminated"):
            reason = lookup(state, f"state.{stage}.reason")
            if reason:
                return str(reason)
    return str(lookup(item, "status.reason") or lookup(item, "status.phase") or "Pending")


def deployment(item: KubernetesObject, moment: datetime) -> list[Any]:
    status = item.get("status") or {}
    head = [name_of(item), f"{status.get('readyReplicas', 0)}/{lookup(item, 'spec.replicas') or 0}"]
    counts = [status.get("updatedReplicas", 0), status.get("availableReplicas", 0)]
    return [*head, *counts, age(item, moment), *_template(item), format_selector(lookup(item, "spec.selector"))]


def replica_set(item: KubernetesObject, moment: datetime) -> list[Any]:
    status = item.get("status") or {}
    counts = [lookup(item, "spec.replicas") or 0, status.get("replicas", 0), status.get("readyReplicas", 0)]
    selector = format_selector(lookup(item, "spec.selector"))
    return [name_of(item), *counts, age(item, moment), *_template(item), selector]


def stateful_set(item: KubernetesObject, moment: datetime) -> list[Any]:
    ready = f"{lookup(item, 'status.readyReplicas') or 0}/{lookup(item, 'spec.replicas') or 0}"
    return [name_of(item), ready, age(item, moment), *_template(item)]


def _template(item: KubernetesObject) -> list[str]:
    containers = lookup(item, "spec.template.spec.containers") or []
    return [",".join(container.get(part, "") for container in containers) for part in ("name", "image")]


def service(item: KubernetesObject, moment: datetime) -> list[Any]:
    spec = item.get("spec") or {}
    external = ",".join(spec.get("externalIPs") or []) or spec.get("externalName") or NONE
    ports = ",".join(
        f"{port['port']}{':' + str(port['nodePort']) if port.get('nodePort') else ''}/{port.get('protocol', 'TCP')}"
        for port in spec.get("ports") or []
    )
    selector = ",".join(f"{key}={value}" for key, value in sorted((spec.get("selector") or {}).items()))
    head = [name_of(item), spec.get("type", "ClusterIP"), spec.get("clusterIP") or NONE]
    return [*head, external, ports or NONE, age(item, moment), selector or NONE]


def namespace(item: KubernetesObject, moment: datetime) -> list[Any]:
    return [name_of(item), lookup(item, "status.phase") or "", age(item, moment)]


def config_map(item: KubernetesObject, moment: datetime) -> list[Any]:
    return [name_of(item), len(item.get("data") or {}) + len(item.get("binaryData") or {}), age(item, moment)]


def secret(item: KubernetesObject, moment: datetime) -> list[Any]:
    return [name_of(item), item.get("type", "Opaque"), len(item.get("data") or {}), age(item, moment)]


def service_account(item: KubernetesObject, moment: datetime) -> list[Any]:
    return [name_of(item), len(item.get("secrets") or []), age(item, moment)]


def event(item: KubernetesObject, moment: datetime) -> list[Any]:
    last = item.get("lastTimestamp") or item.get("firstTimestamp") or lookup(item, "metadata.creationTimestamp")
    first = item.get("firstTimestamp") or last
    about = item.get("involvedObject") or {}
    about_name = f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}"
    head = [since(last, moment), item.get("type", ""), item.get("reason", ""), about_name, about.get("fieldPath", "")]
    tail = [lookup(item, "source.component") or "", str(item.get("message", "")).strip()]
    return [*head, *tail, since(first, moment), item.get("count", 1), name_of(item)]


def node(item: KubernetesObject, moment: datetime) -> list[Any]:
    conditions = {row["type"]: row["status"] for row in lookup(item, "status.conditions") or []}
    status = "Ready" if conditions.get("Ready") == "True" else "NotReady"
    if lookup(item, "spec.unschedulable"):
        status += ",SchedulingDisabled"
    info = lookup(item, "status.nodeInfo") or {}
    addresses = {row["type"]: row["address"] for row in lookup(item, "status.addresses") or []}
    head = [name_of(item), status, NONE, age(item, moment), info.get("kubeletVersion", "")]
    ips = [addresses.get("InternalIP", NONE), addresses.get("ExternalIP", NONE)]
    return [*head, *ips, *(info.get(part, UNKNOWN) for part in ("osImage", "kernelVersion", "containerRuntimeVersion"))]


def job(item: KubernetesObject, moment: datetime) -> list[Any]:
    done, wanted = lookup(item, "status.succeeded") or 0, lookup(item, "spec.completions") or 1
    state = "Complete" if done >= wanted else "Running"
    return [name_of(item), state, f"{done}/{wanted}", "", age(item, moment), *_template(item)]


def autoscaler(item: KubernetesObject, moment: datetime) -> list[Any]:
    target = lookup(item, "spec.scaleTargetRef") or {}
    limits = [lookup(item, "spec.minReplicas") or 1, lookup(item, "spec.maxReplicas") or 0]
    head = [name_of(item), f"{target.get('kind', '')}/{target.get('name', '')}", UNKNOWN]
    return [*head, *limits, lookup(item, "status.currentReplicas") or 0, age(item, moment)]
