"""CEL source as tokens: just enough to find calls and their arguments.

Grammar: https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax. Text that is no CEL gives some tokens as
well; the compiler judges it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|//[^\n]*)
  | (?P<string>(?:[bB]?[rR]|[rR][bB])(?:'{3}.*?'{3}|"{3}.*?"{3}|'[^'\n]*'|"[^"\n]*")
      |[bB]?(?:'{3}(?:\\.|.)*?'{3}|"{3}(?:\\.|.)*?"{3}|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"))
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of source; white space and comments are none."""

    kind: str
    """``string``, ``name`` or ``sign``."""
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Call:
    """``name(argument, ...)`` by its plain or member name."""

    name: str
    member: bool
    start: int
    end: int
    arguments: tuple[tuple[Token, ...], ...]


def tokenize(source: str) -> list[Token]:
    """The tokens of ``source``."""
    found = _TOKEN.finditer(source)
    return [
        Token(match.lastgroup or "", match[0], match.start(), match.end())
        for match in found
        if match.lastgroup != "space"
    ]


def calls(tokens: Sequence[Token]) -> Iterator[Call]:
    """Every call in ``tokens``, outer ones first."""
    for at, token in enumerate(tokens[:-1]):
        if token.kind == "name" and tokens[at + 1].text == "(":
            end, arguments = _arguments(tokens, at + 1)
            if end:
                yield Call(token.text, at > 0 and tokens[at - 1].text == ".", token.start, end, arguments)


def _arguments(tokens: Sequence[Token], opening: int) -> tuple[int, tuple[tuple[Token, ...], ...]]:
    """Where the call ends in the source (0: nowhere), and the tokens of each argument."""
    depth, arguments, current = 0, list[tuple[Token, ...]](), list[Token]()
    for token in tokens[opening:]:
        depth += (token.text in _OPEN) - (token.text in _CLOSE)
        if depth == 0:
            return token.end, (*arguments, tuple(current)) if current or arguments else ()
        if depth == 1 and token.text == ",":
            arguments.append(tuple(current))
            current = []
        elif depth > 1 or token is not tokens[opening]:
            current.append(token)
    return 0, ()
