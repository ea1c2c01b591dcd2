"""Proxies of pods, services and nodes."""

import httpx2
import pytest

from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.resources import PODS


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("name", ["web", "web:80", "http:web:80"])
def test_every_method_gets_through(client: httpx2.Client, method: str, name: str) -> None:
    """Whatever is behind the service is asked with the path that follows."""
    answer = client.request(method, f"/api/v1/namespaces/prod/services/{name}/proxy/admin/users?x=1")
    told = answer.json()
    assert (told["behind"], told["name"], told["method"], told["path"]) == ("services", "web", method, "admin/users")


def test_pods_and_nodes(client: httpx2.Client, cluster: Cluster) -> None:
    """A pod without a path, a node's kubelet that runs commands."""
    pod = cluster.store.items(PODS, "prod")[0]["metadata"]["name"]
    assert client.get(f"/api/v1/namespaces/prod/pods/{pod}/proxy").json()["behind"] == "pods"
    assert client.get("/api/v1/nodes/demo-node-1/proxy/pods").json()["behind"] == "nodes"
    assert "uid=0" in client.post("/api/v1/nodes/demo-node-1/proxy/run/prod/web/web?cmd=id").text


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/v1/namespaces/prod/services/nope/proxy", 404),
        ("/api/v1/namespaces/prod/services/ftp:web:21/proxy", 400),
        ("/api/v1/proxy/namespaces/prod/services/web/admin", 404),
        ("/api/v1/namespaces/prod/configmaps/shop-settings/proxy", 404),
    ],
)
def test_what_is_behind_nothing(client: httpx2.Client, path: str, code: int) -> None:
    """Unknown objects, and the path of old that no server has any more."""
    assert client.get(path).status_code == code
