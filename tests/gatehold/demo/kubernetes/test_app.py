"""The server over HTTP."""

import base64
import gzip
import json
import ssl
from contextlib import closing
from http.client import HTTPSConnection

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.logs import log_line
from gatehold.demo.kubernetes.resources import CONFIGMAPS, PODS, RESOURCES
from gatehold.demo.serving import RunningServer, ServerCertificate

TOKEN = "demo-cluster-token"
JSON = {"Content-Type": "application/json"}
V2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


@pytest.fixture
def pod(cluster: Cluster) -> str:
    """The path of some running pod."""
    name = cluster.store.items(PODS, "prod")[0]["metadata"]["name"]
    return f"/api/v1/namespaces/prod/pods/{name}"


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Basic eDp5", "Bearer"])
def test_nobody_gets_in_without_the_token(client: httpx2.Client, authorization: str, cluster: Cluster) -> None:
    """401 as a Status; the request is in the log all the same; health needs no token."""
    answer = client.get("/api/v1/pods", headers={"Authorization": authorization})
    assert (answer.status_code, answer.json()["reason"], answer.json()["message"]) == (
        401,
        "Unauthorized",
        "Unauthorized",
    )
    assert list(cluster.received)[-1].path == "/api/v1/pods"
    assert client.get("/readyz", headers={"Authorization": authorization}).text == "ok"


def test_every_answer_has_an_audit_id(client: httpx2.Client) -> None:
    """The client's own if it sent one; answers are not to be cached."""
    answer = client.get("/api/v1/pods")
    assert len(answer.headers["Audit-Id"]) == 36
    assert answer.headers["Cache-Control"] == "no-cache, private"
    assert client.get("/api/v1/pods", headers={"Audit-ID": "mine"}).headers["Audit-Id"] == "mine"
    assert "Audit-Id" in client.get("/api/v1/nothing").headers


def test_discovery_over_http(client: httpx2.Client) -> None:
    """Plain and aggregated by Accept, with an entity tag; unknown groups and paths are 404."""
    assert client.get("/api").json()["kind"] == "APIVersions"
    aggregated = client.get("/apis", headers={"Accept": V2})
    assert aggregated.headers["Content-Type"].endswith("as=APIGroupDiscoveryList")
    again = client.get("/apis", headers={"Accept": V2, "If-None-Match": aggregated.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/apis/apps/v1").json()["groupVersion"] == "apps/v1"
    assert client.get("/version").json()["gitVersion"].startswith("v1.")
    for path in client.get("/openapi/v3").json()["paths"].values():
        assert client.get(path["serverRelativeURL"]).json()["openapi"] == "3.0.0"
    assert client.get("/openapi/v2").json()["swagger"] == "2.0"
    assert client.get("/apis/nothing.example").json()["message"] == "the server could not find the requested resource"
    assert (client.get("/nothing").status_code, client.get("/nothing").text) == (404, "404 page not found\n")


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("POST", "/api/v1/namespaces/prod/pods/x", 405),
        ("PUT", "/api/v1/namespaces/prod/pods", 405),
        ("PATCH", "/api/v1/namespaces/prod/pods", 405),
        ("DELETE", "/api/v1/pods", 405),
        ("DELETE", "/version", 405),
        ("BREW", "/api/v1/pods", 405),
        ("GET", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", 405),
        ("POST", "/api/v1/watch/namespaces/prod/pods", 405),
        ("GET", "/api/v1/namespaces/prod/pods/x/proxy", 404),
        ("GET", "/api/v1/namespaces/prod/nothing", 404),
        ("POST", "/apis/nothing.example/v1/things", 404),
        ("GET", "/%61pi/v1/secrets", 200),
        ("GET", "/api/v1/namespaces/dev%2Fpods", 200),
        ("GET", "/api/v1/namespaces//pods", 200),
        ("GET", "/api/v1/namespaces/prod/pods/../secrets", 404),
    ],
)
def test_paths_and_methods(
    server: RunningServer, certificate: ServerCertificate, method: str, path: str, code: int
) -> None:
    """Percent signs are decoded before the path is split, dots are names; what has no verb is 405."""
    trust = ssl.create_default_context(cafile=certificate.authority)
    with closing(HTTPSConnection(server.host, server.port, context=trust)) as connection:
        connection.request(method, path, headers={"Authorization": f"Bearer {TOKEN}"})
        assert connection.getresponse().status == code


def test_head_is_get_without_a_body(client: httpx2.Client) -> None:
    """Status and headers of the list, nothing else."""
    head, get = client.head("/api/v1/namespaces"), client.get("/api/v1/namespaces")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


def test_big_lists_are_compressed_on_demand(client: httpx2.Client, cluster: Cluster) -> None:
    """Above 128 KiB and when asked for; the text is Go's, with <, > and & escaped."""
    metadata = {"name": "big", "namespace": "kube-system"}
    item = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata, "data": {"a": "<&>" * 50_000}}
    cluster.store.create(CONFIGMAPS, item)
    path = "/api/v1/namespaces/kube-system/configmaps"
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert b"\\u003c\\u0026\\u003e" in plain.content
    with client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as packed:
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(b"".join(packed.iter_raw())) == plain.content
    assert "Content-Encoding" not in client.get("/api/v1/namespaces/prod/configmaps").headers


def test_bodies_have_a_limit(client: httpx2.Client) -> None:
    """Three MiB, then 413 as a Status."""
    answer = client.post("/api/v1/namespaces/prod/configmaps", content=b" " * (3 * 1024 * 1024 + 1), headers=JSON)
    assert (answer.status_code, answer.json()["reason"]) == (413, "RequestEntityTooLarge")


def test_warnings_are_headers(client: httpx2.Client) -> None:
    """Unknown fields are told of, quoted, one header each; odd names do no harm."""
    body = {"metadata": {"name": "warned"}, "x\r\ny": 1, "é": 2}
    answer = client.post("/api/v1/namespaces/prod/configmaps?dryRun=All", json=body)
    warnings = answer.headers.get_list("Warning")
    assert answer.status_code == 201
    assert [json.loads(warning.removeprefix("299 - ")) for warning in warnings] == [
        'unknown field "x\r\ny"',
        'unknown field "é"',
    ]


def test_first_events_and_lines_come_at_once(client: httpx2.Client, pod: str) -> None:
    """A watch and a followed log speak while they are open."""
    with client.stream("GET", "/api/v1/namespaces/prod/pods?watch=1") as watch:
        assert watch.headers["Content-Type"] == "application/json"
        lines = watch.iter_lines()
        assert json.loads(next(lines))["type"] == "ADDED"
    with client.stream("GET", f"{pod}/log?follow=true&tailLines=1") as log:
        assert log.headers["Content-Type"].startswith("text/plain")
        lines = log.iter_lines()
        assert [next(lines) for _ in range(3)] == [log_line(number) for number in (11, 12, 13)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [log_line(number) for number in range(12)]),
        ("?tailLines=2", [log_line(10), log_line(11)]),
        ("?tailLines=0", []),
        ("?limitBytes=10", [log_line(0)[:10]]),
        ("?container=web&tailLines=1", [log_line(11)]),
    ],
)
def test_logs(client: httpx2.Client, pod: str, query: str, expected: list[str]) -> None:
    """Tail, limit and container are honoured."""
    assert client.get(f"{pod}/log{query}").text.splitlines() == expected


def test_logs_that_are_not_there(client: httpx2.Client, pod: str) -> None:
    """Unknown containers are 400, unknown pods 404; timestamps lead the line."""
    answer = client.get(f"{pod}/log?container=nope")
    assert (answer.status_code, answer.json()["message"].startswith("container nope is not valid")) == (400, True)
    assert client.get("/api/v1/namespaces/prod/pods/nope/log").status_code == 404
    assert client.get(f"{pod}/log?tailLines=1&timestamps=true").text.endswith(f"Z {log_line(11)}\n")


def test_reviews_allow_everything(client: httpx2.Client) -> None:
    """Access and rules reviews say yes; who one is follows the impersonation headers, which are in the log."""
    base = "/apis/authorization.k8s.io/v1"
    attributes = {"spec": {"resourceAttributes": {"verb": "delete", "resource": "pods"}}}
    review = client.post(f"{base}/selfsubjectaccessreviews", json=attributes)
    assert (review.status_code, review.json()["status"]["allowed"], review.json()["spec"]) == (
        201,
        True,
        attributes["spec"],
    )
    rules = client.post(f"{base}/selfsubjectrulesreviews", json={"spec": {"namespace": "prod"}}).json()
    assert rules["status"]["resourceRules"][0]["verbs"] == ["*"]
    who = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    assert client.post(who, json={}).json()["status"]["userInfo"]["username"].startswith("system:serviceaccount:")
    alice = client.post(who, json={}, headers={"Impersonate-User": "alice"}).json()
    assert alice["status"]["userInfo"]["username"] == "alice"


def test_impersonation_is_recorded(client: httpx2.Client, cluster: Cluster) -> None:
    """What identity a gateway speaks for can be read from the log."""
    client.get("/api/v1/pods", headers={"Impersonate-User": "agent:i:s", "Impersonate-Group": "agent:g"})
    last = list(cluster.received)[-1]
    assert (last.header("impersonate-user"), last.header("impersonate-group")) == ("agent:i:s", "agent:g")


def test_minted_tokens_are_accepted(client: httpx2.Client) -> None:
    """A TokenRequest gives a token with its end, and the token opens the door."""
    path = "/api/v1/namespaces/prod/serviceaccounts/default/token"
    request = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": {"expirationSeconds": 600}}
    answer = client.post(path, json=request)
    assert answer.status_code == 201
    token = answer.json()["status"]["token"]
    assert answer.json()["spec"]["expirationSeconds"] == 600
    assert client.get("/api/v1/pods", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert client.post(path, json=request | {"spec": {"expirationSeconds": 60}}).status_code == 422
    claims = token.split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(claims + "=="))["sub"] == "system:serviceaccount:prod:default"


def test_exec_needs_an_upgrade(client: httpx2.Client, pod: str) -> None:
    """Without one, and with SPDY, it is a bad request."""
    for method in ("GET", "POST"):
        answer = client.request(method, f"{pod}/exec?command=ls")
        assert (answer.status_code, answer.json()["message"]) == (400, "Upgrade request required")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
    st.sampled_from([resource.plural for resource in RESOURCES]),
    st.text("/apisvwtch1nmeod.%25&?=,!", max_size=30),
    st.binary(max_size=30),
)
def test_any_request_is_answered(client: httpx2.Client, method: str, plural: str, tail: str, body: bytes) -> None:
    """No path, query or body makes the server fail (streams are left out: they do not end)."""
    path = f"/api/v1/namespaces/prod/{plural}/{tail}"
    if "watch" in path or "log" in path:
        return
    try:
        answer = client.request(method, path, content=body, headers=JSON)
    except httpx2.InvalidURL:
        return
    assert answer.status_code < 500
