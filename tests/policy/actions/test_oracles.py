"""Law: no json-patch reads a hidden value, neither by carrying it away nor by asking whether it is this one."""

import json
from typing import Any

import pytest

from policy.actions.decoding import decode
from policy.actions.kubernetes import KubernetesAction
from policy.actions.oracles import LAST_APPLIED, reads_hidden
from policy.model import Family, TargetName, TargetTraits, WireRequest

MAIN = TargetTraits(name=TargetName("main"), family=Family.KUBERNETES)
SECRET = "/api/v1/namespaces/x/secrets/db"
OTHER = "/apis/apps/v1/namespaces/x/deployments/web"
OPERATIONS = "application/json-patch+json"
APPLIED = "/metadata/annotations/" + LAST_APPLIED.replace("/", "~1")


def patch(body: Any, path: str = SECRET, content_type: str = OPERATIONS, method: str = "PATCH") -> KubernetesAction:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = WireRequest(method=method, path=path, headers=(("Content-Type", content_type),), body=sent)
    decoded = decode(MAIN, request)
    assert isinstance(decoded, KubernetesAction)
    return decoded


READING: dict[str, dict[str, Any]] = {
    "copy of a value": {"op": "copy", "from": "/data/password", "path": "/metadata/annotations/x"},
    "move of a value": {"op": "move", "from": "/data/password", "path": "/metadata/labels/x"},
    "copy of all values": {"op": "copy", "from": "/data", "path": "/metadata/annotations"},
    "copy of the object": {"op": "copy", "from": "", "path": "/metadata/annotations/x"},
    "copy from below a value": {"op": "copy", "from": "/data/password/0", "path": "/type"},
    "copy into values": {"op": "copy", "from": "/metadata/name", "path": "/data/x"},
    "copy of plain values": {"op": "copy", "from": "/stringData/a", "path": "/type"},
    "test of a value": {"op": "test", "path": "/data/password", "value": "eA=="},
    "test of all values": {"op": "test", "path": "/data", "value": {}},
    "test of the object": {"op": "test", "path": "", "value": {}},
    "test of the manifest": {"op": "test", "path": APPLIED, "value": "x"},
    "copy of the manifest": {"op": "copy", "from": APPLIED, "path": "/metadata/annotations/x"},
    "copy of annotations": {"op": "copy", "from": "/metadata/annotations", "path": "/metadata/labels"},
    "another case": {"op": "test", "path": "/Data/password", "value": "x"},
    "an escaped key": {"op": "test", "path": "/data/a~1b", "value": "x"},
    "an unknown operation": {"op": "Test", "path": "/data/password", "value": "x"},
    "no operation": {"path": "/data/password", "value": "x"},
    "no pointer": {"op": "test", "path": "data/password", "value": "x"},
    "a pointer that is no text": {"op": "copy", "from": ["data"], "path": "/type"},
}


@pytest.mark.parametrize("operation", READING.values(), ids=READING)
def test_reading_is_found(operation: dict[str, Any]) -> None:
    """Alone, and behind operations that read nothing."""
    assert reads_hidden(patch([operation]))
    assert reads_hidden(patch([{"op": "add", "path": "/metadata/labels/a", "value": "b"}, operation]))


BLIND: dict[str, dict[str, Any]] = {
    "a new value": {"op": "replace", "path": "/data/password", "value": "eA=="},
    "a value more": {"op": "add", "path": "/data/x", "value": "eA=="},
    "a value less": {"op": "remove", "path": "/data/password"},
    "test of the version": {"op": "test", "path": "/metadata/resourceVersion", "value": "1"},
    "copy of a label": {"op": "copy", "from": "/metadata/labels/a", "path": "/metadata/labels/b"},
    "test of another annotation": {"op": "test", "path": "/metadata/annotations/x", "value": "1"},
    "a name that begins alike": {"op": "test", "path": "/dataset", "value": "1"},
}


@pytest.mark.parametrize("operation", BLIND.values(), ids=BLIND)
def test_what_reads_nothing_hidden_passes(operation: dict[str, Any]) -> None:
    """Also from below: a name that begins like a hidden one is another name."""
    assert not reads_hidden(patch([operation]))


@pytest.mark.parametrize("body", [b"", b"[", b"{}", b'"x"', b"[1]", b'[{"op":"add","op":"test","path":"/data/a"}]'])
def test_what_cannot_be_understood_counts_as_reading(body: bytes) -> None:
    """Of a Secret; of other objects it is for others to refuse."""
    assert reads_hidden(patch(body))
    assert not reads_hidden(patch(body, path=OTHER))


def test_other_objects_have_their_manifest_hidden_only() -> None:
    """The annotation holds environment variables as they were applied; `/data` of a deployment means nothing."""
    assert reads_hidden(patch([READING["copy of the manifest"]], path=OTHER))
    assert reads_hidden(patch([READING["copy of the object"]], path=OTHER))
    assert not reads_hidden(patch([READING["test of a value"]], path=OTHER))


@pytest.mark.parametrize(
    ("content_type", "method"),
    [("application/merge-patch+json", "PATCH"), ("application/json", "PUT"), (OPERATIONS, "PUT"), (OPERATIONS, "POST")],
)
def test_other_writes_read_nothing(content_type: str, method: str) -> None:
    """Only a json-patch has operations."""
    assert not reads_hidden(patch({"data": {"a": "b"}}, content_type=content_type, method=method))


def test_a_parameter_of_the_content_type_changes_nothing() -> None:
    """The server cuts it off."""
    assert reads_hidden(patch([READING["test of a value"]], content_type=f"{OPERATIONS}; charset=utf-8"))
