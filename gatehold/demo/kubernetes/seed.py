"""The objects a fresh demo cluster holds. Names, uids and addresses are the same on every start.

Planted on purpose: secrets with values that must never be seen, configuration and environments with personal data,
and the annotation in which `kubectl apply` leaves a secret's plain text.
"""

import json
from datetime import timedelta
from typing import Any

from gatehold.demo.kubernetes.apply import Manager, track
from gatehold.demo.kubernetes.defaults import apply_defaults
from gatehold.demo.kubernetes.objects import Clock, KubernetesObject, now, timestamp
from gatehold.demo.kubernetes.resources import (
    API_SERVICES,
    CONFIGMAPS,
    DEFINITIONS,
    DEPLOYMENTS,
    FRONTENDS,
    METERS,
    NAMESPACES,
    NODES,
    PODS,
    REPLICA_SETS,
    RESOURCES,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICES,
    Resource,
)
from gatehold.demo.kubernetes.states import NODE
from gatehold.demo.kubernetes.storage import Store
from gatehold.demo.kubernetes.structs import conform
from gatehold.demo.kubernetes.workloads import reconcile_deployment, reconcile_pod, reconcile_replica_set

CHANCE = 20_240_229
AGE = timedelta(days=12, hours=3)
SPACES = ("default", "dev-1", "kube-system", "prod")
PASSWORDS = {"prod": "S3cr3t-prod-pw!", "dev-1": "S3cr3t-dev-pw!"}
"""The planted password in secret db-credentials, by namespace."""
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def seeded_store(clock: Clock = now) -> Store:
    """A store with the demo's objects, all some days old."""
    store = Store(clock=lambda: clock() - AGE, seed=CHANCE)
    _add(store, NODES, _node(timestamp(store.clock())))
    for name in SPACES:
        _add(store, NAMESPACES, {"metadata": {"name": name}})
        _add(store, SERVICE_ACCOUNTS, {"metadata": {"name": "default", "namespace": name}})
    _workload(store, "prod", "web", replicas=3, image="registry.example/web:1.4.2")
    _workload(store, "dev-1", "api", replicas=2, image="registry.example/api:2.0.1")
    for namespace, password in PASSWORDS.items():
        _add(store, SECRETS, _credentials(namespace, password))
        _add(store, CONFIGMAPS, _settings(namespace))
    _custom(store)
    for group, version in sorted({(row.group, row.version) for row in RESOURCES}):
        _add(store, API_SERVICES, _api_service(group, version))
    store.clock = clock
    return store


def _add(store: Store, resource: Resource, item: KubernetesObject) -> KubernetesObject:
    """Store an object as if it had been applied by kubectl."""
    whole = {"kind": resource.kind, "apiVersion": resource.api_version} | item
    apply_defaults(whole)
    track(None, whole, resource.type, Manager(name="kubectl-client-side-apply", moment=store.clock()))
    return store.create(resource, conform(whole, resource.type)[0])


def _workload(store: Store, namespace: str, name: str, *, replicas: int, image: str) -> None:
    """A deployment that has rolled out, and its service."""
    manifest = _deployment(namespace, name, replicas, image)
    _add(store, DEPLOYMENTS, _applied(manifest))
    _add(store, SERVICES, _service(namespace, name))
    reconcile_deployment(store, store.get(DEPLOYMENTS, namespace, name))
    for _ in range(2):
        for replica_set in store.items(REPLICA_SETS, namespace):
            reconcile_replica_set(store, replica_set)
        for pod in store.items(PODS, namespace):
            reconcile_pod(store, pod)
    reconcile_deployment(store, store.get(DEPLOYMENTS, namespace, name))


def _deployment(namespace: str, name: str, replicas: int, image: str) -> KubernetesObject:
    container = {
        "name": name,
        "image": image,
        "ports": [{"containerPort": 8080}],
        "env": [
            {"name": "SUPPORT_EMAIL", "value": "support@example.com"},
            {"name": "ON_CALL", "value": "Jane Doe +1-202-555-0173"},
            {
                "name": "DB_PASSWORD",
                "valueFrom": {"secretKeyRef": {"name": "db-credentials", "key": "password"}},
            },
        ],
    }
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    return {
        "kind": "Deployment",
        "apiVersion": "apps/v1",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template},
    }


def _service(namespace: str, name: str) -> KubernetesObject:
    spec = {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]}
    return {"metadata": {"name": name, "namespace": namespace, "labels": {"app": name}}, "spec": spec}


def _credentials(namespace: str, password: str) -> KubernetesObject:
    return _applied(
        {
            "kind": "Secret",
            "apiVersion": "v1",
            "metadata": {"name": "db-credentials", "namespace": namespace},
            "type": "Opaque",
            "stringData": {
                "username": "app",
                "password": password,
                "dsn": f"postgres://app:{password}@db.internal:5432/shop",
            },
        }
    )


def _settings(namespace: str) -> KubernetesObject:
    data = {
        "currency": "EUR",
        "escalation": "Ana Mustermann <ana.mustermann@example.com>",
        "sample-customer.json": json.dumps({"name": "Jane Doe", "card": "4111 1111 1111 1111", "ssn": "219-09-9999"}),
    }
    return {"metadata": {"name": "shop-settings", "namespace": namespace, "labels": {"app": "shop"}}, "data": data}


def _applied(manifest: KubernetesObject) -> KubernetesObject:
    """The manifest with itself in the annotation that `kubectl apply` writes."""
    text = json.dumps(manifest, separators=(",", ":"), sort_keys=True) + "\n"
    return manifest | {"metadata": manifest["metadata"] | {"annotations": {LAST_APPLIED: text}}}


def _custom(store: Store) -> None:
    """One object of a defined resource with its definition, one of an aggregated API."""
    _add(store, DEFINITIONS, _definition(FRONTENDS))
    shop = {"metadata": {"name": "shop", "namespace": "prod"}, "spec": {"replicas": 2, "image": "registry.example/f:1"}}
    _add(store, FRONTENDS, shop)
    _add(store, METERS, {"metadata": {"name": "water", "namespace": "prod"}, "spec": {"replicas": 1, "unit": "l"}})


def _definition(resource: Resource) -> KubernetesObject:
    names = {"plural": resource.plural, "singular": resource.singular, "kind": resource.kind}
    scale = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}
    version = {"name": resource.version, "served": True, "storage": True}
    version |= {"schema": {"openAPIV3Schema": {"type": "object"}}, "subresources": {"status": {}, "scale": scale}}
    spec = {"group": resource.group, "names": names, "scope": "Namespaced", "versions": [version]}
    return {"metadata": {"name": resource.qualified}, "spec": spec}


def _api_service(group: str, version: str) -> KubernetesObject:
    """Who answers for a group and version: the server itself, or for an aggregated API some service."""
    spec: dict[str, Any] = {"group": group, "version": version, "groupPriorityMinimum": 1000, "versionPriority": 15}
    if group == METERS.group:
        spec["service"] = {"namespace": "kube-system", "name": "meters", "port": 443}
    available = {"type": "Available", "status": "True", "reason": "Passed"}
    return {"metadata": {"name": f"{version}.{group}"}, "spec": spec, "status": {"conditions": [available]}}


def _node(moment: str) -> dict[str, Any]:
    ready = {
        "type": "Ready",
        "status": "True",
        "lastHeartbeatTime": moment,
        "lastTransitionTime": moment,
        "reason": "KubeletReady",
        "message": "kubelet is posting ready status",
    }
    info = {"kubeletVersion": "v1.36.2", "osImage": "Debian GNU/Linux 12", "kernelVersion": "6.1.0"}
    info |= dict.fromkeys(("bootID", "kubeProxyVersion", "machineID", "systemUUID"), "demo")
    info |= {"containerRuntimeVersion": "containerd://2.0.0", "operatingSystem": "linux", "architecture": "amd64"}
    amounts = {"cpu": "8", "memory": "16Gi", "pods": "110"}
    return {
        "metadata": {"name": NODE, "labels": {"kubernetes.io/hostname": NODE, "kubernetes.io/os": "linux"}},
        "spec": {"podCIDR": "10.244.0.0/24"},
        "status": {
            "capacity": amounts,
            "allocatable": amounts,
            "conditions": [ready],
            "addresses": [{"type": "InternalIP", "address": "10.244.0.1"}, {"type": "Hostname", "address": NODE}],
            "nodeInfo": info,
        },
    }
