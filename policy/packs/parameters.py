"""What a pack lets its users choose: declared parameters with a type and a default, put in as values.

A pack's file declares them in a document of its own, and uses them in two ways. Where a whole value is meant, a node
``{parameter: approvers}`` stands for it; in a condition or message ``parameters.replicas`` does. Either is replaced by
the value, never by text that is read again: a string becomes a string literal, whatever is in it.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal, assert_never

from pydantic import Field, StrictInt

from policy.expressions.tokens import tokenize
from policy.rules.schema import Metadata, Model

KIND = "PackParameters"
_EXPRESSIONS = frozenset({"when", "message"})
_MARK = "parameters"

type Place = tuple[str | int, ...]
"""Keys and positions that lead to a value."""


class ParameterError(ValueError):
    """A value that its parameter does not take, or a name that none has."""

    def __init__(self, name: str, message: str) -> None:
        self.name = name
        super().__init__(message)


class Parameter(Model):
    """One parameter."""

    description: str
    type: Literal["integer", "texts", "groups"]
    """``texts``: a list of strings. ``groups``: such a list, or several that must all be satisfied."""
    default: Any
    minimum: StrictInt | None = None
    maximum: StrictInt | None = None

    def check(self, value: object) -> str:
        """Why it does not take ``value``; empty where it does."""
        match self.type:
            case "integer":
                return self._check_integer(value)
            case "texts":
                return "" if _are_texts(value) else f"{value!r} is not a list of texts"
            case "groups":
                return "" if _are_texts(value) or _are_sets(value) else f"{value!r} is not a list of groups"
        assert_never(self.type)

    def _check_integer(self, value: object) -> str:
        if not isinstance(value, int) or isinstance(value, bool):
            return f"{value!r} is not a whole number"
        if self.minimum is not None and value < self.minimum:
            return f"{value} is less than {self.minimum}"
        if self.maximum is not None and value > self.maximum:
            return f"{value} is more than {self.maximum}"
        return ""


class ParametersDocument(Model):
    """``kind: PackParameters``."""

    api_version: Literal["gatehold.dev/v1"]
    kind: Literal["PackParameters"]
    metadata: Metadata
    parameters: dict[str, Parameter] = Field(min_length=1)


def chosen(declared: Mapping[str, Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter's value: what is given, else its default. Raises ``ParameterError``."""
    for name, value in given.items():
        if name not in declared:
            there_are = f"there are {', '.join(declared)}" if declared else "it has none"
            raise ParameterError(name, f"there is no parameter {name!r}; {there_are}")
        if why := declared[name].check(value):
            raise ParameterError(name, f"parameter {name}: {why}")
    return {name: given.get(name, parameter.default) for name, parameter in declared.items()}


def put_in(node: Any, values: Mapping[str, Any], *, at: Place = ()) -> tuple[Any, dict[Place, str]]:
    """The node with every parameter replaced, and which parameter stands where now.

    Raises ``KeyError`` for a parameter that is not declared: a mistake of the pack.
    """
    if isinstance(node, dict) and node.keys() == {"parameter"}:
        return values[node["parameter"]], {at: node["parameter"]}
    places: dict[Place, str] = {}
    if isinstance(node, dict | list):
        pairs = node.items() if isinstance(node, dict) else enumerate(node)
        found = {}
        for key, item in pairs:
            if key in _EXPRESSIONS and isinstance(item, str):
                found[key] = expression(item, values)
                continue
            found[key], below = put_in(item, values, at=(*at, key))
            places |= below
        return found if isinstance(node, dict) else list(found.values()), places
    return node, places


def expression(source: str, values: Mapping[str, Any]) -> str:
    """A CEL expression with literals in place of its ``parameters.name``. Raises ``KeyError``."""
    tokens, pieces, at = tokenize(source), [], 0
    for mark, dot, name in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if (mark.kind, mark.text, dot.text, name.kind) == ("name", _MARK, ".", "name"):
            pieces += [source[at : mark.start], _literal(values[name.text])]
            at = name.end
    return "".join((*pieces, source[at:]))


def _literal(value: Any) -> str:
    """A value in CEL, which reads numbers, lists and JSON's strings as they are."""
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def _are_texts(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(item, str) and item for item in value)


def _are_sets(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(_are_texts(item) for item in value)
