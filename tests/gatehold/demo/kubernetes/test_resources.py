"""What the server serves besides the built-in workloads: defined resources, aggregated APIs, old controllers."""

from typing import Any

import pytest

MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
FRONTEND = "/apis/shop.example/v1/namespaces/prod/frontends/shop"
METER = "/apis/metrics.example/v1beta1/namespaces/prod/meters/water"


def test_custom_resources_scale(ask: Any) -> None:
    """By their own scale and by merge patch; they take neither strategic merges nor protobuf."""
    assert ask("PATCH", f"{FRONTEND}/scale", {"spec": {"replicas": 7}}, content_type=MERGE)[1]["spec"] == {
        "replicas": 7
    }
    assert ask("GET", FRONTEND)[1]["spec"]["replicas"] == 7
    assert ask("PATCH", FRONTEND, {"spec": {"replicas": 8}}, content_type=STRATEGIC)[0] == 415
    assert ask("PUT", FRONTEND, b"k8s\0", content_type="application/vnd.kubernetes.protobuf")[0] == 415
    items = ask("GET", FRONTEND.removesuffix("/shop"))[1]["items"]
    assert items[0]["kind"] == "Frontend"


@pytest.mark.parametrize("path", [METER, f"{METER}/scale"])
def test_an_aggregated_api_does_what_is_only_tried(ask: Any, path: str) -> None:
    """It does not know dry runs; a deletion is one as well."""
    assert ask("PATCH", f"{path}?dryRun=All", {"spec": {"replicas": 9}}, content_type=MERGE)[0] == 200
    assert ask("GET", path)[1]["spec"]["replicas"] == 9
    assert ask("DELETE", METER, {"dryRun": ["All"]})[0] == 200
    assert ask("GET", METER)[0] == 404


def test_who_answers_for_a_group_is_told(ask: Any) -> None:
    """An APIService with a service is an aggregated API, one without is the server's own."""
    rows = ask("GET", "/apis/apiregistration.k8s.io/v1/apiservices")[1]["items"]
    services = {row["metadata"]["name"]: row["spec"].get("service") for row in rows}
    assert [name for name, service in services.items() if service] == ["v1beta1.metrics.example"]
    assert {"v1.", "v1.apps", "v1.shop.example"} <= services.keys()
    definitions = ask("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions")[1]["items"]
    assert [row["spec"]["group"] for row in definitions] == ["shop.example"]


def test_replication_controllers(ask: Any) -> None:
    """Replicas and selector are filled in; the scale shows the selector."""
    path = "/api/v1/namespaces/prod/replicationcontrollers"
    pod = {"metadata": {"labels": {"app": "old"}}, "spec": {"containers": [{"name": "a", "image": "b"}]}}
    created = ask("POST", path, {"metadata": {"name": "old"}, "spec": {"template": pod}})[1]
    assert (created["spec"]["replicas"], created["spec"]["selector"]) == (1, {"app": "old"})
    assert ask("GET", f"{path}/old/scale")[1]["status"] == {"replicas": 0, "selector": "app=old"}
    assert ask("PUT", f"{path}/old/scale", {"metadata": {"name": "old"}, "spec": {"replicas": 3}})[0] == 200
    assert ask("GET", f"{path}/old")[1]["spec"]["replicas"] == 3
