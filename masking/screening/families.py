"""Which expressions are scanned for together, and what is looked for before them.

Expressions with literal text in them cost next to nothing, as many as there are. Such as begin with runs of digits or
letters keep an automaton busy at every byte of a text full of them, about a nanosecond each: so they are asked about
only where something of theirs was seen that one quick scan looks for, or one scan for several of them.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from masking.screening.packing import LINES, LONG, packed_text
from masking.screening.patterns import CARD_NUMBERS, CARDS, SEPARATED_SSN, Groups
from masking.screening.superset import superset
from masking.screens import SCREENS

type _Gate = tuple[Callable[[str], object], str]
"""Tells some expressions, and one that matches wherever one of them does."""


class Family(NamedTuple):
    """Groups of expressions, each scanned for together."""

    gates: tuple[str, ...]
    """For each group what has to match first, all in one scan; empty where nothing has to."""
    behind: Groups


def _screens(*names: str) -> tuple[str, ...]:
    return tuple(superset(SCREENS[name]) or "" for name in names)


_SSN, _IBAN = _screens("US_SSN"), _screens("IBAN_CODE")
_HEX: _Gate = (re.compile(r"\(\?:\[0-9a-f\]\)\{16").match, r"[0-9a-f]{16}")
_CRYPTO: _Gate = (_screens("CRYPTO").__contains__, r"[A-Za-z0-9]{25}")
_DIGITS: tuple[_Gate, ...] = (
    ((*CARDS, CARD_NUMBERS).__contains__, r"[0-9](?:[- .]?[0-9]){12}"),
    ((SEPARATED_SSN, *_SSN, *_screens("US_ITIN")).__contains__, _SSN[0]),
    (_IBAN.__contains__, _IBAN[0]),
)
_PACKED: _Gate = (packed_text().__contains__, r"[A-Za-z0-9+/_\x2d]{16}")
_OF_TEXTS: tuple[tuple[_Gate, ...], ...] = (_DIGITS, (_CRYPTO,), (_HEX,), (_PACKED,))
_LONG, _LINES = packed_text()[1:]
_OF_DOCUMENTS: tuple[tuple[_Gate, ...], ...] = ((_CRYPTO,), (_HEX,), ((_LONG.__eq__, LONG),), ((_LINES.__eq__, LINES),))


def for_documents(groups: Groups) -> list[Family]:
    """Families for those who follow every mark: only what is rare in JSON has something before it."""
    return _sorted(groups, _OF_DOCUMENTS)


def for_texts(groups: Groups) -> list[Family]:
    """Families for those who ask only whether a text is quiet. What has nothing before it is asked first."""
    return _sorted((tuple(each for group in groups for each in group),), _OF_TEXTS)


def _sorted(groups: Groups, gates: Iterable[Sequence[_Gate]]) -> list[Family]:
    every = [each for group in groups for each in group]
    families = [_family(every, together) for together in gates]
    taken = {each for family in families for group in family.behind for each in group}
    left = [tuple(each for each in group if each not in taken) for group in groups]
    return [Family((), tuple(filter(None, left))), *(family for family in families if family.gates)]


def _family(every: Sequence[str], gates: Sequence[_Gate]) -> Family:
    found = [(gate, tuple(filter(wanted, every))) for wanted, gate in gates]
    return Family(tuple(gate for gate, behind in found if behind), tuple(behind for _, behind in found if behind))
