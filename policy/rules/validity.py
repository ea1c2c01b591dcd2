"""When a rule holds: from a moment, until a moment, in weekly windows of a time zone.

Outside of its time a rule is as good as not written: it matches nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from policy.rules.schema import RuleSpec, WindowSpec

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Days of the week and a span of minutes since midnight, on the wall clock of a zone.

    A span that ends before it starts runs over midnight and belongs to the day on which it starts.
    """

    days: frozenset[int]
    """Monday is 0."""
    start: int
    end: int
    zone: ZoneInfo

    def contains(self, now: datetime) -> bool:
        """Whether this moment lies in the window; the end is outside."""
        local = now.astimezone(self.zone)
        minute, today = local.hour * 60 + local.minute, local.weekday()
        if self.start < self.end:
            return today in self.days and self.start <= minute < self.end
        yesterday = (today - 1) % 7
        return (today in self.days and minute >= self.start) or (yesterday in self.days and minute < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """The time in which a rule holds."""

    not_before: datetime | None = None
    not_after: datetime | None = None
    windows: tuple[Window, ...] = ()
    """One of them has to contain the moment; none at all means always."""

    def holds(self, now: datetime) -> bool:
        """Whether the rule holds at this moment, which must carry a time zone."""
        if self.not_before is not None and now < self.not_before:
            return False
        if self.not_after is not None and now > self.not_after:
            return False
        return not self.windows or any(window.contains(now) for window in self.windows)


ALWAYS = Validity()


def compile_validity(spec: RuleSpec) -> Validity:
    """The validity that a rule's keys state; the very object ``ALWAYS`` where they state none."""
    if spec.not_before is None and spec.not_after is None and spec.windows is None:
        return ALWAYS
    return Validity(not_before=spec.not_before, not_after=spec.not_after, windows=_windows(spec.windows or ()))


def _windows(specs: Sequence[WindowSpec]) -> tuple[Window, ...]:
    return tuple(
        Window(
            days=frozenset(_DAYS.index(day) for day in spec.days or _DAYS),
            start=spec.start,
            end=spec.end,
            zone=ZoneInfo(spec.timezone),
        )
        for spec in specs
    )
