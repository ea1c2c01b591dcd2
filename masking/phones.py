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
from itertools import accumulate

import phonenumbers
from phonenumbers.phonenumbermatcher import (
    _CLOSING_PARENS,
    _LEAD_CLASS,
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
from masking.number_starts import FIRST_DIGITS
from masking.phone_numbers import FEWEST_DIGITS, MOST_DIGITS, Numbers, digits_of, is_idle
from masking.phone_pieces import Inside, Number, Span
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
                hits += [Hit(self.entity, at + start, at + end, score) for start, end in sorted(walk.found())]
                left = walk.left
        return distinct(hits)


_LEAD = re.compile(rf"{_LEAD_CLASS}|\d")
"""What every candidate begins with."""
_MARK = re.compile("[xX#~]")
"""Signs of an extension, or of a carrier."""
_SEVERAL, _OTHER = 3, 1 << 20
"""From so many marks on they may be letters of a name that is dialled. Another character weighs more than any marks."""
_LAST_RUN = re.compile(r"[^\d]*(\d*)")


@lru_cache(1024)
def _weight(character: str) -> int:
    """What a character does to the digits around it: nothing, begin an extension, or anything else."""
    return 0 if is_idle(character) else 1 if _MARK.match(character) else _OTHER


class _Walk:
    """One way through one text."""

    def __init__(self, text: str, numbers: Numbers, left: int) -> None:
        self._text = text
        self._numbers = numbers
        self._digits = digits_of(text)
        self._before = list(accumulate(map(str.isdecimal, text), initial=0))
        """How many digits stand before each place."""
        is_plain = not any(map(_weight, set(text)))
        self._weights = [0] * (len(text) + 1) if is_plain else list(accumulate(map(_weight, text), initial=0))
        self._has_brackets = _BRACKETS.search(text) is not None
        self._has_dates = "/" in text and _SLASH_SEPARATED_DATES.search(text) is not None
        self._starts = numbers.starts
        self._judged: dict[Span, int] = {}
        self._inside = Inside(text, self._where)
        self._candidates: dict[int, Span | None] = {}
        """The next candidate from each place where one could begin."""
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
            for piece, valid in self._numbers_in(candidate):
                here = valid & regions
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
        lead = _LEAD.search(self._text, position)
        if lead is None:
            return
        place = lead.start()
        if place not in self._candidates:
            self._candidates[place] = self._candidate(place)
        candidate = self._candidates[place]
        if candidate is None:
            return
        if candidate not in looking:
            looking[candidate] = 0
            heappush(order, candidate)
        looking[candidate] |= regions

    def _candidate(self, position: int) -> Span | None:
        """The next candidate from ``position`` on."""
        match = _PATTERN.search(self._text, position)
        if match is None:
            return None
        start, end = match.span()
        second = _SECOND_NUMBER_START_PATTERN.search(match[0]) if "x" in match[0] else None
        return start, start + second.start() if second else end

    def _numbers_in(self, candidate: Span) -> Iterator[Number]:
        """The candidate and then what is inside it, in the order in which the first one counts."""
        start, end = candidate
        text = self._text[start:end]
        if len(text) < FEWEST_DIGITS or (self._has_dates and _SLASH_SEPARATED_DATES.search(text)):
            return
        if text[-3] == " " and _TIME_STAMPS.search(text) and _TIME_STAMPS_SUFFIX.match(self._text, end):
            return
        yield candidate, self._where(candidate)
        yield from self._inside.numbers(start, end)

    def _where(self, piece: Span) -> int:
        """The regions in which a piece is a number."""
        start, end = piece
        first = self._before[start]
        count = self._before[end] - first
        if count < FEWEST_DIGITS or end - start > _LONGEST:
            return 0
        weight = self._weights[end] - self._weights[start]
        # Most pieces are none, which a look at the table tells in less time than it takes to remember them.
        first_digits = self._digits[first : first + FIRST_DIGITS]
        if not weight and (count > MOST_DIGITS or first_digits not in self._starts[count]):
            return 0
        here = self._judged.get(piece)
        if here is None:
            here = self._judged[piece] = self._judge(piece, first, count, weight)
        return here

    def _judge(self, piece: Span, first: int, count: int, weight: int) -> int:
        """The same for a piece of ``count`` digits, from the digit ``first`` of the text on, that may be one."""
        if weight:
            return self._of_text(piece) if self._may_be_marked(piece, count, weight) else 0
        return self._numbers.of_digits(self._digits[first : first + count]) if self._stands_free(piece) else 0

    def _may_be_marked(self, piece: Span, count: int, weight: int) -> bool:
        """Whether there may be a region in which a piece with marks, and so many digits, is a number."""
        start, end = piece
        first = self._before[start]
        if weight < _SEVERAL:
            return self._numbers.may_be_extended(self._counts(piece), self._digits[first : first + FIRST_DIGITS])
        # All but an extension counts, unless another number follows a slash.
        return count <= MOST_DIGITS or count - self._last_run(piece) <= MOST_DIGITS or "/" in self._text[start:end]

    def _counts(self, piece: Span) -> Iterator[int]:
        """How many digits a piece with marks may have before its extension, and in all."""
        start, end = piece
        first = self._before[start]
        count = self._before[end] - first
        yield count
        for mark in _MARK.finditer(self._text, start, end):
            yield self._before[mark.start()] - first
        yield count - self._last_run(piece)

    def _last_run(self, piece: Span) -> int:
        """How many digits stand at the end of a piece."""
        match = _LAST_RUN.match(self._text[slice(*piece)][::-1])
        return len(match[1]) if match else 0

    def _of_text(self, piece: Span) -> int:
        return self._numbers.where(self._text[slice(*piece)]) if self._stands_free(piece) else 0

    def _stands_free(self, piece: Span) -> bool:
        """Whether nothing beside a piece, or cut off from it, makes it a part of something else."""
        self.left -= 1
        if self.left < 0:
            raise Unmaskable("too many numbers in one text")
        start, end = piece
        text = self._text
        if self._has_brackets and _is_cut(text[start:end]):
            return False
        if start > 0 and _glues(text[start - 1]) and not _LEAD_PATTERN.match(text, start, end):
            return False
        return end == len(text) or not _glues(text[end])


def _is_cut(text: str) -> bool:
    """Whether brackets tell that a piece is a part of something else."""
    if not _BRACKETS.search(text):
        return False
    return not _MATCHING_BRACKETS.fullmatch(text) or _PUB_PAGES.search(text) is not None


@lru_cache(1024)
def _glues(neighbour: str) -> bool:
    """Whether a number is none beside this character: a Latin letter, a currency or per cent sign."""
    matcher = phonenumbers.PhoneNumberMatcher
    invalid, letter = matcher._is_invalid_punctuation_symbol, matcher._is_latin_letter  # noqa: SLF001  (its own rules)
    return invalid(neighbour) or letter(neighbour)
