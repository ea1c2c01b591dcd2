"""A first look at a JSON text: is it one, and is there anything in it to hide?

Most answers hold nothing, and for those the question is settled by parsing with the standard library's C parser and
asking about every distinct (name, value) once. Nothing is located or copied. Where the look finds something, or where
places matter and not only names and values, the text is scanned (``json_spans``).
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Never

from masking.errors import Unmaskable
from masking.plan import Plan


class NotJson(Unmaskable):
    """The text is no JSON text."""

    def __init__(self) -> None:
        super().__init__("not valid JSON")


def parse(text: str) -> Any:
    """The value of a JSON text: objects as tuples of pairs, so that duplicate names stay, arrays as lists.

    Raises ``NotJson``, or ``Unmaskable`` when the text is JSON, but nested too deeply.
    """
    try:
        return json.loads(text, object_pairs_hook=tuple, parse_constant=_refuse)
    except RecursionError:
        raise Unmaskable("JSON is nested too deeply") from None
    except ValueError:
        raise NotJson from None


def _refuse(_: str) -> Never:
    raise ValueError("NaN and Infinity are not JSON")


PAIR_NAMES = frozenset({"name", "key"})
"""The member by which ``{"name": N, "value": V}`` names its value."""
type Members = set[tuple[str, Any]]
"""Distinct scalars with the nearest member name above each."""


def members(value: Any) -> tuple[Members, set[str]]:
    """All scalars and all member names of a parsed text."""
    found: Members = set()
    names: set[str] = set()
    stack: list[tuple[str, Any]] = [("", value)]
    while stack:
        pair = stack.pop()
        inner = pair[1]
        kind = type(inner)
        if kind is tuple:
            names.update([name for name, _ in inner])
            stack += inner
        elif kind is list:
            stack += [(pair[0], element) for element in inner]
        else:
            found.add(pair)
    return found, names


def needs_scan(value: Any, found: Members, names: Iterable[str], plan: Plan) -> bool:
    """Whether names, numbers or places ask for a closer look, whatever the strings hold."""
    if plan.paths or plan.ner.placed or any(plan.judge.tells(name) or _is_deep(name, plan) for name in names):
        return True
    if any(_asks(name, each, plan) for name, each in found):
        return True
    telling = plan.pairs and any(name in PAIR_NAMES and _tells(each, plan) for name, each in found)
    return telling and any(_is_telling_pair(inner, plan) for inner in _objects(value))


def _is_deep(name: str, plan: Plan) -> bool:
    rule = plan.keys.find(name)
    return rule is not None and rule.deep


def _asks(name: str, value: Any, plan: Plan) -> bool:
    if isinstance(value, str):
        if plan.keys.find(name) is not None and value:
            return True
        return name == "kind" and any(value in {kind.kind, f"{kind.kind}List"} for kind in plan.kinds)
    if value is None or isinstance(value, bool):
        return False
    return plan.keys.find(name) is not None or plan.judge.number(repr(value)) is not None


def _tells(value: Any, plan: Plan) -> bool:
    return isinstance(value, str) and plan.keys.find(value) is not None


def _is_telling_pair(pairs: tuple[tuple[str, Any], ...], plan: Plan) -> bool:
    return any(name == "value" for name, _ in pairs) and any(
        name in PAIR_NAMES and _tells(each, plan) for name, each in pairs
    )


def _objects(value: Any) -> Iterator[tuple[tuple[str, Any], ...]]:
    stack = [value]
    while stack:
        inner = stack.pop()
        if isinstance(inner, tuple):
            yield inner
            stack += [each for _, each in inner if isinstance(each, tuple | list)]
        elif isinstance(inner, list):
            stack += [each for each in inner if isinstance(each, tuple | list)]
