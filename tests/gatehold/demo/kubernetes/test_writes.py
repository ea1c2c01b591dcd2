"""create and update."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.resources import DEPLOYMENTS

DEPLOYMENTS_PATH = "/apis/apps/v1/namespaces/prod/deployments"
CONFIG_MAPS = "/api/v1/namespaces/prod/configmaps"
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "spec", "x"]), inner, max_size=2)
    ),
    max_leaves=6,
)


def test_create_fills_in_and_answers_201(ask: Any, deployment: dict[str, Any]) -> None:
    """Defaults, identity and the field manager are there, in the order of the type."""
    code, created = ask("POST", DEPLOYMENTS_PATH, deployment)
    assert code == 201
    assert list(created) == ["kind", "apiVersion", "metadata", "spec", "status"]
    assert created["metadata"]["namespace"] == "prod"
    assert created["metadata"]["generation"] == 1
    assert created["metadata"]["managedFields"][0]["manager"] == "kubectl"
    assert created["spec"]["strategy"]["type"] == "RollingUpdate"
    assert created["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    assert ask("GET", f"{DEPLOYMENTS_PATH}/shop") == (200, created)


def test_create_refuses_what_exists_or_has_no_place(ask: Any, deployment: dict[str, Any]) -> None:
    """409, 404 for the namespace, 400 for another namespace or a version, 405 without a namespace."""
    ask("POST", DEPLOYMENTS_PATH, deployment)
    code, status = ask("POST", DEPLOYMENTS_PATH, deployment)
    assert (code, status["reason"], status["message"]) == (
        409,
        "AlreadyExists",
        'deployments.apps "shop" already exists',
    )
    assert status["details"] == {"name": "shop", "group": "apps", "kind": "deployments"}
    code, status = ask("POST", "/apis/apps/v1/namespaces/nowhere/deployments", deployment)
    assert (code, status["message"]) == (404, 'namespaces "nowhere" not found')
    for metadata in ({"namespace": "dev-1", "name": "a"}, {"resourceVersion": "1", "name": "a"}):
        assert ask("POST", DEPLOYMENTS_PATH, {**deployment, "metadata": metadata})[0] == 400
    assert ask("POST", "/apis/apps/v1/deployments", deployment)[0] == 405
    assert ask("POST", f"{DEPLOYMENTS_PATH}/shop", deployment)[0] == 405


def test_names_can_be_generated(ask: Any) -> None:
    """generateName gets five letters; no name at all is invalid."""
    names = {ask("POST", CONFIG_MAPS, {"metadata": {"generateName": "cm-"}})[1]["metadata"]["name"] for _ in range(3)}
    assert len(names) == 3
    assert all(len(name) == len("cm-") + 5 for name in names)
    code, status = ask("POST", CONFIG_MAPS, {"data": {}})
    assert (code, status["reason"]) == (422, "Invalid")
    assert status["message"].endswith("metadata.name: Required value: name or generateName is required")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"replicas": -1}, 'Deployment.apps "shop" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0'),
        ({"selector": None}, 'Deployment.apps "shop" is invalid: spec.selector: Required value'),
        ({"selector": {"matchLabels": {"app": "x"}}}, "`selector` does not match template `labels`"),
        ({"template": {"metadata": {"labels": {"app": "shop"}}}}, "spec.template.spec.containers: Required value"),
    ],
)  # fmt: skip
def test_invalid_objects_are_422(ask: Any, deployment: dict[str, Any], change: Any, message: str) -> None:
    """The message is the server's, the causes name the fields."""
    code, status = ask("POST", DEPLOYMENTS_PATH, {**deployment, "spec": deployment["spec"] | change})
    assert (code, status["reason"]) == (422, "Invalid")
    assert message in status["message"]
    assert status["details"]["kind"] == "Deployment"
    assert all({"reason", "message", "field"} == set(cause) for cause in status["details"]["causes"])


def test_field_validation(ask: Any, deployment: dict[str, Any]) -> None:
    """Strict refuses unknown fields, Ignore and Warn drop them, anything else is no level."""
    deployment["spec"]["replica"] = 3
    code, status = ask("POST", f"{DEPLOYMENTS_PATH}?fieldValidation=Strict", deployment)
    assert code == 400
    assert status["message"] == (
        'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: '
        'unknown field "spec.replica"'
    )
    assert ask("POST", f"{DEPLOYMENTS_PATH}?fieldValidation=Much", deployment)[0] == 422
    code, created = ask("POST", f"{DEPLOYMENTS_PATH}?fieldValidation=Ignore", deployment)
    assert code == 201
    assert "replica" not in created["spec"]


def test_dry_run_keeps_nothing(ask: Any, deployment: dict[str, Any], ticking_cluster: Cluster) -> None:
    """The answer is whole, the store is as before; other values are refused."""
    before = ticking_cluster.store.revision
    code, created = ask("POST", f"{DEPLOYMENTS_PATH}?dryRun=All", deployment)
    assert (code, created["spec"]["replicas"]) == (201, 2)
    assert ticking_cluster.store.revision == before
    code, status = ask("POST", f"{DEPLOYMENTS_PATH}?dryRun=Some", deployment)
    assert (code, status["message"]) == (
        422,
        'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: "Some": supported values: "All"',
    )
    assert ask("POST", f"{DEPLOYMENTS_PATH}?dryRun=All&dryRun=", deployment)[0] == 400
    assert ask("POST", f"{DEPLOYMENTS_PATH}?DryRun=All", deployment)[0] == 201
    assert ticking_cluster.store.find(DEPLOYMENTS, "prod", "shop") is not None


def test_update_replaces_and_counts(ask: Any, deployment: dict[str, Any]) -> None:
    """PUT replaces the spec, keeps identity and status, counts the generation; the same again changes nothing."""
    created = ask("POST", DEPLOYMENTS_PATH, deployment)[1]
    deployment["spec"]["replicas"] = 5
    deployment["status"] = {"replicas": 99}
    code, changed = ask("PUT", f"{DEPLOYMENTS_PATH}/shop", deployment)
    assert (code, changed["spec"]["replicas"], changed["metadata"]["generation"]) == (200, 5, 2)
    assert changed["metadata"]["uid"] == created["metadata"]["uid"]
    assert changed["status"] == created["status"]
    again = ask("PUT", f"{DEPLOYMENTS_PATH}/shop", deployment)[1]
    assert again["metadata"]["resourceVersion"] == changed["metadata"]["resourceVersion"]


def test_update_holds_to_version_and_name(ask: Any, deployment: dict[str, Any]) -> None:
    """A stale version and a foreign uid are conflicts; another name is a bad request; what is not there is 404."""
    created = ask("POST", DEPLOYMENTS_PATH, deployment)[1]
    path = f"{DEPLOYMENTS_PATH}/shop"
    stale = {**deployment, "metadata": {"name": "shop", "resourceVersion": "1"}}
    code, status = ask("PUT", path, stale)
    assert (code, status["reason"]) == (409, "Conflict")
    assert status["message"] == (
        'Operation cannot be fulfilled on deployments.apps "shop": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    assert ask("PUT", path, {**deployment, "metadata": {"name": "shop", "uid": "other"}})[0] == 409
    code, status = ask("PUT", path, {**deployment, "metadata": {"name": "b"}})
    assert (code, status["message"]) == (400, "the name of the object (b) does not match the name on the URL (shop)")
    assert ask("PUT", f"{DEPLOYMENTS_PATH}/b", {**deployment, "metadata": {"name": "b"}})[0] == 404
    fresh = {**deployment, "metadata": {"name": "shop", "resourceVersion": created["metadata"]["resourceVersion"]}}
    assert ask("PUT", path, fresh)[0] == 200


def test_selectors_and_secrets_types_are_immutable(ask: Any, deployment: dict[str, Any]) -> None:
    """What cannot change is invalid to change."""
    ask("POST", DEPLOYMENTS_PATH, deployment)
    labels = {"app": "other"}
    deployment["spec"] |= {"selector": {"matchLabels": labels}}
    deployment["spec"]["template"]["metadata"]["labels"] = labels
    code, status = ask("PUT", f"{DEPLOYMENTS_PATH}/shop", deployment)
    assert (code, "field is immutable" in status["message"]) == (422, True)
    secret = {"metadata": {"name": "db-credentials"}, "type": "other/type"}
    assert ask("PUT", "/api/v1/namespaces/prod/secrets/db-credentials", secret)[0] == 422


def test_scale_by_put(ask: Any) -> None:
    """The scale of a deployment is read, written and held to its version."""
    path = f"{DEPLOYMENTS_PATH}/web/scale"
    code, scale = ask("GET", path)
    assert (code, scale["kind"], scale["spec"], scale["status"]) == (
        200,
        "Scale",
        {"replicas": 3},
        {"replicas": 3, "selector": "app=web"},
    )
    scale["spec"]["replicas"] = 7
    code, changed = ask("PUT", path, scale)
    assert (code, changed["spec"]) == (200, {"replicas": 7})
    assert ask("GET", f"{DEPLOYMENTS_PATH}/web")[1]["spec"]["replicas"] == 7
    assert ask("PUT", path, scale)[0] == 409
    assert ask("PUT", path, {"metadata": {"name": "web"}, "spec": {"replicas": -1}})[0] == 422
    assert ask("POST", path, scale)[0] == 405


def test_status_is_written_through_its_own_path(ask: Any) -> None:
    """A status write changes nothing else, another write no status."""
    web = ask("GET", f"{DEPLOYMENTS_PATH}/web")[1]
    web["spec"]["replicas"], web["status"]["replicas"] = 9, 8
    changed = ask("PUT", f"{DEPLOYMENTS_PATH}/web/status", web)[1]
    assert (changed["spec"]["replicas"], changed["status"]["replicas"]) == (3, 8)


def test_terminating_namespaces_take_nothing_new(ask: Any) -> None:
    """403 with the cause, as the server's admission says it."""
    ask("DELETE", "/api/v1/namespaces/dev-1")
    code, status = ask("POST", "/api/v1/namespaces/dev-1/configmaps", {"metadata": {"name": "a"}})
    assert (code, status["reason"]) == (403, "Forbidden")
    assert status["details"]["causes"][0]["reason"] == "NamespaceTerminating"


def test_secrets_keep_no_plain_text(ask: Any) -> None:
    """stringData becomes data."""
    secret = {"metadata": {"name": "s"}, "stringData": {"a": "hunter2"}, "data": {"b": "eA=="}}
    created = ask("POST", "/api/v1/namespaces/prod/secrets", secret)[1]
    assert created["data"] == {"a": "aHVudGVyMg==", "b": "eA=="}
    assert "stringData" not in created
    assert created["type"] == "Opaque"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(["metadata", "spec", "status", "kind", "apiVersion"]), JSON))
def test_any_body_is_answered(ask: Any, body: dict[str, Any]) -> None:
    """No JSON makes the server fail: it is created or refused."""
    for path in (DEPLOYMENTS_PATH, CONFIG_MAPS, "/api/v1/namespaces", "/api/v1/namespaces/prod/pods"):
        assert 200 <= ask("POST", path, body)[0] < 500
    assert 200 <= ask("PUT", f"{DEPLOYMENTS_PATH}/web", body)[0] < 500
