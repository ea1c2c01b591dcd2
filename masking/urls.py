r"""Presidio's patterns for URLs, in linear time.

Each of them is ``[a-z0-9.\-]{1,253}[.](?:com|edu|...)(?:/path)?`` with something before or around it. Read by a
backtracking engine, it looks at 253 characters and hundreds of endings from every character of a text. Here the places
where a dot and an ending stand are found once; a match is the furthest of them within reach.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import regex

_LONGEST = 253
_FLAGS = regex.DOTALL | regex.MULTILINE | regex.IGNORECASE
_HOST = r"""((www\d{0,3}[.])?[a-z0-9.\-]{1,253}[.](?:ENDINGS)(?:/[^\s()<>"']*)?)"""
_FORMS = {
    f"(?i)(?:https?://){_HOST}": (True, False),
    f"(?i){_HOST}": (False, False),
    f"(?i)[\"'](https?://{_HOST})[\"']": (True, True),
    f"(?i)[\"']({_HOST})[\"']": (False, True),
}
"""The patterns, each with whether it has a scheme and whether it is quoted."""
_ENDINGS = re.compile(r"(?:\(\?:[a-z]+\)\|)+\(\?:[a-z]+\)")

_RUN = regex.compile(r"[a-z0-9.\-]+", flags=_FLAGS)
_SCHEME = regex.compile(r"https?://", flags=_FLAGS)
_QUOTED_SCHEME = regex.compile(r"[\"']https?://", flags=_FLAGS)
_QUOTE = regex.compile(r"[\"']")
_WWW = regex.compile(r"www\d{0,3}[.]", flags=_FLAGS)
_PATH = regex.compile(r"/[^\s()<>\"']*", flags=_FLAGS)
_LONGEST_WWW = 7

type _Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlPattern:
    """One of Presidio's patterns, taken apart."""

    scheme: bool
    quoted: bool
    endings: tuple[str, ...]
    """The top-level domains: the first that fits counts."""

    def spans(self, text: str) -> Iterator[_Span]:
        """What ``regex.finditer`` would find."""
        hosts = _hosts(text, self.endings)
        if self.quoted or self.scheme:
            return self._anchored(text, hosts)
        return _free(hosts)

    def _anchored(self, text: str, hosts: "_Hosts") -> Iterator[_Span]:
        lead = (_QUOTED_SCHEME if self.scheme else _QUOTE) if self.quoted else _SCHEME
        match = lead.search(text)
        while match:
            end = hosts.end(match.end(), quoted=self.quoted)
            if end:
                yield match.start(), end
            match = lead.search(text, end or match.start() + 1)


def taken_apart(pattern: str) -> UrlPattern | None:
    """Presidio's ``pattern``; None: it is another one than those that are known here."""
    endings = _ENDINGS.search(pattern)
    if endings is None:
        return None
    form = _FORMS.get(re.sub(r"\\(?=[\"'])", "", pattern.replace(endings[0], "ENDINGS")))
    if form is None:
        return None
    return UrlPattern(scheme=form[0], quoted=form[1], endings=tuple(re.findall("[a-z]+", endings[0])))


@lru_cache(1)
def _hosts(text: str, endings: tuple[str, ...]) -> "_Hosts":
    """All four patterns read one text after the other."""
    return _Hosts(text, _places(endings))


@lru_cache(4)
def _places(endings: tuple[str, ...]) -> Mapping[str, int]:
    return {ending: place for place, ending in reversed([*enumerate(endings)])}


def _free(hosts: "_Hosts") -> Iterator[_Span]:
    """Matches wherever they may begin."""
    position = 0
    while (start := hosts.next_start(position)) is not None:
        end = hosts.end(start)
        if end:
            yield start, end
        position = end or start + 1


class _Hosts:
    """Where in a text a host name may end."""

    def __init__(self, text: str, endings: Mapping[str, int]) -> None:
        self._text = text
        self._endings = endings
        self._longest = max(map(len, endings))
        self._runs: list[_Span] = []
        self._dots: list[int] = []
        self._fits: dict[int, list[int]] = {}
        for match in _RUN.finditer(text):
            self._runs.append(match.span())
            self._read(*match.span())
        self._run_starts = [start for start, _ in self._runs]

    def _read(self, start: int, end: int) -> None:
        dot = self._text.find(".", start, end)
        while dot >= 0:
            fits = self._ends_after(dot + 1, end)
            if fits:
                self._dots.append(dot)
                self._fits[dot] = fits
            dot = self._text.find(".", dot + 1, end)

    def _ends_after(self, start: int, end: int) -> list[int]:
        """The ends of the top-level domains that stand at ``start``, in the order of the pattern."""
        label = _plain(self._text[start : min(end, start + self._longest)])
        found = [length for length in range(2, len(label) + 1) if label[:length] in self._endings]
        return [start + length for length in sorted(found, key=lambda length: self._endings[label[:length]])]

    def next_start(self, position: int) -> int | None:
        """Before which no match begins, from ``position`` on; None: there is none."""
        at = bisect_left(self._dots, position + 1)
        if at == len(self._dots):
            return None
        dot = self._dots[at]
        start, _ = self._runs[bisect_right(self._run_starts, dot) - 1]
        # A name of 253 characters, and "www" with digits of any script before it.
        return max(position, start - _LONGEST_WWW, dot - _LONGEST - _LONGEST_WWW)

    def end(self, start: int, *, quoted: bool = False) -> int:
        """The end of the match at ``start``; 0: there is none."""
        www = _WWW.match(self._text, start)
        return (self._name(www.end(), quoted=quoted) if www else 0) or self._name(start, quoted=quoted)

    def _name(self, start: int, *, quoted: bool) -> int:
        place = bisect_right(self._run_starts, start) - 1
        if place < 0 or start >= self._runs[place][1]:
            return 0
        last = min(start + _LONGEST, self._runs[place][1] - 1)
        first = bisect_left(self._dots, start + 1)
        for at in range(bisect_right(self._dots, last) - 1, first - 1, -1):
            end = self._closed(self._fits[self._dots[at]], quoted=quoted)
            if end:
                return end
        return 0

    def _closed(self, fits: Sequence[int], *, quoted: bool) -> int:
        """The end of a match that has one of ``fits`` as the end of its name."""
        if not quoted:
            path = _PATH.match(self._text, fits[0])
            return int(path.end()) if path else fits[0]
        for fit in fits:
            path = _PATH.match(self._text, fit)
            for end in (path.end(), fit) if path else (fit,):
                if self._text[end : end + 1] in {'"', "'"}:
                    return int(end) + 1
        return 0


def _plain(label: str) -> str:
    """In lower case as the pattern, which knows of no case, reads it."""
    return label.lower() if label.isascii() else label.translate(_FOLDED).lower()


_FOLDED = {0x17F: "s", 0x212A: "k", 0x130: "i", 0x131: "i"}
