r"""Texts beyond ASCII as screens read them: every further character gives way to one of its kind in ASCII.

A pattern asks of a character whether it is this one, with or without its case, or of a kind: a digit, a part of a word,
a space. A digit of any script becomes that digit, a space a space, a letter that is the same as one of ASCII without
its case (the Kelvin sign, the long s, both kinds of i) that letter, another part of a word ``_``, and all else
``\x7f``. So what matches in a text matches in this copy of it, at the same place.
"""

import re
import unicodedata
from functools import lru_cache

import regex

_SAME = {"\u017f": "s", "\u212a": "k", "\u0130": "i", "\u0131": "i"}
_WORD, _DIGIT = regex.compile(r"\w"), regex.compile(r"\d")
_ATOM = re.compile(
    r"\[\^(?P<other>(?:\\.|[^\]\\])+)\]|\\x[0-7][0-9A-Fa-f]|\\(?P<kind>[A-Za-z0-9])|\\.|[^\\]", re.DOTALL
)
_KINDS = frozenset("dswtnr")
_SIGNS = re.compile(r"(?:\\s|\\?[^\w\s\\-])+", re.ASCII)
"""What a class may leave out without leaving out anything that stands for something else."""


class _StandIns(dict[int, str]):
    """For ``str.translate``."""

    def __missing__(self, code: int) -> str:
        self[code] = value = chr(code) if code < 128 else _stand_in(chr(code))
        return value


def _stand_in(character: str) -> str:
    # ``regex`` knows digits of a later Unicode than the standard library does: which of them it is asks no pattern.
    if character.isdecimal() or _DIGIT.match(character):
        return str(unicodedata.decimal(character, 0))
    if character.isspace():
        return " "
    # The standard library and ``regex`` differ in what is part of a word.
    return _SAME.get(character) or ("_" if character.isalnum() or _WORD.match(character) else "\x7f")


_STAND_INS = _StandIns()


def shown(text: str) -> str:
    """``text`` in ASCII, character by character."""
    return text if text.isascii() else text.translate(_STAND_INS)


@lru_cache(4096)
def tells(screen: str) -> bool:
    """Whether a screen matches in what is shown of every text in which it matches."""
    return screen.isascii() and all(
        (not match["kind"] or match["kind"] in _KINDS) and (not match["other"] or _SIGNS.fullmatch(match["other"]))
        for match in _ATOM.finditer(screen)
    )
