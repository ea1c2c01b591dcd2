"""Lines of a text that is passed on as it comes, those that belong together in one record.

Who reads a whole text sees an object of JSON that is written over many lines, a value of YAML below its name, markup. A
line alone would not show what such a value is called. So a line that leaves a brace or bracket open is held together
with those after it until that is closed, a block of YAML until a line is indented no deeper than its name, and a text
that begins with a tag until its end.
"""

import re
from collections.abc import Iterator

from masking.stream import Lines

_BRACES = re.compile(rb"[{}]")
_BRACKETS = re.compile(rb"""(?<!\x1b)\[(?=[ \t]*(?:[\[{"']|\r?\n|$))|\]""")
"""Of brackets those that open an array of what can hide something; escapes of a terminal, levels of a log and numbers
are none."""
_BLOCK = re.compile(rb"[:=][ \t]*[|>][-+0-9]*[ \t]*\r?\n?$")
_INDENT = re.compile(rb"[ \t]*(?:-[ \t]+)*")
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:[!?]|[A-Za-z][\w:.-]*[\s/>])")


class JoinedLines(Lines):
    """Records are lines, or several that belong together."""

    def __init__(self) -> None:
        super().__init__()
        self._joined = bytearray()
        self._depths = [0, 0]
        """Braces and brackets that are open."""
        self._indent: int | None = None
        """That of the name whose block of YAML is open."""
        self._is_fresh = True
        self._to_end = False

    @property
    def is_open(self) -> bool:
        """Does what is held back wait for more than the end of its line?"""
        return bool(self._joined) or self._is_joining

    @property
    def held(self) -> int:
        """How many bytes are held back."""
        return len(self._joined) + super().held

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The records that ``data`` completes."""
        for line in super().feed(data):
            yield from self._taken(line)

    def rest(self) -> bytes:
        """What has not ended."""
        return bytes(self._joined) + super().rest()

    def goes_on(self, line: bytes) -> None:
        """A line was given on that was not held here: what follows belongs to it, where it leaves something open."""
        self._begin(line)

    def _taken(self, line: bytes) -> Iterator[bytes]:
        if self._indent is not None and line.strip() and _depth(line) <= self._indent:
            yield from self._closed()
        if not self._is_joining:
            self._begin(line)
        elif self._indent is None:
            self._count(line)
        self._joined += line
        if not self._is_joining:
            yield from self._closed()

    @property
    def _is_joining(self) -> bool:
        return self._to_end or self._indent is not None or any(self._depths)

    def _begin(self, line: bytes) -> None:
        if self._is_fresh and line.strip():
            self._is_fresh, self._to_end = False, _MARKUP.match(line) is not None
        self._count(line)
        if not any(self._depths) and _BLOCK.search(line):
            self._indent = _depth(line)

    def _count(self, line: bytes) -> None:
        for at, marks, opening in ((0, _BRACES, b"{"), (1, _BRACKETS, b"[")):
            if self._depths[at] or opening in line:
                for mark in marks.findall(line):
                    self._depths[at] = max(0, self._depths[at] + (1 if mark == opening else -1))

    def _closed(self) -> Iterator[bytes]:
        joined, self._indent = bytes(self._joined), None
        self._joined.clear()
        if joined:
            yield joined


def _depth(line: bytes) -> int:
    match = _INDENT.match(line)
    return match.end() if match else 0
