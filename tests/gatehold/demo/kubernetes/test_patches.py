"""JSON merge patch and JSON patch."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.demo.kubernetes.patches import PatchError, json_patch, merge_patch, parse_operations

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("document", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch_examples(document: Any, patch: Any, expected: Any) -> None:
    """The examples of RFC 7386, appendix A."""
    assert merge_patch(document, patch) == expected


@given(JSON, JSON)
def test_merge_patch_twice_is_once(document: Any, patch: Any) -> None:
    """A merge patch is idempotent."""
    once = merge_patch(document, patch)
    assert merge_patch(once, patch) == once


@pytest.mark.parametrize(
    ("document", "operations", "expected"),
    [
        ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": 1}], {"foo": "bar", "baz": 1}),
        ({"foo": [1, 3]}, [{"op": "add", "path": "/foo/1", "value": 2}], {"foo": [1, 2, 3]}),
        ({"foo": [1]}, [{"op": "add", "path": "/foo/-", "value": 2}], {"foo": [1, 2]}),
        ({"a": 1, "b": 2}, [{"op": "remove", "path": "/a"}], {"b": 2}),
        ({"a": [1, 2]}, [{"op": "remove", "path": "/a/0"}], {"a": [2]}),
        ({"a": 1}, [{"op": "replace", "path": "/a", "value": None}], {"a": None}),
        ({"a": {"b": 1}, "c": {}}, [{"op": "move", "from": "/a/b", "path": "/c/d"}], {"a": {}, "c": {"d": 1}}),
        ({"a": [1]}, [{"op": "copy", "from": "/a", "path": "/b"}], {"a": [1], "b": [1]}),
        ({"a/b": 1, "m~n": 2}, [{"op": "remove", "path": "/a~1b"}, {"op": "remove", "path": "/m~0n"}], {}),
        ({"a": 1}, [{"op": "test", "path": "/a", "value": 1}], {"a": 1}),
        ({}, [{"op": "test", "path": "/a", "value": None}], {}),
        ({"a": 1}, [{"op": "add", "path": "", "value": 2}], 2),
    ],
)
def test_json_patch_examples(document: Any, operations: list[dict[str, Any]], expected: Any) -> None:
    """The operations of RFC 6902."""
    assert json_patch(document, operations) == expected


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "/missing", "value": 1},
        {"op": "remove", "path": "/missing"},
        {"op": "remove", "path": ""},
        {"op": "add", "path": "/list/9", "value": 1},
        {"op": "add", "path": "/list/x", "value": 1},
        {"op": "add", "path": "/missing/deeper", "value": 1},
        {"op": "add", "path": "/a"},
        {"op": "add", "path": "no-slash", "value": 1},
        {"op": "test", "path": "/a", "value": True},
        {"op": "copy", "path": "/b", "from": "/missing"},
        {"op": "explode", "path": "/a"},
    ],
)
def test_json_patch_that_does_not_fit(operation: dict[str, Any]) -> None:
    """It is refused, and the document stays as it was."""
    document = {"a": 1, "list": [1]}
    with pytest.raises(PatchError):
        json_patch(document, [operation])
    assert document == {"a": 1, "list": [1]}


@given(JSON, st.lists(st.fixed_dictionaries({"op": st.sampled_from(["add", "remove", "move", "copy", "test", "replace"])},
       optional={"path": st.text("/ab0-~1", max_size=6), "from": st.text("/ab0", max_size=4), "value": JSON}), max_size=3))  # fmt: skip
def test_any_json_patch_applies_or_is_refused(document: Any, operations: list[dict[str, Any]]) -> None:
    """Nothing but PatchError comes out."""
    with suppress(PatchError):
        json_patch(document, operations)


@pytest.mark.parametrize("body", [b"{}", b"[1]", b"nonsense", b"\xff"])
def test_only_lists_of_objects_are_operations(body: bytes) -> None:
    """Anything else is no JSON patch."""
    with pytest.raises(ValueError):  # noqa: PT011 - JSON's own error is one
        parse_operations(body)
