"""What the server notes about requests."""

import httpx2
import pytest

from gatehold.demo.kubernetes.audit import Attributes, AuditEvent, attributes_of
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.identities import OWNER
from gatehold.demo.kubernetes.requests import Query, parse_target


@pytest.mark.parametrize(
    ("method", "path", "query", "expected"),
    [
        ("GET", "/api/v1/pods", "", ("list", "", "pods", "", "", "")),
        ("HEAD", "/api/v1/namespaces/a/pods", "", ("list", "", "pods", "", "a", "")),
        ("GET", "/api/v1/namespaces/a/pods", "watch=1", ("watch", "", "pods", "", "a", "")),
        ("GET", "/api/v1/watch/namespaces/a/pods/b", "", ("watch", "", "pods", "", "a", "b")),
        ("GET", "/api/v1/namespaces/a/pods/b", "watch=1", ("get", "", "pods", "", "a", "b")),
        ("GET", "/api/v1/pods", "fieldSelector=metadata.name%3Db", ("list", "", "pods", "", "", "b")),
        ("DELETE", "/api/v1/namespaces/a/pods", "", ("deletecollection", "", "pods", "", "a", "")),
        ("DELETE", "/api/v1/namespaces/a/pods/b", "", ("delete", "", "pods", "", "a", "b")),
        ("GET", "/api/v1/namespaces/a/pods/b/exec", "", ("get", "", "pods", "exec", "a", "b")),
        ("PATCH", "/apis/apps/v1/namespaces/a/deployments/b/scale", "", ("patch", "apps", "deployments", "scale", "a", "b")),
        ("BREW", "/api/v1/pods", "", ("", "", "pods", "", "", "")),
    ],
)  # fmt: skip
def test_requests_are_read_as_the_server_reads_them(
    method: str, path: str, query: str, expected: tuple[str, ...]
) -> None:
    """Verb, group, resource, subresource, namespace, name."""
    target = parse_target(path)
    assert target is not None
    found = attributes_of(OWNER, method, target, Query(query))
    parts = (found.verb, found.group, found.resource, found.subresource, found.namespace, found.name)
    assert parts == expected


def last(cluster: Cluster) -> AuditEvent:
    return list(cluster.audit)[-1]


def test_every_request_is_noted_with_who_made_it(client: httpx2.Client, cluster: Cluster) -> None:
    """User, groups, verb, URI, answer and id; never the credential."""
    headers = {"Impersonate-User": "agent:i:s", "Impersonate-Group": "agent:g", "Audit-Id": "mine"}
    client.get("/api/v1/namespaces/prod/pods?limit=1", headers=headers)
    event = last(cluster)
    assert (event.user, event.groups) == ("agent:i:s", ("agent:g", "system:authenticated"))
    assert (event.verb, event.uri, event.code) == ("list", "/api/v1/namespaces/prod/pods?limit=1", 200)
    assert (event.audit_id, event.header("impersonate-user"), event.header("authorization")) == (
        "mine",
        "agent:i:s",
        None,
    )
    client.get("/version")
    assert (last(cluster).verb, last(cluster).attributes, last(cluster).user) == ("get", None, OWNER.user)
    client.get("/api/v1/pods", headers={"Authorization": ""})
    assert (last(cluster).user, last(cluster).code) == ("system:anonymous", 401)


def test_what_somebody_may_can_be_limited(client: httpx2.Client, cluster: Cluster) -> None:
    """403 in the server's words for whom the cluster's function says no to."""

    def only_reads(wanted: Attributes) -> bool:
        return wanted.identity.user != "agent:i:s" or wanted.verb in ("get", "list")

    cluster.authorized = only_reads
    try:
        headers = {"Impersonate-User": "agent:i:s"}
        assert client.get("/api/v1/namespaces/prod/pods", headers=headers).status_code == 200
        answer = client.delete("/apis/apps/v1/namespaces/prod/deployments/web", headers=headers)
        assert answer.status_code == 403
        assert answer.json()["message"] == (
            'deployments.apps "web" is forbidden: User "agent:i:s" cannot delete resource "deployments" '
            'in API group "apps" in the namespace "prod"'
        )
    finally:
        cluster.authorized = None
