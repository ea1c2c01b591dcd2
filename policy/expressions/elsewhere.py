"""Values that are not in this process: conditions on them are evaluated where they are.

A body of megabytes takes a tenth of a second to read, and the engine, which holds the interpreter's lock, as long again
to take over. Whoever has many calls to serve at once binds an ``Elsewhere`` in its place.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from policy.expressions.outcome import Evaluation


class Elsewhere(ABC):
    """One value, out of reach. Of what goes wrong on the way an ``ERROR`` comes back, or no text."""

    @abstractmethod
    def evaluate(self, source: str, values: Mapping[str, Any]) -> Evaluation:
        """What a condition comes to with the value, and with these others, which the engine takes as they are."""

    @abstractmethod
    def text(self, source: str, values: Mapping[str, Any]) -> str | None:
        """The text that an expression gives; None where it gives none."""
