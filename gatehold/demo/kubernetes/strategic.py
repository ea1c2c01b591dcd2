"""Strategic merge patch (k8s.io/apimachinery/pkg/util/strategicpatch).

A merge patch that knows the type: lists of objects with a merge key are merged by it, lists of values that are sets
are united. Directives: `$patch: replace|delete|merge`, `$retainKeys`, `$setElementOrder/FIELD`,
`$deleteFromPrimitiveList/FIELD`.
"""

from typing import Any

from gatehold.demo.kubernetes.patches import PatchError
from gatehold.demo.kubernetes.schemas import Field, field_of

ORDER = "$setElementOrder/"
DROP = "$deleteFromPrimitiveList/"
RETAIN = "$retainKeys"
PATCH = "$patch"
DIRECTIVES = (ORDER, DROP, RETAIN, PATCH)


def strategic_merge(document: dict[str, Any], patch: dict[str, Any], kind: str | None) -> dict[str, Any]:
    """The document of type `kind` (None: no known type) after the patch; raises PatchError."""
    match patch.get(PATCH):
        case "replace":
            return _without_directives(patch)
        case "delete":
            return {}
        case None | "merge":
            return _merge(dict(document), patch, kind)
    raise PatchError(f"invalid value for {PATCH}")


def _merge(result: dict[str, Any], patch: dict[str, Any], kind: str | None) -> dict[str, Any]:
    if RETAIN in patch:
        kept = set(_list(patch[RETAIN]))
        result = {name: value for name, value in result.items() if name in kept}
    for name, value in patch.items():
        if name.startswith(DROP):
            _drop(result, name.removeprefix(DROP), _list(value))
    for name, value in patch.items():
        if name.startswith(DIRECTIVES):
            continue
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _value(result.get(name), value, field_of(kind, name), patch.get(ORDER + name))
    return result


def _value(old: Any, value: Any, field: Field | None, order: Any) -> Any:
    if isinstance(value, dict):
        inner = field.kind if field is not None and field.shape == "one" else None
        return strategic_merge(old if isinstance(old, dict) else {}, value, inner)
    if not isinstance(value, list) or field is None or not field.keys:
        return _plain(value)
    existing = old if isinstance(old, list) else []
    if field.keys == ("*",):
        merged = [*existing, *(item for item in value if item not in existing)]
    else:
        merged = _merge_list(existing, value, field.keys[0], field.kind)
    return _ordered(merged, _list(order), field.keys[0]) if order is not None else merged


def _merge_list(old: list[Any], patch: list[Any], key: str, kind: str) -> list[Any]:
    if any(_directive(item) == "replace" and key not in item for item in patch):
        return [_plain(item) for item in patch if PATCH not in item]
    result = list(old)
    for item in patch:
        if not isinstance(item, dict) or key not in item:
            raise PatchError(f"map: {item} does not contain declared merge key: {key}")
        at = next((at for at, found in enumerate(result) if found.get(key) == item[key]), None)
        if _directive(item) == "delete":
            result = [found for found in result if found.get(key) != item[key]]
        elif at is None:
            result.append(strategic_merge({}, item, kind))
        else:
            result[at] = strategic_merge(result[at], item, kind)
    return result


def _ordered(items: list[Any], order: list[Any], key: str) -> list[Any]:
    """The items named in `order` in its order; the others keep their place after the item they followed."""
    names = [item.get(key) if isinstance(item, dict) else item for item in order]

    def name(item: Any) -> Any:
        return item.get(key) if isinstance(item, dict) else item

    ranks: list[tuple[int, int]] = []
    last = -1
    for at, item in enumerate(items):
        if name(item) in names:
            last = names.index(name(item))
            ranks.append((last, -1))
        else:
            ranks.append((last, at))
    return [item for _, item in sorted(zip(ranks, items, strict=True), key=lambda pair: pair[0])]


def _drop(result: dict[str, Any], name: str, values: list[Any]) -> None:
    if isinstance(result.get(name), list):
        result[name] = [item for item in result[name] if item not in values]


def _directive(item: Any) -> Any:
    return item.get(PATCH) if isinstance(item, dict) else None


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise PatchError("a directive needs a list")
    return value


def _without_directives(value: dict[str, Any]) -> dict[str, Any]:
    kept = {name: item for name, item in value.items() if item is not None and not name.startswith(DIRECTIVES)}
    return {name: _plain(item) for name, item in kept.items()}


def _plain(value: Any) -> Any:
    """The value without directives and nulls."""
    if isinstance(value, dict):
        return _without_directives(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
