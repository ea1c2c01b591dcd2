r"""Whether digits may be a telephone number, told from how many they are and how they begin.

Most runs of digits are none, and a look at a table tells so in a tenth of the time that an expression takes. The table
is made with the expression itself: of a copy in which every place for a digit takes an ``x`` as well, so that it
matches ``212xxxxxxx`` if the expression matches any ten digits that begin with 212. What may not follow is copied the
other way round: there only places that take every digit take an ``x``.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

FIRST_DIGITS = 4
"""How many digits are looked at."""
_ATOM = re.compile(r"\{[0-9,]*\}|\[\^?[^\]]*\]|\\.|.", re.DOTALL)
_ALL = "0123456789"
_UNKNOWN = "x"

_LONGEST = 20
"""Digits after which no form goes on that may match before the end."""


def starts(forms: Sequence[str], longest: int) -> tuple[Mapping[str, int], ...]:
    """For each count of digits up to ``longest``, the first of them with which forms may match: a bit for each form.

    ``forms`` are read from the begin and may match before the end. They are about digits and nothing else, look back
    at nothing and repeat nothing that was found before.
    """
    found: list[dict[str, int]] = [{} for _ in range(longest + 1)]
    for place, form in enumerate(forms):
        for table, each in zip(found[FIRST_DIGITS:], _starts(form, longest), strict=True):
            for first in each:
                table[first] = table.get(first, 0) | 1 << place
    return tuple(found)


def first_digits(form: str | None) -> frozenset[str]:
    """The digits with which a text may begin that a form matches, before its end or not."""
    match = re.compile(_with_unknown(form or "(?!)", sure=False)).match
    return frozenset(digit for digit in _ALL if any(match(digit + _UNKNOWN * more) for more in range(_LONGEST)))


@lru_cache(64)
def _starts(form: str, longest: int) -> tuple[tuple[str, ...], ...]:
    match = re.compile(_with_unknown(form, sure=False)).match
    return tuple(tuple(_grown("", count, match)) for count in range(FIRST_DIGITS, longest + 1))


def _grown(known: str, count: int, match: Callable[[str], object]) -> Iterator[str]:
    """The first digits, beginning with ``known``, of so many digits that may match."""
    if not match(known + _UNKNOWN * (count - len(known))):
        return
    if len(known) == FIRST_DIGITS:
        yield known
        return
    for digit in _ALL:
        yield from _grown(known + digit, count, match)


def _with_unknown(form: str, *, sure: bool) -> str:
    """The form for digits some of which are unknown: it matches where all of them would (``sure``), or any."""
    made: list[str] = []
    at = 0
    while at < len(form):
        if form.startswith("(?!", at):
            end = _closing(form, at)
            made.append(f"(?!{_with_unknown(form[at + 3 : end - 1], sure=not sure)})")
        else:
            atom = _ATOM.match(form, at)
            end = atom.end() if atom else len(form)
            made.append(_atom(form[at:end], sure=sure))
        at = end
    return "".join(made)


def _atom(atom: str, *, sure: bool) -> str:
    if not (atom.isdecimal() or atom == r"\d" or atom.startswith("[")):
        return atom
    takes_unknown = all(map(re.compile(atom).fullmatch, _ALL)) if sure else True
    return f"(?:{atom}|{_UNKNOWN})" if takes_unknown else atom


def _closing(form: str, at: int) -> int:
    """The end of the group that begins at ``at``."""
    depth = 0
    for atom in _ATOM.finditer(form, at):
        depth += (atom[0] == "(") - (atom[0] == ")")
        if not depth:
            return atom.end()
    raise ValueError(form)
