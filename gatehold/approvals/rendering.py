"""Text that an agent wrote, made fit for the eyes of the person who decides about it.

A path, a name or a message may hold characters that a terminal obeys (ESC and the other controls), that turn the
direction of what follows (bidi), or that have no width: what is read is then not what is sent. All of them are shown as
code points, ``<U+202E>``, together with unusual spaces and characters that fonts leave blank. Nothing is dropped, and
no two different texts are shown alike: text that already looks like a code point gets its ``<`` shown as one.

See CVE-2021-25743 (kubectl passed escape sequences on) and CVE-2021-42574 (bidi in source code).
"""

import itertools
import json
import re
import unicodedata
from collections.abc import Sequence
from typing import Any, Final

_UNSEEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})

_BLANK: Final = frozenset(
    itertools.chain(
        (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
        range(0x180B, 0x1810),
        range(0xFE00, 0xFE10),
        range(0xE0100, 0xE01F0),
    )
)
"""Characters of visible categories without a glyph: fillers, selectors, joiners (DerivedCoreProperties.txt,
Default_Ignorable_Code_Point), and the empty Braille pattern."""

_LOOKALIKE: Final = re.compile(r"<(?=U\+[0-9A-F]{4,6}>)")

_MOST_MARKS: Final = 4
"""Combining marks on one letter; more would paint over the lines around it."""


def visible(text: str) -> str:
    """The text on one line, with everything that could not be seen shown as code points."""
    if text.isascii() and text.isprintable() and "<U+" not in text:
        return text
    forged = {match.start() for match in _LOOKALIKE.finditer(text)}
    shown: list[str] = []
    marks = 0
    for index, character in enumerate(text):
        marks = marks + 1 if unicodedata.category(character).startswith("M") else 0
        plain = index not in forged and marks <= _MOST_MARKS and not _is_unseen(character)
        shown.append(character if plain else f"<U+{ord(character):04X}>")
    return "".join(shown)


def cut(text: str, most: int) -> str:
    """At most so many characters of the text, saying how many are left out. Not yet made visible."""
    return text if len(text) <= most else f"{text[:most]} [{len(text) - most} more]"


def fact(value: Any) -> str:
    """A JSON value on one line; a string without quotes."""
    return visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True))


def columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table, two spaces between its columns; cells are made visible."""
    cells = [[visible(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(header))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _is_unseen(character: str) -> bool:
    if character == " ":
        return False
    return unicodedata.category(character) in _UNSEEN_CATEGORIES or ord(character) in _BLANK
