"""Law: of a request that writes a Secret no value is written down, however the request says it."""

import json
from typing import Any

import pytest

from gatehold.secret_bodies import HIDDEN, is_about_secrets, without_values

VALUE = "zx-not-a-pattern"


@pytest.mark.parametrize(
    ("path", "about"),
    [
        ("/api/v1/namespaces/x/secrets", True),
        ("/api/v1/namespaces/x/secrets/db?dryRun=All", True),
        ("/api/v1/namespaces/x/%73ecrets/db", True),
        ("/api/v1/namespaces/x/configmaps/secrets-of-x", False),
        ("/api/v1/namespaces/x/configmaps?a=/secrets", False),
        ("/apis/x.io/v1/namespaces/x/externalsecrets/a", False),
    ],
)
def test_secrets_are_known_by_their_path(path: str, about: bool) -> None:
    """However it is spelled."""
    assert is_about_secrets(path) is about


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ({"data": {"a": VALUE}, "type": "Opaque"}, {"data": {"a": HIDDEN}, "type": "Opaque"}),
        ({"stringData": {"a": VALUE, "b": None}}, {"stringData": {"a": HIDDEN, "b": None}}),
        ({"Data": {"a": [VALUE]}}, {"Data": {"a": [HIDDEN]}}),
        ({"data": VALUE}, {"data": HIDDEN}),
        (
            [{"op": "add", "path": "/data/a", "value": VALUE}, {"op": "remove", "path": "/data/b"}, VALUE],
            [{"op": "add", "path": "/data/a", "value": HIDDEN}, {"op": "remove", "path": "/data/b"}, HIDDEN],
        ),
        ([{"op": "add", "path": "", "value": {"data": {"a": VALUE}}}], [{"op": "add", "path": "", "value": {"data": {"a": HIDDEN}}}]),
    ],
)  # fmt: skip
def test_values_are_left_out(body: Any, kept: Any) -> None:
    """Of an object, a part of one, and operations."""
    assert json.loads(without_values(json.dumps(body).encode()) or b"") == kept


def test_yaml_is_read() -> None:
    """As the API server reads it."""
    assert json.loads(without_values(f"data:\n  a: {VALUE}\n".encode()) or b"") == {"data": {"a": HIDDEN}}


@pytest.mark.parametrize("body", [b"", b"{", b'{"data": 1, "data": 2}', b"k8s\0\n\x0c", b"\xff", b'"text"', b"1"])
def test_what_cannot_be_read_is_not_kept(body: bytes) -> None:
    """It could hold anything."""
    assert without_values(body) is None
