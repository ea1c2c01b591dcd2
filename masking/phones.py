"""Phone numbers as libphonenumber's matcher finds them, for all regions at once and in linear time.

The matcher looks for candidates (digits with signs between them) and, where a candidate is no number, for numbers
inside it: after a slash, in brackets, between spaces. Which pieces those are does not depend on the region, only which
of them is a number. So a text is walked once: every piece is judged for all regions that are still looking there, and
where some of them find a number, they go on behind it while the others go on as before. The stock matcher stops
looking after 65,535 failures, quietly; this one does not.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from heapq import heappop, heappush

import phonenumbers
from phonenumbers.phonenumbermatcher import (
    _CLOSING_PARENS,
    _LEAD_PATTERN,
    _MATCHING_BRACKETS,
    _OPENING_PARENS,
    _PATTERN,
    _PUB_PAGES,
    _SLASH_SEPARATED_DATES,
    _TIME_STAMPS,
    _TIME_STAMPS_SUFFIX,
)
from phonenumbers.phonenumberutil import _SECOND_NUMBER_START_PATTERN

from masking.detection import Hit, distinct, lift
from masking.errors import Unmaskable
from masking.phone_numbers import FEWEST_DIGITS, Numbers
from masking.phone_pieces import Span, inside
from masking.screens import SCREENS

_PIECES, _PIECES_PER_CHARACTER = 20_000, 8
"""How many pieces may be judged in one text: at least, and for each of its characters. The worst texts known need two
for each; the bound is there for those that are not known."""
_LONGEST = 250
"""libphonenumber reads nothing longer."""
_BRACKETS = re.compile("[" + _OPENING_PARENS + _CLOSING_PARENS + "]")


class PhoneDetector:
    """Finds phone numbers, with the regions, the score and the context words of Presidio's recognizer."""

    screen: str | None = SCREENS["PHONE_NUMBER"]
    screens_all = False
    _SEGMENT = re.compile(r"[^\n\r\"<>{}|@]+")
    """Texts without the characters that no candidate holds, and that no candidate minds beside it."""
    _ENOUGH = re.compile(r"\d(?:\D{0,4}\d){3}")

    def __init__(self, *, entity: str, context: tuple[str, ...], score: float, regions: tuple[str, ...]) -> None:
        self.entity = entity
        self.context = context
        self._score = score
        self._numbers = Numbers(regions)

    def reach(self, *, lifted: bool) -> float:
        """The highest score that a hit can have."""
        return lift(self._score) if lifted else self._score

    def find(self, text: str, *, lifted: bool, threshold: float) -> list[Hit]:
        """All hits that reach ``threshold``, in order."""
        score = self.reach(lifted=lifted)
        if score < threshold:
            return []
        hits: list[Hit] = []
        left = _PIECES + _PIECES_PER_CHARACTER * len(text)
        for segment in self._SEGMENT.finditer(text):
            if self._ENOUGH.search(segment[0]):
                walk = _Walk(segment[0], self._numbers, left)
                at = segment.start()
                hits += [Hit(self.entity, at + start, at + end, score) for start, end in walk.found()]
                left = walk.left
        return distinct(hits)


class _Walk:
    """One way through one text."""

    def __init__(self, text: str, numbers: Numbers, left: int) -> None:
        self._text = text
        self._numbers = numbers
        self._seen: dict[Span, int] = {}
        self.left = left
        """How many more pieces may be judged."""

    def found(self) -> set[Span]:
        """Every span that some region takes for a number. Raises ``Unmaskable`` when there are too many pieces."""
        spans: set[Span] = set()
        looking: dict[Span, int] = {}
        order: list[Span] = []
        self._ahead(0, self._numbers.everywhere, looking, order)
        while order:
            candidate = heappop(order)
            regions = looking.pop(candidate)
            for piece in self._pieces(candidate):
                here = self._where(piece) & regions
                if here:
                    spans.add(piece)
                    self._ahead(piece[1], here, looking, order)
                    regions &= ~here
                    if not regions:
                        break
            else:
                self._ahead(candidate[1], regions, looking, order)
        return spans

    def _ahead(self, position: int, regions: int, looking: dict[Span, int], order: list[Span]) -> None:
        """Lets regions look for the next candidate from ``position`` on."""
        match = _PATTERN.search(self._text, position)
        if match is None:
            return
        start, end = match.span()
        second = _SECOND_NUMBER_START_PATTERN.search(match[0]) if "x" in match[0] else None
        candidate = (start, start + second.start() if second else end)
        if candidate not in looking:
            looking[candidate] = 0
            heappush(order, candidate)
        looking[candidate] |= regions

    def _pieces(self, candidate: Span) -> Iterator[Span]:
        """The candidate and then what may be a number inside it, in the order in which the first one counts."""
        start, end = candidate
        text = self._text[start:end]
        if len(text) < FEWEST_DIGITS or ("/" in text and _SLASH_SEPARATED_DATES.search(text)):
            return
        if text[-3] == " " and _TIME_STAMPS.search(text) and _TIME_STAMPS_SUFFIX.match(self._text, end):
            return
        yield candidate
        for a, b in inside(text):
            yield start + a, start + b

    def _where(self, piece: Span) -> int:
        start, end = piece
        if not FEWEST_DIGITS <= end - start <= _LONGEST:
            return 0
        known = self._seen.get(piece)
        if known is None:
            self.left -= 1
            if self.left < 0:
                raise Unmaskable("too many numbers in one text")
            known = self._seen[piece] = self._judged(self._text[start:end], piece)
        return known

    def _judged(self, text: str, piece: Span) -> int:
        start, end = piece
        if _BRACKETS.search(text) and (not _MATCHING_BRACKETS.fullmatch(text) or _PUB_PAGES.search(text)):
            return 0
        if start > 0 and _glues(self._text[start - 1]) and not _LEAD_PATTERN.match(text):
            return 0
        if end < len(self._text) and _glues(self._text[end]):
            return 0
        return self._numbers.where(text)


@lru_cache(1024)
def _glues(neighbour: str) -> bool:
    """Whether a number is none beside this character: a Latin letter, a currency or per cent sign."""
    matcher = phonenumbers.PhoneNumberMatcher
    invalid, letter = matcher._is_invalid_punctuation_symbol, matcher._is_latin_letter  # noqa: SLF001  (its own rules)
    return invalid(neighbour) or letter(neighbour)
