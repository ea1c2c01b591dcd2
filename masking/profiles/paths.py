"""JSON paths, matched against where a value stands.

``$.items[*].name``: ``.name``, ``["name"]`` and ``[n]`` take one step, ``[*]`` and ``.*`` any one step, ``..name`` any
number of steps before it. A rule holds for the value at its path and for everything inside it.
"""

import re
from collections.abc import Iterable, Sequence

from masking.profiles.spec import PathSpec

type Step = str | int

_STEP = re.compile(r"(\.\.?)(\*|[\w$-]+)|\[(?:(\*)|(\d+)|\"([^\"]*)\"|'([^']*)')\]")
_ANY = "/[^/]*"


class PathRules:
    """The path rules of some profiles."""

    def __init__(self, rules: Iterable[PathSpec]) -> None:
        self._rules = [(re.compile(_expression(rule.path) + r"(?:/|\Z)"), rule) for rule in dict.fromkeys(rules)]

    def __bool__(self) -> bool:
        return bool(self._rules)

    def find(self, steps: Sequence[Step]) -> PathSpec | None:
        """The strictest rule for the value that ``steps`` lead to."""
        pointer = _pointer(steps)
        matching = [rule for pattern, rule in self._rules if pattern.match(pointer)]
        return max(matching, key=lambda rule: rule.treatment.strictness, default=None)


class Places:
    """The values that some paths lead to, and nothing inside them."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._patterns = [re.compile(_expression(path)) for path in dict.fromkeys(paths)]

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def holds(self, steps: Sequence[Step]) -> bool:
        """Whether one of the paths leads to where ``steps`` lead."""
        pointer = _pointer(steps)
        return any(pattern.fullmatch(pointer) for pattern in self._patterns)


def _pointer(steps: Sequence[Step]) -> str:
    return "".join(f"/{_quote(str(step))}" for step in steps)


def _quote(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1").replace("\n", "~2")


def _expression(path: str) -> str:
    pieces: list[str] = []
    for match in _STEP.finditer(path):
        dots, name, star, index, *quoted = match.groups()
        if dots == "..":
            pieces.append(f"(?:{_ANY})*")
        if star or name == "*":
            pieces.append(_ANY)
        else:
            step = next(each for each in (name, index, *quoted) if each is not None)
            pieces.append("/" + re.escape(_quote(step)))
    return "".join(pieces)
