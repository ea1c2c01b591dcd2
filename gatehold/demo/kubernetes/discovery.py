"""What the server says it serves: plain and aggregated discovery, version, made from `resources`."""

import hashlib
from typing import Any

from gatehold.demo.kubernetes.negotiation import clauses
from gatehold.demo.kubernetes.resources import Resource, group_versions

DISCOVERY_GROUP = "apidiscovery.k8s.io"
VERSION = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.2",
    "gitCommit": "gatehold-demo",
    "gitTreeState": "clean",
    "buildDate": "2026-08-21T00:00:00Z",
    "goVersion": "none",
    "compiler": "none",
    "platform": "linux/amd64",
}


def core_versions() -> dict[str, Any]:
    """/api"""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def groups() -> dict[str, Any]:
    """/apis"""
    rows = [group(name) for name in _group_names()]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_without_type(row) for row in rows]}


def group(name: str) -> dict[str, Any]:
    """/apis/GROUP; raises KeyError."""
    versions = [version for of, version in group_versions() if of == name]
    if not name or not versions:
        raise KeyError(name)
    rows = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": rows, "preferredVersion": rows[0]}


def resource_list(group_name: str, version: str) -> dict[str, Any]:
    """/api/v1, /apis/GROUP/VERSION; raises KeyError."""
    rows: list[dict[str, Any]] = []
    for resource in group_versions()[group_name, version]:
        rows += _resource_rows(resource)
    group_version = f"{group_name}/{version}" if group_name else version
    head = {"kind": "APIResourceList"} | ({"apiVersion": "v1"} if group_name else {})
    return head | {"groupVersion": group_version, "resources": rows}


def aggregated(core: bool, version: str) -> dict[str, Any]:
    """/api or /apis in one document."""
    names = [""] if core else _group_names()
    items = [_aggregated_group(name) for name in names]
    head = {"kind": "APIGroupDiscoveryList", "apiVersion": f"{DISCOVERY_GROUP}/{version}"}
    return head | {"metadata": {}, "items": items}


def aggregated_version(accept: str) -> str | None:
    """The version of aggregated discovery that a client accepts before the plain one."""
    for clause in clauses(accept):
        if clause.parameters.get("g") == DISCOVERY_GROUP:
            version = clause.parameters.get("v")
            if version in ("v2", "v2beta1") and clause.parameters.get("as") == "APIGroupDiscoveryList":
                return version
        elif clause.media_type in ("application/json", "*/*"):
            return None
    return None


def _group_names() -> list[str]:
    return list(dict.fromkeys(name for name, _ in group_versions() if name))


def _without_type(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in ("kind", "apiVersion")}


def _resource_rows(resource: Resource) -> list[dict[str, Any]]:
    row = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    row |= _names(resource)
    if "list" in resource.verbs:
        row["storageVersionHash"] = hashlib.sha256(resource.qualified.encode()).hexdigest()[:11] + "="
    return [row, *(_subresource_row(resource, name) for name in sorted(resource.subresources))]


def _subresource_row(resource: Resource, name: str) -> dict[str, Any]:
    below = resource.subresources[name]
    row: dict[str, Any] = {"name": f"{resource.plural}/{name}", "singularName": "", "namespaced": resource.namespaced}
    if below.group:
        row |= {"group": below.group, "version": below.version}
    return row | {"kind": below.kind, "verbs": list(below.verbs)}


def _names(resource: Resource) -> dict[str, Any]:
    short = {"shortNames": list(resource.short_names)} if resource.short_names else {}
    return short | ({"categories": list(resource.categories)} if resource.categories else {})


def _aggregated_group(name: str) -> dict[str, Any]:
    versions = [
        {"version": version, "resources": [_aggregated_resource(row) for row in rows], "freshness": "Current"}
        for (of, version), rows in group_versions().items()
        if of == name
    ]
    return {"metadata": {"name": name} if name else {}, "versions": versions}


def _aggregated_resource(resource: Resource) -> dict[str, Any]:
    row = {
        "resource": resource.plural,
        "responseKind": {"group": resource.group, "version": resource.version, "kind": resource.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    row |= _names(resource)
    below = [
        {
            "subresource": name,
            "responseKind": {
                "group": row.group or resource.group,
                "version": row.version or resource.version,
                "kind": row.kind,
            },
            "verbs": list(row.verbs),
        }
        for name, row in sorted(resource.subresources.items())
    ]
    return row | ({"subresources": below} if below else {})
