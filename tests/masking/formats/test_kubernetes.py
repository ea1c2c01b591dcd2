"""Secrets are found by their kind, wherever an object may stand."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from masking.edits import apply, merge
from masking.formats.json_document import JsonMasker
from masking.plan import Plan

RAW, ENCODED, HIDDEN = "S3cr3t-pw", "UzNjcjN0LXB3", "PEtVQkVSTkVURVNfU0VDUkVUPg=="
SECRET = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "db"}, "data": {"pw": ENCODED}}


@pytest.fixture(scope="module")
def plan(make_plan: Callable[..., Plan]) -> Plan:
    return make_plan("kubernetes")


def masked(plan: Plan, value: Any) -> Any:
    text = json.dumps(value)
    return json.loads(apply(text, merge(JsonMasker(plan).edits(text))))


@pytest.mark.parametrize(
    "around",
    [
        lambda secret: secret,
        lambda secret: {"kind": "List", "items": [{"kind": "Pod"}, secret]},
        lambda secret: {"kind": "List", "items": [{"kind": "List", "items": [secret]}]},
        lambda secret: {"kind": "SecretList", "items": [{key: secret[key] for key in ("metadata", "data")}]},
        lambda secret: {"type": "MODIFIED", "object": secret},
        lambda secret: {"kind": "Table", "rows": [{"cells": ["db"], "object": secret}]},
        lambda secret: {
            "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(secret)}}
        },
        lambda secret: {"kind": "Status", "details": {"causes": [{"message": json.dumps(secret)}]}},
        lambda secret: {key: secret[key] for key in reversed(secret)},
        lambda secret: [[secret]],
    ],
)
def test_a_secret_is_hidden_wherever_it_stands(plan: Plan, around: Callable[[dict[str, Any]], Any]) -> None:
    """In lists, tables, events, annotations and messages, with its kind before or after its data."""
    text = json.dumps(masked(plan, around(SECRET)))
    assert ENCODED not in text
    assert HIDDEN in text


@pytest.mark.parametrize("name", ["data", "stringData", "Data", "DATA"])
def test_fields_are_compared_without_case(plan: Plan, name: str) -> None:
    """A decoder in Go would take any of them."""
    assert ENCODED not in json.dumps(masked(plan, {"kind": "Secret", name: {"a": ENCODED}}))


def test_other_kinds_keep_their_data(plan: Plan) -> None:
    """Only what is a secret by its kind is hidden for its place."""
    config_map = {"kind": "ConfigMap", "data": {"a": "plain"}, "stringData": {"b": "c"}}
    assert masked(plan, config_map) == config_map


def test_copies_of_a_value_are_hidden_but_not_what_identifies_the_object(plan: Plan) -> None:
    """Raw or base64, alone or in a text; a value that is also the object's name does not take the name away."""
    secret = {
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            "name": RAW,
            "namespace": "prod",
            "uid": "467a4e20",
            "annotations": {"a": f"it is {RAW}!", "b": ENCODED, "c": "nothing"},
            "managedFields": [{"manager": RAW}],
        },
        "data": {"pw": ENCODED, "short": "eA=="},
    }
    found = masked(plan, secret)
    assert found["metadata"]["annotations"] == {
        "a": "it is <KUBERNETES_SECRET>!",
        "b": "<KUBERNETES_SECRET>",
        "c": "nothing",
    }
    for name in ("name", "namespace", "uid", "managedFields"):
        assert found["metadata"][name] == secret["metadata"][name]
    assert found["type"] == "Opaque"


def test_a_value_in_one_object_says_nothing_of_another(plan: Plan) -> None:
    """Copies are looked for in the object that holds the value."""
    pod = {"kind": "Pod", "metadata": {"annotations": {"a": RAW}}}
    found = masked(plan, {"kind": "List", "items": [SECRET, pod]})
    assert found["items"][1] == pod


def test_pairs_of_a_telling_name_and_a_value(plan: Plan) -> None:
    """Environment variables and headers, in either order; references stay."""
    found = masked(
        plan,
        [
            {"name": "DB_PASSWORD", "value": "x"},
            {"value": "y", "name": "Authorization"},
            {"name": "API_TOKEN", "valueFrom": {"secretKeyRef": {"name": "a", "key": "token"}}},
            {"name": "PORT", "value": "80"},
        ],
    )
    assert [each.get("value") for each in found] == ["<SECRET>", "<SECRET>", None, "80"]
    assert found[2]["valueFrom"] == {"secretKeyRef": {"name": "a", "key": "token"}}


def test_data_that_is_no_object_is_hidden_too(plan: Plan) -> None:
    """An upstream may answer anything."""
    assert masked(plan, {"kind": "Secret", "data": "djE="})["data"] == HIDDEN
    assert masked(plan, {"kind": "Secret", "data": [["djE="], 42]})["data"] == [[HIDDEN], 10]


APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
MANIFESTS = [
    json.dumps(SECRET | {"stringData": {"user": RAW}}) + "\n",
    json.dumps({"kind": "Secret", "stringData": {"user": RAW}}, indent=1),
    json.dumps({"kind": "List", "items": [SECRET | {"stringData": {"user": RAW}}]}),
    f"kind: Secret\nmetadata:\n  name: db\ndata:\n  pw: {ENCODED}\nstringData:\n  user: {RAW}\n",
    json.dumps({"a": json.dumps(SECRET | {"stringData": {"user": RAW}})}),
]


@pytest.mark.parametrize("manifest", MANIFESTS, ids=["kubectl", "indented", "list", "yaml", "in a string"])
@pytest.mark.parametrize(
    "around",
    [
        lambda row: {"kind": "Table", "rows": [{"cells": ["db", "Opaque", 1], "object": row}]},
        lambda row: {"type": "ADDED", "object": {"kind": "Table", "rows": [{"cells": ["db"], "object": row}]}},
        lambda row: {"kind": "PartialObjectMetadataList", "items": [row]},
        lambda row: {"kind": "List", "items": [{"kind": "PartialObjectMetadataList", "items": [row]}]},
        lambda row: {"type": "MODIFIED", "object": row},
        lambda row: row,
    ],
    ids=["table", "watched table", "list", "list in a list", "event", "object"],
)
def test_the_manifest_in_an_annotation_is_masked_where_the_kind_is_not_told(
    plan: Plan, around: Callable[[dict[str, Any]], Any], manifest: str
) -> None:
    """Only the metadata of a Secret is here, and says nothing of its kind; the annotation holds its plain text."""
    metadata = {
        "name": "db",
        "namespace": "prod",
        "annotations": {APPLIED: manifest},
        "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:data": {"f:pw": {}}}}],
    }
    answer = around({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
    found = json.dumps(masked(plan, answer))
    assert RAW not in found
    assert ENCODED not in found
    assert APPLIED in found
    assert json.dumps(metadata["managedFields"]) in found
