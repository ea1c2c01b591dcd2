"""Law: the version that a write insists on is read from where the API server reads it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.lookups.versions import stated_version, version_of
from tests.gatehold.lookups.conftest import DEPLOYMENT, make_action

STATED = {"metadata": {"resourceVersion": "7"}}
POINTER = "/metadata/resourceVersion"


@pytest.mark.parametrize(
    ("method", "content_type", "body", "expected"),
    [
        ("PUT", "application/json", STATED, "7"),
        ("PUT", "application/json", {"metadata": {}}, ""),
        ("PUT", "application/yaml", b"metadata: {resourceVersion: '7'}", "7"),
        ("PATCH", "application/merge-patch+json", STATED, "7"),
        ("PATCH", "application/strategic-merge-patch+json", STATED, "7"),
        ("PATCH", "application/apply-patch+yaml", b"metadata:\n  resourceVersion: '7'\n", "7"),
        ("PATCH", "application/json-patch+json", [{"op": "test", "path": POINTER, "value": "7"}], "7"),
        ("PATCH", "application/json-patch+json", [{"op": "replace", "path": POINTER, "value": "7"}], "7"),
        ("PATCH", "application/json-patch+json", [{"op": "remove", "path": "/spec"}], ""),
        ("DELETE", "application/json", {"preconditions": {"resourceVersion": "7"}}, "7"),
        ("DELETE", "application/json", STATED, ""),
    ],
)
def test_stated_versions_are_found(method: str, content_type: str, body: Any, expected: str) -> None:
    """In every kind of write."""
    action = make_action(method, DEPLOYMENT, body, content_type)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert stated_version(action, raw) == expected


@given(st.binary(max_size=200), st.sampled_from(["PUT", "PATCH", "DELETE"]))
def test_no_body_breaks_it(body: bytes, method: str) -> None:
    """What cannot be read states nothing."""
    assert isinstance(stated_version(make_action(method, DEPLOYMENT, body), body), str)


@pytest.mark.parametrize("value", [{}, {"metadata": None}, {"metadata": {"resourceVersion": 7}}, {"metadata": []}])
def test_a_version_is_text(value: dict[str, Any]) -> None:
    """Anything else is none."""
    assert version_of(value) == ""
