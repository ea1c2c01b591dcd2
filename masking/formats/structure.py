"""What the structure in a text hides: names and kinds, whatever the values look like.

Lines of a log often are, or end in, an object of JSON; messages quote one; configuration gives names to values. A
string inside of JSON is such a text as well.
"""

import json
import re
from collections.abc import Callable, Iterator

from masking.edits import Edit, shift
from masking.errors import Unmaskable
from masking.formats.assignments import AssignmentMasker
from masking.formats.manifests import manifest_edits
from masking.formats.quoted_names import quoted_edits
from masking.plan import Plan

_BEGIN = re.compile(r"\{(?=\s*\")|\[(?=\s*[\[{\"0-9-])")
_END = json.JSONDecoder(object_pairs_hook=len, parse_float=len, parse_int=len).raw_decode
_TRIES, _TRIES_LEAST = 16, 1 << 16
"""How many times over a text may be read while it is looked through for JSON, on average and at least (characters)."""
_WINDOW, _LONGEST_TOKEN = 4096, 16
"""Characters that are first read of JSON, and of a token other than a string, at most."""
_MARK = re.compile(r"[\[{=:]")
_LONG_NUMBER = re.compile(r"[0-9][0-9.]{12}|[0-9.][eE][+-]?[0-9]")
"""What could be a card number, as a number of JSON."""


class Structure:
    """Masks what stands in texts by its name or kind, by one plan. Safe to use from several threads."""

    def __init__(self, plan: Plan, nested: Callable[[str, int], list[Edit] | None]) -> None:
        """``nested``: what is to be replaced in a text that may be JSON, so many levels deep; None: unread."""
        self._plan = plan
        self._nested = nested
        self._assignments = AssignmentMasker(plan)
        self._kinds = tuple(kind.kind for kind in plan.kinds)

    def edits(self, text: str, depth: int, *, commands: bool = False) -> list[Edit]:
        """What is to be replaced in ``text``, possibly overlapping. ``commands``: it may be one."""
        if not _MARK.search(text) or not self._may_hide(text):
            return []
        # Of equals the first one wins, and keeps JSON in a text JSON.
        read: list[tuple[int, int]] = []
        return [
            *self._objects(text, depth, read),
            *manifest_edits(text, self._plan),
            *self._assignments.edits(text, commands=commands),
            *quoted_edits(text, self._plan, read),
        ]

    def _may_hide(self, text: str) -> bool:
        """Whether names, kinds or numbers could make a difference; escapes may hide any of them."""
        plan = self._plan
        if plan.paths or plan.ner or "\\" in text or plan.keys.may_tell(text):
            return True
        return any(kind in text for kind in self._kinds) or _LONG_NUMBER.search(text) is not None

    def _objects(self, text: str, depth: int, read: list[tuple[int, int]]) -> Iterator[Edit]:
        """What is to be replaced in objects and arrays of JSON, wherever in the text they stand; notes their spans."""
        for start, end in _json_within(text):
            edits = self._nested(text[start:end], depth)
            if edits is not None:
                read.append((start, end))
                yield from (shift(edit, start) for edit in edits)


def _json_within(text: str) -> Iterator[tuple[int, int]]:
    """Spans of JSON objects and arrays; raises ``Unmaskable`` where too much of a text looks like the begin of some."""
    left = _TRIES * len(text) + _TRIES_LEAST
    begin = _BEGIN.search(text)
    while begin:
        start = begin.start()
        end, wasted = _end_of(text, start)
        if end is not None:
            yield start, end
        left -= wasted
        if left < 0:
            raise Unmaskable("a text holds too much torn JSON")
        begin = _BEGIN.search(text, end or start + 1)


def _end_of(text: str, start: int) -> tuple[int | None, int]:
    """Where the JSON that begins at ``start`` ends, None if it is none; and how many characters were read in vain."""
    size, wasted = _WINDOW, 0
    while True:
        # Of a part, since to say what is wrong takes the parser as long as all that it was given is.
        part = text[start : start + size]
        try:
            return start + _END(part)[1], wasted
        except RecursionError:
            raise Unmaskable("JSON is nested too deeply") from None
        except json.JSONDecodeError as error:
            wasted += error.pos
            is_cut = error.msg.startswith("Unterminated string") or error.pos > len(part) - _LONGEST_TOKEN
            if start + size >= len(text) or not is_cut:
                return None, wasted
            size *= 8
