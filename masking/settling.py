"""Edits that are the last ones: in the text that they leave there is nothing more to find.

What is found for its looks cuts a text up, and what stands beside it has another name from then on: of
``1111password=x`` nothing names ``x``, of ``<CREDIT_CARD>password=x`` something does. What is found for its name does
the same to looks: ``x(y`` is no generated value, ``<SECRET>(y`` has one before it.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from masking.edits import Edit, apply, merge
from masking.judging import all_of

_ROUNDS = 4
"""How many times over a text is read as it was left; what does not settle by then is hidden as a whole."""

type Find = Callable[[str], Iterable[Edit]]
"""What is to be replaced in a text, possibly overlapping."""


def settled(text: str, by_structure: Find, by_looks: Find) -> list[Edit]:
    """What both find in ``text``, and in what that leaves of it, possibly overlapping.

    What is found for its looks has to be final by itself.
    """
    placed = list(by_structure(text))
    # Of equals the first one wins, and keeps JSON in a text JSON.
    found = [*placed, *by_looks(text)]
    for _ in range(_ROUNDS if found else 0):
        made = merge(found)
        left = apply(text, made)
        again = list(by_structure(left))
        if not placed and not again:
            return found
        again = merge([*again, *by_looks(left)])
        if apply(left, again) == left:
            return found
        placed = again
        # What was read last comes first, and is what is written.
        found = [*_moved(again, made), *found]
    return all_of(text, found) if found else found


def _moved(edits: Iterable[Edit], made: Sequence[Edit]) -> Iterator[Edit]:
    """Edits of the text that ``made`` left as edits of the text before: of what was replaced, all is meant."""
    starts: list[int] = []
    moved = 0
    for each in made:
        starts.append(each.start + moved)
        moved += len(each.replacement) - (each.end - each.start)

    def origin(place: int, *, is_end: bool) -> int:
        at = bisect_right(starts, place - is_end) - 1
        if at < 0:
            return place
        inside = place - starts[at]
        if inside >= len(made[at].replacement) + is_end:
            return made[at].end + inside - len(made[at].replacement)
        return made[at].end if is_end else made[at].start

    for edit in edits:
        yield replace(edit, start=origin(edit.start, is_end=False), end=origin(edit.end, is_end=True))
