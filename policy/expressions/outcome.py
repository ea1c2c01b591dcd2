"""What an evaluation came to."""

import re
from dataclasses import dataclass
from enum import Enum

_LONGEST = 200
_NOT_UNICODE = "basic_string:"
"""How the binding fails on a lone surrogate."""
_LEAD = re.compile(r"[A-Za-z][A-Za-z -]*")
_QUOTED = re.compile(r'"([^"]+)"')


class Outcome(Enum):
    """The three ends of a condition. None of them is a truth value."""

    MATCH = "match"
    NO_MATCH = "no-match"
    ERROR = "error"

    def __bool__(self) -> bool:
        raise TypeError("an outcome is not a truth value: compare it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """An outcome, with the reason where it is ``ERROR``."""

    outcome: Outcome
    detail: str = ""
    """For the audit trail. It holds words of the engine and of the expression, never values of the call."""


def describe(message: str, source: str) -> str:
    """The engine's message without the values that it may quote.

    It begins with words of its own; of what it quotes only that is kept which stands in the expression itself.
    """
    _, _, text = message.partition(": ")
    if message.startswith(_NOT_UNICODE):
        return "a text is not valid Unicode"
    lead = _LEAD.match(text or message)
    words = lead[0].strip() if lead else "evaluation failed"
    quoted = [word for word in _QUOTED.findall(message) if word in source]
    return f"{words}: {quoted[0]}"[:_LONGEST] if quoted else words[:_LONGEST]
