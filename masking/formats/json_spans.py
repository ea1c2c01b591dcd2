"""Where everything stands in a JSON text: a scanner that validates and locates, and builds nothing.

Values are not converted: a JSON round trip would turn big integers into floats, drop duplicate keys and rewrite
escapes. The grammar is RFC 8259 exactly; whatever is not, is refused. Nesting is walked without recursion.

The text is a sequence of values. One expression matches one value together with the member name before it and all
that closes after it (``}}],``), so that between two matches nothing is left over: a match that does not begin where
the last one ended is a syntax error.
"""

import re
from dataclasses import dataclass, field
from typing import Never

from masking.errors import Unmaskable
from masking.views import json_string

MAX_DEPTH = 128

_WS = r"[ \t\n\r]*+"
_STRING = r'"([^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+)"'
_NUMBER = r"(-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)"
_LEAD = re.compile(_WS)
_VALUE = re.compile(
    rf"(?:{_STRING}{_WS}:{_WS})?+(?:{_STRING}|{_NUMBER}|true|false|null|([\[{{])){_WS}((?:[\]}}]{_WS})*+,?){_WS}"
)

type Step = str | int
"""A member name, decoded, or the index of an array's element; an empty name at the root."""
type Leaf = tuple[int, int, Step, int, bool]
"""A string or a number: start, end, its step, its container (an index of ``Layout.frames``), whether it is a string.
The span of a string is what stands between its quotes. Plain tuples: there are very many."""
type Frame = tuple[int, Step]
"""An object or an array: its container (-1: none) and its step."""


@dataclass(frozen=True, slots=True)
class Layout:
    """All leaves and containers of a text, in document order."""

    leaves: list[Leaf] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    """The member names, decoded."""

    def name_of(self, leaf: Leaf) -> str:
        """The nearest member name above a value: its own, or that of the array that it stands in."""
        step, frame = leaf[2], leaf[3]
        while not isinstance(step, str):
            frame, step = self.frames[frame]
        return step

    def steps_to(self, leaf: Leaf) -> list[Step]:
        """The way from the root to a leaf."""
        if not self.frames:
            return []
        steps, frame = [leaf[2]], leaf[3]
        while frame > 0:
            frame, step = self.frames[frame]
            steps.append(step)
        return steps[::-1]


def _invalid() -> Never:
    raise Unmaskable("not valid JSON")


def scan(text: str) -> Layout:  # noqa: PLR0912  (the loop below)
    """Locates everything in ``text``; raises ``Unmaskable`` unless it is one JSON value."""
    # One long loop with hardly a call: it runs once per value of every answer in which something is to be hidden.
    layout = Layout()
    note, frames = layout.leaves.append, layout.frames
    outer: list[tuple[int, bool, int]] = []
    frame, in_object, count, expects = -1, False, 0, True
    position = _LEAD.match(text).end()  # type: ignore[union-attr]  # it matches the empty string
    for match in _VALUE.finditer(text, position):
        (begin, end), (name, name_end), quoted, number, (bracket, _), (trail, trail_end) = match.regs
        if begin != position or not expects or (name >= 0) != in_object:
            _invalid()
        position = end
        step: Step
        if in_object:
            step = _unescaped(text[name:name_end])
            layout.names.add(step)
        else:
            step = count if frame >= 0 else ""
            count += 1
        if bracket < 0:
            if quoted[0] >= 0:
                note((quoted[0], quoted[1], step, frame, True))
            elif number[0] >= 0:
                note((number[0], number[1], step, frame, False))
        else:
            if len(outer) == MAX_DEPTH:
                raise Unmaskable("JSON is nested too deeply")
            outer.append((frame, in_object, count))
            frames.append((frame, step))
            frame, in_object, count = len(frames) - 1, text[bracket] == "{", 0
            if trail == trail_end:
                continue
            if text[trail] == ",":
                _invalid()
        expects = False
        for character in text[trail:trail_end]:
            if character in "]}":
                if frame < 0 or in_object != (character == "}"):
                    _invalid()
                frame, in_object, count = outer.pop()
            else:
                expects = character == ","
        if expects != (frame >= 0):
            _invalid()
    if position != len(text) or expects or outer:
        _invalid()
    return layout


def _unescaped(name: str) -> str:
    return json_string(name).text if "\\" in name else name
