"""Where numbers may stand inside of what looks like one: libphonenumber's inner matches, in linear time."""

import re
from collections.abc import Iterator

from phonenumbers.phonenumberutil import _PLUS_CHARS, _VALID_PUNCTUATION

from masking.phone_numbers import MOST_DIGITS

_EXTENDED = re.compile(f"[^{_VALID_PUNCTUATION}{_PLUS_CHARS}\\d]|[xX~\uff5e]")
"""What may be a sign of an extension: digits behind it do not count."""
_DIGIT = re.compile(r"\d")
_SLASH = re.compile(r"/+")
_BRACKET = re.compile(r"\([^(]*")
_SPACED_HYPHEN = re.compile(r"(?:\s-|-\s)(?=.)\s*")
_WIDE_HYPHEN = re.compile("[\u2012-\u2015\uff0d](?=.)\\s*")
_STOP = re.compile(r"\.+\s*([^.]+)")
_SPACE = re.compile(r"\s+(\S+)")

type Span = tuple[int, int]


def inside(text: str) -> Iterator[Span]:
    """Pieces of a candidate, cut at one kind of sign at a time (``phonenumbermatcher._INNER_MATCHES``).

    The stock matcher comes to some of them more than once, and to whatever is left of a candidate after each sign, how
    long it may be. Here those with too many digits for any number are passed over.
    """
    if "/" in text:
        yield from _tails(text, _SLASH, 0)
    if "(" in text:
        yield from _parts(text, _BRACKET, 0)
    if "-" in text:
        yield from _tails(text, _SPACED_HYPHEN, 1)
    if not text.isascii():
        yield from _tails(text, _WIDE_HYPHEN, 0)
    if "." in text:
        yield from _parts(text, _STOP, 1)
    yield from _parts(text, _SPACE, 1)


def _least_start(text: str) -> int:
    """Where the last digits begin that are few enough for a number; 0 if there are signs of an extension."""
    if len(text) <= MOST_DIGITS or _EXTENDED.search(text):
        return 0
    places = [match.start() for match in _DIGIT.finditer(text)]
    return places[-MOST_DIGITS - 1] if len(places) > MOST_DIGITS else 0


def _tails(text: str, sign: re.Pattern[str], overlap: int) -> Iterator[Span]:
    """What is before the first sign, then what is after each. ``overlap``: how much of a sign the next may share."""
    match = sign.search(text)
    if match is None:
        return
    yield 0, _trimmed(text, 0, match.start())
    end = _trimmed(text, 0, len(text))
    match = sign.search(text, max(match.start(), _least_start(text)))
    while match:
        if match.end() < end:
            yield match.end(), end
        match = sign.search(text, max(match.start() + 1, match.end() - overlap))


def _parts(text: str, sign: re.Pattern[str], group: int) -> Iterator[Span]:
    """What is before the first sign, then what is between each and the next."""
    match = sign.search(text)
    if match:
        yield 0, _trimmed(text, 0, match.start())
    while match:
        start, end = match.span(group)
        yield start, _trimmed(text, start, end)
        match = sign.search(text, max(match.start() + 1, start))


def _trimmed(text: str, start: int, end: int) -> int:
    """The end of a piece without the signs that no number ends in."""
    while end > start and not text[end - 1].isalnum() and text[end - 1] != "#":
        end -= 1
    return end
