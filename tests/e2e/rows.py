"""One request of a table, and bodies in the forms that an API server reads."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import yaml

from gatehold.demo.kubernetes.schemas import Field, struct_type

JSON, YAML = "application/json", "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
JSON_PATCH, APPLY = "application/json-patch+json", "application/apply-patch+yaml"
FORCED = "fieldManager=attacker&force=true"
CONTAINER = {"name": "main", "image": "registry.example/a:1"}

type Expectation = Literal["gated", "held", "refused", "pointless"]
"""``gated``: held or refused, as the gateway thinks best. ``pointless``: it may arrive, because no server does it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One request, and what must come of it."""

    name: str
    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    expect: Expectation = "gated"

    def __str__(self) -> str:
        return self.name


def row(  # noqa: PLR0917 - a table reads best in columns
    name: str, method: str, path: str, body: Any = None, content_type: str = JSON, expect: Expectation = "gated"
) -> Row:
    """A row with a body in the form that its content type says."""
    sent = b"" if body is None else body if isinstance(body, bytes) else written(body, content_type)
    headers = (("Content-Type", content_type),) if sent else ()
    return Row(name=name, method=method, path=path, body=sent, headers=headers, expect=expect)


def manifest(api_version: str, kind: str, name: str, replicas: int) -> dict[str, Any]:
    """A whole workload."""
    labels = {"app": name}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [CONTAINER]}}
    selector: Any = labels if kind == "ReplicationController" else {"matchLabels": labels}
    metadata = {"name": name, "namespace": "prod", "labels": labels}
    spec = {"replicas": replicas, "selector": selector, "template": pod}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


TYPES = {
    "Deployment": "apps.v1.Deployment",
    "StatefulSet": "apps.v1.StatefulSet",
    "ReplicaSet": "apps.v1.ReplicaSet",
    "ReplicationController": "core.v1.ReplicationController",
    "HorizontalPodAutoscaler": "autoscaling.v2.HorizontalPodAutoscaler",
    "Pod": "core.v1.Pod",
    "Scale": "autoscaling.v1.Scale",
}


def written(body: Any, content_type: str) -> bytes:
    if content_type == PROTOBUF:
        return protobuf(body)
    return (yaml.safe_dump(body) if content_type in (YAML, APPLY) else json.dumps(body)).encode()


def protobuf(item: dict[str, Any]) -> bytes:
    """An object in the envelope that client-go sends."""
    head = _field(1, item["apiVersion"].encode()) + _field(2, item["kind"].encode())
    return b"k8s\0" + _field(1, head) + _field(2, _message(item, TYPES[item["kind"]]))


def _message(value: dict[str, Any], type_name: str) -> bytes:
    """Field by field; what is inlined in JSON is a message of its own here."""
    pieces = []
    for field in struct_type(type_name).fields:
        if field.inlined:
            inner = _message(value, field.kind)
            pieces.append(_field(field.number, inner) if inner else b"")
        elif field.name in value:
            pieces.append(_values(field, value[field.name]))
    return b"".join(pieces)


def _values(field: Field, value: Any) -> bytes:
    if field.shape == "map":
        entries = (_field(1, key.encode()) + _field(2, text.encode()) for key, text in value.items())
        return b"".join(_field(field.number, entry) for entry in entries)
    items: Sequence[Any] = value if field.shape == "list" else [value]
    return b"".join(_one(field, item) for item in items)


def _one(field: Field, value: Any) -> bytes:
    if field.is_struct:
        return _field(field.number, _message(value, field.kind))
    if isinstance(value, int):
        return _varint(field.number << 3) + _varint(value)
    return _field(field.number, value.encode())


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))
