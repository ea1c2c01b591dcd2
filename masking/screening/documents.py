"""JSON with little to hide, masked in place and hardly looked at.

Quotes that remain once simple escapes are undone begin and end strings, by turns; so counting them tells whether a
mark stands in a string, and which. A string with a mark is judged as the full path judges it, under the name that it
stands under, and spliced. Strings without a mark hold nothing. Whatever is not that simple (an array or an object
under a telling name, a Kubernetes secret, a name that holds a value, a number that is masked for its name) gives None:
the full path does it, or refuses it.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from masking.plan import LONGEST_NAME, Plan
from masking.screening.backends import Scanner, beyond_ascii
from masking.screening.escapes import redone, undone
from masking.screening.nesting import is_shallow

_MOST_MARKS, _BYTES_PER_MARK, _MOST_MARKS_AT_ONCE = 4096, 24, 256
"""How many marks are followed: at least, and as many as a body has of so many bytes; and at once."""
_WALK, _WALK_AT_ONCE = 1 << 18, 1 << 12
"""Bytes that may be walked through, in one body, to find the array or the object around a value."""
_STRIDE = 4096
"""Bytes between two marks that are walked through forwards."""
_SPACE, _DIGITS = b" \t\r\n", b"0123456789."
_QUOTE = 0x22
_NUMBER_BEFORE, _NUMBER = re.compile(rb"[0-9.eE+-]*[,\]} \t\r\n]?\Z"), re.compile(rb"[0-9.eE+-]+")
_LONGEST_NUMBER = 64
_UNBOUNDED = 1 << 62
_TOKEN = re.compile(rb'"[^"]*(?:"|\Z)|[\[\]{}]')
_PAIR_NAMES = frozenset({b"name", b"key"})
_EMPTY = re.compile(rb"\[[ \t\r\n]*\]")


class Quick(NamedTuple):
    """A body that was masked quickly: the same object where nothing was found."""

    body: bytes
    counts: Mapping[str, int]


class Spliced(NamedTuple):
    """What takes the place of a string's inside, or of a number."""

    replacement: bytes
    entities: tuple[str, ...]


class NameTraits(NamedTuple):
    """What a member's name does to its value."""

    refused: bool
    telling: bool
    deep: bool
    speaking: bool
    """Whether it makes something count in the value that would not by itself."""


class Judging(NamedTuple):
    """What is asked about the pieces of a body. All bytes are in UTF-8, with escapes as in the body."""

    text: Callable[[bytes, bytes], Spliced | None]
    """For the inside of a string under a name, as they stand."""
    placed: Callable[[bytes, bytes], Spliced | None]
    """For the inside of a string under a telling name."""
    number: Callable[[bytes], Spliced | None]
    name: Callable[[bytes], NameTraits]
    tells: Callable[[bytes], bool]
    """Whether a string, as the name of a pair, tells."""


class _IrregularError(Exception):
    """The full path has to be taken."""


def is_json(body: bytes) -> bool:
    """Whether a body is one JSON object or array in UTF-8, for sure."""
    if body[:1] not in (b"{", b"[") and body.lstrip(_SPACE)[:1] not in (b"{", b"["):
        return False
    try:
        if not body.isascii():
            body.decode()
        msgspec.json.decode(body, type=msgspec.Raw)
    except (ValueError, RecursionError):
        return False
    return True


def quick_json(
    body: bytes, plan: Plan, scanner: Scanner, judging: Judging, *, judged: int | None = None
) -> Quick | None:
    """The masked form of a body that ``is_json`` (or lines of such); None where it takes a closer look.

    ``judged``: how many bytes of names and values may be judged for it, at most; None: as many as there are.
    """
    bare, read = undone(body)
    most = _MOST_MARKS + len(read) // _BYTES_PER_MARK if judged is None else _MOST_MARKS_AT_ONCE
    marks = _marks(read, scanner, most)
    if marks is None:
        return None
    look = _Look(bare, plan, judging, _UNBOUNDED if judged is None else judged)
    try:
        if plan.keys:
            look.refuse_long_names()
        look.follow(marks)
    except _IrregularError:
        return None
    found = look.found
    if not found:
        return Quick(body, {})
    if not is_shallow(bare):
        return None
    return Quick(redone(_made(bare, found)), _counts(found))


def _marks(read: bytes, scanner: Scanner, most: int) -> list[int] | None:
    marks = scanner.marks(read, most)
    if marks is None or read.isascii():
        return marks
    # Strings with characters beyond ASCII are never screened.
    high = beyond_ascii().marks(read, most)
    return None if high is None else sorted({*marks, *high})


type _Found = dict[int, tuple[int, Spliced]]
"""By where it begins: where it ends, and what takes its place."""


def _made(bare: bytes, found: _Found) -> bytes:
    pieces: list[bytes] = []
    position = 0
    for start in sorted(found):
        end, spliced = found[start]
        pieces += (bare[position:start], spliced.replacement)
        position = end
    pieces.append(bare[position:])
    return b"".join(pieces)


def _counts(found: _Found) -> dict[str, int]:
    counted = Counter(entity for _, spliced in found.values() for entity in spliced.entities)
    return dict(sorted(counted.items()))


class _Look:
    """One body, looked at where it is marked."""

    def __init__(self, bare: bytes, plan: Plan, judging: Judging, judged: int) -> None:
        self._judged = judged
        self.found: _Found = {}
        self._bare = bare
        self._judging = judging
        self._pairs = plan.pairs
        self._kinds = frozenset(name.encode() for kind in plan.kinds for name in (kind.kind, f"{kind.kind}List"))
        self._left = _WALK if judged == _UNBOUNDED else _WALK_AT_ONCE
        self._array: tuple[int, list[bytes | None]] = (-1, [])
        """Where the last marked element of an array began, and the names of the arrays around it (objects: None)."""
        self._known: dict[tuple[bytes, bytes], Spliced | None] = {}
        self._settled: set[int] = set()
        """Where strings begin that are dealt with for their names."""

    def refuse_long_names(self) -> None:
        """Leaves it to the full path to refuse names that are too long to be matched."""
        bare, step = self._bare, LONGEST_NAME // 2
        for at in range(0, len(bare), step):
            if bare.find(b'"', at, at + step) >= 0:
                continue
            start, end = bare.rfind(b'"', 0, at), bare.find(b'"', at)
            if start >= 0 and start + LONGEST_NAME < end and (self._pairs or self._next(end + 1) == 0x3A):
                raise _IrregularError

    def follow(self, marks: list[int]) -> None:
        """Judges whatever a mark stands in."""
        bare = self._bare
        count, find, rfind = bare.count, bare.find, bare.rfind
        done = counted = -1
        quotes = 0
        for mark in marks:
            if mark <= done:
                continue
            quotes += count(b'"', max(counted, 0), mark)
            counted = mark
            if bare[mark] == _QUOTE and not quotes & 1:
                start = mark
                done = find(b'"', mark + 1)
            elif quotes & 1:
                start = rfind(b'"', 0, mark)
                done = mark if bare[mark] == _QUOTE else find(b'"', mark)
            else:
                self._outside(mark)
                continue
            self._string(start, done)

    def _string(self, start: int, end: int) -> None:
        """Judges the string whose quotes stand at ``start`` and ``end``."""
        if self._next(end + 1) == 0x3A:
            self._name(start, end)
            return
        if start in self._settled:
            return
        key = self._key(start)
        value = self._bare[start + 1 : end]
        if key == b"kind" and self._kinds and (value in self._kinds or b"\\" in value):
            raise _IrregularError
        if b"\\" in key:
            raise _IrregularError
        if self._pairs and key in _PAIR_NAMES and self._judging.tells(value) and self._has_value(start, end):
            raise _IrregularError
        self._judge(key, start, end)

    def _judge(self, key: bytes, start: int, end: int) -> None:
        value = self._bare[start + 1 : end]
        at = (key, value)
        if at not in self._known:
            self._weigh(key, value)
            self._known[at] = self._judging.text(key, value)
        spliced = self._known[at]
        if spliced is not None:
            self.found[start + 1] = (end, spliced)

    def _name(self, start: int, end: int) -> None:
        name = self._bare[start + 1 : end]
        self._weigh(name)
        traits = self._judging.name(name)
        if traits.refused or b"\\" in name:
            raise _IrregularError
        if not traits.telling and not traits.speaking:
            return
        begin = self._after(self._after(end + 1) + 1)
        first = self._bare[begin]
        if first == 0x7B:
            if traits.deep:
                raise _IrregularError
        elif first == 0x5B:
            if not _EMPTY.match(self._bare, begin) and (traits.telling or self._has_strings(begin)):
                raise _IrregularError
        elif first == _QUOTE:
            self._named(name, begin, traits)
        elif traits.telling and first not in b"tfn":
            raise _IrregularError

    def _named(self, name: bytes, start: int, traits: NameTraits) -> None:
        end = self._bare.find(b'"', start + 1)
        value = self._bare[start + 1 : end]
        if name == b"kind" and self._kinds and (value in self._kinds or b"\\" in value):
            raise _IrregularError
        if self._pairs and (name in _PAIR_NAMES or name == b"value"):
            raise _IrregularError
        if not traits.telling:
            self._judge(name, start, end)
            return
        self._settled.add(start)
        spliced = self._judging.placed(name, value)
        if spliced:
            self.found[start + 1] = (end, spliced)

    def _outside(self, mark: int) -> None:
        """A number, perhaps, of which the last character or the one after it is marked."""
        if self._bare[mark] not in _DIGITS and self._bare[mark - 1] not in _DIGITS:
            return
        least = max(0, mark + 1 - _LONGEST_NUMBER)
        before = _NUMBER_BEFORE.search(self._bare[least : mark + 1])
        match = _NUMBER.match(self._bare, least + before.start()) if before and before.start() else None
        if match:
            spliced = self._judging.number(match[0])
            if spliced:
                self.found[match.start()] = (match.end(), spliced)

    def _after(self, at: int) -> int:
        """The first place from ``at`` on that is no whitespace."""
        bare = self._bare
        while bare[at] in _SPACE:
            at += 1
        return at

    def _next(self, at: int) -> int:
        """The first byte from ``at`` on that is no whitespace; 0 at the end."""
        bare = self._bare
        size = len(bare)
        while at < size and bare[at] in _SPACE:
            at += 1
        return bare[at] if at < size else 0

    def _key(self, start: int) -> bytes:
        """The nearest name above the string that begins at ``start``."""
        bare = self._bare
        at = self._before(start)
        if bare[at] != 0x3A:
            return self._name_of_array(start)
        end = bare.rfind(b'"', 0, at)
        return bare[bare.rfind(b'"', 0, end) + 1 : end]

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
                at = self._before(match.start())
                name = self._key(match.start()) if at >= 0 and bare[at] == 0x3A else names[-1]
                names.append(name)
        return names[-1] is not None

    def _names(self, start: int) -> "list[bytes | None]":
        """For every array around an element, out to the one that has a name of its own, that name."""
        levels, bracket = 0, start
        while True:
            bracket, levels = self._opening(bracket), levels + 1
            at = self._before(bracket)
            if at < 0:
                return [b""] * levels
            if self._bare[at] == 0x3A:
                return [self._key(bracket)] * levels

    def _opening(self, start: int) -> int:
        """Where the array begins that holds what begins at ``start``."""
        size = 256
        while True:
            least = max(0, start - size)
            self._spend(start - least)
            depth = 0
            for match in _TOKEN.finditer(self._bare[least:start][::-1]):
                token = match[0]
                if token in (b"]", b"}"):
                    depth += 1
                elif token in (b"[", b"{"):
                    if not depth:
                        return start - match.start() - 1
                    depth -= 1
            if least == 0:
                raise _IrregularError
            size *= 4

    def _before(self, at: int) -> int:
        """The last place before ``at`` that is no whitespace; -1 where there is none."""
        at -= 1
        while at >= 0 and self._bare[at] in _SPACE:
            at -= 1
        return at

    def _has_strings(self, bracket: int) -> bool:
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

    def _has_value(self, start: int, end: int) -> bool:
        """Whether the object around a member's string value may have a member ``value``."""
        left = self._left_part(start)
        return left is None or b'"value"' in left or self._right_part(end)

    def _left_part(self, start: int) -> bytes | None:
        """The members of an object before the one whose value begins at ``start``; None if that is not simple."""
        begin = self._bare.rfind(b"{", max(0, start - 4096), start)
        if begin < 0:
            return None
        part = self._bare[begin + 1 : start]
        self._spend(len(part))
        simple = not part.count(b'"') & 1 and b"}" not in part
        return part if simple else None

    def _right_part(self, end: int) -> bool:
        """Whether one of the members after ``end`` may be called ``value``."""
        if self._next(end + 1) == 0x7D:
            return False
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
                    return False
            elif not depth and (token == b'"value"' or b"\\" in token) and self._next(last) == 0x3A:
                return True
        return True

    def _weigh(self, *judged: bytes) -> None:
        self._judged -= sum(map(len, judged))
        if self._judged < 0:
            raise _IrregularError

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise _IrregularError
