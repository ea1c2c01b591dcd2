"""Server-side apply, and the bookkeeping of field managers for all other writes.

Applying declares every field the manager wants. Fields of the last declaration that are gone from this one, and that
nobody else manages, are removed. A field that somebody else manages with another value is a conflict unless forced.
"""

import json
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gatehold.demo.kubernetes import statuses
from gatehold.demo.kubernetes.managed_fields import (
    ATOMIC,
    FieldPath,
    dotted,
    fields_of,
    item_key,
    paths,
    remove_at,
    tree,
    value_at,
)
from gatehold.demo.kubernetes.objects import KubernetesObject, meta, timestamp
from gatehold.demo.kubernetes.schemas import Field, field_of

ALLOCATED = frozenset(
    {(f"f:{name}",) for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "finalizers")}
)
"""Fields of a spec that the server fills in after it has noted who set what."""

type Entry = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """Who writes, and when."""

    name: str
    moment: datetime
    subresource: str = ""


def apply(
    live: KubernetesObject, wanted: KubernetesObject, kind: str, manager: Manager, *, force: bool
) -> KubernetesObject:
    """The live object of type `kind` after an apply; raises ApiError (409)."""
    leaves = set(paths(fields_of(wanted, kind)))
    entries: list[Entry] = deepcopy(meta(live).get("managedFields") or [])
    own = next((entry for entry in entries if _is_applier(entry, manager.name)), None)
    others = [entry for entry in entries if entry is not own]
    clashes = _clashes(live, wanted, leaves, others)
    if clashes and not force:
        raise _conflict(clashes)
    for entry, path in clashes:
        _set_leaves(entry, _leaves(entry) - {path})
    result = _merge(deepcopy(live), wanted, kind)
    kept = leaves.union(*map(_leaves, others))
    gone = (_leaves(own) if own else set()) - kept
    for path in sorted(gone, key=lambda path: (path[-1] != ".", -len(path))):  # whole items first
        shared = path[-1] == "." and any(other[: len(path) - 1] == path[:-1] for other in kept)
        if not shared and not _is_key(path):
            remove_at(result, path)
    entries = [_declaration(own, wanted, leaves, manager), *others]
    meta(result)["managedFields"] = sorted(filter(_leaves, entries), key=_position)
    return result


def _is_key(path: FieldPath) -> bool:
    """Whether a path leads to a key of a list's item: it goes with the item only."""
    return len(path) > 1 and path[-2].startswith("k:") and path[-1][2:] in json.loads(path[-2][2:])


def _declaration(own: Entry | None, wanted: KubernetesObject, leaves: set[FieldPath], manager: Manager) -> Entry:
    """The applier's entry; the last one if it said the same."""
    if own is not None and _leaves(own) == leaves and own["apiVersion"] == wanted["apiVersion"]:
        return own
    head = {"manager": manager.name, "operation": "Apply", "apiVersion": wanted["apiVersion"]}
    return head | {"time": timestamp(manager.moment), "fieldsType": "FieldsV1", "fieldsV1": tree(leaves)}


def track(old: KubernetesObject | None, new: KubernetesObject, kind: str, manager: Manager) -> None:
    """Note in `new`, an object of type `kind`, that `manager` changed what differs from `old`."""
    before = _tracked(old, kind, manager) if old else set()
    after = _tracked(new, kind, manager)
    changed = {path for path in after if path not in before or _differs(path, old, new)}
    entries: list[Entry] = deepcopy(meta(new).get("managedFields") or [])
    if not changed and before == after:
        return
    for entry in entries:
        if (entry.get("subresource") == "status") is (manager.subresource == "status"):
            _set_leaves(entry, (_leaves(entry) - changed) & after)
    own = next((entry for entry in entries if _is_updater(entry, manager, str(new["apiVersion"]))), None)
    if changed and own is None:
        own = {"manager": manager.name, "operation": "Update", "apiVersion": new["apiVersion"]}
        own |= {"subresource": manager.subresource} if manager.subresource else {}
        entries.append(own)
    if changed and own is not None:
        own |= {} if manager.subresource == "scale" else {"time": timestamp(manager.moment)}
        own["fieldsType"] = "FieldsV1"
        _set_leaves(own, (_leaves(own) | changed) & after)
    meta(new)["managedFields"] = sorted(filter(_leaves, entries), key=_position)


def _tracked(item: KubernetesObject, kind: str, manager: Manager) -> set[FieldPath]:
    """What a write through this path can set: the status through its own subresource only."""
    status = manager.subresource == "status"
    leaves = set(paths(fields_of(item, kind, marked=True)))
    return {path for path in leaves if (path[0] == "f:status") is status and path[1:2] not in ALLOCATED}


def _differs(path: FieldPath, old: KubernetesObject | None, new: KubernetesObject) -> bool:
    """Whether a field that both have changed; a mark only says that its map is there."""
    return path[-1] != "." and value_at(old, path) != value_at(new, path)


def _position(entry: Entry) -> tuple[bool, str, str, str]:
    """Appliers first, then by time and name."""
    return entry["operation"] != "Apply", entry.get("time", ""), entry["manager"], entry.get("subresource", "")


def _clashes(
    live: KubernetesObject, wanted: KubernetesObject, leaves: set[FieldPath], others: list[Entry]
) -> list[tuple[Entry, FieldPath]]:
    return [
        (entry, path)
        for entry in others
        for path in sorted(_leaves(entry) & leaves)
        if path[-1] != "." and value_at(live, path) != value_at(wanted, path)
    ]


def _conflict(clashes: list[tuple[Entry, FieldPath]]) -> statuses.ApiError:
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {_named(entry)}", "field": dotted(path)}
        for entry, path in clashes
    ]
    if len(causes) == 1:
        return statuses.apply_conflict(
            f"Apply failed with 1 conflict: {causes[0]['message']}: {causes[0]['field']}", causes
        )
    managers = dict.fromkeys(_named(entry) for entry, _ in clashes)
    blocks = [
        f"conflicts with {name}:\n" + "\n".join(f"- {dotted(path)}" for entry, path in clashes if _named(entry) == name)
        for name in managers
    ]
    return statuses.apply_conflict(f"Apply failed with {len(causes)} conflicts: " + "\n".join(blocks), causes)


def _named(entry: Entry) -> str:
    text = f'"{entry["manager"]}"'
    if entry.get("subresource"):
        text += f' with subresource "{entry["subresource"]}"'
    if entry["operation"] == "Update":
        text += f" using {entry['apiVersion']}" + (f" at {entry['time']}" if "time" in entry else "")
    return text


def _merge(live: dict[str, Any], wanted: dict[str, Any], kind: str | None) -> dict[str, Any]:
    for name, value in wanted.items():
        if value is not None:
            live[name] = _merge_value(live.get(name), value, field_of(kind, name))
    return live


def _merge_value(old: Any, value: Any, field: Field | None) -> Any:
    if isinstance(value, dict) and isinstance(old, dict) and (field is None or field.kind not in {"any", *ATOMIC}):
        structured = field is not None and field.is_struct and field.shape == "one"
        return _merge(old, value, field.kind if structured and field else None)
    if not isinstance(value, list) or not isinstance(old, list) or field is None or not field.keys:
        return deepcopy(value)
    if field.keys == ("*",):
        return [*old, *(item for item in value if item not in old)]
    return _merge_items(old, value, field)


def _merge_items(old: list[Any], value: list[Any], field: Field) -> list[Any]:
    places = {item_key(item, field.keys): at for at, item in enumerate(old)}
    for item in value:
        at = places.get(item_key(item, field.keys))
        if at is None:
            old.append(deepcopy(item))
        else:
            _merge(old[at], item, field.kind)
    return old


def _is_applier(entry: Entry, manager: str) -> bool:
    return (entry["manager"], entry["operation"], entry.get("subresource", "")) == (manager, "Apply", "")


def _is_updater(entry: Entry, manager: Manager, api_version: str) -> bool:
    found = (entry["manager"], entry["operation"], entry["apiVersion"], entry.get("subresource", ""))
    return found == (manager.name, "Update", api_version, manager.subresource)


def _leaves(entry: Entry) -> set[FieldPath]:
    return set(paths(entry.get("fieldsV1") or {}))


def _set_leaves(entry: Entry, leaves: set[FieldPath]) -> None:
    entry["fieldsV1"] = tree(leaves)
