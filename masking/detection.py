"""The shape of a detector, and what every detector shares."""

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple, Protocol

_LIFT, _LIFTED_LEAST = 0.35, 0.4
"""What a context word adds to a score and the least it makes it (Presidio's LemmaContextAwareEnhancer)."""


class Hit(NamedTuple):
    """Something detected at ``text[start:end]``."""

    entity: str
    start: int
    end: int
    score: float


class Detector(Protocol):
    """Finds one kind of value. Pure, and safe to call from several threads."""

    entity: str
    context: tuple[str, ...]
    """Words, in lower case, that make its weak patterns surer when they stand in the key or in the text."""
    screen: str | None
    """A regular expression that matches every ASCII text with a hit; None: every text has to be asked about."""
    screens_all: bool
    """Whether the screen matches what is ``shown`` of every text with a hit, ASCII or not."""

    def reach(self, *, lifted: bool) -> float:
        """The highest score that a hit can have."""

    def find(self, text: str, *, lifted: bool, threshold: float) -> list[Hit]:
        """All hits that reach ``threshold``, in order; raises ``Unmaskable`` when it cannot be told in time."""


def lift(score: float) -> float:
    """A score, raised by context."""
    return min(max(score + _LIFT, _LIFTED_LEAST), 1.0)


def distinct(hits: Iterable[Hit]) -> list[Hit]:
    """Without hits that lie inside another of the same entity with at least the same score; in order."""
    every = list(hits)
    if all(hit.end <= other.start for hit, other in pairwise(every)):
        return every
    kept: list[Hit] = []
    reaching: list[Hit] = []
    for hit in sorted(set(every), key=lambda each: (each.entity, each.start, each.start - each.end, -each.score)):
        reaching = [other for other in reaching if other.entity == hit.entity and other.end > hit.start]
        if not any(other.end >= hit.end and other.score >= hit.score for other in reaching):
            kept.append(hit)
            reaching.append(hit)
    return sorted(kept, key=lambda each: (each.start, each.end))
