"""Law: what no API server can carry out is known before anything is passed on."""

import json
from typing import Any

import pytest

from policy.actions.decoding import decode
from policy.actions.kubernetes import KubernetesAction
from policy.actions.operations import MAX_OPERATIONS
from policy.actions.soundness import why_unsound
from policy.model import Family, TargetName, TargetTraits, WireRequest

MAIN = TargetTraits(name=TargetName("main"), family=Family.KUBERNETES)
ALL = "/apis/apps/v1/namespaces/x/deployments"
MERGE, OPERATIONS, APPLY = "application/merge-patch+json", "application/json-patch+json", "application/apply-patch+yaml"


def why(method: str, path: str, body: bytes | None = None, content_type: str = "application/json") -> str:
    request = WireRequest(method=method, path=path, headers=(("Content-Type", content_type),), body=body)
    decoded = decode(MAIN, request)
    assert isinstance(decoded, KubernetesAction)
    return why_unsound(decoded)


@pytest.mark.parametrize("query", ["labelSelector=a%3D%3D%3Db", "labelSelector=a+in+(b", "fieldSelector=metadata.name"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_selector_has_to_parse(method: str, query: str) -> None:
    """Of a list, a watch, a deletion of many."""
    assert "selector" in why(method, f"{ALL}?{query}")
    assert "selector" in why("GET", f"{ALL}?watch=1&{query}")
    assert why(method, f"{ALL}?labelSelector=a%3Db&fieldSelector=metadata.name%3Dx") == ""


@pytest.mark.parametrize(("method", "path"), [("POST", ALL), ("PUT", f"{ALL}/a"), ("PATCH", f"{ALL}/a/scale")])
def test_a_write_needs_a_body(method: str, path: str) -> None:
    """A read, a delete and a tunnel need none."""
    assert "body" in why(method, path, b"", MERGE)
    assert why("GET", path) == why("DELETE", f"{ALL}/a") == why("POST", "/api/v1/namespaces/x/pods/a/exec") == ""
    assert why("POST", "/api/v1/namespaces/x/services/a/proxy/run") == ""


MANY = [{"op": "test", "path": "/metadata/uid", "value": "x"}] * (MAX_OPERATIONS + 1)


@pytest.mark.parametrize(
    ("content_type", "document", "sound"),
    [
        (MERGE, {"a": 1}, True),
        (MERGE, [], False),
        (APPLY, "text", False),
        (OPERATIONS, MANY[:1], True),
        (OPERATIONS, MANY, False),
        (OPERATIONS, {"op": "test"}, False),
        (OPERATIONS, None, False),
    ],
)
def test_a_patch_has_the_form_of_its_type(content_type: str, document: Any, sound: bool) -> None:
    """A list of operations, not too many; for all others an object."""
    assert (why("PATCH", f"{ALL}/a", json.dumps(document).encode(), content_type) == "") is sound


def test_what_cannot_be_read_is_for_others_to_refuse() -> None:
    """The reader says why."""
    assert why("PATCH", f"{ALL}/a", b"{", MERGE) == ""
