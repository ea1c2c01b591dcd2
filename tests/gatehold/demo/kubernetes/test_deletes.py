"""delete, deletecollection, eviction."""

from typing import Any

import pytest

from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.resources import PODS, REPLICA_SETS

WEB = "/apis/apps/v1/namespaces/prod/deployments/web"
PODS_PATH = "/api/v1/namespaces/prod/pods"
CONFIG_MAPS = "/api/v1/namespaces/prod/configmaps"


def test_delete_answers_with_a_status(ask: Any) -> None:
    """Success with name, group, kind and uid; a second time it is not found."""
    uid = ask("GET", WEB)[1]["metadata"]["uid"]
    code, status = ask("DELETE", WEB, {"propagationPolicy": "Background"})
    assert (code, status["status"]) == (200, "Success")
    assert status["details"] == {"name": "web", "group": "apps", "kind": "deployments", "uid": uid}
    assert ask("DELETE", WEB)[0] == 404


@pytest.mark.parametrize(
    ("query", "body", "really"),
    [
        ("", None, True),
        ("?dryRun=All", None, False),
        ("?dryRun=All", b"{}", True),
        ("", {"dryRun": ["All"]}, False),
        ("?dryRun=All", {"dryRun": ["All"]}, False),
        ("?dryRun=All", {"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1"}, True),
        ("?DryRun=All", None, True),
    ],
)
def test_a_body_replaces_the_query(ask: Any, query: str, body: Any, really: bool) -> None:
    """With a body, even an empty object, the options of the query do not count."""
    code, _ = ask("DELETE", WEB + query, body)
    assert code == 200
    assert ask("GET", WEB)[0] == (404 if really else 200)


@pytest.mark.parametrize(
    ("query", "body", "code"),
    [
        ("?dryRun=Some", None, 422),
        ("?propagationPolicy=Never", None, 422),
        ("?gracePeriodSeconds=soon", None, 400),
        ("", b"{", 400),
        ("", {"kind": "Deployment", "apiVersion": "apps/v1"}, 400),
        ("", {"gracePeriodSeconds": "soon"}, 400),
        ("", {"preconditions": {"uid": "other"}}, 409),
        ("", {"preconditions": {"resourceVersion": "1"}}, 409),
    ],
)
def test_bad_options(ask: Any, query: str, body: Any, code: int) -> None:
    """Options that make no sense delete nothing."""
    assert ask("DELETE", WEB + query, body)[0] == code
    assert ask("GET", WEB)[0] == 200


def test_pods_get_time_to_end(ask: Any, ticking_cluster: Cluster) -> None:
    """A running pod is marked and stays; with no grace it goes at once; both answer with the pod."""
    first, second, _ = (pod["metadata"]["name"] for pod in ticking_cluster.store.items(PODS, "prod"))
    code, pod = ask("DELETE", f"{PODS_PATH}/{first}")
    assert (code, pod["kind"], pod["metadata"]["deletionGracePeriodSeconds"]) == (200, "Pod", 30)
    assert ask("GET", f"{PODS_PATH}/{first}")[0] == 200
    assert ask("DELETE", f"{PODS_PATH}/{second}", {"gracePeriodSeconds": 0})[1]["kind"] == "Pod"
    assert ask("GET", f"{PODS_PATH}/{second}")[0] == 404


def test_orphans_lose_their_owner(ask: Any, ticking_cluster: Cluster) -> None:
    """With propagation Orphan the dependents stay and name no owner."""
    ask("DELETE", WEB, {"propagationPolicy": "Orphan"})
    (replica_set,) = ticking_cluster.store.items(REPLICA_SETS, "prod")
    assert replica_set["metadata"]["ownerReferences"] == []


def test_namespaces_end_slowly(ask: Any) -> None:
    """A namespace is marked; those of the system cannot be deleted."""
    code, namespace = ask("DELETE", "/api/v1/namespaces/dev-1")
    assert (code, namespace["status"]["phase"]) == (200, "Terminating")
    code, status = ask("DELETE", "/api/v1/namespaces/default")
    assert (code, status["reason"]) == (403, "Forbidden")
    assert ask("DELETE", "/api/v1/namespaces")[0] == 405


def test_collections_go_by_selector(ask: Any) -> None:
    """What matches goes and is listed; what does not stays; a dry run takes nothing."""
    for name, tier in (("a", "x"), ("b", "x"), ("c", "y")):
        ask("POST", CONFIG_MAPS, {"metadata": {"name": name, "labels": {"tier": tier}}})
    code, listed = ask("DELETE", f"{CONFIG_MAPS}?labelSelector=tier%3Dx&dryRun=All")
    assert (code, len(listed["items"]), ask("GET", f"{CONFIG_MAPS}/a")[0]) == (200, 2, 200)
    code, listed = ask("DELETE", f"{CONFIG_MAPS}?labelSelector=tier%3Dx")
    assert (listed["kind"], [item["metadata"]["name"] for item in listed["items"]]) == ("ConfigMapList", ["a", "b"])
    assert [ask("GET", f"{CONFIG_MAPS}/{name}")[0] for name in "abc"] == [404, 404, 200]
    assert ask("DELETE", "/api/v1/configmaps")[0] == 405


def test_evictions_delete_pods(ask: Any, ticking_cluster: Cluster) -> None:
    """An eviction marks the pod; its own dry run does not."""
    name = ticking_cluster.store.items(PODS, "prod")[0]["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    code, status = ask("POST", f"{PODS_PATH}/{name}/eviction", eviction | {"deleteOptions": {"dryRun": ["All"]}})
    assert (code, status["status"]) == (201, "Success")
    assert "deletionTimestamp" not in ask("GET", f"{PODS_PATH}/{name}")[1]["metadata"]
    ask("POST", f"{PODS_PATH}/{name}/eviction", eviction)
    assert "deletionTimestamp" in ask("GET", f"{PODS_PATH}/{name}")[1]["metadata"]
