"""What the server fills in where a client said nothing (pkg/apis/*/v1/defaults.go and the registry strategies)."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from gatehold.demo.kubernetes.objects import KubernetesObject, meta, name_of, namespace_of, uid_of

CLUSTER_NETWORK = "10.96"
EVERY_TAINT = ("not-ready", "unreachable")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def apply_defaults(item: KubernetesObject) -> None:
    """Fill in an object of any kind, in place."""
    fill = FILLS.get(item["kind"])
    if fill:
        fill(item)


def _namespace(item: KubernetesObject) -> None:
    meta(item).setdefault("labels", {})["kubernetes.io/metadata.name"] = name_of(item)
    item.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
    item.setdefault("status", {}).setdefault("phase", "Active")


def _secret(item: KubernetesObject) -> None:
    item.setdefault("type", "Opaque")
    written = item.pop("stringData", None) or {}
    if written:
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in written.items()}
        item["data"] = item.get("data", {}) | encoded


def _service(item: KubernetesObject) -> None:
    spec = item.setdefault("spec", {})
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    for port in spec.get("ports") or []:
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))
        if spec["type"] in ("NodePort", "LoadBalancer"):
            port.setdefault("nodePort", 30000 + _digest(item, str(port.get("port"))) % 2768)
    item.setdefault("status", {}).setdefault("loadBalancer", {})
    if spec["type"] == "ExternalName":
        return
    digest = _digest(item, "address")
    address = spec.setdefault("clusterIP", f"{CLUSTER_NETWORK}.{digest % 256}.{digest // 256 % 254 + 1}")
    spec.setdefault("clusterIPs", [address])
    spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    spec.setdefault("internalTrafficPolicy", "Cluster")


def _pod(item: KubernetesObject) -> None:
    spec = item.setdefault("spec", {})
    _pod_spec(spec)
    spec.setdefault("serviceAccountName", spec.setdefault("serviceAccount", "default"))
    spec.setdefault("enableServiceLinks", True)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    spec.setdefault("priority", 0)
    spec.setdefault("tolerations", [_toleration(taint) for taint in EVERY_TAINT])
    status = item.setdefault("status", {})
    status.setdefault("phase", "Pending")
    status.setdefault("qosClass", "BestEffort")


def _deployment(item: KubernetesObject) -> None:
    spec = item.setdefault("spec", {})
    _template(spec)
    spec.setdefault("replicas", 1)
    strategy = spec.setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    item.setdefault("status", {})


def _replica_set(item: KubernetesObject) -> None:
    spec = item.setdefault("spec", {})
    _template(spec)
    spec.setdefault("replicas", 1)
    item.setdefault("status", {}).setdefault("replicas", 0)


def _replication_controller(item: KubernetesObject) -> None:
    _replica_set(item)
    labels = item["spec"]["template"].get("metadata", {}).get("labels")
    if labels:
        item["spec"].setdefault("selector", dict(labels))


def _stateful_set(item: KubernetesObject) -> None:
    _replica_set(item)
    spec = item["spec"]
    spec.setdefault("podManagementPolicy", "OrderedReady")
    spec.setdefault("updateStrategy", {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}})
    spec.setdefault("revisionHistoryLimit", 10)


def _job(item: KubernetesObject) -> None:
    spec = item.setdefault("spec", {})
    _template(spec)
    for name, value in {"completions": 1, "parallelism": 1, "backoffLimit": 6, "suspend": False}.items():
        spec.setdefault(name, value)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("podReplacementPolicy", "TerminatingOrFailed")
    labels = {"batch.kubernetes.io/controller-uid": uid_of(item), "batch.kubernetes.io/job-name": name_of(item)}
    spec.setdefault("selector", {"matchLabels": {"batch.kubernetes.io/controller-uid": uid_of(item)}})
    template_labels = spec["template"].setdefault("metadata", {}).setdefault("labels", {})
    template_labels |= {key: value for key, value in labels.items() if key not in template_labels}
    item.setdefault("status", {})


def _autoscaler(item: KubernetesObject) -> None:
    spec = item.setdefault("spec", {})
    spec.setdefault("minReplicas", 1)
    target = {"type": "Utilization", "averageUtilization": 80}
    spec.setdefault("metrics", [{"type": "Resource", "resource": {"name": "cpu", "target": target}}])
    item.setdefault("status", {}).setdefault("desiredReplicas", 0)


def _template(spec: dict[str, Any]) -> None:
    template = spec.setdefault("template", {})
    _pod_spec(template.setdefault("spec", {}))


def _pod_spec(spec: dict[str, Any]) -> None:
    for containers in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(containers) or []:
            _container(container)
    for volume in spec.get("volumes") or []:
        for source in ("secret", "configMap", "projected", "downwardAPI"):
            if isinstance(volume.get(source), dict):
                volume[source].setdefault("defaultMode", 420)
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    if spec.get("serviceAccountName"):
        spec["serviceAccount"] = spec["serviceAccountName"]
    elif spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"]


def _container(container: dict[str, Any]) -> None:
    container.setdefault("resources", {})
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    tag = str(container.get("image", "")).rpartition("/")[2].partition(":")[2]
    container.setdefault("imagePullPolicy", "Always" if tag in ("", "latest") else "IfNotPresent")
    for port in container.get("ports") or []:
        port.setdefault("protocol", "TCP")
    for variable in container.get("env") or []:
        reference = (variable.get("valueFrom") or {}).get("fieldRef")
        if reference:
            reference.setdefault("apiVersion", "v1")
    for probe in filter(None, map(container.get, PROBES)):
        for name, value in {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1}.items():
            probe.setdefault(name, value)
        probe.setdefault("failureThreshold", 3)


def _toleration(taint: str) -> dict[str, Any]:
    key = f"node.kubernetes.io/{taint}"
    return {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}


def _digest(item: KubernetesObject, salt: str) -> int:
    text = f"{namespace_of(item)}/{name_of(item)}/{salt}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])


FILLS: dict[str, Callable[[KubernetesObject], None]] = {
    "Deployment": _deployment,
    "HorizontalPodAutoscaler": _autoscaler,
    "Job": _job,
    "Namespace": _namespace,
    "Pod": _pod,
    "ReplicaSet": _replica_set,
    "ReplicationController": _replication_controller,
    "Secret": _secret,
    "Service": _service,
    "StatefulSet": _stateful_set,
}
