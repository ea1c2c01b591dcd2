"""What is to be replaced in a text.

A text is judged as one, so that a word in one line can make a number in another line surer. Lines of a log often are,
or end in, an object of JSON: its members are judged by their names as well.
"""

from collections.abc import Iterator

from masking.edits import Edit, shift
from masking.formats.json_document import JsonMasker
from masking.formats.manifests import manifest_edits
from masking.plan import Plan


class TextMasker:
    """Masks texts by one plan. Safe to use from several threads."""

    def __init__(self, plan: Plan, objects: JsonMasker) -> None:
        self._plan = plan
        self._objects = objects

    def edits(self, text: str, key: str = "") -> list[Edit]:
        """What is to be replaced in ``text``, possibly overlapping."""
        return [*self._plan.judge.edits(text, key), *self._structured(text), *manifest_edits(text, self._plan)]

    def _structured(self, text: str) -> Iterator[Edit]:
        if "{" not in text and "[" not in text:
            return
        found = self._objects.edits_within(text)
        if found:
            yield from found
            return
        position = 0
        for line in text.split("\n"):
            for edit in self._in_line(line):
                yield shift(edit, position)
            position += len(line) + 1

    def _in_line(self, line: str) -> Iterator[Edit]:
        body = line.rstrip()
        if body[-1:] not in {"}", "]"}:
            return
        start = body.find("{" if body[-1] == "}" else "[")
        if start >= 0:
            for edit in self._objects.edits_within(body[start:]):
                yield shift(edit, start)
