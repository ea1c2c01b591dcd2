"""Which pieces of a text are valid telephone numbers, and in which regions: libphonenumber's reading of a piece."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers.phonenumbermatcher import _contains_only_valid_x_chars
from phonenumbers.phonenumberutil import (
    _PLUS_CHARS_PATTERN,
    _RFC3966_PHONE_CONTEXT,
    _VALID_PUNCTUATION,
    _VALID_START_CHAR_PATTERN,
    _build_national_number_for_parsing,
    _is_viable_phone_number,
    _maybe_strip_extension,
    _normalize,
)

from masking import numbering
from masking.number_starts import FIRST_DIGITS, starts

FEWEST_DIGITS = 4
"""No region has a shorter valid number."""
MOST_DIGITS = 40
"""Of a number with every prefix; digits of an extension come on top."""
_REMEMBERED = 8192
_LETTER, _FEWEST_LETTERS = re.compile("[A-Za-z]"), 3
_PLAIN = re.compile(r"\+?[0-9]+")
"""Pieces without the signs that mean nothing: digits, and at most a plus sign before them."""


class _Signs(dict[int, str | None]):
    """For ``str.translate``: digits of any script become ASCII, and signs that mean nothing go."""

    _IDLE = re.compile(f"[{_VALID_PUNCTUATION}]")
    _TELLING = frozenset("x~\uff5e")

    @classmethod
    def is_idle(cls, character: str) -> bool:
        """Whether a sign means nothing."""
        return character not in cls._TELLING and cls._IDLE.fullmatch(character) is not None

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        value: str | None = character
        if character.isdecimal():
            value = str(unicodedata.decimal(character))
        elif character == "\uff0b":
            value = "+"
        elif self.is_idle(character):
            value = None
        self[code] = value
        return value


class _Digits(dict[int, str | None]):
    """For ``str.translate``: digits of any script become ASCII, and everything else goes."""

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        self[code] = value = str(unicodedata.decimal(character)) if character.isdecimal() else None
        return value


_SIGNS = _Signs()
_DIGITS = _Digits()
_SHAPE = str.maketrans("123456789", "000000000")
_NO_DIGITS = {code: None for code in range(128) if not chr(code).isdecimal()}


def digits_of(text: str) -> str:
    """The digits in a text, in ASCII."""
    if text.isascii():
        return text.translate(_NO_DIGITS)
    return text.translate(_DIGITS)


def is_idle(character: str) -> bool:
    """Whether a character of a number is a digit, or a sign that means nothing."""
    return character.isdecimal() or _Signs.is_idle(character)


class Numbers:
    """Which texts are valid numbers, and where: a bit for each of some regions."""

    def __init__(self, regions: tuple[str, ...]) -> None:
        self._bits = {region: 1 << place for place, region in enumerate(regions)}
        self.everywhere = (1 << len(regions)) - 1
        forms = [numbering.form(region) for region in regions]
        self.starts = starts(forms, MOST_DIGITS)
        """For each count of digits, up to the most, the first of them (four) that a number may have, and where."""
        prefixed = [f"{form}|{numbering.prefix(region)}" for form, region in zip(forms, regions, strict=True)]
        self._extended_starts = starts(prefixed, MOST_DIGITS)
        self._of_digits = lru_cache(_REMEMBERED)(self._plain)
        self._of_text = lru_cache(_REMEMBERED)(self._parsed)
        self._regions = lru_cache(_REMEMBERED)(self._among)

    def where(self, piece: str) -> int:
        """The regions in which ``piece``, all of it, is a number."""
        digits = piece.translate(_SIGNS)
        if not _PLAIN.fullmatch(digits):
            return self._of_text(piece)
        return self._of_digits(digits) if FEWEST_DIGITS <= len(digits) <= MOST_DIGITS else 0

    def may_be_extended(self, counts: Iterable[int], first: str) -> bool:
        """Whether digits that begin with these (four) may be a number with an extension.

        ``counts``: how many the number alone may have, or both.
        """
        return any(count <= MOST_DIGITS and first in self._extended_starts[count] for count in counts)

    def of_digits(self, digits: str) -> int:
        """The regions in which ``digits``, at least four and with signs that mean nothing, are a number."""
        return self._of_digits(digits) if len(digits) <= MOST_DIGITS else 0

    def _plain(self, digits: str) -> int:
        if digits[0] == "+":
            return self._judged(self._bits, digits[1:], digits[1:], plus=True)
        may_be = self.starts[len(digits)].get(digits[:FIRST_DIGITS])
        return self._judged(self._regions(may_be), digits, digits, plus=False) if may_be else 0

    def _among(self, bits: int) -> tuple[str, ...]:
        return tuple(region for region, bit in self._bits.items() if bits & bit)

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
        parts = taken_apart(piece.translate(_SHAPE))
        if parts is None:
            return 0
        digits = _dialled(piece[parts.dialled])
        if not digits or len(digits) > MOST_DIGITS:
            return 0
        regions: Iterable[str] = self._bits
        if not parts.plus:
            regions = self._regions(self._extended_starts[len(digits)].get(digits[:FIRST_DIGITS], 0))
            if not regions:
                return 0
        valid = self._judged(regions, digits, _digits(piece), plus=parts.plus)
        return self._with_fitting_x(piece, piece[parts.extension], valid) if valid and "x" in piece.lower() else valid

    def _with_fitting_x(self, piece: str, extension: str, valid: int) -> int:
        """The regions in which each ``x`` of a valid number stands for a carrier or for the extension."""
        if "xx" in piece.lower():
            return sum(bit for region, bit in self._bits.items() if valid & bit and _fits(piece, region))
        marks = (place for place, character in enumerate(piece[:-1]) if character in "xX")
        return valid if all(extension and _digits(piece[mark:]) == extension for mark in marks) else 0


class _Parts(NamedTuple):
    """What a piece consists of."""

    plus: bool
    dialled: slice
    extension: slice
    """Empty where there is none."""


@lru_cache(_REMEMBERED)
def taken_apart(shape: str) -> _Parts | None:
    """What a piece of this shape, which is a piece with each digit a zero, consists of; None: it is no number.

    libphonenumber takes a piece apart by its signs and by how many digits are between them.
    """
    start = _VALID_START_CHAR_PATTERN.search(shape)
    if start is None or _RFC3966_PHONE_CONTEXT in shape:
        return None
    number = _build_national_number_for_parsing(shape)
    if not _is_viable_phone_number(number):
        return None
    begin = start.start()
    stop = begin + len(number.rstrip("#"))
    extension, number = _maybe_strip_extension(number)
    plus = _PLUS_CHARS_PATTERN.match(number)
    dialled = slice(begin + plus.end() if plus else begin, begin + len(number))
    return _Parts(plus is not None, dialled, slice(stop - len(extension), stop))


def _dialled(number: str) -> str:
    """The digits of a number, and those that its letters stand for where it has three of them."""
    is_plain = number.isascii() and len(_LETTER.findall(number)) < _FEWEST_LETTERS
    return digits_of(number) if is_plain else _normalize(number)


def _digits(piece: str) -> str:
    return "".join(filter(str.isdigit, piece.translate(_SIGNS)))


def _fits(piece: str, region: str) -> bool:
    number = phonenumbers.parse(piece, region, keep_raw_input=True)
    return bool(_contains_only_valid_x_chars(number, piece))
