"""GraphQL documents as requests hold them (GraphQL specification, October 2021, 2.1 and 2.2): which aliases they give.

Only what decides the names of an answer is read: arguments, variables and the values in them are skipped as balanced
groups. Whatever is no executable document is refused, so that no other reader finds an alias where this one did not.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from masking.errors import Unmaskable


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A field that an answer holds under another name."""

    name: str
    field: str


_TOKEN = re.compile(
    r"""
      (?P<ignored> [\t\n\r ,\ufeff]++ | \#[^\n\r\x0b\x0c\x85\u2028\u2029]*+ )
    | (?P<name>    [_A-Za-z][_0-9A-Za-z]*+ )
    | (?P<text>    \"{3}(?:[^"\\]|\\\"{3}|\\|"(?!""))*+\"{3} | "(?!"")(?:[^"\\\n\r]|\\[^\n\r])*+" )
    | (?P<number>  -?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?(?![_0-9A-Za-z.]) )
    | (?P<mark>    \.\.\. | [!$&():=@\[\]{|}] )
    """,
    re.VERBOSE,
)
_KINDS = {"name": "n", "text": "t", "number": "0"}
_GROUPS = {")": "(", "]": "[", "}": "{"}
_FIRST = re.compile(
    r"[{\"]|(?:query|mutation|subscription|fragment|schema|scalar|type|interface|union|enum|input|directive|extend)\Z"
)
_HEAD = re.compile(r"t?(?:n{1,2}+p?(?:nn)?(?:@np?)*+)?+\{")
"""An operation or a fragment, up to its selections."""
_SELECTION = re.compile(r"(?:\.|(?:n:)?+np?+)(?:@np?+)*+\{?+|\}")


class NotGraphql(Unmaskable):
    """The text is no executable GraphQL document."""

    def __init__(self) -> None:
        super().__init__("not valid GraphQL")


def may_be_document(text: str) -> bool:
    """Whether a server could take ``text`` for a document: it begins like a definition and has a selection."""
    if "{" not in text:
        return False
    for match in _TOKEN.finditer(text):
        if match.lastgroup != "ignored":
            return _FIRST.match(match[0]) is not None
    return True


def aliases(document: str) -> list[Alias]:
    """Every alias of a document, in order; raises ``NotGraphql``."""
    kinds, names = _outline(document)
    _check(kinds)
    colons = (at for at, kind in enumerate(kinds) if kind == ":")
    return [Alias(name=names[at - 1], field=names[at + 1]) for at in colons]


def _outline(document: str) -> tuple[str, list[str]]:
    """The kinds of the tokens, one character each, with ``p`` for a whole group of arguments; and their texts."""
    kinds: list[str] = []
    texts: list[str] = []
    open_: list[str] = []
    for kind, text in _tokens(document):
        if text == "(" or (open_ and text in _GROUPS.values()):
            open_.append(text)
        elif open_ and text in _GROUPS:
            if open_.pop() != _GROUPS[text]:
                raise NotGraphql
            if not open_:
                kinds.append("p")
                texts.append("")
        elif not open_:
            kinds.append(kind)
            texts.append(text)
    if open_:
        raise NotGraphql
    return "".join(kinds), texts


def _tokens(document: str) -> Iterator[tuple[str, str]]:
    position = 0
    for match in _TOKEN.finditer(document):
        if match.start() != position:
            raise NotGraphql
        position = match.end()
        if match.lastgroup != "ignored":
            yield _KINDS.get(match.lastgroup or "", match[0][0]), match[0]
    if position != len(document):
        raise NotGraphql


def _check(kinds: str) -> None:
    """Refuses what has another form than operations and fragments one after the other."""
    position, depth = 0, 0
    while position < len(kinds) or depth:
        match = (_SELECTION if depth else _HEAD).match(kinds, position)
        if match is None:
            raise NotGraphql
        position = match.end()
        depth += (kinds[position - 1] == "{") - (kinds[position - 1] == "}")
