"""One member of a JSON text is set, and everything else stays as it is written, to the byte.

To read a text and write it again would change what it says: numbers beyond a double, their spelling, escapes and white
space. The texts here have been read by ``read_json`` before, so they are sound and no key stands in them twice.
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from policy.actions.jsontext import members
from policy.actions.readings import Unreadable

_SPACE = re.compile(r"[ \t\n\r]*")


def with_member(text: str, path: Sequence[str], value: str, *, stated: Callable[[Any], bool]) -> str:
    """The text with ``value`` at this path, objects that are missing on the way or null being made.

    A value that is there already stays if it is ``stated``. Raises ``Unreadable`` where something else than an object
    is in the way.
    """
    at = _SPACE.match(text).end()  # type: ignore[union-attr]  # it matches the empty text
    if text[at] != "{":
        raise Unreadable("the body is not an object")
    for depth, key in enumerate(path, start=1):
        found = next((member for member in members(text, at) if member[0] == key), None)
        if found is None:
            return _inserted(text, at + 1, f"{json.dumps(key)}:{_nested(path[depth:], value)}", "}")
        _, there, at, end = found
        last = depth == len(path)
        if there is None or (last and not stated(there)):
            return text[:at] + _nested(path[depth:], value) + text[end:]
        if not last and not isinstance(there, dict):
            raise Unreadable(f"{key} is not an object")
    return text


def with_first_item(text: str, item: str) -> str:
    """The text of an array with one more item before all others."""
    at = _SPACE.match(text).end()  # type: ignore[union-attr]  # it matches the empty text
    if text[at] != "[":
        raise Unreadable("the body is not an array")
    return _inserted(text, at + 1, item, "]")


def _inserted(text: str, at: int, item: str, closing: str) -> str:
    """The text with one more member or item at the start of a container."""
    rest = text[at:]
    return text[:at] + item + ("" if rest.lstrip(" \t\n\r").startswith(closing) else ",") + rest


def _nested(path: Sequence[str], value: str) -> str:
    text = json.dumps(value)
    for key in reversed(path):
        text = f"{{{json.dumps(key)}:{text}}}"
    return text
