"""What a patch makes of the replicas: held against patches that are really applied."""

import contextlib
import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.actions.patches import (
    APPLY_PATCH,
    JSON_PATCH,
    MERGE_PATCH,
    OPEN,
    STRATEGIC_MERGE_PATCH,
    UNCHANGED,
    Change,
    replicas_change,
)
from policy.model import UNKNOWN

NUMBERS = st.integers(0, 9)
LEAVES = st.none() | NUMBERS | st.sampled_from(["x", True])
SPECS = st.dictionaries(st.sampled_from(["replicas", "paused", "template"]), LEAVES, max_size=3)
OBJECTS = st.fixed_dictionaries({"spec": SPECS, "metadata": st.dictionaries(st.sampled_from(["a", "b"]), NUMBERS)})
PATCHES = st.dictionaries(st.sampled_from(["spec", "metadata", "x"]), SPECS | LEAVES, max_size=3)
POINTERS = st.sampled_from(["", "/spec", "/spec/replicas", "/spec/paused", "/metadata", "/metadata/a", "/metadata/b"])
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "replace", "remove", "move", "copy"]), "path": POINTERS},
    optional={"value": SPECS | OBJECTS | LEAVES, "from": POINTERS},
)
DEFAULT = 1


class NotApplicableError(Exception):
    """The patch does not apply to this object; a server answers with an error."""


def replicas(value: Any) -> Any:
    """The number that the server has for an object, once defaults are filled in."""
    spec = value.get("spec") if isinstance(value, dict) else None
    if not isinstance(spec, dict):
        raise NotApplicableError
    found = spec.get("replicas")
    if found is not None and (not isinstance(found, int) or isinstance(found, bool)):
        raise NotApplicableError
    return DEFAULT if found is None else found


def holds(change: Change, before: Any, after: Any) -> bool:
    """Whether a change says nothing that is not so."""
    if change.unchanged:
        return bool(replicas(after) == replicas(before))
    return change.replicas is UNKNOWN or bool(replicas(after) == change.replicas)


@given(OBJECTS, PATCHES, st.sampled_from([MERGE_PATCH, STRATEGIC_MERGE_PATCH]))
def test_merge_patches_do_what_is_said(before: Any, patch: Any, kind: str) -> None:
    """Applied to any object, the replicas are as foretold."""
    change = replicas_change(kind, patch, DEFAULT)
    with contextlib.suppress(NotApplicableError):
        assert holds(change, before, merged(before, patch))


def merged(target: Any, patch: Any) -> Any:
    """RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


@given(OBJECTS, st.lists(OPERATIONS, max_size=4))
def test_json_patches_do_what_is_said(before: Any, patch: Any) -> None:
    """Applied to any object, the replicas are as foretold."""
    change = replicas_change(JSON_PATCH, patch, DEFAULT)
    with contextlib.suppress(NotApplicableError):
        assert holds(change, before, applied(before, patch))


def applied(before: Any, patch: list[dict[str, Any]]) -> Any:
    """RFC 6902, section 4, on objects without lists."""
    root = {"": copy.deepcopy(before)}
    for operation in patch:
        kind = operation["op"]
        if kind in {"move", "copy"}:
            value = copy.deepcopy(_get(root, operation.get("from")))
            if kind == "move":
                _holder(root, operation["from"]).pop(operation["from"].rpartition("/")[2])
        elif kind == "remove":
            _get(root, operation["path"])
            _holder(root, operation["path"]).pop(operation["path"].rpartition("/")[2])
            continue
        elif "value" in operation:
            value = copy.deepcopy(operation["value"])
        else:
            raise NotApplicableError
        if kind == "replace":
            _get(root, operation["path"])
        _holder(root, operation["path"])[operation["path"].rpartition("/")[2]] = value
    return root.get("")


def _get(root: Any, pointer: str | None) -> Any:
    if pointer is None:
        raise NotApplicableError
    holder, key = _holder(root, pointer), pointer.rpartition("/")[2]
    if key not in holder:
        raise NotApplicableError
    return holder[key]


def _holder(root: Any, pointer: str) -> Any:
    """The object in which the last key of a pointer stands; the document itself stands in ``root``."""
    for key in pointer.split("/")[:-1]:
        root = root.get(key) if isinstance(root, dict) else None
    if not isinstance(root, dict):
        raise NotApplicableError
    return root


@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner), max_leaves=9))
def test_never_raises(patch: Any) -> None:
    """Any JSON value, of any patch type, is a change; and it is not both a number and none."""
    for kind in (JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, APPLY_PATCH, "text/plain"):
        change = replicas_change(kind, patch, DEFAULT)
        assert change.replicas is UNKNOWN or not change.unchanged


def test_apply_says_what_it_owns_only() -> None:
    """A field that an apply leaves out may be removed or kept, depending on who owns it."""
    assert replicas_change(APPLY_PATCH, {"spec": {"replicas": 4}}, DEFAULT) == Change(replicas=4)
    assert replicas_change(APPLY_PATCH, {"spec": {}}, DEFAULT) == OPEN


@pytest.mark.parametrize("key", ["$patch", "$retainKeys", "$deleteFromPrimitiveList/x", "$setElementOrder", "$new"])
@pytest.mark.parametrize("place", ["root", "spec"])
def test_directives_leave_it_open(key: str, place: str) -> None:
    """An order in a strategic merge patch may do anything to what stands beside it."""
    patch: dict[str, Any] = {"spec": {"replicas": 4}}
    (patch if place == "root" else patch["spec"])[key] = "x"
    assert replicas_change(STRATEGIC_MERGE_PATCH, patch, DEFAULT) == OPEN


def test_directives_elsewhere_change_nothing() -> None:
    """Below the template, or about the order of a list."""
    patch = {"spec": {"template": {"$patch": "replace"}, "$setElementOrder/x": []}}
    assert replicas_change(STRATEGIC_MERGE_PATCH, patch, DEFAULT) == UNCHANGED
