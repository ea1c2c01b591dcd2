"""What a plan looks for on raw bytes: a superset of everything that could make a difference.

The bytes are those of a text in which simple escapes are already undone (``escapes``), so that a string of JSON has the
characters in it that are judged, and between a string's quotes stands exactly one value.
"""

import re
from collections.abc import Iterator

from masking.plan import Plan
from masking.screening.packing import packed_text
from masking.screening.superset import BEGIN, END, QUOTE, superset
from masking.senses import Sense

_WS = r"[ \t\r\n]*"
_ESCAPED_QUOTE = r"\\\x22"
"""As it may stand in a ``bare`` text. What would have to be looked for beyond one is taken to be there."""
_RUN = re.compile(r"(?:\(\?:|\\b|\^|\||\")*\[[^\]]*\]\)?\{")
"""How expressions begin that have no literal text at their begin to be looked for: with a run of some characters."""
_OTHERWISE = (r"%[0-9A-Fa-f]{2}", r"&(?:#[0-9xX]|[A-Za-z]{2,31};)", r"\\[xuU][0-9A-Fa-f{]")
"""Other ways of writing things, told by their first characters: percent and HTML encoding, numeric escapes."""
CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"
_NUMBER_TAIL = r"(?:$|[,\]} \t\r\n])"
CARD_NUMBERS = rf"[0-9][0-9.]{{12,}}{_NUMBER_TAIL}"
EXPONENTS = tuple(rf"[0-9.][eE][+-]?{digits}{_NUMBER_TAIL}" for digits in ("[0-9]", "[0-9][0-9]", "0[0-9]{2,}"))
"""Numbers that may be those of cards: of forty characters at most, so that no exponent has three digits of its own."""
SEPARATED_SSN = r"[0-9]{3}[- .][0-9]{2}[- .][0-9]{4}"
_UNSEPARATED_SSN_SCORE = 0.4
"""What a context word lifts the score of a US_SSN to that is not written as 123-45-6789."""
_CARD = r"\b[13-6][0-9]{3}[- ]?[0-9]{3,4}[- ]?[0-9]{3,4}[- ]?[0-9]{3,5}\b"
_EMBEDDED_CARD = (
    r"(?:^|[^0-9])[2-6](?:[0-9]{12,18}|[0-9]{3}[ -][0-9]{4}[ -][0-9]{4}[ -][0-9]{1,7}|"
    r"[0-9]{3}[ -][0-9]{6}[ -][0-9]{4,5})(?:$|[^0-9])"
)
CARDS = (_CARD, _EMBEDDED_CARD)


type Groups = tuple[tuple[str, ...], ...]
"""Expressions that are scanned for together: a scanner of all at once takes twice as long as one of each kind."""


def patterns_of(plan: Plan, *, names_end: bool = True, alone: bool = True) -> Groups | None:
    """The expressions for a plan; None when it asks for something that no expression tells.

    ``names_end``: whether a name is a whole string of JSON. In other texts it may stand anywhere. ``alone``: whether
    words that make weak patterns surer, and names that tell, count by themselves; else ``together`` says where they do.
    """
    if plan.paths or plan.ner:
        return None
    weak = [sense for sense in plan.judge.senses if sense.needs_context]
    strong = [sense for sense in plan.judge.senses if not sense.needs_context]
    digits = [screen for sense in strong for screen in _digits(sense)]
    screens = [_screen(sense) for sense in strong if not _digits(sense)]
    words = [words for sense in weak for words in _context(sense) if alone]
    names = [
        superset(name, strict=True, bordered=names_end) or ""
        for name in plan.keys.patterns
        if alone or _by_itself(plan, name)
    ]
    kinds = [pattern for kind in plan.kinds for pattern in _kind(re.escape(kind.kind))]
    cards = any(sense.rule.entity == "CREDIT_CARD" for sense in plan.judge.senses)
    exponents, numbers = (EXPONENTS, (CARD_NUMBERS,)) if cards else ((), ())
    spelled_out = [screen for screen in screens if not _RUN.match(screen)]
    groups = (
        [*_OTHERWISE, *exponents, *spelled_out, *words, *names, *kinds],
        [*digits, *numbers],
        [screen for screen in screens if _RUN.match(screen)],
        list(packed_text()),
    )
    return tuple(tuple(dict.fromkeys(group)) for group in groups if group) if all(map(all, groups)) else None


def together(plan: Plan) -> Groups:
    """Expressions for strings of JSON whose place, or what they stand beside, decides whether they count.

    They are for ``bare`` texts, in which a quote always begins or ends a string. A context word speaks for the string
    that it stands in, or that its string names, or for those in an array under it. A name that tells counts unless an
    object or a literal stands under it. Besides places in strings, the first byte of the value under a name is marked,
    and the first byte after a value.
    """
    weak = (sense for sense in plan.judge.senses if sense.needs_context)
    names = (name for name in plan.keys.patterns if not _by_itself(plan, name))
    groups = (
        [each for sense in weak for each in _spoken_for(sense)],
        [each for name in names for each in _told(name, pairs=plan.pairs)],
    )
    return tuple(tuple(dict.fromkeys(group)) for group in groups if group)


def _by_itself(plan: Plan, name: str) -> bool:
    """Whether a key rule is looked for wherever it may match: one for objects as well, or for the begin of a name."""
    return plan.keys.is_deep(name) or _core(name) is None


def _core(name: str) -> str | None:
    """A key rule without the end of a name that it may ask for; None where it asks for more."""
    read = superset(name, strict=True, stand_ins=True)
    core = read.removesuffix(END) if read is not None else None
    return core if core and BEGIN not in core and END not in core else None


def _told(name: str, *, pairs: bool) -> Iterator[str]:
    """A key rule in a string that is a value, and in a name whose value is a string, a number or an array."""
    core = _core(name)
    if not (superset(name, strict=True) or "").endswith(END):
        yield rf"{core}[^\x22]*\x22{_WS}[^: \t\r\n]"
        yield rf"{core}[^\x22]*\x22{_WS}:{_WS}[^{{tfn \t\r\n]"
        yield rf"{core}[^\x22]*{_ESCAPED_QUOTE}"
        return
    # At the end of a string it names nothing, but in a pair of a name and a value; within one it may be JSON's name.
    if pairs:
        yield rf"\x22(?:name|key)\x22{_WS}:{_WS}\x22[^\x22]*(?:{core}[\n\x03]?\x22|{_ESCAPED_QUOTE})"
    yield rf"{core}[\n\x03]?(?:\x02|{_ESCAPED_QUOTE})"
    yield rf"{core}[\n\x03]?\x22{_WS}:{_WS}[^{{tfn \t\r\n]"


def _spoken_for(sense: Sense) -> Iterator[str]:
    value = superset(sense.screen, stand_ins=True) if sense.screen else None
    for words in _context(sense):
        if not value:
            yield words
            continue
        value = f"(?:{value})"
        yield rf"{words}[^\x22]*(?:{value}|{_ESCAPED_QUOTE})"
        yield rf"(?:{value}|{_ESCAPED_QUOTE})[^\x22]*{words}"
        yield rf"{words}[^\x22]*\x22{_WS}:{_WS}\x22[^\x22]*(?:{value}|{_ESCAPED_QUOTE})"
        yield rf"{words}[^\x22]*\x22{_WS}:{_WS}\["


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
            return CARDS if sense.rule.embedded else (_CARD,)
        case "US_SSN" if sense.rule.threshold > _UNSEPARATED_SSN_SCORE:
            return (SEPARATED_SSN,)
        case "US_ITIN":
            return (_screen(sense),)
        case _:
            return ()


def _screen(sense: Sense) -> str:
    return (superset(sense.screen) or "") if sense.screen else ""


def _kind(name: str) -> Iterator[str]:
    yield rf"{QUOTE}kind{QUOTE}{_WS}:{_WS}{QUOTE}{name}(?:List)?{QUOTE}"
    yield rf"kind: *(?:{QUOTE}|')?{name}"
