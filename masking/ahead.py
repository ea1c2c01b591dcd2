r"""Patterns that look ahead as far as the text goes, in linear time.

Two of Presidio's patterns ask at every place whether a letter or a digit comes later, which a backtracking engine looks
for anew each time. Where the answer is no, it is no at every later place as well (within the run of characters that is
looked through), so the places can be taken from the rest of the pattern and asked about one after the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import regex


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """A pattern without what it looks for ahead, and that."""

    rest: "regex.Pattern[str]"
    wanted: tuple["regex.Pattern[str]", ...]
    within: "regex.Pattern[str] | None"
    """The run that is looked through; None: the text."""

    def spans(self, text: str, timeout: float) -> Iterator[tuple[int, int]]:
        """What ``regex.finditer`` would find with the whole pattern."""
        places = [-1] * len(self.wanted)
        border = 0
        for match in self.rest.finditer(text, timeout=timeout):
            start = match.start()
            if start >= border:
                run = self.within.match(text, start) if self.within else None
                border = run.end() if run else len(text)
            for which, wanted in enumerate(self.wanted):
                if places[which] < start:
                    found = wanted.search(text, start)
                    places[which] = found.start() if found else len(text) + 1
            # What is wanted may be what ends the run.
            if all(place <= border for place in places):
                yield match.span()


_FORMS = {
    r"\b((?=.*?[a-zA-Z])(?=.*?[0-9]{4})[\w@#$%^?~-]{10})\b": (
        r"\b([\w@#$%^?~-]{10})\b",
        ("[a-zA-Z]", "[0-9]{4}"),
        None,
    ),
    r"\b(?=[A-Z0-9-]{6,20}\b)(?=[A-Z0-9-]*[A-Z])(?=[A-Z0-9-]*\d)[A-Z]{1,5}-?[A-Z0-9]{5,14}\b": (
        r"\b(?=[A-Z0-9-]{6,20}\b)[A-Z]{1,5}-?[A-Z0-9]{5,14}\b",
        (r"\d",),
        r"[A-Z0-9-]*",
    ),
}


def taken_apart(pattern: str, flags: int) -> Ahead | None:
    """``pattern`` in this form; None: it is none of those that need it."""
    form = _FORMS.get(pattern)
    if form is None:
        return None
    rest, wanted, within = form
    return Ahead(
        rest=regex.compile(rest, flags=flags),
        wanted=tuple(regex.compile(each, flags=flags) for each in wanted),
        within=regex.compile(within, flags=flags) if within else None,
    )
