"""Phone numbers as libphonenumber sees them, in linear space and without giving up.

A candidate is read as each of some regions would write a number. Most candidates are no numbers at all (versions,
identifiers, amounts), and for most of those the count of their digits settles it before anything is parsed.
"""

import re
from dataclasses import dataclass
from typing import Any, Self

import phonenumbers
from phonenumbers.phonemetadata import PhoneMetadata
from phonenumbers.phonenumbermatcher import _PATTERN as CANDIDATE

from masking.detection import Hit, distinct, lift
from masking.errors import Unmaskable
from masking.screens import SCREENS

_TRIES, _TRIES_PER_CHARACTER = 20_000, 2
"""How many candidates may be parsed in one text: at least, and for each of its characters. Real texts need one for
every two characters; what needs more was made to keep the gateway busy."""
_FEWEST_DIGITS = 4
"""No region has a shorter valid number."""


def _metadata(region: str) -> Any:
    return PhoneMetadata.metadata_for_region(region)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the numbering plan of a region says of numbers written without a country code."""

    country_code: str
    international: re.Pattern[str]
    national: re.Pattern[str]
    lengths: frozenset[int]
    """Possible digits of a national number in any region with this country code."""

    @classmethod
    def of(cls, region: str) -> Self:
        metadata = _metadata(region)
        plans = map(_metadata, phonenumbers.COUNTRY_CODE_TO_REGION_CODE[metadata.country_code])
        return cls(
            str(metadata.country_code),
            re.compile(metadata.international_prefix or "(?!)"),
            re.compile(metadata.national_prefix_for_parsing or "(?!)"),
            frozenset(length for plan in plans for length in plan.general_desc.possible_length),
        )

    def excludes(self, digits: str) -> bool:
        """Whether ``digits``, dialled in this region, surely are no valid number.

        libphonenumber takes off an international prefix, the country code and a national prefix. Where none of these
        could be taken off, the national number is what it is, and its length has to be a possible one.
        """
        if self.international.match(digits) or self.national.match(digits):
            return False
        if digits.startswith(self.country_code):
            rest = digits[len(self.country_code) :]
            if self.national.match(rest) or len(rest) in self.lengths:
                return False
        return len(digits) not in self.lengths


_SEPARATORS = str.maketrans("", "", "-() []./~")


class _Matcher(phonenumbers.PhoneNumberMatcher):
    """libphonenumber's matcher. The stock one stops looking after 65,535 failures, quietly; this one refuses."""

    def __init__(self, text: str, region: str, leniency: int, plan: _Plan, tries: list[int]) -> None:
        super().__init__(text, region, leniency=leniency, max_tries=2**62, min_candidate_length=_FEWEST_DIGITS)
        self._plan = plan
        self._left = tries

    def _parse_and_verify(self, candidate: str, offset: int) -> "phonenumbers.PhoneNumberMatch | None":
        digits = candidate.translate(_SEPARATORS)
        if digits.isdecimal() and digits.isascii() and self._plan.excludes(digits):
            return None
        self._left[0] -= 1
        if self._left[0] < 0:
            raise Unmaskable("too many numbers in one text")
        return super()._parse_and_verify(candidate, offset)


class PhoneDetector:
    """Finds phone numbers, with the regions, the score and the context words of Presidio's recognizer."""

    screen = SCREENS["PHONE_NUMBER"]
    _SEGMENT = re.compile(r"[^\n\r\"<>{}|@]+")
    """Texts without the characters that no candidate holds, and that no candidate minds beside it."""
    _ENOUGH = re.compile(r"\d(?:\D{0,4}\d){3}")

    def __init__(self, *, entity: str, context: tuple[str, ...], score: float, regions: tuple[str, ...], leniency: int):
        self.entity = entity
        self.context = context
        self._score = score
        self._regions = [(region, _Plan.of(region)) for region in regions]
        self._leniency = leniency

    def reach(self, *, lifted: bool) -> float:
        """The highest score that a hit can have."""
        return lift(self._score) if lifted else self._score

    def find(self, text: str, *, lifted: bool, threshold: float) -> list[Hit]:
        """All hits that reach ``threshold``, in order."""
        score = self.reach(lifted=lifted)
        if score < threshold:
            return []
        tries = [_TRIES + _TRIES_PER_CHARACTER * len(text)]
        hits: list[Hit] = []
        for segment in self._SEGMENT.finditer(text):
            if self._ENOUGH.search(segment[0]):
                spans = self._spans(segment[0], tries)
                hits += [
                    Hit(self.entity, segment.start() + start, segment.start() + end, score) for start, end in spans
                ]
        return distinct(hits)

    def _spans(self, text: str, tries: list[int]) -> set[tuple[int, int]]:
        """Everything that one of the regions takes for a number. Once each candidate is one, no other is longer."""
        candidates = {match.span() for match in CANDIDATE.finditer(text)}
        found: set[tuple[int, int]] = set()
        for region, plan in self._regions:
            found |= {(match.start, match.end) for match in _Matcher(text, region, self._leniency, plan, tries)}
            if candidates <= found:
                break
        return found
