"""Where numbers may stand inside of what looks like one: libphonenumber's inner matches, in linear time."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
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
type Number = tuple[Span, int]
"""A piece and the regions, at least one, in which it is a number."""


class Inside:
    """The pieces inside the candidates of one text that are numbers somewhere, as ``where`` tells.

    Candidates come in the order in which they begin: what stands between two signs is the same piece for all of them
    around it, and is judged once.
    """

    def __init__(self, text: str, where: Callable[[Span], int]) -> None:
        """``where``: the regions in which a piece is a number, a bit for each."""
        self._text = text
        self._where = where
        self._has_hyphens = _SPACED_HYPHEN.search(text) is not None
        self._has_wide = not text.isascii() and _WIDE_HYPHEN.search(text) is not None
        self._in_brackets, self._stopped, self._spaced = (
            _Between(text, each, where) for each in (_BRACKET, _STOP, _SPACE)
        )

    def numbers(self, start: int, end: int) -> Iterator[Number]:
        """A candidate, cut at one kind of sign at a time (``phonenumbermatcher._INNER_MATCHES``).

        ``text[start:end]`` is the candidate. The stock matcher comes to some of the pieces more than once, and to some
        that are too short for any number.
        """
        text = self._text
        candidate = text[start:end]
        if "/" in candidate:
            yield from self._judged(_tails(text, start, end, _SLASH))
        if "(" in candidate:
            yield from self._in_brackets.within(start, end)
        if self._has_hyphens and "-" in candidate:
            yield from self._judged(_after(text, start, end, _overlapping(text, start, end, _SPACED_HYPHEN)))
        if self._has_wide:
            yield from self._judged(_tails(text, start, end, _WIDE_HYPHEN))
        if "." in candidate:
            yield from self._stopped.within(start, end)
        yield from self._spaced.within(start, end)

    def _judged(self, pieces: Iterable[Span]) -> list[Number]:
        where = self._where
        return [(piece, here) for piece in pieces if (here := where(piece))]


class _Between:
    """The numbers between one kind of sign in a text."""

    def __init__(self, text: str, parted: _Parted, where: Callable[[Span], int]) -> None:
        self._text = text
        self._sign, self._before = parted
        self._where = where
        self._numbers: list[Number] = []
        """Those between two signs in what was cut so far, in order."""
        self._done = 0
        """Where the last part ends that was looked at."""

    def within(self, start: int, end: int) -> list[Number]:
        """Those in a candidate: what is before the first sign, then what is between each and the next."""
        first = self._sign.search(self._text, start, end)
        if first is None:
            return []
        cut = first.start()
        found: list[Number] = []
        if cut - start >= _FEWEST:
            self._judge((start, _trimmed(self._text, start, cut)), found)
        if end < self._done:
            self._cut(cut, end, found, found)
            return found
        last: list[Number] = []
        self._cut(max(cut, self._done), end, self._numbers, last)
        found += self._numbers[bisect_left(self._numbers, ((cut, 0), 0)) :]
        return found + last if last else found

    def _cut(self, start: int, end: int, inner: list[Number], last: list[Number]) -> None:
        """Collects numbers from ``start``, which is at a sign, to ``end``; the last part may go on behind it."""
        text = self._text
        for match in self._before.finditer(text, start, end):
            begin, stop = match.span(1)
            piece = begin, stop if text[stop - 1].isalnum() else _trimmed(text, begin, stop)
            if stop == end:
                self._judge(piece, last)
            else:
                self._judge(piece, inner)
                self._done = max(self._done, stop)

    def _judge(self, piece: Span, found: list[Number]) -> None:
        here = self._where(piece)
        if here:
            found.append((piece, here))


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


def _trimmed(text: str, start: int, end: int) -> int:
    """The end of a piece without the signs that no number ends in."""
    while end > start and not text[end - 1].isalnum() and text[end - 1] != "#":
        end -= 1
    return end
