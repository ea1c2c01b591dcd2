"""Calls to a cluster, and a ladder that finds what a test says."""

import dataclasses
import json
from collections.abc import Collection
from typing import Any

from mitmproxy import http

from addons.calls import Call
from addons.runtime import Runtime
from gatehold.lookups.ladder import NOTHING, Errand, Found
from policy.model import Wanted
from tests.addons.support import judged, make_flow, make_request

DEPLOYMENT = "/apis/apps/v1/namespaces/prod/deployments/web"
MERGE = "application/merge-patch+json"


def deployment(replicas: int, version: str = "7") -> dict[str, Any]:
    """A deployment as the API server tells it."""
    metadata = {"name": "web", "namespace": "prod", "resourceVersion": version}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"replicas": replicas}}


def cluster_flow(body: Any, method: str = "PATCH", content_type: str = MERGE, path: str = DEPLOYMENT) -> http.HTTPFlow:
    """A request to the target ``main``."""
    url = f"https://kubernetes.corp.example:6443{path}"
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return make_flow(make_request(url, method, content=content, headers={"Content-Type": content_type}))


def cluster_call(runtime: Runtime, flow: http.HTTPFlow) -> Call:
    """Its evidence, ready for the seal."""
    return judged(runtime, flow, target="main")


class FakeLadder:
    """Finds what it was given, and remembers what was wanted."""

    def __init__(self, *found: Found, version: str = "") -> None:
        self.found = list(found)
        self.version = version
        self.wanted: list[frozenset[Wanted]] = []

    async def climb(self, errand: Errand, wanted: Collection[Wanted], before: Found = NOTHING) -> Found:
        """The next thing there is to find."""
        self.wanted.append(frozenset(wanted))
        return dataclasses.replace(self.found[0] if len(self.found) == 1 else self.found.pop(0))

    async def current_version(self, errand: Errand) -> str:
        """The version as it is now."""
        return self.version
