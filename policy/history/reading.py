"""Which parts of which variables a rule reads, told from its source; more than it reads rather than less.

``body.order.id == 7`` reads ``order.id`` of ``body``; ``body.items.exists(i, i.price > 5)`` all of ``items``. What is
asked by ``has`` is only whether a field is there, and masking takes no field away.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Final

from policy.expressions import Expression
from policy.expressions.tokens import Token, tokenize
from policy.history.differences import Pointer
from policy.rules.rule import Rule

type Reads = Mapping[str, tuple[Pointer, ...]]
"""Places by variable; the empty place is the whole variable."""

_BEFORE_MEMBER: Final = frozenset(")]}0123456789")


def reads_of(rule: Rule) -> Reads:
    """What the condition of a rule reads."""
    return {} if rule.when is None else reads(rule.when)


def reads_of_message(rule: Rule) -> Reads:
    """What the message to approvers reads."""
    message = rule.approval.message if rule.approval else None
    return {} if message is None else reads(message)


def reads(expression: Expression) -> Reads:
    """What an expression reads."""
    return _reads(expression.source, frozenset(expression.variables))


@lru_cache(4096)
def _reads(source: str, variables: frozenset[str]) -> Reads:
    found: defaultdict[str, dict[Pointer, None]] = defaultdict(dict)
    tokens = tokenize(source)
    for at, token in enumerate(tokens):
        if token.text == "." and not _follows_value(tokens, at):
            return dict.fromkeys(variables, ((),))  # an absolute name: .body.x
        if token.kind == "name" and not (at and tokens[at - 1].text == "."):
            _add(found, tokens, at, variables)
    return {name: tuple(found[name]) or ((),) for name in variables}


def _follows_value(tokens: Sequence[Token], at: int) -> bool:
    before = tokens[at - 1] if at else None
    return before is not None and (
        before.kind in {"name", "string"} or before.text in _BEFORE_MEMBER | set("0123456789")
    )


def _add(
    found: defaultdict[str, dict[Pointer, None]], tokens: Sequence[Token], at: int, variables: Collection[str]
) -> None:
    """Note what a name that stands here reads, if it is a variable's."""
    steps, after = _steps(tokens, at)
    for length in range(len(steps), 0, -1):
        name = ".".join(steps[:length])
        if name in variables:
            place = steps[length:]
            if place and at > 1 and tokens[at - 1].text == "(" and tokens[at - 2].text == "has" and after == ")":
                found[name].setdefault((*place[:-1], ""), None)  # a field of no name: only what is around it counts
            else:
                found[name][place] = None
            return


def _steps(tokens: Sequence[Token], at: int) -> tuple[Pointer, str]:
    """The name here with the fields that follow it, and the token after them."""
    steps, at = [tokens[at].text], at + 1
    while at + 1 < len(tokens):
        sign, word = tokens[at].text, tokens[at + 1]
        if sign == "." and word.kind == "name" and not (at + 2 < len(tokens) and tokens[at + 2].text == "("):
            steps.append(word.text)
            at += 2
        elif sign == "[" and (text := _plain(word)) is not None and at + 2 < len(tokens) and tokens[at + 2].text == "]":
            steps.append(text)
            at += 3
        else:
            break
    return tuple(steps), tokens[at].text if at < len(tokens) else ""


def _plain(token: Token) -> str | None:
    """The content of a plain string literal without escapes; None for everything else."""
    text = token.text
    if token.kind != "string" or "\\" in text or text[0] not in "'\"" or text[:3] in {"'''", '"""'}:
        return None
    return text[1:-1]
