"""Which pieces of a text are valid telephone numbers, and in which regions: libphonenumber's reading of a piece."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

import phonenumbers
from phonenumbers.phonenumbermatcher import _contains_only_valid_x_chars
from phonenumbers.phonenumberutil import (
    _PLUS_CHARS_PATTERN,
    _VALID_PUNCTUATION,
    _build_national_number_for_parsing,
    _is_viable_phone_number,
    _maybe_strip_extension,
    _normalize,
)

from masking import numbering

FEWEST_DIGITS = 4
"""No region has a shorter valid number."""
MOST_DIGITS = 40
"""Of a number with every prefix; digits of an extension come on top."""
_REMEMBERED = 8192
_PLAIN = re.compile(r"\+?[0-9]+")
"""Pieces without the signs that mean nothing: digits, and at most a plus sign before them."""


class _Signs(dict[int, str | None]):
    """For ``str.translate``: digits of any script become ASCII, and signs that mean nothing go."""

    _IDLE = re.compile(f"[{_VALID_PUNCTUATION}]")
    _TELLING = frozenset("x~\uff5e")

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        value: str | None = character
        if character.isdecimal():
            value = str(unicodedata.decimal(character))
        elif character == "\uff0b":
            value = "+"
        elif character not in self._TELLING and self._IDLE.fullmatch(character):
            value = None
        self[code] = value
        return value


_SIGNS = _Signs()


class Numbers:
    """Which texts are valid numbers, and where: a bit for each of some regions."""

    def __init__(self, regions: tuple[str, ...]) -> None:
        self._bits = {region: 1 << place for place, region in enumerate(regions)}
        self._plausible = numbering.plausible(regions)
        self.everywhere = (1 << len(regions)) - 1
        self._of_digits = lru_cache(_REMEMBERED)(self._plain)
        self._of_text = lru_cache(_REMEMBERED)(self._parsed)

    def where(self, piece: str) -> int:
        """The regions in which ``piece``, all of it, is a number."""
        digits = piece.translate(_SIGNS)
        if not _PLAIN.fullmatch(digits):
            return self._of_text(piece)
        return self._of_digits(digits) if FEWEST_DIGITS <= len(digits) <= MOST_DIGITS else 0

    def _plain(self, digits: str) -> int:
        if digits[0] == "+":
            return self._judged(self._bits, digits[1:], digits[1:], plus=True)
        regions = self._plausible(digits)
        return self._judged(regions, digits, digits, plus=False) if regions else 0

    def _judged(self, regions: Iterable[str], digits: str, written: str, *, plus: bool) -> int:
        if plus:
            valid = numbering.valid_abroad(digits)
            if valid is not None:
                return self.everywhere if valid else 0
        found = 0
        for region in regions:
            if numbering.valid_in(region, digits, written, plus=plus):
                found |= self._bits[region]
        return found

    def _parsed(self, piece: str) -> int:
        """The same for a piece with letters, signs of an extension, or characters beyond ASCII."""
        try:
            number = _build_national_number_for_parsing(piece)
        except phonenumbers.NumberParseException:
            return 0
        if not _is_viable_phone_number(number):
            return 0
        extension, number = _maybe_strip_extension(number)
        plus = _PLUS_CHARS_PATTERN.match(number)
        digits = _normalize(number[plus.end() :] if plus else number)
        if not digits or len(digits) > MOST_DIGITS:
            return 0
        written = _digits(piece)
        regions: Iterable[str] = self._bits
        if plus is None:
            regions = {*self._plausible(digits), *(each for each in regions if numbering.has_prefix(each, written))}
        valid = self._judged(regions, digits, written, plus=plus is not None)
        return self._with_fitting_x(piece, extension, valid) if valid and "x" in piece.lower() else valid

    def _with_fitting_x(self, piece: str, extension: str, valid: int) -> int:
        """The regions in which each ``x`` of a valid number stands for a carrier or for the extension."""
        if "xx" in piece.lower():
            return sum(bit for region, bit in self._bits.items() if valid & bit and _fits(piece, region))
        marks = (place for place, character in enumerate(piece[:-1]) if character in "xX")
        return valid if all(extension and _digits(piece[mark:]) == extension for mark in marks) else 0


def _digits(piece: str) -> str:
    return "".join(filter(str.isdigit, piece.translate(_SIGNS)))


def _fits(piece: str, region: str) -> bool:
    number = phonenumbers.parse(piece, region, keep_raw_input=True)
    return bool(_contains_only_valid_x_chars(number, piece))
