"""When a session ends by itself. Pure.

A session lasts ``longest`` from its first call, and ends earlier where it is ``idle`` for so long: no call began, and
nothing was said in an open shell. The bounds are those of every rule that one of its calls matched, the shortest of
each; later calls that match no such rule do not free it of them. Times are Unix seconds, bounds seconds.
"""

from dataclasses import dataclass
from math import inf

from policy.model import SessionObligation
from policy.rules.quantities import format_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How long a session may last; infinite where nothing says."""

    longest: float = inf
    idle: float = inf

    @classmethod
    def of(cls, longest: float | None, idle: float | None) -> "Bounds":
        """None is no bound."""
        return cls(longest=inf if longest is None else longest, idle=inf if idle is None else idle)

    def with_those_of(self, asked: SessionObligation | None) -> "Bounds":
        """The shorter of each; this object itself where nothing becomes shorter."""
        if asked is None:
            return self
        longest, idle = asked.longest, asked.idle
        if (longest is None or longest >= self.longest) and (idle is None or idle >= self.idle):
            return self
        return self.with_bounds(Bounds.of(longest, idle))

    def with_bounds(self, other: "Bounds") -> "Bounds":
        """The shorter of each; this object itself where nothing becomes shorter."""
        if other.longest >= self.longest and other.idle >= self.idle:
            return self
        return Bounds(longest=min(self.longest, other.longest), idle=min(self.idle, other.idle))

    def end(self, *, started: float, seen: float) -> float:
        """When a session with this first and this last call ends; infinity: not by itself."""
        return min(started + self.longest, seen + self.idle)

    def why(self, *, started: float, seen: float, now: float) -> str:
        """Why such a session is over, in words that agents may read; empty while it goes on."""
        if now >= started + self.longest:
            return f"it lasted {format_duration(self.longest)}"
        if now >= seen + self.idle:
            return f"idle for {format_duration(self.idle)}"
        return ""


UNBOUND = Bounds()
"""A session that lasts as long as its tokens."""
