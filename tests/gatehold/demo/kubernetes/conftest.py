"""Asking a cluster without a server in between."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest

from gatehold.demo.kubernetes.app import dispatch
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.requests import Call, Query, parse_target
from gatehold.demo.kubernetes.statuses import ApiError

type Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def ask(ticking_cluster: Cluster) -> Ask:
    """`ask(method, path, body, content_type=..., accept=...)` -> (status, object)."""

    def asking(
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> tuple[int, Any]:
        return answer(ticking_cluster, method, path, body, {"content-type": content_type, "accept": accept})

    return asking


def answer(cluster: Cluster, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
    """What the cluster says to one request."""
    raw, _, query = path.partition("?")
    target = parse_target(unquote(raw))
    assert target is not None
    sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    agent = {"user-agent": "kubectl/v1.36.2 (linux/amd64)"}
    call = Call(method=method, target=target, query=Query(query), headers=agent | headers, body=sent)
    try:
        response = dispatch(cluster, call, compressible=False)
    except ApiError as error:
        return error.code, error.status()
    return response.status_code, json.loads(bytes(response.body))


@pytest.fixture
def deployment() -> dict[str, Any]:
    """A deployment as a client sends it."""
    labels = {"app": "shop"}
    container = {"name": "shop", "image": "registry.example/shop:1"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "shop", "labels": labels},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
