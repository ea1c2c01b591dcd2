"""PATCH in its four forms."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

WEB = "/apis/apps/v1/namespaces/prod/deployments/web"
JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["metadata", "spec", "replicas", "$patch", "containers", "name"]), inner, max_size=2
        )
    ),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (MERGE, {"spec": {"replicas": 5}}),
        (STRATEGIC, {"spec": {"replicas": 5}}),
        (JSON_PATCH, [{"op": "replace", "path": "/spec/replicas", "value": 5}]),
        (APPLY, {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 5}}),
    ],
)
def test_every_form_changes_replicas(ask: Any, content_type: str, body: Any) -> None:
    """The object changes once, its generation with it, and the rest stays."""
    query = "?fieldManager=me&force=true" if content_type == APPLY else ""
    before = ask("GET", WEB)[1]
    code, changed = ask("PATCH", WEB + query, body, content_type=content_type)
    assert (code, changed["spec"]["replicas"]) == (200, 5)
    assert changed["metadata"]["generation"] == before["metadata"]["generation"] + 1
    assert changed["spec"]["template"] == before["spec"]["template"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (MERGE, {"spec": {"replicas": 6}}),
        (STRATEGIC, {"spec": {"replicas": 6}}),
        (JSON_PATCH, [{"op": "replace", "path": "/spec/replicas", "value": 6}]),
        (APPLY, {"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"replicas": 6}}),
    ],
)
def test_every_form_scales(ask: Any, content_type: str, body: Any) -> None:
    """The scale subresource takes all four forms too."""
    query = "?fieldManager=me&force=true" if content_type == APPLY else ""
    code, scale = ask("PATCH", f"{WEB}/scale{query}", body, content_type=content_type)
    assert (code, scale["kind"], scale["spec"]) == (200, "Scale", {"replicas": 6})
    assert ask("GET", WEB)[1]["spec"]["replicas"] == 6


def test_strategic_patch_sets_one_image(ask: Any) -> None:
    """Containers are found by name: what `kubectl set image` does."""
    body = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "registry.example/web:2"}]}}}}
    container = ask("PATCH", WEB, body, content_type=STRATEGIC)[1]["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "registry.example/web:2"
    assert len(container["env"]) == 3


def test_dry_run_and_versions(ask: Any) -> None:
    """A dry run shows and keeps nothing; a stale version in a patch is a conflict."""
    assert ask("PATCH", f"{WEB}?dryRun=All", {"spec": {"replicas": 0}}, content_type=MERGE)[1]["spec"]["replicas"] == 0
    assert ask("GET", WEB)[1]["spec"]["replicas"] == 3
    stale = {"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 4}}
    assert ask("PATCH", WEB, stale, content_type=MERGE)[0] == 409
    test = [{"op": "test", "path": "/metadata/resourceVersion", "value": "1"}]
    code, status = ask("PATCH", WEB, test, content_type=JSON_PATCH)
    assert (code, status["reason"]) == (422, "Invalid")
    assert status["message"] == "the server rejected our request due to an error in our request"


def test_apply_creates_what_is_missing(ask: Any, deployment: dict[str, Any]) -> None:
    """201 the first time, 200 after; YAML and JSON bodies alike; a dropped field goes."""
    path = "/apis/apps/v1/namespaces/prod/deployments/shop?fieldManager=me"
    assert ask("PATCH", path, deployment, content_type=APPLY)[0] == 201
    deployment["spec"].pop("replicas")
    code, changed = ask("PATCH", path, deployment, content_type=APPLY)
    assert (code, changed["spec"]["replicas"]) == (200, 1)
    yaml = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {day: 2026-11-21}\n"
    created = ask("PATCH", "/api/v1/namespaces/prod/configmaps/a?fieldManager=me", yaml, content_type=APPLY)
    assert (created[0], created[1]["data"]) == (201, {"day": "2026-11-21"})
    other = "/apis/apps/v1/namespaces/prod/deployments/absent"
    assert ask("PATCH", other, {"spec": {}}, content_type=MERGE)[0] == 404


@pytest.mark.parametrize(
    ("query", "content_type", "body", "code"),
    [
        ("", APPLY, {"apiVersion": "apps/v1", "kind": "Deployment"}, 422),
        ("?fieldManager=m", APPLY, {"kind": "Deployment"}, 400),
        ("?fieldManager=m", APPLY, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "b"}}, 400),
        ("?fieldManager=m&fieldValidation=Strict", APPLY, {"apiVersion": "apps/v1", "kind": "Deployment", "x": 1}, 400),
        ("?fieldManager=m", APPLY, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"managedFields": [{}]}}, 400),
        ("?force=true", MERGE, {}, 422),
        ("", "application/json", {}, 415),
        ("", "application/merge-patch+json; charset=utf-8", {}, 200),
        ("", "Application/Merge-Patch+json", {}, 415),
        ("", "application/merge-patch+json ;charset=utf-8", {}, 415),
        ("", MERGE, b"{", 400),
        ("", MERGE, [], 400),
        ("", MERGE, {"kind": "Secret"}, 400),
        ("", MERGE, {"metadata": {"name": "b"}}, 400),
        ("", MERGE, {"spec": {"replicas": "three"}}, 422),
        ("", JSON_PATCH, {}, 400),
        ("", JSON_PATCH, [{"op": "remove", "path": "/spec/missing"}], 422),
        ("?fieldValidation=Strict", MERGE, {"spec": {"replica": 3}}, 422),
        ("?fieldValidation=Strict", MERGE, b'{"spec":{"replicas":3,"replicas":3}}', 422),
        ("", STRATEGIC, {"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}}, 422),
    ],
)  # fmt: skip
def test_bad_patches(ask: Any, query: str, content_type: str, body: Any, code: int) -> None:
    """Each kind of mistake has the server's answer, and the object stays."""
    before = ask("GET", WEB)[1]
    assert ask("PATCH", WEB + query, body, content_type=content_type)[0] == code
    assert ask("GET", WEB)[1] == before


def test_too_many_operations(ask: Any) -> None:
    """A JSON patch has at most ten thousand operations."""
    operations = [{"op": "test", "path": "/kind", "value": "Deployment"}] * 10_001
    assert ask("PATCH", WEB, operations, content_type=JSON_PATCH)[0] == 413


def test_finalizers_hold_an_object(ask: Any) -> None:
    """A deleted object waits for its finalizers, and goes with the last."""
    path = "/api/v1/namespaces/prod/configmaps/held"
    held = {"metadata": {"name": "held", "finalizers": ["example.com/wait"]}}
    ask("POST", "/api/v1/namespaces/prod/configmaps", held)
    code, marked = ask("DELETE", path)
    assert (code, "deletionTimestamp" in marked["metadata"]) == (200, True)
    assert ask("GET", path)[0] == 200
    assert ask("PATCH", path, {"metadata": {"finalizers": None}}, content_type=MERGE)[0] == 200
    assert ask("GET", path)[0] == 404


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(JSON, st.sampled_from([JSON_PATCH, MERGE, STRATEGIC, APPLY]))
def test_any_patch_is_answered(ask: Any, body: Any, content_type: str) -> None:
    """No patch makes the server fail."""
    query = "?fieldManager=m&force=1" if content_type == APPLY else ""
    for path in (WEB, f"{WEB}/scale", f"{WEB}/status"):
        code, _ = ask("PATCH", path + query, json.dumps(body).encode(), content_type=content_type)
        assert 200 <= code < 500
