"""Where numbers may stand inside of what looks like one: libphonenumber's inner matches, in linear time."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_FEWEST = 4
"""Characters of the shortest number."""
_SLASH = re.compile(r"/+")
_SPACED_HYPHEN = re.compile(r"(?:\s-|-\s)(?=.)\s*")
_WIDE_HYPHEN = re.compile("[\u2012-\u2015\uff0d](?=.)\\s*")


class _Parted(NamedTuple):
    """What a candidate is cut at into parts of which each is looked at."""

    sign: re.Pattern[str]
    before: re.Pattern[str]
    """The same with a part behind it that is long enough: its last group."""


_BRACKET = _Parted(re.compile(r"\([^(]*"), re.compile(r"(\([^(]{3,})"))
_STOP = _Parted(re.compile(r"\.+\s*[^.]+"), re.compile(r"\.++\s*+([^.]{4,})"))
_SPACE = _Parted(re.compile(r"\s+\S+"), re.compile(r"\s++(\S{4,})"))

type Span = tuple[int, int]


def inside(text: str, start: int, end: int) -> Iterator[Span]:
    """Pieces of a candidate, cut at one kind of sign at a time (``phonenumbermatcher._INNER_MATCHES``).

    ``text[start:end]`` is the candidate. The stock matcher comes to some of the pieces more than once, and to some that
    are too short for any number.
    """
    candidate = text[start:end]
    if "/" in candidate:
        yield from _tails(text, start, end, _SLASH)
    if "(" in candidate:
        yield from _parts(text, start, end, _BRACKET)
    if "-" in candidate:
        yield from _after(text, start, end, _overlapping(text, start, end, _SPACED_HYPHEN))
    if not candidate.isascii():
        yield from _tails(text, start, end, _WIDE_HYPHEN)
    if "." in candidate:
        yield from _parts(text, start, end, _STOP)
    yield from _parts(text, start, end, _SPACE)


def _tails(text: str, start: int, end: int, sign: re.Pattern[str]) -> Iterator[Span]:
    """What is before the first sign, then what is after each."""
    return _after(text, start, end, sign.finditer(text, start, end))


def _after(text: str, start: int, end: int, signs: Iterable[re.Match[str]]) -> Iterator[Span]:
    last = -1
    for match in signs:
        begin, after = match.span()
        if last < 0:
            last = _trimmed(text, start, end)
            if begin - start >= _FEWEST:
                yield start, _trimmed(text, start, begin)
        if last - after < _FEWEST:
            return
        yield after, last


def _overlapping(text: str, start: int, end: int, sign: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """Signs that may share a character with the one before."""
    match = sign.search(text, start, end)
    while match:
        yield match
        match = sign.search(text, max(match.start() + 1, match.end() - 1), end)


def _parts(text: str, start: int, end: int, parted: _Parted) -> Iterator[Span]:
    """What is before the first sign, then what is between each and the next."""
    first = parted.sign.search(text, start, end)
    if first is None:
        return
    if first.start() - start >= _FEWEST:
        yield start, _trimmed(text, start, first.start())
    for match in parted.before.finditer(text, first.start(), end):
        begin, stop = match.span(1)
        yield begin, stop if text[stop - 1].isalnum() else _trimmed(text, begin, stop)


def _trimmed(text: str, start: int, end: int) -> int:
    """The end of a piece without the signs that no number ends in."""
    while end > start and not text[end - 1].isalnum() and text[end - 1] != "#":
        end -= 1
    return end
