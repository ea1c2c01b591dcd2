r"""Values under quoted names in what is almost JSON: ``"ssn": "x",}``, ``{'ssn': 'x'}``, ``{\"ssn\":\"x\"}``.

A trailing comma, a comment, ``NaN``, the quotes of another language or one more layer of escapes make of JSON what no
parser takes, while whoever reads it understands it as well. One pass over the text, whatever it holds.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache

from masking.edits import Edit, shift
from masking.formats.assignments import counts
from masking.formats.segments import hidden
from masking.judging import whole
from masking.plan import Plan
from masking.profiles.spec import KeySpec

_SPACE = r"[ \t\r\n]*+"
_HEAD = re.compile(
    rf"""(?<!\\)(?P<quote>\\{{0,7}}+["'])(?P<name>(?:[^"'\\\r\n]|\\{{1,8}}+u[0-9a-fA-F]{{4}}){{1,128}}+)(?P=quote)
         {_SPACE}(?::|=>){_SPACE}(?:/\*[^*]{{0,256}}+\*/{_SPACE})?+
         (?:[uUbB]?(?P<opens>\\{{0,7}}+["'])|(?P<number>-?[0-9][0-9.eE+-]*+))""",
    re.VERBOSE,
)
_ESCAPED = re.compile(r"\\+u([0-9a-fA-F]{4})")
_MAP = re.compile(r"(?:\bmap\[|(?<=[ ]))(?P<name>[A-Za-z_][\w.-]{0,127}+):(?P<value>[^\s\[\]{}:\"']++)(?=[ \]])")
"""A member of a map, as Go prints it."""


def quoted_edits(text: str, plan: Plan, read: Sequence[tuple[int, int]]) -> Iterator[Edit]:
    """What is to be replaced in ``text`` for its quoted name. ``read``: ascending spans that were read as JSON."""
    escaped = "\\u" in text and ("{" in text or "[" in text)
    if not plan.keys or not (escaped or plan.keys.may_tell(text)):
        return
    if '"' in text or "'" in text:
        yield from _named(text, plan, read)
    if "map[" in text:
        for match in _MAP.finditer(text, text.index("map[")):
            rule = plan.keys.find(match["name"])
            if rule and counts(match["name"], match["value"], rule):
                yield from (shift(edit, match.start("value")) for edit in hidden(match["value"], rule, plan))


def _named(text: str, plan: Plan, read: Sequence[tuple[int, int]]) -> Iterator[Edit]:
    spans = iter((*read, (len(text), len(text))))
    start, end = next(spans)
    head = _HEAD.search(text)
    while head:
        at = head.end()
        while head.start() >= end < len(text):
            start, end = next(spans)
        if start <= head.start():
            at = end
        else:
            name = _spelled(head["name"])
            rule = plan.keys.find(name)
            if rule and head["number"]:
                yield from _number(head, rule, plan)
            elif rule:
                value = _rest(head["opens"])(text, at)
                found = value[0] if value else ""
                if counts(name, found, rule):
                    yield from (shift(edit, at) for edit in hidden(found, rule, plan))
                    at += len(found)
            else:
                at = head.start("opens") if head["opens"] else at  # what opens a value may open a name in an array
        head = _HEAD.search(text, at)


def _number(head: re.Match[str], rule: KeySpec, plan: Plan) -> Iterator[Edit]:
    raw = head["number"]
    shown = plan.hand.number(rule.treatment, raw)
    if shown != raw:
        yield shift(whole(rule.entity, raw, shown, rule.treatment), head.start("number"))


def _spelled(name: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), name) if "\\" in name else name


@cache
def _rest(opens: str) -> Callable[[str, int], re.Match[str] | None]:
    """Reads the rest of a value that a quote opens, up to the one that closes it, the end of the line or the text."""
    layers, quote = len(opens) - 1, opens[-1]
    if not layers:
        return re.compile(rf"(?:[^{quote}\\\n]|\\.)*+").match
    # A longer run of backslashes stands before a quote in the value, a shorter one before the end of what holds it.
    return re.compile(rf"(?:[^{quote}\\\n]++|\\++(?!{quote})|\\{{{layers + 1},}}+{quote})*+").match
