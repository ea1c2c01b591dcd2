"""What the server fills in."""

from typing import Any

import pytest

from gatehold.demo.kubernetes.defaults import apply_defaults


def filled(kind: str, **parts: Any) -> dict[str, Any]:
    item = {"kind": kind, "metadata": {"name": "x", "namespace": "n", "uid": "u"}, **parts}
    apply_defaults(item)
    return item


@pytest.mark.parametrize(
    ("image", "policy"),
    [("nginx", "Always"), ("nginx:latest", "Always"), ("host:5000/nginx", "Always"), ("nginx:1.2", "IfNotPresent")],
)
def test_pull_policy_follows_the_tag(image: str, policy: str) -> None:
    """A registry's port is no tag."""
    pod = filled("Pod", spec={"containers": [{"name": "c", "image": image}]})
    assert pod["spec"]["containers"][0]["imagePullPolicy"] == policy


def test_workloads() -> None:
    """One replica where none is named; an explicit none stays."""
    assert filled("Deployment")["spec"]["replicas"] == 1
    assert filled("Deployment", spec={"replicas": 0})["spec"]["replicas"] == 0
    assert filled("Deployment", spec={"strategy": {"type": "Recreate"}})["spec"]["strategy"] == {"type": "Recreate"}
    assert filled("ReplicaSet")["status"] == {"replicas": 0}
    assert filled("StatefulSet")["spec"]["podManagementPolicy"] == "OrderedReady"
    job = filled("Job")
    assert job["spec"]["template"]["metadata"]["labels"]["batch.kubernetes.io/job-name"] == "x"
    assert filled("HorizontalPodAutoscaler")["spec"]["minReplicas"] == 1


def test_services_get_an_address() -> None:
    """The same service gets the same address; a name for an outside host gets none."""
    first, second = filled("Service", spec={"ports": [{"port": 80}]}), filled("Service")
    assert first["spec"]["clusterIP"] == second["spec"]["clusterIP"]
    assert first["spec"]["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert "clusterIP" not in filled("Service", spec={"type": "ExternalName"})["spec"]
    node_port = filled("Service", spec={"type": "NodePort", "ports": [{"port": 80}]})["spec"]["ports"][0]["nodePort"]
    assert 30000 <= node_port < 32768


def test_defaults_are_stable() -> None:
    """Filling in twice is filling in once."""
    for kind in ("Pod", "Deployment", "ReplicaSet", "StatefulSet", "Job", "Service", "Secret", "Namespace"):
        item = filled(kind)
        again = filled(kind, **{name: part for name, part in item.items() if name not in ("kind", "metadata")})
        assert again["spec" if "spec" in item else "kind"] == item["spec" if "spec" in item else "kind"]
