"""The status of workloads: a started pod, a counted replica set, a rolled-out deployment."""

import hashlib
from copy import deepcopy
from typing import Any

from gatehold.demo.kubernetes.objects import KubernetesObject, lookup, name_of, uid_of

NODE = "demo-node-1"
REVISION = "deployment.kubernetes.io/revision"
CONDITION = ("type", "status", "reason", "message")


def running(pod: KubernetesObject, moment: str) -> KubernetesObject:
    """The pod with its containers up."""
    started = deepcopy(pod)
    digest = hashlib.sha256(uid_of(pod).encode()).digest()
    address = f"10.244.{digest[0] % 4}.{digest[1] or 1}"
    started["spec"]["nodeName"] = NODE
    started["status"] = {
        "phase": "Running",
        "conditions": [
            {"type": name, "status": "True", "lastTransitionTime": moment}
            for name in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
        ],
        "hostIP": "10.244.0.1",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": moment,
        "containerStatuses": [_container_status(pod, row, moment) for row in started["spec"]["containers"]],
        "qosClass": lookup(pod, "status.qosClass") or "BestEffort",
    }
    return started


def counted(item: KubernetesObject, replicas: int, ready: int) -> KubernetesObject:
    """A replica set with the status that its pods give it."""
    done = deepcopy(item)
    done["status"] = {
        "replicas": replicas,
        "fullyLabeledReplicas": replicas,
        "readyReplicas": ready,
        "availableReplicas": ready,
        "observedGeneration": item["metadata"].get("generation", 1),
    }
    return done


def rolled_out(item: KubernetesObject, current: KubernetesObject, moment: str) -> KubernetesObject:
    """The deployment with the status its current replica set gives it."""
    done = deepcopy(item)
    status = current.get("status") or {}
    revision = lookup(current, "metadata.annotations").get(REVISION, "1")
    done["metadata"].setdefault("annotations", {})[REVISION] = revision
    replicas, ready = status.get("replicas", 0), status.get("readyReplicas", 0)
    complete = ready >= (lookup(item, "spec.replicas") or 0) == replicas
    done["status"] = {
        "observedGeneration": item["metadata"].get("generation", 1),
        "replicas": replicas,
        "updatedReplicas": replicas,
        "readyReplicas": ready,
        "availableReplicas": ready,
        "unavailableReplicas": max(0, replicas - ready),
        "conditions": _conditions(item, name_of(current), moment, complete=complete),
    }
    return done


def _conditions(item: KubernetesObject, current: str, moment: str, *, complete: bool) -> list[dict[str, Any]]:
    available = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    if not complete:
        available = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    progress = ("True", "NewReplicaSetAvailable", f'ReplicaSet "{current}" has successfully progressed.')
    if not complete:
        progress = ("True", "ReplicaSetUpdated", f'ReplicaSet "{current}" is progressing.')
    before = {row["type"]: row for row in lookup(item, "status.conditions") or []}
    return [
        _condition(before.get(name), dict(zip(CONDITION, (name, *state), strict=True)), moment)
        for name, state in (("Available", available), ("Progressing", progress))
    ]


def _condition(before: dict[str, Any] | None, wanted: dict[str, str], moment: str) -> dict[str, Any]:
    """A condition; the one there was if it says the same."""
    if before and wanted.items() <= before.items():
        return before
    changed = before["lastTransitionTime"] if before and before["status"] == wanted["status"] else moment
    return wanted | {"lastUpdateTime": moment, "lastTransitionTime": changed}


def _container_status(pod: KubernetesObject, container: dict[str, Any], moment: str) -> dict[str, Any]:
    image = container.get("image", "")
    return {
        "name": container["name"],
        "state": {"running": {"startedAt": moment}},
        "lastState": {},
        "ready": True,
        "restartCount": 0,
        "image": image,
        "imageID": f"demo://{image}",
        "containerID": f"demo://{name_of(pod)}/{container['name']}",
        "started": True,
    }
