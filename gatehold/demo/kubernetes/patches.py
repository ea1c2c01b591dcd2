"""JSON merge patch (RFC 7386) and JSON patch (RFC 6902)."""

import json
from copy import deepcopy
from typing import Any

MAX_OPERATIONS = 10_000


class PatchError(ValueError):
    """A patch that does not fit the document."""


def merge_patch(document: Any, patch: Any) -> Any:
    """The document after a merge patch; the arguments stay as they are."""
    if not isinstance(patch, dict):
        return deepcopy(patch)
    result = dict(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result


def json_patch(document: Any, operations: list[dict[str, Any]]) -> Any:
    """The document after a JSON patch; raises PatchError."""
    result = deepcopy(document)
    for operation in operations:
        result = _operate(result, operation)
    return result


def parse_operations(body: bytes) -> list[dict[str, Any]]:
    """The operations in a JSON patch; raises ValueError."""
    operations = json.loads(body)
    if not isinstance(operations, list) or not all(isinstance(operation, dict) for operation in operations):
        raise ValueError("a JSON patch is a list of operations")
    return operations


def _operate(document: Any, operation: dict[str, Any]) -> Any:
    path = _pointer(operation.get("path"))
    match operation.get("op"):
        case "add":
            return _add(document, path, _value(operation))
        case "remove":
            return _remove(document, path)[0]
        case "replace":
            _get(document, path)
            return _set(document, path, _value(operation))
        case "move":
            rest, moved = _remove(document, _pointer(operation.get("from")))
            return _add(rest, path, moved)
        case "copy":
            return _add(document, path, deepcopy(_get(document, _pointer(operation.get("from")))))
        case "test":
            if not _same(_find(document, path), operation.get("value")):
                raise PatchError(f"testing path {operation.get('path')} failed")
            return document
    raise PatchError(f"unexpected kind: {operation.get('op')}")


def _value(operation: dict[str, Any]) -> Any:
    if "value" not in operation:
        raise PatchError("an operation lacks its value")
    return deepcopy(operation["value"])


def _pointer(text: Any) -> list[str]:
    """The steps of a JSON pointer (RFC 6901)."""
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise PatchError("not a JSON pointer")
    return [step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:]]


def _get(document: Any, path: list[str]) -> Any:
    for step in path:
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list):
            document = document[_index(step, len(document) - 1)]
        else:
            raise PatchError(f"missing path: {step}")
    return document


def _find(document: Any, path: list[str]) -> Any:
    """The value, None where a member is missing: `test` takes absent for null, as the server's library does."""
    try:
        return _get(document, path)
    except PatchError:
        return None


def _add(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent, step = _get(document, path[:-1]), path[-1]
    if isinstance(parent, list):
        parent.insert(len(parent) if step == "-" else _index(step, len(parent)), value)
    else:
        _put(parent, step, value)
    return document


def _set(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent, step = _get(document, path[:-1]), path[-1]
    if isinstance(parent, list):
        parent[_index(step, len(parent) - 1)] = value
    else:
        _put(parent, step, value)
    return document


def _remove(document: Any, path: list[str]) -> tuple[Any, Any]:
    if not path:
        raise PatchError("the whole document cannot be removed")
    value, parent = _get(document, path), _get(document, path[:-1])
    del parent[_index(path[-1], len(parent) - 1) if isinstance(parent, list) else path[-1]]
    return document, value


def _put(parent: Any, step: str, value: Any) -> None:
    if not isinstance(parent, dict):
        raise PatchError(f"missing path: {step}")
    parent[step] = value


def _index(step: str, last: int) -> int:
    if not step.isascii() or not step.isdigit() or int(step) > last:
        raise PatchError(f"invalid index: {step}")
    return int(step)


def _same(left: Any, right: Any) -> bool:
    """Equality of JSON values: true is not 1."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
