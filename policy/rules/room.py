"""Whether limits have room, and which door that makes the one to take."""

from collections.abc import Container, Iterable, Sequence
from typing import Protocol

from policy.model import Agent, LimitObligation, RuleName, TargetName
from policy.rules.rule import Rule


class LimitView(Protocol):
    """What a decision may ask of the limits; asking charges nothing."""

    def wait(self, obligation: LimitObligation, agent: Agent, target: TargetName) -> float:
        """Seconds until there is room for one more call; 0.0 where there is."""
        ...


class Room:
    """The limits as they stand for one call."""

    def __init__(self, limits: LimitView | None, agent: Agent, target: TargetName) -> None:
        self._limits = limits
        self._agent = agent
        self._target = target

    def exhausted(self, rules: Iterable[Rule]) -> tuple[LimitObligation, ...]:
        """The limits of these rules that have no room."""
        if self._limits is None:
            return ()
        obligations = (limit for rule in rules for limit in rule.limits)
        return tuple(each for each in obligations if self._limits.wait(each, self._agent, self._target) > 0.0)

    def choose(self, doors: Sequence[Rule], partial: Container[RuleName] = ()) -> Rule:
        """The door to take: one with room before one without, without approval before one with.

        Among equals one that shows the whole answer comes before one that is ``partial``, then a policy's own before
        those of packs (``pack/rule``), then the first in name order; ``doors`` is in name order and not empty.
        """
        if len(doors) == 1:
            return doors[0]
        ordered = sorted(doors, key=lambda door: (door.approval is not None, door.name in partial, "/" in door.name))
        return next((door for door in ordered if not self.exhausted([door])), ordered[0])
