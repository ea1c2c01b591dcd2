"""What is to be replaced in a text.

A text is judged as one, so that a word in one line can make a number in another line surer. Lines of a log often are,
or end in, an object of JSON: its members are judged by their names as well, and so are values that a text names.
"""

from collections.abc import Iterator

from masking.edits import Edit
from masking.formats.json_document import JsonMasker
from masking.plan import Plan
from masking.settling import settled


class TextMasker:
    """Masks texts by one plan. Safe to use from several threads."""

    def __init__(self, plan: Plan, objects: JsonMasker) -> None:
        self._plan = plan
        self._objects = objects

    def edits(self, text: str, key: str = "") -> list[Edit]:
        """What is to be replaced in ``text``, possibly overlapping."""
        return settled(text, self.by_structure, lambda left: self.by_looks(left, key))

    def by_looks(self, text: str, key: str = "") -> list[Edit]:
        """What is to be replaced in ``text`` for what it looks like; texts in base64 have a structure as well."""
        return self._plan.judge.edits(text, key, within=self.by_structure)

    def by_structure(self, text: str) -> Iterator[Edit]:
        """What is to be replaced in ``text`` for the names and kinds in it, whatever it looks like."""
        yield from self._objects.edits_within(text)
