"""Pieces of a body that hold text, and what stands between them: tags, delimiters, quotes.

What is found is replaced piece by piece, so that a value that reaches over several pieces is hidden in each of them and
the framing between them stays. In the first piece stands the replacement, in the others nothing.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from masking.edits import Edit, shift
from masking.judging import whole
from masking.plan import Plan
from masking.profiles.spec import KeySpec
from masking.views import View

_PATH = re.compile(r"[\[\]./]+")

type Write = Callable[[str], str]
"""A text as it has to be written in a piece."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece ``[start, end)`` of the raw text, what it reads as, and how a text is written there."""

    start: int
    end: int
    view: View
    write: Write

    @property
    def text(self) -> str:
        """What it reads as."""
        return self.view.text

    def placed(self, edit: Edit) -> Edit:
        """An edit of ``text`` as an edit of the raw text."""
        return replace(
            edit,
            start=self.start + self.view.origin(edit.start),
            end=self.start + self.view.origin(edit.end),
            replacement=self.write(edit.replacement),
        )


class Joined:
    """The texts of segments as one text."""

    def __init__(self, segments: Sequence[Segment], between: Sequence[str]) -> None:
        """``between``: what is to stand before each segment; of the first it is ignored."""
        pieces: list[str] = []
        self._segments = segments
        self._starts: list[int] = []
        position = 0
        for segment, gap in zip(segments, between, strict=True):
            if pieces:
                pieces.append(gap)
                position += len(gap)
            self._starts.append(position)
            pieces.append(segment.text)
            position += len(segment.text)
        self.text = "".join(pieces)

    def placed(self, edits: Iterable[Edit]) -> Iterator[Edit]:
        """Edits of the joined text as edits of the raw text, one for each segment that they reach."""
        for edit in edits:
            rest = edit
            for index in range(max(bisect_right(self._starts, edit.start) - 1, 0), len(self._segments)):
                origin, segment = self._starts[index], self._segments[index]
                if origin >= edit.end:
                    break
                start, end = max(rest.start, origin), min(rest.end, origin + len(segment.text))
                if start < end:
                    yield segment.placed(replace(rest, start=start - origin, end=end - origin))
                    rest = replace(rest, replacement="")


def hidden(value: str, rule: KeySpec, plan: Plan) -> Iterator[Edit]:
    """The edit that hides a value for its name, but for the space around it; none where nothing is to be hidden."""
    inner = value.strip()
    if inner and not plan.judge.is_token(inner):
        shown = plan.hand.replacement(rule.treatment, rule.entity, inner)
        yield shift(whole(rule.entity, inner, shown, rule.treatment), value.index(inner))


def rule_for(name: str, plan: Plan) -> KeySpec | None:
    """The rule for a field of a form or a column of a table: by its name, or by what a path ends in (``user[ssn]``)."""
    name = name.strip()
    last = _PATH.split(name.strip("[]./"))[-1]
    rules = [rule for rule in map(plan.keys.find, dict.fromkeys((name, last))) if rule]
    return max(rules, key=lambda rule: rule.treatment.strictness, default=None)
