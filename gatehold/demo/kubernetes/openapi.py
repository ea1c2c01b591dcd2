"""OpenAPI v3: the index, and for each group and version the operations and schemas that kubectl looks for.

kubectl reads from it whether the server validates fields, how lists are merged (`apply`), and what `explain` prints.
"""

import hashlib
import json
from functools import cache
from typing import Any

from gatehold.demo.kubernetes.resources import Resource, group_versions
from gatehold.demo.kubernetes.schemas import Field, StructType, struct_type

PATCH_TYPES = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)
SCALARS: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "bool": {"type": "boolean"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "bytes": {"type": "string", "format": "byte"},
    "time": {"type": "string", "format": "date-time"},
    "microtime": {"type": "string", "format": "date-time"},
    "quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
    "intstr": {"oneOf": [{"type": "integer"}, {"type": "string"}], "format": "int-or-string"},
    "fields": {"type": "object"},
    "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
}


@cache
def index() -> dict[str, Any]:
    """/openapi/v3"""
    rows = {}
    for group, version in group_versions():
        path = f"apis/{group}/{version}" if group else f"api/{version}"
        digest = hashlib.sha512(json.dumps(document(group, version)).encode()).hexdigest().upper()
        rows[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
    return {"paths": rows}


@cache
def document(group: str, version: str) -> dict[str, Any]:
    """/openapi/v3/apis/GROUP/VERSION; raises KeyError."""
    rows = group_versions()[group, version]
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for resource in rows:
        paths |= _paths(resource)
        _add_schema(resource.type, schemas)
        schemas[_schema_name(resource.type)] |= {"x-kubernetes-group-version-kind": [_gvk(resource)]}
    info = {"title": "Kubernetes", "version": "unversioned"}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}}


def _paths(resource: Resource) -> dict[str, Any]:
    prefix = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    scoped = f"{prefix}/namespaces/{{namespace}}" if resource.namespaced else prefix
    collection = {
        method: _operation(resource, action)
        for method, action, verb in (("get", "list", "list"), ("post", "post", "create"))
        if verb in resource.verbs
    }
    one = {
        method: _operation(resource, method)
        for method, verb in (("get", "get"), ("put", "update"), ("patch", "patch"), ("delete", "delete"))
        if verb in resource.verbs
    }
    found = {f"{scoped}/{resource.plural}": collection}
    return found | ({f"{scoped}/{resource.plural}/{{name}}": one} if one else {})


def _operation(resource: Resource, action: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{_schema_name(resource.type)}"}
    answer = {"description": "OK", "content": {"application/json": {"schema": schema}}}
    operation = {
        "operationId": f"{action}{resource.group}{resource.version}{resource.kind}",
        "parameters": [_parameter(name) for name in _parameters(action)],
        "responses": {"200": answer},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": _gvk(resource),
    }
    if action in ("post", "put", "patch"):
        types = PATCH_TYPES if action == "patch" else ("application/json",)
        operation["requestBody"] = {"content": {name: {"schema": schema} for name in types}, "required": True}
    return operation


def _parameters(action: str) -> tuple[str, ...]:
    writing = ("dryRun", "fieldManager", "fieldValidation")
    return {"post": writing, "put": writing, "patch": (*writing, "force"), "delete": ("dryRun",)}.get(action, ())


def _parameter(name: str) -> dict[str, Any]:
    kind = "boolean" if name == "force" else "string"
    return {"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": True}}


def _gvk(resource: Resource) -> dict[str, str]:
    return {"group": resource.group, "kind": resource.kind, "version": resource.version}


def _schema_name(type_name: str) -> str:
    package, rest = type_name.split(".", 1)
    prefix = "io.k8s.apimachinery.pkg.apis" if package == "meta" else "io.k8s.api"
    return f"{prefix}.{package}.{rest}"


def _add_schema(type_name: str, schemas: dict[str, Any]) -> None:
    """The schema of a type and of all types it refers to."""
    name, struct = _schema_name(type_name), struct_type(type_name)
    if name in schemas:
        return
    schemas[name] = {"type": "object"}
    properties = {field.name: _property(field) for field in struct.by_name.values()}
    if "metadata" in properties:
        typed = {"type": "string"}
        properties = {"apiVersion": typed, "kind": typed} | properties
    schemas[name] = _described(struct, properties)
    for field in struct.by_name.values():
        if field.is_struct:
            _add_schema(field.kind, schemas)


def _described(struct: StructType, properties: dict[str, Any]) -> dict[str, Any]:
    return {"description": struct.name.rpartition(".")[2], "type": "object", "properties": properties}


def _property(field: Field) -> dict[str, Any]:
    one: dict[str, Any]
    if field.is_struct:
        one = {"allOf": [{"$ref": f"#/components/schemas/{_schema_name(field.kind)}"}], "default": {}}
    else:
        one = dict(SCALARS[field.kind])
    if field.shape == "map":
        return {"type": "object", "additionalProperties": one}
    return {"type": "array", "items": one} | _list_kind(field) if field.shape == "list" else one


def _list_kind(field: Field) -> dict[str, Any]:
    if not field.keys:
        return {"x-kubernetes-list-type": "atomic"}
    if field.keys == ("*",):
        return {"x-kubernetes-list-type": "set", "x-kubernetes-patch-strategy": "merge"}
    return {
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": list(field.keys),
        "x-kubernetes-patch-merge-key": field.keys[0],
        "x-kubernetes-patch-strategy": "merge",
    }
