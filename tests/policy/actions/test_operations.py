"""json-patch, against the examples of its RFC and against patches that go too far."""

import contextlib
import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.actions.operations import NotApplicableError, operated

KEYS = st.sampled_from(["a", "b", "0", "1", "-", "~1"])
VALUES = st.recursive(
    st.integers(0, 3) | st.none() | st.booleans(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=3),
    max_leaves=8,
)
POINTERS = st.lists(st.sampled_from(["a", "b", "0", "1", "2", "-", "01", "~01"]), max_size=3).map(
    lambda keys: "".join(f"/{key}" for key in keys)
)
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "merge"]), "path": POINTERS},
    optional={"from": POINTERS, "value": VALUES},
)


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [
        ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"foo": "bar", "baz": "qux"}),
        ({"foo": ["bar", "baz"]}, [{"op": "add", "path": "/foo/1", "value": "qux"}], {"foo": ["bar", "qux", "baz"]}),
        ({"foo": ["bar"]}, [{"op": "add", "path": "/foo/-", "value": ["x"]}], {"foo": ["bar", ["x"]]}),
        ({"baz": "qux", "foo": "bar"}, [{"op": "remove", "path": "/baz"}], {"foo": "bar"}),
        ({"foo": ["a", "b", "c"]}, [{"op": "remove", "path": "/foo/1"}], {"foo": ["a", "c"]}),
        ({"baz": "qux"}, [{"op": "replace", "path": "/baz", "value": None}], {"baz": None}),
        (
            {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
            [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
            {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
        ),
        ({"foo": [1, 2, 3]}, [{"op": "move", "from": "/foo/0", "path": "/foo/2"}], {"foo": [2, 3, 1]}),
        ({"a": {"b": 1}}, [{"op": "copy", "from": "/a", "path": "/a/c"}], {"a": {"b": 1, "c": {"b": 1}}}),
        ({"a/b": 1, "m~n": 2}, [{"op": "test", "path": "/a~1b", "value": 1}, {"op": "remove", "path": "/m~0n"}], {"a/b": 1}),
        ({"a": {"x": 1, "y": 2}}, [{"op": "test", "path": "/a", "value": {"y": 2, "x": 1}}], {"a": {"x": 1, "y": 2}}),
        ({"a": 1}, [], {"a": 1}),
    ],
)  # fmt: skip
def test_examples(before: Any, patch: Any, after: Any) -> None:
    """As RFC 6902 says, appendix A."""
    original = copy.deepcopy(before)
    assert operated(before, patch) == after
    assert before == original


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/x"},
        {"op": "replace", "path": "/x", "value": 1},
        {"op": "add", "path": "/x/y", "value": 1},
        {"op": "add", "path": "/n/y", "value": 1},
        {"op": "add", "path": "/l/2", "value": 1},
        {"op": "add", "path": "/l/01", "value": 1},
        {"op": "add", "path": "/l/+0", "value": 1},
        {"op": "add", "path": "/l/-1", "value": 1},
        {"op": "remove", "path": "/l/-"},
        {"op": "remove", "path": "/l/1"},
        {"op": "add", "path": "/x"},
        {"op": "add", "path": "", "value": {}},
        {"op": "test", "path": "", "value": {"n": 1, "l": [1]}},
        {"op": "test", "path": "/n", "value": 2},
        {"op": "test", "path": "/n", "value": True},
        {"op": "test", "path": "/n", "value": 1.0},
        {"op": "test", "path": "/x", "value": None},
        {"op": "move", "path": "/x"},
        {"op": "copy", "from": "/x", "path": "/y"},
        {"op": "copy", "from": "", "path": "/y"},
        {"op": "increment", "path": "/n"},
        {"op": "add", "path": "x", "value": 1},
        {"op": "add", "path": 5, "value": 1},
        {"path": "/n", "value": 1},
        "add",
    ],
)
def test_what_does_not_apply(operation: Any) -> None:
    """Servers refuse it, or differ on it; then nothing is computed."""
    with pytest.raises(NotApplicableError):
        operated({"n": 1, "l": [1]}, [operation])


@pytest.mark.parametrize("patch", [{}, None, "[]", 5])
def test_no_patch(patch: Any) -> None:
    """A json-patch is a list."""
    with pytest.raises(NotApplicableError):
        operated({}, patch)


def test_copies_do_not_grow_without_bound() -> None:
    """Each copy of a doubles it; neither memory nor depth follows."""
    wide = [{"op": "copy", "from": "/a", "path": "/a/-"}]
    with pytest.raises(NotApplicableError):
        operated({"a": ["x" * 1000]}, wide * 64)
    deep = [{"op": "add", "path": "/a" * at, "value": {}} for at in range(1, 80)]
    with pytest.raises(NotApplicableError):
        operated({}, deep)
    with pytest.raises(NotApplicableError):
        operated({"a": 1}, [{"op": "test", "path": "/a", "value": 1}] * 10_001)


@given(st.dictionaries(KEYS, VALUES, max_size=3), st.lists(OPERATIONS, max_size=5))
def test_never_raises_anything_else(value: Any, patch: Any) -> None:
    """Any patch of any object is applied, or does not apply; the object stays as it was."""
    original = copy.deepcopy((value, patch))
    with contextlib.suppress(NotApplicableError):
        operated(value, patch)
    assert (value, patch) == original
