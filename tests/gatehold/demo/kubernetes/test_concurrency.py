"""A write that names the version it means is refused when the object has changed since."""

from typing import Any

import pytest

from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.resources import DEPLOYMENTS

WEB = "/apis/apps/v1/namespaces/prod/deployments/web"
HEAD = {"apiVersion": "apps/v1", "kind": "Deployment"}
SCALE = {"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"replicas": 4}}
MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
JSON_PATCH, APPLY = "application/json-patch+json", "application/apply-patch+yaml"
FORCED = "?fieldManager=m&force=true"


def written(ask: Any, way: str, version: str) -> tuple[int, Any]:
    """One write of five replicas that holds to a version."""
    metadata = {"name": "web", "namespace": "prod", "resourceVersion": version}
    change = {"metadata": {"resourceVersion": version}, "spec": {"replicas": 5}}
    test = [
        {"op": "test", "path": "/metadata/resourceVersion", "value": version},
        {"op": "replace", "path": "/spec/replicas", "value": 5},
    ]
    declared = {**HEAD, "metadata": metadata, "spec": {"replicas": 5}}
    scale = {**SCALE, "metadata": metadata}
    whole = ask("GET", WEB)[1]
    whole["metadata"]["resourceVersion"], whole["spec"]["replicas"] = version, 5
    method, path, body, content_type = {
        "put": ("PUT", WEB, whole, "application/json"),
        "merge": ("PATCH", WEB, change, MERGE),
        "strategic": ("PATCH", WEB, change, STRATEGIC),
        "json": ("PATCH", WEB, test, JSON_PATCH),
        "apply": ("PATCH", WEB + FORCED, declared, APPLY),
        "scale put": ("PUT", f"{WEB}/scale", scale, "application/json"),
        "scale merge": ("PATCH", f"{WEB}/scale", change, MERGE),
        "scale strategic": ("PATCH", f"{WEB}/scale", change, STRATEGIC),
        "scale json": ("PATCH", f"{WEB}/scale", test, JSON_PATCH),
        "scale apply": ("PATCH", f"{WEB}/scale{FORCED}", scale, APPLY),
        "delete": ("DELETE", WEB, {"preconditions": {"resourceVersion": version}}, "application/json"),
        "delete by uid": ("DELETE", WEB, {"preconditions": {"uid": version}}, "application/json"),
    }[way]
    answer: tuple[int, Any] = ask(method, path, body, content_type=content_type)
    return answer


WAYS = (
    *("put", "merge", "strategic", "json", "apply", "delete", "delete by uid"),
    *(f"scale {way}" for way in ("put", "merge", "strategic", "json", "apply")),
)


@pytest.mark.parametrize("way", WAYS)
def test_a_stale_write_is_refused(ask: Any, ticking_cluster: Cluster, way: str) -> None:
    """409 Conflict, but 422 Invalid for a test in a JSON patch; nothing has changed."""
    before = ticking_cluster.store.get(DEPLOYMENTS, "prod", "web")
    code, status = written(ask, way, "1")
    expected = (422, "Invalid") if way.endswith("json") else (409, "Conflict")
    assert (code, status["reason"]) == expected
    assert ticking_cluster.store.get(DEPLOYMENTS, "prod", "web") == before


@pytest.mark.parametrize("way", WAYS)
def test_a_current_one_passes(ask: Any, ticking_cluster: Cluster, way: str) -> None:
    """The version, or uid, that the object has."""
    metadata = ticking_cluster.store.get(DEPLOYMENTS, "prod", "web")["metadata"]
    assert written(ask, way, metadata["uid" if way.endswith("uid") else "resourceVersion"])[0] == 200


def test_an_applied_uid_needs_its_object(ask: Any) -> None:
    """An apply that names a uid creates nothing."""
    body = {**HEAD, "metadata": {"name": "new", "uid": "u"}, "spec": {}}
    code, status = ask("PATCH", f"{WEB[:-3]}new{FORCED}", body, content_type=APPLY)
    assert (code, status["reason"]) == (409, "Conflict")
