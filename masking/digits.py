"""Digits in the place of digits: as many, keyed, the last ones kept, and nothing that anybody could pay or call with.

What is left begins with zeros: no issuer has such a card number, no Social Security number such an area, and no region
dials such a number. After each separator it begins with zeros again, because a part of a number may be one. It is never
a valid card number (Luhn) nor a valid NHS number (modulus 11).

The digits between the zeros and the kept ones are a hash of the value and a check on that hash, both keyed. So equal
values stay equal, different ones mostly differ, and what was made here is known again: it is left as it is. That tells
nobody whether a value was made here, for a value that passes the check is what very many others become.

=====================  ========================================================
``4111-1111-1111-1111``  ``0005-2183-4094-1111``
``4111 1111 1111 1111``  ``0005 0008 0003 1111``
``+1 (202) 555-0173``    ``+0 (000) 007-0173``
``2025550173``           ``0004270173``
=====================  ========================================================
"""

import hmac
import re
import unicodedata
from dataclasses import dataclass

from masking.numbers import is_nhs, luhn

KEPT = 4
"""Digits that are kept at the end, where nothing else is said."""
_SHORT_RUN = 7
"""Digits to the end of the value from which on two leading zeros leave no number of any region."""
_CHECKED = 3
"""Every third free digit is a check on the others."""
_TRIES = 64
_JOINTS = re.compile(r"[^\w-]|_")
"""Separators at which a part of a number is read by itself; a hyphen is none."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """Which of the hidden digits are fixed, and what they are."""

    fixed: tuple[str | None, ...]
    """One entry per hidden digit; None: free."""

    @property
    def free(self) -> int:
        return self.fixed.count(None)

    def filled(self, digits: str) -> str:
        """The hidden digits with the free ones set."""
        given = iter(digits)
        return "".join(next(given) if each is None else each for each in self.fixed)

    def taken(self, hidden: str) -> str | None:
        """The free ones of some hidden digits; None where these were not made in this frame."""
        if any(each is not None and each != digit for each, digit in zip(self.fixed, hidden, strict=True)):
            return None
        return "".join(digit for each, digit in zip(self.fixed, hidden, strict=True) if each is None)


class Digits:
    """Replaces digits under one key."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"digits", "sha256")

    def __repr__(self) -> str:
        return "Digits(key=***)"

    def text(self, value: str, kept: int = KEPT) -> str:
        """``value`` with its digits replaced but for the last ``kept``, and every letter an ``X``.

        All are replaced where these are more than half of them. The same value comes back where it was made here.
        """
        digits = ascii_digits(value)
        kept = kept_of(len(digits), kept)
        hidden = len(digits) - kept
        made = iter(self._made(_text_frame(value, len(digits), hidden), digits, hidden))
        return "".join(next(made) if each.isdecimal() else "X" if each.isalnum() else each for each in value)

    def number(self, digits: str, kept: int = 0) -> str:
        """The digits of a JSON number, replaced likewise; the first one is not zero, as no number may begin with it."""
        kept = kept_of(len(digits), kept)
        hidden = len(digits) - kept
        fixed = tuple("100"[:hidden]) + (None,) * (hidden - 3)
        return self._made(_Frame(fixed), digits, hidden)

    def _made(self, frame: _Frame, digits: str, hidden: int) -> str:
        tail = digits[hidden:]
        return digits if self._is_own(frame, digits[:hidden], tail) else self._fresh(frame, digits, tail)

    def _fresh(self, frame: _Frame, digits: str, tail: str) -> str:
        checks = frame.free // _CHECKED
        for attempt in range(_TRIES if frame.free else 0):
            hashed = self._hash(f"value\0{attempt}\0{digits}", frame.free - checks)
            made = frame.filled(hashed + self._hash(f"check\0{hashed}\0{tail}", checks)) + tail
            if not _means_something(made):
                return made
        return _constant(frame, tail) + tail

    def _is_own(self, frame: _Frame, hidden: str, tail: str) -> bool:
        """Whether it was made here."""
        if not frame.free:
            return hidden == _constant(frame, tail)
        free = frame.taken(hidden)
        if free is None or _means_something(hidden + tail):
            return False
        checks = frame.free // _CHECKED
        hashed = free[: frame.free - checks]
        return free[len(hashed) :] == self._hash(f"check\0{hashed}\0{tail}", checks)

    def _hash(self, message: str, length: int) -> str:
        number = int.from_bytes(hmac.digest(self._key, message.encode(), "sha256"))
        return f"{number % 10**length:0{length}}" if length else ""


def kept_of(length: int, wanted: int) -> int:
    """How many characters of a value stay readable: as many as wanted, none where that is more than half of them."""
    return wanted if 2 * wanted <= length else 0


def ascii_digits(value: str) -> str:
    """The digits of a text, in any script, as 0 to 9."""
    return "".join(str(unicodedata.decimal(each)) for each in value if each.isdecimal())


def _text_frame(value: str, count: int, hidden: int) -> _Frame:
    fixed: list[str | None] = [None] * hidden
    place = 0
    for part in _JOINTS.split(value):
        digits = sum(map(str.isdecimal, part))
        zeros = 2 if place and count - place <= _SHORT_RUN else 3
        for at in range(place, min(place + min(zeros, digits), hidden)):
            fixed[at] = "0"
        place += digits
    return _Frame(tuple(fixed))


def _constant(frame: _Frame, tail: str) -> str:
    """For values with too few digits to hash; one digit is another one where it would mean something else."""
    plain = frame.filled("0" * frame.free)
    return f"{plain[:-1]}{int(plain[-1]) + 1}" if plain and _means_something(plain + tail) else plain


def _means_something(digits: str) -> bool:
    """Whether a check digit makes it a card number or an NHS number."""
    return luhn(digits) or (len(digits) == 10 and is_nhs(digits))
