"""OpenAPI v3 documents."""

import json
from typing import Any

import pytest

from gatehold.demo.kubernetes.openapi import document, index
from gatehold.demo.kubernetes.resources import RESOURCES, group_versions


def references(value: Any) -> set[str]:
    """All schemas that a document refers to."""
    if isinstance(value, dict):
        own = {value["$ref"]} if "$ref" in value else set()
        return own.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


@pytest.mark.parametrize(("group", "version"), group_versions())
def test_documents_are_complete(group: str, version: str) -> None:
    """Every reference leads to a schema, every resource has its paths, and the index names the document."""
    described = document(group, version)
    schemas = described["components"]["schemas"]
    assert {name.rpartition("/")[2] for name in references(described)} <= set(schemas)
    kinds = {row["kind"] for schema in schemas.values() for row in schema.get("x-kubernetes-group-version-kind", [])}
    assert kinds == {row.kind for row in RESOURCES if (row.group, row.version) == (group, version)}
    path = f"apis/{group}/{version}" if group else f"api/{version}"
    assert index()["paths"][path]["serverRelativeURL"].startswith(f"/openapi/v3/{path}?hash=")
    json.dumps(described)


def test_patches_tell_of_field_validation() -> None:
    """kubectl looks for the parameter on PATCH before it trusts the server to validate."""
    patch = document("apps", "v1")["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert "fieldValidation" in {parameter["name"] for parameter in patch["parameters"]}
    assert patch["x-kubernetes-group-version-kind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}


def test_lists_tell_how_they_merge() -> None:
    """The keys of lists are where kubectl looks for them."""
    spec = document("", "v1")["components"]["schemas"]["io.k8s.api.core.v1.PodSpec"]["properties"]
    assert spec["containers"]["x-kubernetes-patch-merge-key"] == "name"
    assert spec["tolerations"]["x-kubernetes-list-type"] == "atomic"


def test_unknown_versions_have_no_document() -> None:
    """KeyError, which becomes 404."""
    with pytest.raises(KeyError):
        document("apps", "v9")
