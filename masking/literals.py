"""Exact values that must never be seen: credentials that the gateway put into a request, and values it put back.

An upstream that echoes its request, or logs it, would hand them to the agent. The caller gives every form in which a
value may come back (raw, base64, URL-encoded, JSON-escaped); each occurrence becomes ``***``, or what it is mapped to.
"""

import importlib
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

REPLACEMENT = b"***"
SHORTEST = 8
"""Shorter values would hit ordinary text; credentials are longer."""
_FEW = 32
"""Values up to which looking for one after the other is as fast as anything."""


type Span = tuple[int, int, bytes]
"""Where a value begins and ends, and what takes its place."""


class Replacing(Protocol):
    """Takes values out of bytes."""

    def replace(self, data: bytes) -> bytes:
        """``data`` with every value replaced; the same object where there is none."""

    def held_back(self, data: bytes) -> int:
        """How many bytes at the end of ``data`` could be the beginning of a value."""


class Literals:
    """A set of exact byte strings to be taken out. True where there is any."""

    def __init__(
        self,
        values: Iterable[bytes] | Mapping[bytes, bytes],
        *,
        shortest: int = SHORTEST,
        any_case: bool = False,
    ) -> None:
        """``values``: alone, or with what takes their place. Those of less than ``shortest`` bytes are left out.

        ``any_case``: ASCII letters count as the same in both cases.
        """
        given = values if isinstance(values, Mapping) else dict.fromkeys(values, REPLACEMENT)
        self._any_case = any_case
        if any_case:
            given = {value.lower(): replacement for value, replacement in given.items()}
        # Longest first: a form that contains another one is replaced as a whole.
        self._values = dict(sorted(_usable(given, shortest), key=lambda each: (-len(each[0]), each[0])))
        self._sorted = sorted(self._values)
        self._longest = max(map(len, self._values), default=0)
        self._head = min(SHORTEST, min(map(len, self._values), default=1))
        self._heads = {value[: self._head] for value in self._values}
        self._pattern = _any_of(self._values) if len(self._values) > _FEW else None

    def __repr__(self) -> str:
        return f"<Literals: {len(self._values)} values>"

    def __bool__(self) -> bool:
        return bool(self._values)

    def replace(self, data: bytes) -> bytes:
        """``data`` with every value replaced; the same object where there is none."""
        if self._any_case:
            return self._replaced_in_any_case(data)
        if self._pattern is not None:
            found = self._pattern.search(data)
            return self._pattern.sub(lambda match: self._values[match[0]], data) if found else data
        for value, replacement in self._values.items():
            if value in data:
                data = data.replace(value, replacement)
        return data

    def held_back(self, data: bytes) -> int:
        """How many bytes at the end of ``data`` could be the beginning of a value."""
        if self._longest <= 1:
            return 0
        end = data[1 - self._longest :]
        if self._any_case:
            end = end.lower()
        return next((len(end) - at for at in self._starts(end) if self._begins(end[at:])), 0)

    def spans(self, folded: bytes) -> list[Span]:
        """Where values stand, in data in small letters where any case counts."""
        if self._pattern is None:
            if not any(value in folded for value in self._values):
                return []
            self._pattern = _any_of(self._values)
        return [(match.start(), match.end(), self._values[match[0]]) for match in self._pattern.finditer(folded)]

    def _replaced_in_any_case(self, data: bytes) -> bytes:
        return _spliced(data, self.spans(data.lower()))

    def _starts(self, end: bytes) -> Iterable[int]:
        """Where in ``end`` a value may begin, in order; of a long value there are as many places to look at."""
        if len(self._heads) > len(end):
            return range(len(end))
        whole = {at for head in self._heads for at in _places(head, end)}
        return (*sorted(whole), *range(max(0, len(end) - self._head + 1), len(end)))

    def _begins(self, part: bytes) -> bool:
        """Whether a longer value begins with ``part``."""
        at = bisect_left(self._sorted, part + b"\0")
        return at < len(self._sorted) and self._sorted[at].startswith(part)


class LiteralGroups:
    """Groups of values, of which all count in any case: another one costs nothing for those that are there."""

    def __init__(self, groups: Iterable[Literals] = ()) -> None:
        self._groups = tuple(groups)

    def __repr__(self) -> str:
        return f"<LiteralGroups: {len(self._groups)} groups>"

    def __bool__(self) -> bool:
        return any(self._groups)

    def replace(self, data: bytes) -> bytes:
        """``data`` with every value replaced; the same object where there is none."""
        if not self._groups:
            return data
        folded = data.lower()
        found = sorted(
            (span for group in self._groups for span in group.spans(folded)), key=lambda span: (span[0], -span[1])
        )
        merged: list[Span] = []
        for start, end, replacement in found:
            if merged and start < merged[-1][1]:
                before = merged[-1]
                merged[-1] = (before[0], max(before[1], end), before[2])
            else:
                merged.append((start, end, replacement))
        return _spliced(data, merged)

    def held_back(self, data: bytes) -> int:
        """How many bytes at the end of ``data`` could be the beginning of a value."""
        return max((group.held_back(data) for group in self._groups), default=0)


def _places(part: bytes, data: bytes) -> Iterable[int]:
    at = data.find(part)
    while at >= 0:
        yield at
        at = data.find(part, at + 1)


def _spliced(data: bytes, spans: Iterable[Span]) -> bytes:
    pieces, at = [], 0
    for start, end, replacement in spans:
        pieces += [data[at:start], replacement]
        at = end
    return b"".join([*pieces, data[at:]]) if pieces else data


def _usable(values: Mapping[bytes, bytes], shortest: int) -> Iterable[tuple[bytes, bytes]]:
    return ((value, replacement) for value, replacement in values.items() if len(value) >= shortest)


def _any_of(values: Iterable[bytes]) -> Any:
    """Finds very many values, the longer ones before others; RE2 does so in one pass."""
    alternatives = b"|".join(map(re.escape, values))
    try:
        re2 = importlib.import_module("re2")  # not everywhere
    except ImportError:
        return re.compile(alternatives)
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = 1 << 28
    options.log_errors = False
    return re2.compile(alternatives, options)


class LiteralStream:
    """Takes values out of a stream, wherever it is cut. Holds back only what may be the beginning of a value."""

    def __init__(self, literals: Replacing) -> None:
        """``literals`` may come to know more values while the stream goes on."""
        self._literals = literals
        self._tail = b""

    def feed(self, chunk: bytes) -> bytes:
        """The bytes that may go on."""
        if not self._literals and not self._tail:
            return chunk
        data = self._literals.replace(self._tail + chunk)
        held = self._literals.held_back(data)
        self._tail = data[len(data) - held :]
        return data[: len(data) - held]

    def end(self) -> bytes:
        """What was held back, now that nothing follows."""
        rest, self._tail = self._literals.replace(self._tail), b""
        return rest
