"""Escape sequences of terminals in a text: colours between letters must not hide a value from the detectors.

Sequences as ECMA-48 writes them: CSI (colours, cursor), OSC (titles, links), DCS, APC, PM and SOS (strings for the
terminal), and the short ones. A backspace takes back the letter before it, as overstriking does for bold print, and
characters without a width are not seen.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from masking.edits import Edit

STRING_ESCAPE = r"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]*(?:\x07|\x1b\\|\x9c)"
"""OSC, DCS, SOS, PM, APC: from their opening to their terminator. One that holds another opening begins anew there: a
text of openings would else be searched to its end from each of them."""
_ESCAPE = re.compile(rf"{STRING_ESCAPE}|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[()*+][ -~]|\x1b[ -/]*[0-Z\\^_`-~]")
_UNSEEN = re.compile(rf"{_ESCAPE.pattern}|[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]+")
_HIDING = re.compile("[\x1b\b\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
UNFINISHED_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[ -/]*)?$")


def edits_beside_escapes(text: str, edits: Callable[[str], list[Edit]]) -> list[Edit]:
    """What ``edits`` finds in ``text``, and in it without its escape sequences, in the places of ``text``."""
    found = edits(text)
    if not hides_letters(text):
        return found
    escapes = _escapes(text)
    plain, places = _without(text, escapes)
    seen = edits(plain) if escapes else []
    return [
        *(clipped for each in found if (clipped := _clear_of(escapes, each)) is not None),
        *(replace(each, start=places[each.start], end=places[each.end - 1] + 1) for each in seen),
    ]


def seen_by_reader(text: str) -> tuple[str, list[int]]:
    """``text`` without its escape sequences, and where each of its characters stands in ``text``."""
    return _without(text, _escapes(text))


def hides_letters(text: str) -> bool:
    """Could a reader see something else than what stands in ``text``?"""
    return _HIDING.search(text) is not None


def _escapes(text: str) -> list[tuple[int, int]]:
    """What a reader does not see, in order."""
    spans = [match.span() for match in _UNSEEN.finditer(text)]
    return _with_overstruck(text, spans) if "\b" in text else spans


def _with_overstruck(text: str, escapes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """``escapes``, and every backspace with the letter that it takes back."""
    seen: list[int] = []
    gone = []
    position = 0
    for start, end in [*escapes, (len(text), len(text))]:
        for at in range(position, start):
            if text[at] == "\b":
                gone += [(at, at + 1), *((seen[-1], seen.pop() + 1) for _ in seen[-1:])]
            else:
                seen.append(at)
        position = end
    return sorted([*escapes, *gone])


def _without(text: str, escapes: list[tuple[int, int]]) -> tuple[str, list[int]]:
    """The text that a reader sees, and where each of its characters stands in ``text``."""
    places: list[int] = []
    position = 0
    for start, end in escapes:
        places += range(position, start)
        position = end
    places += range(position, len(text))
    return "".join([text[place] for place in places]), places


def _clear_of(escapes: list[tuple[int, int]], edit: Edit) -> Edit | None:
    """An edit that cuts no escape sequence in two, for half of one would swallow what follows.

    One inside a sequence stays (titles are text too); None where nothing is left.
    """
    start, end = edit.start, edit.end
    for left, right in escapes:
        if left < start < right < end:
            start = right
        if start < left < end < right:
            end = left
    return replace(edit, start=start, end=end) if start < end else None
