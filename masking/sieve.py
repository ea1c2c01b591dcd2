"""Which of some screens match in a text, told in one scan.

A hundred screens looked for one by one make a long text slow, and so does one expression of a hundred alternatives.
Where hyperscan is installed all of them are looked for at once. It may name a screen too many: a superset is all that
it takes to leave the rest unasked. (A set of RE2's does not tell that nothing matches from that it gave up.)
"""

import importlib.util
import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from masking.databases import Database

type Which = Callable[[str], Sequence[int]]
"""For a text, the numbers of the screens that may match in it; ascending."""
_BEYOND_LATIN = re.compile("[^\\x00-\\xff]")
_KEPT = 64


def sieve(expressions: Sequence[str | None]) -> Which | None:
    """A scanner for all of some expressions over bytes (``superset``); one that is missing may always match.

    None where hyperscan is not installed.
    """
    return _compiled(tuple(each or "" for each in expressions))


@lru_cache(_KEPT)
def _compiled(expressions: tuple[str, ...]) -> Which | None:
    if not any(expressions):
        every = range(len(expressions))
        return lambda _text: every
    return _Hyperscan(expressions).which if importlib.util.find_spec("hyperscan") else None


class _Hyperscan:
    """Expressions as a hyperscan database. Safe to use from several threads."""

    def __init__(self, screens: Sequence[str]) -> None:
        self._always = [number for number, screen in enumerate(screens) if not screen]
        self._database = Database({number: screen for number, screen in enumerate(screens) if screen}, once=True)

    def which(self, text: str) -> Sequence[int]:
        """The numbers of the screens that may match in ``text``, ascending."""
        found = set(self._always)
        note = found.add

        def handler(number: int, _start: int, _end: int, _flags: int, _context: object) -> None:
            note(number)

        self._database.scan(_bytes(text), handler)
        return sorted(found)


def _bytes(text: str) -> bytes:
    """A byte for each character; every one beyond ASCII has its highest bit set."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return _BEYOND_LATIN.sub("\xff", text).encode("latin-1")
