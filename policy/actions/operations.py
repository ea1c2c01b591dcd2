"""A json-patch (RFC 6902), applied to an object.

Servers differ in what they make of an operation that does not apply, of odd indices and of operations on the whole
document; all of these do not apply here. Source: github.com/evanphx/json-patch v4, which the API server uses.
"""

import json
import re
from copy import deepcopy
from typing import Any

from policy.actions.jsontext import MAX_DEPTH, is_shallow
from policy.actions.patches import place_of
from policy.errors import GateholdError

MAX_OPERATIONS = 10_000
"""The API server takes no more."""
MAX_COPIED = 1024 * 1024
"""Characters that all copies of a patch may add."""

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


class NotApplicableError(GateholdError):
    """The patch does not apply to this object, or not in one way only."""


def operated(current: Any, patch: Any) -> Any:
    """The object after all operations; raises ``NotApplicableError``. ``current`` is not changed."""
    if not isinstance(patch, list) or len(patch) > MAX_OPERATIONS:
        raise NotApplicableError
    return _Document(current).after(patch)


class _Document:
    def __init__(self, value: Any) -> None:
        self._value = deepcopy(value)
        self._copied = 0

    def after(self, patch: list[Any]) -> Any:
        for operation in patch:
            if not isinstance(operation, dict):
                raise NotApplicableError
            self._apply(operation, _place(operation.get("path")))
        return self._value

    def _apply(self, operation: dict[str, Any], place: list[str]) -> None:
        match operation.get("op"):
            case "test":
                self._test(place, _value(operation))
            case "remove":
                self._take(place)
            case "add":
                self._put(place, deepcopy(_value(operation)))
            case "replace":
                self._replace(place, deepcopy(_value(operation)))
            case "move":
                self._put(place, self._take(_place(operation.get("from"))))
            case "copy":
                self._put(place, self._copy(_place(operation.get("from"))))
            case _:
                raise NotApplicableError

    def _test(self, place: list[str], value: Any) -> None:
        container, key = self._slot(place)
        if _text(container[key]) != _text(value):
            raise NotApplicableError

    def _take(self, place: list[str]) -> Any:
        container, key = self._slot(place)
        return container.pop(key)

    def _replace(self, place: list[str], value: Any) -> None:
        container, key = self._slot(place)
        container[key] = _fitting(value, place)

    def _copy(self, place: list[str]) -> Any:
        container, key = self._slot(place)
        self._copied += len(_text(container[key]))
        if self._copied > MAX_COPIED:
            raise NotApplicableError
        return deepcopy(container[key])

    def _put(self, place: list[str], value: Any) -> None:
        container, key = self._container(place), place[-1]
        if isinstance(container, dict):
            container[key] = _fitting(value, place)
        else:
            at = len(container) if key == "-" else _index(key, len(container) + 1)
            container.insert(at, _fitting(value, place))

    def _slot(self, place: list[str]) -> tuple[Any, Any]:
        """A container and the key of something that is in it."""
        container = self._container(place)
        key = place[-1] if isinstance(container, dict) else _index(place[-1], len(container))
        if isinstance(container, dict) and key not in container:
            raise NotApplicableError
        return container, key

    def _container(self, place: list[str]) -> Any:
        """The dict or list that holds this place."""
        value = self._value
        for key in place[:-1]:
            if isinstance(value, list):
                value = value[_index(key, len(value))]
            elif isinstance(value, dict) and key in value:
                value = value[key]
            else:
                raise NotApplicableError
        if not isinstance(value, dict | list):
            raise NotApplicableError
        return value


def _place(pointer: Any) -> list[str]:
    place = place_of(pointer)
    if not place:
        raise NotApplicableError
    return place


def _value(operation: dict[str, Any]) -> Any:
    if "value" not in operation:
        raise NotApplicableError
    return operation["value"]


def _index(key: str, length: int) -> int:
    if not _INDEX.fullmatch(key) or int(key) >= length:
        raise NotApplicableError
    return int(key)


def _fitting(value: Any, place: list[str]) -> Any:
    """The value, if what holds it does not get too deep by it."""
    if isinstance(value, dict | list) and not is_shallow(_text(value).encode(), MAX_DEPTH - len(place)):
        raise NotApplicableError
    return value


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
