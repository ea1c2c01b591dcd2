"""Who set which field: sets of fields in the form of `managedFields` (structured-merge-diff's FieldsV1).

A set is a tree of dicts: `f:NAME` for members, `k:{"KEY":VALUE}` for items of lists that are maps, `v:VALUE` for
members of sets; a leaf is an empty dict; `.` marks an item itself.
"""

import json
from collections.abc import Iterator
from typing import Any

from gatehold.demo.kubernetes.schemas import Field, field_of

type FieldSet = dict[str, Any]
type FieldPath = tuple[str, ...]

ATOMIC = frozenset({"meta.v1.LabelSelector", "core.v1.ObjectReference", "core.v1.ObjectFieldSelector"})
"""Types that are set as a whole."""
DEFAULT_KEYS = {"protocol": "TCP"}
"""Keys of list items that may be left out."""
UNMANAGED_METADATA = frozenset(
    {
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
        "managedFields",
        "generateName",
    }
)


def fields_of(item: dict[str, Any], kind: str, *, marked: bool = False) -> FieldSet:
    """Every field that an object sets, without those nobody manages.

    `marked` adds the marks of maps, lists and optional structs, whose first writer owns them as such.
    """
    metadata = {name: value for name, value in item.get("metadata", {}).items() if name not in UNMANAGED_METADATA}
    managed = {name: value for name, value in item.items() if name not in ("apiVersion", "kind", "metadata")}
    return _members(managed | ({"metadata": metadata} if metadata else {}), kind, marked=marked)


def paths(fields: FieldSet, prefix: FieldPath = ()) -> Iterator[FieldPath]:
    """The leaves of a set."""
    for step, below in fields.items():
        if below and step != ".":
            yield from paths(below, (*prefix, step))
        else:
            yield (*prefix, step)


def tree(leaves: set[FieldPath]) -> FieldSet:
    """The set with those leaves."""
    result: FieldSet = {}
    for path in sorted(leaves):
        node = result
        for step in path:
            node = node.setdefault(step, {})
    return result


def value_at(item: Any, path: FieldPath) -> Any:
    """What an object has at a path; None where it has nothing."""
    for step in path:
        item = _step(item, step)
    return item


def remove_at(item: Any, path: FieldPath) -> None:
    """Take the value at a path out of an object."""
    *above, last = path[:-1] if path[-1] == "." else path
    parent = value_at(item, tuple(above))
    found = _step(parent, last)
    if found is None:
        return
    if isinstance(parent, dict):
        del parent[last.removeprefix("f:")]
    else:
        parent.remove(found)


def dotted(path: FieldPath) -> str:
    """A path as errors show it: `.spec.template.spec.containers[name="c"].image`."""
    texts = []
    for step in path:
        if step.startswith("k:"):
            keys = json.loads(step[2:])
            texts.append(f"[{','.join(f'{name}={json.dumps(value)}' for name, value in keys.items())}]")
        elif step.startswith("v:"):
            texts.append(f"[={step[2:]}]")
        elif step != ".":
            texts.append(f".{step[2:]}")
    return "".join(texts)


def item_key(item: dict[str, Any], keys: tuple[str, ...]) -> str:
    """The step that leads to an item of a list that is a map."""
    filled = DEFAULT_KEYS | item
    found = {key: filled[key] for key in sorted(keys) if key in filled}
    return "k:" + json.dumps(found, separators=(",", ":"))


def _members(value: dict[str, Any], kind: str | None, *, marked: bool) -> FieldSet:
    return {f"f:{name}": _field(item, field_of(kind, name), marked=marked) for name, item in value.items()}


def _field(value: Any, field: Field | None, *, marked: bool) -> FieldSet:
    mark: FieldSet = {".": {}} if marked and value else {}
    if field is not None and field.kind in ATOMIC:
        return {}
    if isinstance(value, dict):
        if field is not None and field.is_struct and field.shape == "one":
            return (mark if field.pointer else {}) | _members(value, field.kind, marked=marked)
        return mark | _members(value, None, marked=marked)
    if isinstance(value, list) and field is not None and field.keys == ("*",):
        return mark | {"v:" + json.dumps(item): {} for item in value}
    if isinstance(value, list) and field is not None and field.keys:
        items = {item_key(item, field.keys): _members(item, field.kind, marked=marked) for item in value}
        return mark | {key: {".": {}} | members for key, members in items.items()}
    return {}


def _step(item: Any, step: str) -> Any:
    if step == ".":
        return item
    if step.startswith("f:"):
        return item.get(step[2:]) if isinstance(item, dict) else None
    if not isinstance(item, list):
        return None
    wanted = json.loads(step[2:])
    if step.startswith("v:"):
        return wanted if wanted in item else None
    return next((found for found in item if _has(found, wanted)), None)


def _has(item: Any, keys: dict[str, Any]) -> bool:
    return isinstance(item, dict) and all((DEFAULT_KEYS | item).get(name) == value for name, value in keys.items())
