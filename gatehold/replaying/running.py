"""Calls made again one after the other, and how the answers differ from those of then."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

import httpx2

from gatehold.replaying.past import Past
from gatehold.replaying.planning import Again, Skip, plan
from gatehold.replaying.sending import Answer
from policy.model import TargetTraits

type Body = Literal["same", "differs", "unknown"]


class Way(Protocol):
    """Where a call is sent; ``sending.Sender`` is one."""

    def send(self, again: Again) -> Answer:
        """One call. Raises ``httpx2.HTTPError`` where it broke off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What of a session is made again."""

    origin: str
    """Name of the target of then; calls to others are left out."""
    traits: TargetTraits
    """Of the target of now."""
    include_writes: bool = False
    speed: float | None = None
    """Of the pauses of then; None: without pauses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What became of one call."""

    past: Past
    skipped: Skip | None = None
    answer: Answer | None = None
    """None: it was left out, not sent, or broke off."""
    error: str = ""
    """How it broke off."""

    @property
    def differences(self) -> tuple[str, ...]:
        """In status, code and rule: what then was, and what now is."""
        if self.answer is None:
            return (f"broke off: {self.error}",) if self.error else ()
        then = self.past.call.recorded
        pairs = (
            ("status", str(self.past.status), str(self.answer.status)),
            ("code", then.code, self.answer.code),
            ("rule", then.rule, self.answer.rule),
        )
        return tuple(f"{name} {before or 'none'} -> {now or 'none'}" for name, before, now in pairs if before != now)

    @property
    def body(self) -> Body:
        """Is the answer the same? Targets may well answer with another time."""
        if self.answer is None or self.answer.body is None or self.past.body is None:
            return "unknown"
        return "same" if self.answer.body == self.past.body else "differs"

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        call = self.past.call
        then = {"decision": call.decision, "status": self.past.status, "code": call.recorded.code}
        words: dict[str, Any] = {"operation": self.past.operation, "then": then | {"rule": call.recorded.rule}}
        if self.skipped is not None:
            return words | {"skipped": self.skipped.name.lower().replace("_", "-"), "because": self.skipped.value}
        if self.answer is not None:
            now = {"decision": self.answer.decision, "status": self.answer.status, "code": self.answer.code}
            words |= {"now": now | {"rule": self.answer.rule}, "body": self.body}
        return words | ({"error": self.error} if self.error else {}) | {"differences": list(self.differences)}


@dataclass(slots=True, kw_only=True)
class Tally:
    """How many of them."""

    sent: int = 0
    differ: int = 0
    broken: int = 0
    skipped: Counter[Skip] = field(default_factory=Counter)

    def add(self, step: Step) -> None:
        """One more."""
        if step.skipped is not None:
            self.skipped[step.skipped] += 1
            return
        self.sent += 1
        self.broken += bool(step.error)
        self.differ += bool(step.differences)

    def to_json(self) -> dict[str, Any]:
        """For programs, and for the journal."""
        left_out = {skip.name.lower().replace("_", "-"): count for skip, count in sorted(self.skipped.items())}
        return {"sent": self.sent, "differ": self.differ, "broken": self.broken, "skipped": left_out}


_LONGEST_PAUSE: Final = 3600.0
"""Seconds; nights are not replayed."""


def replay(calls: Iterable[Past], wanted: Wanted, way: Way | None, *, sleep: Callable[[float], None]) -> Iterator[Step]:
    """Make the calls again, one at a time. Without a way nothing is sent: what would be is told."""
    before: float | None = None
    for past in calls:
        planned = _planned(past, wanted)
        if isinstance(planned, Skip):
            yield Step(past=past, skipped=planned)
            continue
        if way is None:
            yield Step(past=past)
            continue
        if wanted.speed is not None and before is not None:
            sleep(min(_LONGEST_PAUSE, max(0.0, past.call.time - before) / wanted.speed))
        before = past.call.time
        try:
            yield Step(past=past, answer=way.send(planned))
        except httpx2.HTTPError as error:
            yield Step(past=past, error=type(error).__name__)


def _planned(past: Past, wanted: Wanted) -> Again | Skip:
    if past.call.target != wanted.origin:
        return Skip.OTHER_TARGET
    if past.is_stream:
        return Skip.STREAM
    if past.is_restored:
        return Skip.RESTORED
    return plan(past.call, wanted.traits, include_writes=wanted.include_writes)
