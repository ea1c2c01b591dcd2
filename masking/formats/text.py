"""What is to be replaced in a text.

A text is judged as one, so that a word in one line can make a number in another line surer. Lines of a log often are,
or end in, an object of JSON: its members are judged by their names as well, and so are values that a text names.
"""

import re
from collections.abc import Iterator

from masking.edits import Edit, shift
from masking.formats.assignments import AssignmentMasker
from masking.formats.json_document import JsonMasker
from masking.formats.manifests import manifest_edits
from masking.plan import Plan

_GUARDED = re.compile(
    r"""\s*(?:\)\]\}',?|while\s*\(1\);|for\s*\(;;\);|\{\}\s*&&|(?:/\*\*/)?[\w$.]{1,128}\s*\(|[\w$. ]{1,128}=)\s*"""
    r"([\[{](?s:.*)[\]}])\s*\)?\s*;?\s*"
)
"""JSON behind what keeps browsers from running it, or as the argument of a call or the value of a variable."""


class TextMasker:
    """Masks texts by one plan. Safe to use from several threads."""

    def __init__(self, plan: Plan, objects: JsonMasker) -> None:
        self._plan = plan
        self._objects = objects
        self._assignments = AssignmentMasker(plan)

    def edits(self, text: str, key: str = "") -> list[Edit]:
        """What is to be replaced in ``text``, possibly overlapping."""
        # Of equals the first one wins, and keeps JSON in a text JSON.
        return [*self.by_structure(text), *self._plan.judge.edits(text, key)]

    def by_structure(self, text: str) -> Iterator[Edit]:
        """What is to be replaced in ``text`` for the names and kinds in it, whatever it looks like."""
        yield from self._structured(text)
        yield from manifest_edits(text, self._plan)
        yield from self._assignments.edits(text)

    def _structured(self, text: str) -> Iterator[Edit]:
        if "{" not in text and "[" not in text:
            return
        found = self._objects.edits_within(text)
        guarded = _GUARDED.fullmatch(text)
        if guarded and not found:
            found = [shift(edit, guarded.start(1)) for edit in self._objects.edits_within(guarded[1])]
        if found:
            yield from found
            return
        position = 0
        for line in text.split("\n"):
            for edit in self._in_line(line):
                yield shift(edit, position)
            position += len(line) + 1

    def _in_line(self, line: str) -> Iterator[Edit]:
        body = line.rstrip(" \t\r;)")
        if body[-1:] not in {"}", "]"}:
            return
        start = body.find("{" if body[-1] == "}" else "[")
        if start >= 0:
            for edit in self._objects.edits_within(body[start:]):
                yield shift(edit, start)
