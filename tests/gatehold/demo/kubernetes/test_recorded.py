"""The double against a live server: the same requests, the same answers.

`recorded.jsonl` holds part of a session of kubectl 1.36 with a live apiserver 1.36.2, one request and its answer a
line. What differs between any two servers is left out of the comparison: identity, versions, times, addresses, and
what controllers write.
"""

import base64
import json
import re
from pathlib import Path
from typing import Any

from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.requests import parse_target
from gatehold.demo.kubernetes.resources import NAMESPACES

CASES = Path(__file__).parents[3] / "cases" / "kubernetes" / "recorded.jsonl"
SERVERS_OWN = frozenset({"uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "generation"})
ADDRESSES = frozenset({"clusterIP", "clusterIPs"})
CONTROLLERS_OWN = frozenset({"deployment.kubernetes.io/revision"})
VERSION = re.compile(rb'("resourceVersion":|"/metadata/resourceVersion","value":)"\d+"')


def test_recorded_session(ticking_cluster: Cluster, ask: Any) -> None:
    """Every request of the session gets the status and the object that the live server gave."""
    for name in ("staging", "dev"):
        ticking_cluster.store.create(NAMESPACES, {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name}})
    for line in CASES.read_text().splitlines():
        row = json.loads(line)
        body = _body(ticking_cluster, row)
        content_type = row.get("contentType", "application/json")
        code, answer = ask(row["method"], row["path"], body, content_type=content_type, accept=row["accept"])
        assert code == row["status"], row["path"]
        if "answer" in row:
            assert _comparable(answer) == _comparable(row["answer"]), row["path"]


def _body(cluster: Cluster, row: dict[str, Any]) -> bytes | None:
    """The recorded body, with the version that the object has here in place of the one it had there."""
    body = row.get("body")
    if body is None:
        return None
    if isinstance(body, dict) and set(body) == {"base64"}:
        return base64.b64decode(body["base64"])
    target = parse_target(row["path"].partition("?")[0])
    assert target is not None
    live = cluster.store.find(target.resource, target.namespace, target.name)
    version = live["metadata"]["resourceVersion"].encode() if live else b""
    return VERSION.sub(rb'\1"' + version + b'"', json.dumps(body, separators=(",", ":")).encode())


def _comparable(value: Any) -> Any:
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {
        name: _managers(item) if name == "managedFields" else _comparable(item)
        for name, item in value.items()
        if name not in SERVERS_OWN | ADDRESSES | CONTROLLERS_OWN and not (name == "status" and isinstance(item, dict))
    }
    return {name: item for name, item in kept.items() if item not in ({}, [])}


def _managers(entries: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """Who manages something, and through which door."""
    return {
        (entry["manager"], entry["operation"], entry.get("subresource", ""))
        for entry in entries
        if entry["manager"] != "kube-controller-manager"
    }
