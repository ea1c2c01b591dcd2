"""What is wrong with an expression, said so that its author can mend it."""

import difflib
import re
from collections.abc import Collection

from policy.errors import GateholdError

_LINE = re.compile(
    r"ERROR: <input>:(?P<line>-?\d+):(?P<column>-?\d+): (?P<message>.*?)(?: \[[A-Z_]+\])?$", re.MULTILINE
)
_UNDECLARED = re.compile(r"undeclared reference to '([^']+)'")
_CONTAINER = " (in container '')"
_LONGEST = 300


class ExpressionError(GateholdError):
    """An expression that cannot be used: its syntax, its types or its names are wrong."""


def readable(error: str, names: Collection[str]) -> str:
    """The engine's words for a failed compilation, with what was probably meant."""
    found = [match for match in _LINE.finditer(error) if int(match["column"]) > 0]
    if not found:
        deep = "recursion" in error
        return "it is nested too deeply" if deep else "it cannot be compiled"
    first = found[0]
    message = first["message"].replace(_CONTAINER, "")
    return f"{message[:_LONGEST]}{_hint(message, names)} (line {first['line']}, column {first['column']})"


def _hint(message: str, names: Collection[str]) -> str:
    if message.startswith("reserved identifier: namespace"):
        return "; write k8s.namespace"
    undeclared = _UNDECLARED.match(message)
    close = difflib.get_close_matches(undeclared[1], names, n=1) if undeclared else []
    return f"; did you mean {close[0]}?" if close else ""
