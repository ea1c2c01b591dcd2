"""From a regular expression to a plain one that matches wherever it does.

What scanners cannot do, or do differently, is taken away so that more is matched and never less: assertions vanish,
atomic groups and possessive repeats become ordinary ones, every class is spelled out in bytes. What cannot be
widened soundly (references to groups, flags that change what a line is) gives nothing.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

# The parser of the standard library's expressions: the only one that knows their grammar.
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

ESCAPED_CHARACTERS, STAND_INS = frozenset(b'\\"\n\r\t'), frozenset(range(1, 6))
"""What is written as a simple escape, and the bytes that stand for one (``escapes``)."""
QUOTE = r"\\?\x22"
"""A quote of a text in JSON, or in a string of it, whose escape may be undone or not."""
BEGIN = r"(?:^|[^A-Za-z0-9_.$\x2d])"
END = rf"(?:$|\n?{QUOTE}|(?:{QUOTE}|\x27)?[ \t]*[=:#,;}}\]\r\n])"
"""The borders of a name: those of a string's token, of a whole text, or of a name before ``:`` or ``=`` in a string."""
_ASCII = range(128)
_DIGITS = frozenset(b"0123456789")
_SPACES = frozenset(b" \t\n\r\v\f")
_WORD = frozenset(byte for byte in _ASCII if chr(byte).isalnum() or byte == 0x5F)
_HIGH = frozenset(range(128, 256))
_ALL = frozenset(range(256))
_CATEGORIES = {
    codes.CATEGORY_DIGIT: _DIGITS,
    codes.CATEGORY_NOT_DIGIT: _ALL - _DIGITS,
    codes.CATEGORY_SPACE: _SPACES,
    codes.CATEGORY_NOT_SPACE: _ALL - _SPACES,
    codes.CATEGORY_WORD: _WORD,
    codes.CATEGORY_NOT_WORD: _ALL - _WORD,
}
_OTHERWISE = re.compile(r"\[\[|\[:|\{(?!\d*,?\d*\})|--|&&|\|\||~~")
"""What the ``regex`` module reads in another way than ``re`` does."""
_LONGEST_REPEAT = 512
_KEPT = 4096


class _NoSupersetError(Exception):
    """There is none that a scanner could use."""


class _How(NamedTuple):
    """How an expression is to be read."""

    caseless: bool
    bordered: bool
    stand_ins: frozenset[int]

    def spelled(self, members: Iterable[int]) -> str:
        r"""A class of bytes, and ``\"`` where a quote is one of them."""
        found = frozenset(members)
        written = spelled(found | self.stand_ins if found & ESCAPED_CHARACTERS else found)
        return rf"(?:{written}|\\\x22)" if 0x22 in found else written


@lru_cache(_KEPT)
def superset(pattern: str, *, strict: bool = False, bordered: bool = True, stand_ins: bool = False) -> str | None:
    """An expression over bytes that matches in every ASCII text in which ``pattern`` does; None when there is none.

    ``bordered``: whether the begin and the end of a value still count. ``strict``: the pattern is one for the ``regex``
    module, whose grammar differs in places. ``stand_ins``: match what stands for a simple escape as well (``escapes``)
    wherever one of the characters is matched that it may stand for. An expression that matches the empty text is none
    either: it would match everywhere.
    """
    if strict and _OTHERWISE.search(pattern):
        return None
    try:
        tree = parser.parse(pattern)
        if tree.state.flags & (re.MULTILINE | re.LOCALE):
            return None
        # The empty text is matched where assertions are all that there is.
        how = _How(bool(tree.state.flags & re.IGNORECASE), bordered, STAND_INS if stand_ins else frozenset())
        return _sequence(tree, how) if tree.getwidth()[0] else None
    except (re.error, _NoSupersetError, RecursionError, OverflowError):
        return None


def _sequence(tree: Iterable[tuple[Any, Any]], how: _How) -> str:
    return "".join(_node(code, value, how) for code, value in tree)


def _node(code: Any, value: Any, how: _How) -> str:
    match code:
        case codes.LITERAL:
            return how.spelled(_cased({value}, how.caseless)) if value < 128 else spelled(_HIGH)
        case codes.NOT_LITERAL:
            return how.spelled(_ALL - _cased({value}, how.caseless))
        case codes.ANY:
            return how.spelled(_ALL)
        case codes.IN:
            return how.spelled(_members(value, how.caseless))
        case codes.BRANCH:
            return "(?:" + "|".join(_sequence(branch, how) for branch in value[1]) + ")"
        case codes.SUBPATTERN:
            _, on, off, inner = value
            if (on | off) & (re.MULTILINE | re.LOCALE):
                raise _NoSupersetError
            caseless = (how.caseless or bool(on & re.IGNORECASE)) and not off & re.IGNORECASE
            return f"(?:{_sequence(inner, how._replace(caseless=caseless))})"
        case codes.ATOMIC_GROUP:
            return f"(?:{_sequence(value, how)})"
        case codes.MAX_REPEAT | codes.MIN_REPEAT | codes.POSSESSIVE_REPEAT:
            least, most, inner = value
            return _repeated(least, most, inner, how)
        case codes.ASSERT | codes.ASSERT_NOT:
            return ""
        case codes.AT:
            return _border(value, how)
        case _:
            raise _NoSupersetError


def _repeated(least: int, most: Any, inner: Any, how: _How) -> str:
    unit = f"(?:{_sequence(inner, how)})"
    least = min(least, _LONGEST_REPEAT)
    if most is codes.MAXREPEAT or most > _LONGEST_REPEAT:
        return f"{unit}{{{least},}}"
    return f"{unit}{{{least},{most}}}"


def _border(at: Any, how: _How) -> str:
    match at:
        case codes.AT_BEGINNING | codes.AT_BEGINNING_STRING:
            return BEGIN if how.bordered else ""
        case codes.AT_END | codes.AT_END_STRING:
            return END if how.bordered else ""
        case codes.AT_BOUNDARY:
            return r"\b"
        case codes.AT_NON_BOUNDARY:
            return ""
        case _:
            raise _NoSupersetError


def _members(items: Iterable[tuple[Any, Any]], caseless: bool) -> frozenset[int]:
    found: set[int] = set()
    negated = False
    for code, value in items:
        if code is codes.NEGATE:
            negated = True
        elif code is codes.LITERAL:
            found |= {value} if value < 128 else _HIGH
        elif code is codes.RANGE:
            found |= {byte for byte in _ASCII if value[0] <= byte <= value[1]} | (_HIGH if value[1] > 127 else set())
        elif code is codes.CATEGORY and value in _CATEGORIES:
            found |= _CATEGORIES[value]
        else:
            raise _NoSupersetError
    return (_ALL - (_cased(found, caseless) - _HIGH)) if negated else _cased(found, caseless)


def _cased(members: Iterable[int], caseless: bool) -> frozenset[int]:
    found = frozenset(members)
    if not caseless:
        return found
    letters = [chr(byte) for byte in found if byte < 128]
    return found | {ord(each) for letter in letters for each in (letter.lower(), letter.upper())}


def spelled(members: Iterable[int]) -> str:
    """A class of bytes, written out."""
    ordered = sorted(members)
    if not ordered:
        raise _NoSupersetError
    ranges: list[list[int]] = []
    for byte in ordered:
        if ranges and byte == ranges[-1][1] + 1:
            ranges[-1][1] = byte
        else:
            ranges.append([byte, byte])
    if len(ordered) == 1:
        return _byte(ordered[0])
    return "[" + "".join(f"{_byte(low)}-{_byte(high)}" if high > low else _byte(low) for low, high in ranges) + "]"


def _byte(byte: int) -> str:
    return chr(byte) if byte in _WORD else f"\\x{byte:02x}"
