"""What stands around a place in JSON, found without parsing what comes before it.

All in a ``bare`` text (``escapes``), in which every quote begins or ends a string that has no backslash before it.
"""

import re

WALK, WALK_AT_ONCE = 1 << 18, 1 << 12
"""Bytes that may be walked through, in one body, to find the array or the object around a value; and at once."""
_WINDOW = 160
"""Bytes after a member of which is remembered what they hold."""
_STRIDE = 4096
"""Bytes between two places that are walked through forwards."""
_SPACE = b" \t\r\n"
_BEFORE_OPENING, _AFTER_CLOSING = b"{[,: \t\r\n", b"}],: \t\r\n"
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)|[\[\]{}]', re.DOTALL)
_BACKWARDS = re.compile(rb'"[^"]*+(?:"\\[^"]*+)*+(?:"|\Z)|[\[\]{}]')
"""The same in a text that is read from its end, and begins outside of strings."""
_BACKSLASH = 0x5C


def next_quote(bare: bytes, start: int, end: int | None = None) -> int:
    """Where the first string from ``start`` on, and before ``end``, begins or ends; -1 where none does."""
    place = bare.find(b'"', start, end)
    while place > 0 and bare[place - 1] == _BACKSLASH:
        place = bare.find(b'"', place + 1, end)
    return place


def last_quote(bare: bytes, start: int, end: int) -> int:
    """Where the last string from ``start`` on, and before ``end``, begins or ends; -1 where none does."""
    place = bare.rfind(b'"', start, end)
    while place > 0 and bare[place - 1] == _BACKSLASH:
        place = bare.rfind(b'"', start, place)
    return place


def quotes(bare: bytes, start: int, end: int) -> int:
    """How many strings begin or end in a part of a text."""
    return bare.count(b'"', start, end) - bare.count(b'\\"', max(start - 1, 0), end)


class IrregularError(Exception):
    """The full path has to be taken."""


class Surroundings:
    """One body. Raises ``IrregularError`` where more than ``walk`` bytes would be walked through."""

    def __init__(self, bare: bytes, walk: int) -> None:
        self._bare = bare
        self._left = walk
        self._known, self._inside = 0, False
        """A place, and whether a string stands around it."""
        self._array: tuple[int, list[bytes | None]] = (-1, [])
        """Where the last element of an array began, and the names of the arrays around it (objects: None)."""
        self._followed: dict[bytes, bool] = {}
        """Whether a member ``value`` follows, by what follows the one before."""

    def is_inside(self, at: int) -> bool:
        """Whether a string begins before ``at`` and does not end before it. To be asked from the begin to the end."""
        bare, known = self._bare, self._known
        quote = last_quote(bare, known, at)
        if quote >= 0:
            opens = self._opens(quote)
            self._inside ^= opens is None and bool(quotes(bare, known, at) & 1)
            self._inside = self._inside if opens is None else opens
        self._known = at
        return self._inside

    def _opens(self, quote: int) -> bool | None:
        """Whether a quote begins a string, where its neighbours tell: they nearly always do."""
        bare = self._bare
        if not quote or bare[quote - 1] not in _BEFORE_OPENING:
            return False
        return True if bare[quote + 1] not in _AFTER_CLOSING else None

    def after(self, at: int) -> int:
        """The first place from ``at`` on that is no whitespace."""
        bare = self._bare
        while bare[at] in _SPACE:
            at += 1
        return at

    def following(self, at: int) -> int:
        """The first byte from ``at`` on that is no whitespace; 0 at the end."""
        bare = self._bare
        size = len(bare)
        while at < size and bare[at] in _SPACE:
            at += 1
        return bare[at] if at < size else 0

    def key(self, start: int) -> bytes:
        """The nearest name above the string that begins at ``start``."""
        bare = self._bare
        at = self.before(start)
        if bare[at] != 0x3A:
            return self._name_of_array(start)
        end = last_quote(bare, 0, at)
        return bare[last_quote(bare, 0, end) + 1 : end]

    def _name_of_array(self, start: int) -> bytes:
        """The nearest name above an element of an array."""
        before, names = self._array
        if not (names and start - before <= _STRIDE and self._advance(before, start, names)):
            names = self._names(start)
        self._array = (start, names)
        return names[-1] or b""

    def _advance(self, before: int, start: int, names: "list[bytes | None]") -> bool:
        """Follows what begins and ends between two places; False where more ends than is known."""
        bare = self._bare
        for match in _TOKEN.finditer(bare, before, start):
            token = match[0]
            if token in (b"]", b"}"):
                names.pop()
                if not names:
                    return False
            elif token == b"{":
                names.append(None)
            elif token == b"[":
                at = self.before(match.start())
                name = self.key(match.start()) if at >= 0 and bare[at] == 0x3A else names[-1]
                names.append(name)
        return names[-1] is not None

    def _names(self, start: int) -> "list[bytes | None]":
        """For every array around an element, out to the one that has a name of its own, that name."""
        levels, bracket = 0, start
        while True:
            bracket, levels = self._opening(bracket), levels + 1
            at = self.before(bracket)
            if at < 0:
                return [b""] * levels
            if self._bare[at] == 0x3A:
                return [self.key(bracket)] * levels

    def _opening(self, start: int) -> int:
        """Where the array begins that holds what begins at ``start``."""
        size = 256
        while True:
            least = max(0, start - size)
            self._spend(start - least)
            depth = 0
            for match in _BACKWARDS.finditer(self._bare[least:start][::-1]):
                token = match[0]
                if token in (b"]", b"}"):
                    depth += 1
                elif token in (b"[", b"{"):
                    if not depth:
                        return start - match.start() - 1
                    depth -= 1
            if least == 0:
                raise IrregularError
            size *= 4

    def before(self, at: int) -> int:
        """The last place before ``at`` that is no whitespace; -1 where there is none."""
        at -= 1
        while at >= 0 and self._bare[at] in _SPACE:
            at -= 1
        return at

    def has_strings(self, bracket: int) -> bool:
        """Whether an array may have strings among its elements, or in arrays among these."""
        inner: list[bytes] = []
        size = 0
        for match in _TOKEN.finditer(self._bare, bracket):
            token = match[0]
            self._spend(match.end() - bracket - size)
            size = match.end() - bracket
            if token in (b"[", b"{"):
                inner.append(token)
            elif token in (b"]", b"}"):
                inner.pop()
                if not inner:
                    return False
            elif inner[-1] == b"[":
                return True
        return True

    def has_value(self, start: int, end: int) -> bool:
        """Whether the object around a member's string value may have a member ``value``."""
        left = self._left_part(start)
        if left is None or b'"value"' in left:
            return True
        after = self._bare[end + 1 : end + 1 + _WINDOW]
        known = self._followed.get(after)
        if known is not None:
            return known
        found, last = self._right_part(end)
        if last <= end + _WINDOW:
            self._followed[after] = found
        return found

    def _left_part(self, start: int) -> bytes | None:
        """The members of an object before the one whose value begins at ``start``; None if that is not simple."""
        begin = self._bare.rfind(b"{", max(0, start - 4096), start)
        if begin < 0:
            return None
        part = self._bare[begin + 1 : start]
        self._spend(len(part))
        simple = not quotes(part, 0, len(part)) & 1 and b"}" not in part
        return part if simple else None

    def _right_part(self, end: int) -> tuple[bool, int]:
        """Whether one of the members after ``end`` may be called ``value``, and where that is settled."""
        depth = 0
        last = end + 1
        for match in _TOKEN.finditer(self._bare, end + 1):
            token = match[0]
            self._spend(match.end() - last)
            last = match.end()
            if token in (b"[", b"{"):
                depth += 1
            elif token in (b"]", b"}"):
                depth -= 1
                if depth < 0:
                    return False, last
            elif not depth and (token == b'"value"' or b"\\" in token) and self.following(last) == 0x3A:
                return True, len(self._bare)
        return True, len(self._bare)

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise IrregularError
