"""get and list in every form."""

import base64
import json
from typing import Any

import pytest

PODS = "/api/v1/namespaces/prod/pods"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
PARTIAL_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"


def test_lists_name_the_kind_once(ask: Any) -> None:
    """Items of a list name neither kind nor version; the list has a version of its own."""
    code, listed = ask("GET", PODS)
    assert (code, listed["kind"], listed["apiVersion"]) == (200, "PodList", "v1")
    assert int(listed["metadata"]["resourceVersion"]) > 0
    assert len(listed["items"]) == 3
    assert all(set(item) == {"metadata", "spec", "status"} for item in listed["items"])


def test_unknown_objects_are_404(ask: Any) -> None:
    """The message and the details are the server's."""
    assert ask("GET", f"{PODS}/x") == (
        404,
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": 'pods "x" not found',
            "reason": "NotFound",
            "details": {"name": "x", "kind": "pods"},
            "code": 404,
        },
    )


def test_selectors_narrow_lists(ask: Any) -> None:
    """Labels, fields and the namespace all count; nothing found is an empty list."""
    assert len(ask("GET", "/api/v1/pods")[1]["items"]) == 5
    assert len(ask("GET", "/api/v1/pods?labelSelector=app%3Dapi")[1]["items"]) == 2
    assert (
        len(ask("GET", "/api/v1/pods?fieldSelector=metadata.namespace%3Dprod,status.phase%3DRunning")[1]["items"]) == 3
    )
    assert ask("GET", "/api/v1/namespaces/nowhere/pods")[1]["items"] == []
    assert ask("GET", "/api/v1/pods?fieldSelector=spec.color%3Dred")[0] == 400


@pytest.mark.parametrize("path", ["/api/v1/pods", PODS])
def test_chunks_make_up_the_whole(ask: Any, path: str) -> None:
    """Chunk by chunk the same objects come in the same order, under one version; the token is the server's."""
    whole = ask("GET", path)[1]
    names, query, counts = [], "?limit=2", []
    while True:
        chunk = ask("GET", path + query)[1]
        names += [item["metadata"]["name"] for item in chunk["items"]]
        assert chunk["metadata"]["resourceVersion"] == whole["metadata"]["resourceVersion"]
        token = chunk["metadata"].get("continue")
        if not token:
            break
        counts.append(chunk["metadata"]["remainingItemCount"])
        content = json.loads(base64.urlsafe_b64decode(token + "==="))
        assert content["v"] == "meta.k8s.io/v1"
        assert content["start"].endswith(names[-1] + "\0")
        query = f"?limit=2&continue={token}"
    assert names == [item["metadata"]["name"] for item in whole["items"]]
    assert counts == sorted(counts, reverse=True)


@pytest.mark.parametrize("token", ["x", "e30", "bm9uc2Vuc2U"])
def test_foreign_tokens_are_refused(ask: Any, token: str) -> None:
    """A continue token that this server did not write is a bad request."""
    assert ask("GET", f"{PODS}?limit=1&continue={token}")[0] == 400


def test_tables_have_columns_and_rows(ask: Any) -> None:
    """kubectl's columns, with the object's metadata in each row unless more or less is asked for."""
    table = ask("GET", PODS, accept=TABLE)[1]
    shown = [column["name"] for column in table["columnDefinitions"] if column["priority"] == 0]
    assert shown == ["Name", "Ready", "Status", "Restarts", "Age"]
    assert [row["cells"][1:3] for row in table["rows"]] == [["1/1", "Running"]] * 3
    assert {row["object"]["kind"] for row in table["rows"]} == {"PartialObjectMetadata"}
    whole = ask("GET", f"{PODS}?includeObject=Object", accept=TABLE)[1]
    assert {row["object"]["kind"] for row in whole["rows"]} == {"Pod"}
    none = ask("GET", f"{PODS}?includeObject=None", accept=TABLE)[1]
    assert {row["object"] for row in none["rows"]} == {None}
    assert ask("GET", f"{PODS}?includeObject=Much", accept=TABLE)[0] == 400
    one = ask("GET", "/apis/apps/v1/namespaces/prod/deployments/web", accept=TABLE)[1]
    assert one["rows"][0]["cells"][:4] == ["web", "3/3", 3, 3]


def test_metadata_alone(ask: Any) -> None:
    """PartialObjectMetadata carries the metadata and nothing else."""
    listed = ask("GET", PODS, accept=PARTIAL_LIST)[1]
    assert listed["kind"] == "PartialObjectMetadataList"
    assert all(set(item) == {"kind", "apiVersion", "metadata"} for item in listed["items"])
    secret = ask("GET", "/api/v1/namespaces/prod/secrets/db-credentials", accept=PARTIAL)[1]
    assert set(secret) == {"kind", "apiVersion", "metadata"}
    assert ask("GET", PODS, accept=PARTIAL)[0] == 406


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("ConfigMap", "/api/v1/configmaps"), ("Secret", "/api/v1/secrets"), ("Namespace", "/api/v1/namespaces"),
        ("Node", "/api/v1/nodes"), ("Service", "/api/v1/services"), ("ServiceAccount", "/api/v1/serviceaccounts"),
        ("ReplicaSet", "/apis/apps/v1/replicasets"), ("Deployment", "/apis/apps/v1/deployments"),
        ("Event", "/api/v1/events"), ("Job", "/apis/batch/v1/jobs"), ("StatefulSet", "/apis/apps/v1/statefulsets"),
        ("HorizontalPodAutoscaler", "/apis/autoscaling/v2/horizontalpodautoscalers"),
    ],
)  # fmt: skip
def test_every_kind_has_a_table(ask: Any, kind: str, path: str) -> None:
    """As many cells as columns, and numbers where the column says so."""
    table = ask("GET", path, accept=TABLE)[1]
    assert ask("GET", path)[1]["kind"] == f"{kind}List"
    for row in table["rows"]:
        assert len(row["cells"]) == len(table["columnDefinitions"])
        for cell, column in zip(row["cells"], table["columnDefinitions"], strict=True):
            assert isinstance(cell, int) or column["type"] == "string"
