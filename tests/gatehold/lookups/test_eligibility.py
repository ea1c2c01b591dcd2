"""Law: a request is tried out only where ``dryRun=All`` is sure to change nothing."""

import pytest

from gatehold.lookups.eligibility import Group, objection, served_by
from tests.gatehold.lookups.conftest import DEPLOYMENT, make_action

MERGE = "application/merge-patch+json"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/apis/apps/v1/namespaces/prod/deployments"),
        ("PUT", DEPLOYMENT),
        ("PATCH", DEPLOYMENT),
        ("PATCH", f"{DEPLOYMENT}/scale"),
        ("PUT", f"{DEPLOYMENT}/status"),
        ("PATCH", "/api/v1/namespaces/prod/pods/web/ephemeralcontainers"),
    ],
)
def test_writes_of_objects_are_tried_out(method: str, path: str) -> None:
    """On the object itself and on what is a part of it."""
    action = make_action(method, path, {}, MERGE if method == "PATCH" else "application/json")
    assert objection(action) == ""
    assert served_by(action) is Group.BUILT_IN


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", DEPLOYMENT),
        ("DELETE", DEPLOYMENT),
        ("DELETE", "/apis/apps/v1/namespaces/prod/deployments"),
        ("PUT", f"{DEPLOYMENT}?dryRun=All"),
        ("PUT", f"{DEPLOYMENT}?dryRun="),
        ("POST", "/api/v1/namespaces/prod/pods/web/exec"),
        ("POST", "/api/v1/namespaces/prod/pods/web/eviction"),
        ("POST", "/api/v1/namespaces/prod/pods/web/binding"),
        ("POST", "/api/v1/namespaces/prod/bindings"),
        ("PUT", "/api/v1/namespaces/prod/pods/web/proxy"),
        ("POST", "/api/v1/namespaces/prod/serviceaccounts/x/token"),
        ("POST", "/apis/authentication.k8s.io/v1/tokenreviews"),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
        ("POST", "/apis/metrics.k8s.io/v1beta1/namespaces/prod/pods"),
        ("POST", "/version"),
    ],
)
def test_effects_are_not_tried_out(method: str, path: str) -> None:
    """Tokens, evictions, tunnels, questions, aggregated APIs, and what is a dry run already."""
    assert objection(make_action(method, path, {} if method in ("POST", "PUT") else None))


@pytest.mark.parametrize("group", ["example.com", "metrics.k8s.io", "custom.metrics.k8s.io"])
def test_other_groups_have_to_be_asked_for(group: str) -> None:
    """They may be custom resources or an API server of somebody's."""
    assert served_by(make_action("POST", f"/apis/{group}/v1/namespaces/prod/widgets", {})) is Group.UNKNOWN
