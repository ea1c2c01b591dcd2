"""How many calls were allowed, held and denied lately, and which rules decided: counted in memory, for a picture.

A ring of minutes: what is older than ``MINUTES`` is written over. Pure and without a clock; the event loop counts, and
a reader in another thread may miss a call that is being counted.
"""

from dataclasses import dataclass
from typing import Final

from policy.codes import Code
from policy.model import Verdict

MINUTES: Final = 60
MINUTE: Final = 60.0
ALLOWED, HELD, DENIED = 0, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """One minute."""

    begins: float
    """Unix seconds."""
    allowed: int
    held: int
    """Of which a person was asked, whatever they said."""
    denied: int

    @property
    def calls(self) -> int:
        """All of them."""
        return self.allowed + self.held + self.denied


class Tally:
    """Counts of this process."""

    def __init__(self) -> None:
        self._numbers = [-1] * MINUTES
        """Which minute since 1970 stands at a place of the ring."""
        self._counts = [[0, 0, 0] for _ in range(MINUTES)]
        self.rules: dict[str, int] = {}
        """Calls by the rule that decided them."""

    def count(self, time: float, outcome: int, rule: str | None, by: int = 1) -> None:
        """One call that began at ``time``; ``by`` -1 takes it back."""
        number = int(time) // 60
        place = number % 60
        if self._numbers[place] != number:
            if self._numbers[place] > number:
                return  # it lasted longer than the ring
            self._numbers[place], self._counts[place] = number, [0, 0, 0]
        self._counts[place][outcome] += by
        if rule is not None:
            self.rules[rule] = self.rules.get(rule, 0) + by

    def lately(self, now: float) -> list[Minute]:
        """The last ``MINUTES`` minutes, the oldest first; the last one has just begun."""
        last = int(now // MINUTE)
        return [self._minute(number) for number in range(last - MINUTES + 1, last + 1)]

    def _minute(self, number: int) -> Minute:
        place = number % MINUTES
        counts = self._counts[place] if self._numbers[place] == number else (0, 0, 0)
        return Minute(begins=number * MINUTE, allowed=counts[ALLOWED], held=counts[HELD], denied=counts[DENIED])


def outcome_of(verdict: Verdict, code: Code) -> int:
    """As what a call counts: held where policy asked for a person, else by what became of it."""
    if verdict is Verdict.HOLD:
        return HELD
    return ALLOWED if code is Code.ALLOWED else DENIED
