"""What is to be replaced in a text, and the replacing.

Texts are never rebuilt from a parsed form: spans are replaced in place, so that every byte outside a span stays as
it was (big integers, duplicate keys, escapes, whitespace).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One span ``[start, end)`` in characters, what stood there and what is to stand there."""

    start: int
    end: int
    entity: str
    score: float
    """How sure the detection is, 0..1; 1 where a key, a path or a kind names the value."""
    replacement: str
    strictness: int = 0
    """Decides which replacement stands where spans overlap; higher hides more."""


def merge(edits: Iterable[Edit]) -> list[Edit]:
    """Non-overlapping edits in order of their start.

    Overlapping spans become one that covers all of them, replaced as the strictest, surest and longest of them says:
    no character of any of them remains.
    """
    ordered = list(edits)
    if len(ordered) < 2:
        return ordered
    ordered.sort(key=lambda each: (each.start, -each.end))
    merged: list[Edit] = []
    for edit in ordered:
        if merged and edit.start < merged[-1].end:
            merged[-1] = _union(merged[-1], edit)
        else:
            merged.append(edit)
    return merged


def _union(one: Edit, other: Edit) -> Edit:
    winner = max(one, other, key=lambda each: (each.strictness, each.score, each.end - each.start))
    return replace(winner, start=min(one.start, other.start), end=max(one.end, other.end))


def apply(text: str, edits: Sequence[Edit]) -> str:
    """``text`` with every one of the merged ``edits`` made; the same object when there are none."""
    if not edits:
        return text
    pieces: list[str] = []
    position = 0
    for edit in edits:
        pieces += (text[position : edit.start], edit.replacement)
        position = edit.end
    pieces.append(text[position:])
    return "".join(pieces)


def shift(edit: Edit, offset: int) -> Edit:
    """The same edit in a text in which its own text begins at ``offset``."""
    return replace(edit, start=edit.start + offset, end=edit.end + offset) if offset else edit


def count(edits: Iterable[Edit]) -> dict[str, int]:
    """Number of replaced values per entity, by name."""
    return dict(sorted(Counter(edit.entity for edit in edits).items()))


def add_counts(total: dict[str, int], more: Mapping[str, int]) -> None:
    """Counts by entity, added to others."""
    for entity, number in more.items():
        total[entity] = total.get(entity, 0) + number
