"""A text that does not end its line, judged piece by piece.

A line is judged as one wherever it can be held. One that cannot (an endless line, a line that somebody waits for) is
judged in windows: what was given on before, some of it, then what is new. What is given on ends at a hard character, at
which no value longer than ``LOOKAHEAD`` goes on, and ``LOOKAHEAD`` characters before the end of what is known, so that
every shorter value is seen whole. Keys and tokens may be longer, but hold no hard character: they are waited for, up to
the limit. A hit that touches the end of what is known is never cut.

Steps are counted in characters from the beginning of the line: what comes out does not depend on how it came in. A word
that makes a weak pattern surer counts for what stands in the same window, and before it in the line for what follows
within ``CONTEXT`` characters.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from masking.edits import Edit, apply, merge, shift
from masking.errors import Unmaskable

PIECE = 16 * 1024
"""Characters by which a window goes on."""
LOOKAHEAD = 2048
"""Longer than any value with spaces or other hard characters in it: those of Presidio stay under 350 characters, a
quoted password under 1,100."""
CONTEXT = 4096
"""Characters of what was given on that the rest is judged with."""

_HARD = re.compile(r"""[\s"'`<>{}\[\](),;|]""")
_MEMBER = re.compile(r'"[ \t]*:')
"""Follows the name of a member of JSON, whose values are hidden for their names as well."""
_UNFINISHED = re.compile(r"(?:[ -]?[0-9]){4,}|[A-Za-z0-9+/=_.@-]{12,}|[A-Za-z0-9+/=_.-]*@[A-Za-z0-9+/=_.@-]*")
"""An end, read backwards, that looks like the beginning of a number, key or address: it is not a prompt, so the rest of
it is waited for. Read forwards, every place of a long text would be tried."""


def unfinished(text: str) -> int:
    """Where the end of ``text`` begins that looks like half of a value; its length where there is none."""
    match = _UNFINISHED.match(text[::-1])
    return len(text) - match.end() if match else len(text)


def clipped(edits: Sequence[Edit], start: int) -> list[Edit]:
    """What of merged edits reaches beyond ``start``, as edits of the text that begins there."""
    return [shift(replace(each, start=max(each.start, start)), -start) for each in edits if each.end > start]


class Window:
    """One line on its way. ``limit``: characters without a place to cut at, at most."""

    def __init__(self, edits: Callable[[str], list[Edit]], *, limit: int) -> None:
        self._edits = edits
        self._limit = limit
        self._text = ""
        """Context, then what was not given on."""
        self._given = 0
        """Characters of it that were given on."""
        self._wanted = PIECE + LOOKAHEAD
        """Characters that are to be there, context left out, before they are judged again."""
        self._has_forgotten = False
        self.applied: list[Edit] = []
        """What was hidden since somebody looked; whoever looks clears it."""

    @property
    def held(self) -> int:
        """Characters that were not given on."""
        return len(self._text) - self._given

    @property
    def known(self) -> str:
        """The end of the line, in clear: what the rest is judged with."""
        return self._text

    def feed(self, text: str) -> str:
        """What may go on now; raises ``Unmaskable`` for what cannot be judged in pieces."""
        given, at = [], 0
        while self.held + len(text) - at >= self._wanted:
            taken = self._wanted - self.held
            self._text += text[at : at + taken]
            at += taken
            given.append(self._step())
        self._text += text[at:]
        return "".join(given)

    def flush(self) -> str:
        """What may be shown although it is not known how it goes on; JSON is waited for."""
        if _MEMBER.search(self._text) or "{" in self._text:
            return ""
        return self._give(max(unfinished(self._text), self._given))

    def end(self) -> str:
        """What is left, now that the line has ended."""
        if self._has_forgotten:
            self._refuse_members()
        return self._give(len(self._text))

    def _step(self) -> str:
        self._refuse_members()
        edits = merge(self._edits(self._text))
        place = self._place(edits)
        if place <= self._given:
            if self.held >= self._limit:
                raise Unmaskable("a value in the stream does not end")
            self._wanted = min(2 * self._wanted, self._limit)
            return ""
        self._wanted = PIECE + LOOKAHEAD
        return self._give(place, edits)

    def _refuse_members(self) -> None:
        if _MEMBER.search(self._text):
            raise Unmaskable("a record of the stream is too large")

    def _place(self, edits: Sequence[Edit]) -> int:
        """The last place at which the text may be cut; what was given on ends there where there is none."""
        last = len(self._text) - LOOKAHEAD
        touching = [each.start for each in edits if each.end >= len(self._text)]
        last = min([last, *touching])
        while last > self._given:
            hard = next((at for at in range(last, self._given, -1) if _HARD.match(self._text, at - 1)), self._given)
            across = [each.start for each in edits if each.start < hard < each.end]
            if not across:
                return hard
            last = across[0]
        return self._given

    def _give(self, place: int, edits: Sequence[Edit] | None = None) -> str:
        if place <= self._given:
            return ""
        found = merge(self._edits(self._text[:place])) if edits is None else edits
        new = [each for each in clipped(found, self._given) if each.start < place - self._given]
        masked = apply(self._text[self._given : place], new)
        self.applied += new
        self._given = place
        self._forget()
        return masked

    def _forget(self) -> None:
        old = self._given - CONTEXT
        if old >= CONTEXT:
            self._text, self._given, self._has_forgotten = self._text[old:], CONTEXT, True
