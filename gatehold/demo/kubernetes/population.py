"""Pods in numbers, each as big as real ones are (about 5.5 KB with its managed fields), and changes of labels."""

from copy import deepcopy
from typing import Any

from gatehold.demo.kubernetes.apply import Manager, track
from gatehold.demo.kubernetes.defaults import apply_defaults
from gatehold.demo.kubernetes.objects import KubernetesObject, meta, timestamp
from gatehold.demo.kubernetes.resources import NAMESPACES, PODS, Resource
from gatehold.demo.kubernetes.states import running
from gatehold.demo.kubernetes.storage import Store
from gatehold.demo.kubernetes.structs import conform

TEAMS = ("checkout", "search", "billing")
APPS = 10


def populate(store: Store, count: int, *, namespace: str = "load") -> list[KubernetesObject]:
    """Add that many running pods `NAMESPACE-0000`... to a namespace, which is made where it is missing.

    Labels: `app` is one of ten, `team` one of `TEAMS`, `number` the pod's own.
    """
    with store.locked():
        if store.find(NAMESPACES, "", namespace) is None:
            space = {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": namespace}}
            apply_defaults(space)
            store.create(NAMESPACES, conform(space, NAMESPACES.type)[0])
        return [_pod(store, namespace, number) for number in range(count)]


def relabel(
    store: Store, resource: Resource, namespace: str, name: str, labels: dict[str, str | None]
) -> KubernetesObject:
    """Set labels of an object, take those away that are None; raises ApiError (404)."""
    with store.locked():
        changed = deepcopy(store.get(resource, namespace, name))
        kept = (meta(changed).get("labels") or {}) | labels
        meta(changed)["labels"] = {key: value for key, value in kept.items() if value is not None}
        return store.replace(resource, conform(changed, resource.type)[0])


def _pod(store: Store, namespace: str, number: int) -> KubernetesObject:
    moment = store.clock()
    item = store.prepared(PODS, _manifest(namespace, number))
    apply_defaults(item)
    track(None, item, PODS.type, Manager(name="kube-controller-manager", moment=moment))
    started = running(item, timestamp(moment))
    track(item, started, PODS.type, Manager(name="kubelet", moment=moment, subresource="status"))
    return store.create(PODS, conform(started, PODS.type)[0])


def _manifest(namespace: str, number: int) -> KubernetesObject:
    app = f"app-{number % APPS}"
    labels = {"app": app, "team": TEAMS[number % len(TEAMS)], "number": str(number), "pod-template-hash": "5d8f7c9b6"}
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{app}-5d8f7c9b6", "controller": True}
    owner |= {"uid": f"00000000-0000-4000-8000-{number % APPS:012d}", "blockOwnerDeletion": True}
    metadata = {"name": f"{namespace}-{number:04d}", "generateName": f"{app}-5d8f7c9b6-", "namespace": namespace}
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": metadata | {"labels": labels, "ownerReferences": [owner]},
        "spec": {"containers": [_container(app)], "volumes": [_token_volume()], "nodeName": "demo-node-1"},
    }


def _container(app: str) -> dict[str, Any]:
    probe = {"httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"}, "initialDelaySeconds": 5}
    return {
        "name": "main",
        "image": f"registry.example/shop/{app}:1.4.2",
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [
            {"name": "SUPPORT_EMAIL", "value": "support@example.com"},
            {"name": "LOG_LEVEL", "value": "info"},
            {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db-credentials", "key": "password"}}},
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        ],
        "resources": {"limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
        "livenessProbe": probe,
        "volumeMounts": [
            {"name": "kube-api-access", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": True}
        ],
        "securityContext": {"allowPrivilegeEscalation": False, "runAsNonRoot": True},
    }


def _token_volume() -> dict[str, Any]:
    token = {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}
    authority = {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}
    return {"name": "kube-api-access", "projected": {"sources": [token, authority]}}
