"""What a plan looks for on raw bytes: a superset of everything that could make a difference.

The bytes are those of a text in which simple escapes are already undone (``escapes``), so that a string of JSON has the
characters in it that are judged, and between a string's quotes stands exactly one value.
"""

import re
from collections.abc import Iterator

from masking.judging import Sense
from masking.plan import Plan
from masking.screening.packing import packed_text
from masking.screening.superset import superset

_WS = r"[ \t\r\n]*"
_LEAD = r"(?:\(\?:|\\b|\^|\||\")*"
_WORD, _CLASS = re.compile(_LEAD + r"\[[A-Z][a-z]\]"), re.compile(_LEAD + r"\[")
_OTHERWISE = (r"%[0-9A-Fa-f]{2}", r"&(?:#[0-9xX]|[A-Za-z]{2,31};)")
"""Other ways of writing things that are told by their first character: percent and HTML encoding."""
ESCAPED = r"\\"
"""An escape that is left, in a text that was freed of the simple ones."""
CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"
_NUMBER_TAIL = r"(?:$|[,\]} \t\r\n])"
_CARD_NUMBERS = (rf"[0-9][0-9.]{{12,}}{_NUMBER_TAIL}", rf"[0-9.][eE][+-]?[0-9]+{_NUMBER_TAIL}")
_SEPARATED_SSN = r"[0-9]{3}[- .][0-9]{2}[- .][0-9]{4}"
_UNSEPARATED_SSN_SCORE = 0.4
"""What a context word lifts the score of a US_SSN to that is not written as 123-45-6789."""
_CARD = r"\b[13-6][0-9]{3}[- ]?[0-9]{3,4}[- ]?[0-9]{3,4}[- ]?[0-9]{3,5}\b"
_EMBEDDED_CARD = (
    r"(?:^|[^0-9])[2-6](?:[0-9]{12,18}|[0-9]{3}[ -][0-9]{4}[ -][0-9]{4}[ -][0-9]{1,7}|"
    r"[0-9]{3}[ -][0-9]{6}[ -][0-9]{4,5})(?:$|[^0-9])"
)


type Groups = tuple[tuple[str, ...], ...]
"""Expressions that are scanned for together: a scanner of all at once takes twice as long as one of each kind."""


def patterns_of(plan: Plan, *, names_end: bool = True) -> Groups | None:
    """The expressions for a plan; None when it asks for something that no expression tells.

    ``names_end``: whether a name is a whole string of JSON. In other texts it may stand anywhere.
    """
    if plan.paths or plan.ner:
        return None
    weak = [sense for sense in plan.judge.senses if sense.needs_context]
    strong = [sense for sense in plan.judge.senses if not sense.needs_context]
    digits = [screen for sense in strong for screen in _digits(sense)]
    screens = [_screen(sense) for sense in strong if not _digits(sense)]
    if any(sense.rule.entity == "CREDIT_CARD" for sense in plan.judge.senses):
        digits += _CARD_NUMBERS
    groups = (
        [*_OTHERWISE, *(screen for screen in screens if not _CLASS.match(screen))],
        [screen for screen in screens if _CLASS.match(screen) and not _WORD.match(screen)],
        [screen for screen in screens if _WORD.match(screen)],
        digits,
        [words for sense in weak for words in _context(sense)],
        [superset(name, strict=True, bordered=names_end) or "" for name in plan.keys.patterns],
        [pattern for kind in plan.kinds for pattern in _kind(re.escape(kind.kind))],
        [packed_text()],
    )
    return tuple(tuple(dict.fromkeys(group)) for group in groups if group) if all(map(all, groups)) else None


def _context(sense: Sense) -> Iterator[str]:
    words = "|".join(map(re.escape, sense.detector.context))
    if words:
        yield superset(f"(?i)(?:{words})") or ""


def _digits(sense: Sense) -> tuple[str, ...]:
    """Closer screens of values that are digits: identifiers and dates are full of them."""
    if sense.rule.custom is not None:
        return ()
    match sense.rule.entity:
        case "CREDIT_CARD":
            return (_CARD, _EMBEDDED_CARD) if sense.rule.embedded else (_CARD,)
        case "US_SSN" if sense.rule.threshold > _UNSEPARATED_SSN_SCORE:
            return (_SEPARATED_SSN,)
        case _:
            return ()


def _screen(sense: Sense) -> str:
    return (superset(sense.screen) or "") if sense.screen else ""


def _kind(name: str) -> Iterator[str]:
    yield rf'"kind"{_WS}:{_WS}"{name}(?:List)?"'
    yield rf"kind: *[\x22']?{name}"
