"""JSON with little to hide, masked in place and hardly looked at.

Quotes that remain once simple escapes are undone begin and end strings, by turns; so counting them tells whether a
mark stands in a string, and which. A string with a mark is judged as the full path judges it, under the name that it
stands under, and spliced. Strings without a mark hold nothing. Whatever is not that simple (an array or an object
under a telling name, a Kubernetes secret, a name that holds a value, a number that is masked for its name) gives None:
the full path does it, or refuses it.
"""

import re
from collections import Counter

import msgspec

from masking.plan import LONGEST_NAME, Plan
from masking.screening.backends import Scanner, beyond_ascii
from masking.screening.escapes import has_left, places, undone
from masking.screening.nesting import is_shallow
from masking.screening.screens import Screens
from masking.screening.surroundings import (
    WALK,
    WALK_AT_ONCE,
    IrregularError,
    Surroundings,
    last_quote,
    next_quote,
)
from masking.screening.verdicts import Judging, NameTraits, Quick, Spliced

_MOST_MARKS, _BYTES_PER_MARK, _MOST_MARKS_AT_ONCE = 4096, 24, 256
"""How many marks are followed: at least, and as many as a body has of so many bytes; and at once."""
_SPACE, _DIGITS = b" \t\r\n", b"0123456789."
_QUOTE, _BACKSLASH = 0x22, 0x5C
_NUMBER_BEFORE, _NUMBER = re.compile(rb"[0-9.eE+-]*[,\]} \t\r\n]?\Z"), re.compile(rb"[0-9.eE+-]+")
_LONGEST_NUMBER = 64
_UNBOUNDED = 1 << 62
_UNKNOWN = Spliced(b"", ())
"""Stands for what was not judged yet."""
_PAIR_NAMES = frozenset({b"name", b"key"})
_EMPTY = re.compile(rb"\[[ \t\r\n]*\]")


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
    body: bytes, plan: Plan, screens: Screens, judging: Judging, *, judged: int | None = None
) -> Quick | None:
    """The masked form of a body that ``is_json`` (or lines of such); None where it takes a closer look.

    ``judged``: how many bytes of names and values may be judged for it, at most; None: as many as there are.
    """
    bare, read = undone(body)
    most = _MOST_MARKS + len(read) // _BYTES_PER_MARK if judged is None else _MOST_MARKS_AT_ONCE
    marks = _marks(bare, read, screens, most, may_be_left=bare is not body)
    if marks is None:
        return None
    look = _Look(bare, plan, judging, _UNBOUNDED if judged is None else judged)
    try:
        if plan.keys:
            look.refuse_long_names()
        look.follow(marks)
    except IrregularError:
        return None
    found = look.found
    if not found:
        return Quick(body, {})
    if not is_shallow(bare, of_quotes=bare is body):
        return None
    return Quick(_made(body, bare, found), _counts(found))


def _marks(bare: bytes, read: bytes, screens: Screens, most: int, *, may_be_left: bool) -> list[int] | None:
    """All places to be looked at, ascending; None when there are too many. ``may_be_left``: escapes in ``read``."""
    scans: list[tuple[Scanner | None, bytes]] = [(screens.documents, read), (screens.together, bare)]
    if may_be_left:
        scans.append((screens.left, read))
    if not read.isascii():
        scans.append((beyond_ascii(), read))  # strings with characters beyond ASCII are never screened
    found: set[int] = set()
    for scanner, text in scans:
        marks = scanner.marks(text, most) if scanner else ()
        if marks is None or len(found) + len(marks) > most:
            return None
        found.update(marks)
    return sorted(found)


type _Found = dict[int, tuple[int, Spliced]]
"""By where it begins: where it ends, and what takes its place."""


def _made(body: bytes, bare: bytes, found: _Found) -> bytes:
    pieces: list[bytes] = []
    position = 0
    starts = sorted(found)
    ends = places(bare, (place for start in starts for place in (start, found[start][0])))
    for start, begin, end in zip(starts, ends, ends, strict=True):
        pieces += (body[position:begin], found[start][1].replacement)
        position = end
    pieces.append(body[position:])
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
        self._around = Surroundings(bare, WALK if judged == _UNBOUNDED else WALK_AT_ONCE)
        self._known: dict[tuple[bytes, bytes], Spliced | None] = {}
        self._settled: set[int] = set()
        """Where strings begin that are dealt with for their names."""

    def refuse_long_names(self) -> None:
        """Leaves it to the full path to refuse names that are too long to be matched."""
        bare, step = self._bare, LONGEST_NAME // 2
        at = 0
        while 0 <= at < len(bare):
            near = bare.find(b'"', at, at + step)
            if near >= 0 and (bare[near - 1] != _BACKSLASH or next_quote(bare, near, at + step) >= 0):
                at += step
                continue
            start, end = last_quote(bare, 0, at), next_quote(bare, at)
            if start >= 0 and start + LONGEST_NAME < end and (self._pairs or self._around.following(end + 1) == 0x3A):
                raise IrregularError
            at = end

    def follow(self, marks: list[int]) -> None:
        """Judges whatever a mark stands in."""
        bare = self._bare
        is_inside = self._around.is_inside
        done = -1
        for mark in marks:
            if mark <= done:
                continue
            if is_inside(mark):
                start = last_quote(bare, 0, mark)
                done = next_quote(bare, mark)
            elif bare[mark] == _QUOTE:
                start = mark
                done = next_quote(bare, mark + 1)
                self._named_before(mark)
            else:
                self._outside(mark)
                continue
            done = self._string(start, done)

    def _string(self, start: int, end: int) -> int:
        """Judges the string whose quotes stand at ``start`` and ``end``; gives the last place that is settled by it."""
        if self._around.following(end + 1) == 0x3A:
            return self._name(start, end)
        if start in self._settled:
            return end
        key = self._around.key(start)
        value = self._bare[start + 1 : end]
        if key == b"kind" and self._kinds and (value in self._kinds or has_left(value)):
            raise IrregularError
        if has_left(key):
            raise IrregularError
        if self._pairs and key in _PAIR_NAMES and self._judging.tells(value) and self._around.has_value(start, end):
            raise IrregularError
        self._judge(key, start, end)
        return end

    def _judge(self, key: bytes, start: int, end: int) -> None:
        value = self._bare[start + 1 : end]
        at = (key, value)
        spliced = self._known.get(at, _UNKNOWN)
        if spliced is _UNKNOWN:
            self._weigh(len(key) + len(value))
            spliced = self._known[at] = self._judging.text(key, value)
        if spliced is not None:
            self.found[start + 1] = (end, spliced)

    def _name(self, start: int, end: int) -> int:
        """Judges the name whose quotes stand there, and what it tells of its value; gives what ``_string`` gives."""
        name = self._bare[start + 1 : end]
        self._weigh(len(name))
        traits = self._judging.name(name)
        if traits.refused or has_left(name):
            raise IrregularError
        if not traits.telling and not traits.speaking:
            return end
        begin = self._around.after(self._around.after(end + 1) + 1)
        first = self._bare[begin]
        if first == 0x7B:
            if traits.deep:
                raise IrregularError
        elif first == 0x5B:
            if not _EMPTY.match(self._bare, begin) and (traits.telling or self._around.has_strings(begin)):
                raise IrregularError
        elif first == _QUOTE:
            return self._named(name, begin, traits)
        elif traits.telling and first not in b"tfn":
            raise IrregularError
        return end

    def _named(self, name: bytes, start: int, traits: NameTraits) -> int:
        end = next_quote(self._bare, start + 1)
        value = self._bare[start + 1 : end]
        if name == b"kind" and self._kinds and (value in self._kinds or has_left(value)):
            raise IrregularError
        if self._pairs and (name in _PAIR_NAMES or name == b"value"):
            raise IrregularError
        if not traits.telling:
            self._judge(name, start, end)
            return end
        self._settled.add(start)
        spliced = self._judging.placed(name, value)
        if spliced:
            self.found[start + 1] = (end, spliced)
        return end

    def _named_before(self, mark: int) -> bool:
        """Looks at the name of the value that begins at a mark, if it has one."""
        colon = self._around.before(mark)
        if colon < 0 or self._bare[colon] != 0x3A:
            return False
        end = last_quote(self._bare, 0, colon)
        self._name(last_quote(self._bare, 0, end), end)
        return True

    def _outside(self, mark: int) -> None:
        """What follows a string or a colon, or a number of which the last character or the next one is marked."""
        before = self._around.before(mark)
        if before >= 0 and self._bare[before] == _QUOTE:
            self._string(last_quote(self._bare, 0, before), before)
            return
        self._named_before(mark)
        if self._bare[mark] not in _DIGITS and self._bare[mark - 1] not in _DIGITS:
            return
        least = max(0, mark + 1 - _LONGEST_NUMBER)
        ahead = _NUMBER_BEFORE.search(self._bare[least : mark + 1])
        match = _NUMBER.match(self._bare, least + ahead.start()) if ahead and ahead.start() else None
        if match:
            spliced = self._judging.number(match[0])
            if spliced:
                self.found[match.start()] = (match.end(), spliced)

    def _weigh(self, size: int) -> None:
        self._judged -= size
        if self._judged < 0:
            raise IrregularError
