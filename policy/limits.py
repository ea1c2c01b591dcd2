"""Rates and budgets: how much was used, and when there is room again. Pure: the time is passed in.

A **rate** is kept by the generic cell rate algorithm (ITU-T I.371): one number per key, the theoretical arrival time,
which moves on by ``window / amount`` with every call. As many calls as ``amount`` may come at once, so that a window
never sees more than twice the amount, and in the long run there are never more than ``amount`` per window.

A **budget** (calls or bytes) is a counter that starts with the first use and is void ``window`` seconds later. The
bytes of an answer are known only when it has passed, so a budget of bytes may be overdrawn by the calls under way; then
it is spent.

Keys are bounded: those that say nothing any more are dropped, and when all of them still matter a new one has no room.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from policy.model import Agent, LimitObligation, TargetName

type LimitKey = tuple[str, ...]
"""What one limit counts under for one call: usually one key, for ``per: group`` one for each group."""

MAX_KEYS = 200_000
LASTING = 60.0
"""Windows of this many seconds and more must survive a restart."""

_FEW = 1024
_ROUNDING = 0.01
"""The part of the time between two calls that may be the arithmetic's and not the agent's."""
_SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitState:
    """What is known of one key."""

    key: str
    tat: float = 0.0
    """Theoretical arrival time of a rate, Unix seconds."""
    consumed: int = 0
    """Calls or bytes used of a budget until ``window_end``."""
    window_end: float
    """Unix seconds after which the state says nothing any more."""


def key_for(
    limit: LimitObligation, agent: Agent, target: TargetName, *, groups: Collection[str] | None = None
) -> LimitKey:
    """What ``limit`` counts under; ``groups`` are those that its rule names, where it names some.

    The amount is no part of it: a changed amount does not refill what was used.
    """
    subjects: Sequence[tuple[str, ...]]
    match limit.per:
        case "agent":
            subjects = [(agent.issuer, agent.subject)]
        case "session":
            subjects = [(agent.issuer, agent.subject, agent.session)]
        case "target":
            subjects = [(target,)]
        case "group":
            named = [group for group in agent.groups if groups is None or group in groups]
            subjects = [(agent.issuer, group) for group in named] or [(agent.issuer, agent.subject)]
    start = (limit.rule, limit.unit, f"{limit.window:g}", limit.per)
    return tuple(_SEPARATOR.join((*start, *subject)) for subject in subjects)


class LimitLedger:
    """Everything that was counted. Not safe between threads: saving an export may be another one's work."""

    def __init__(self, max_keys: int = MAX_KEYS) -> None:
        self._states: dict[str, LimitState] = {}
        self._dirty: set[str] = set()
        self._max_keys = max_keys
        self._prune_at = min(_FEW, max_keys)
        self._full_until = 0.0
        """When the first of too many keys can be forgotten."""

    def __len__(self) -> int:
        return len(self._states)

    def __repr__(self) -> str:
        return f"<LimitLedger of {len(self._states)} keys, {len(self._dirty)} to be saved>"

    def peek(self, limit: LimitObligation, key: LimitKey, now: float) -> float:
        """Seconds until there is room; 0 where there is."""
        return max(self._wait(limit, part, now) for part in key)

    def charge(self, limit: LimitObligation, key: LimitKey, now: float, amount: int = 1) -> None:
        """Count one call, or ``amount`` bytes; whether there is room is asked before, by ``peek``."""
        for part in key:
            state = self._state(limit, part, now)
            if limit.unit == "rate":
                tat = max(state.tat, now) + limit.window / limit.amount
                self._keep(limit, LimitState(key=part, tat=tat, window_end=tat))
            else:
                consumed = state.consumed + amount
                self._keep(limit, LimitState(key=part, consumed=consumed, window_end=state.window_end))

    def prune(self, now: float) -> None:
        """Forget keys that say nothing any more."""
        for key in [key for key, state in self._states.items() if state.window_end <= now]:
            del self._states[key]
            self._dirty.discard(key)

    def export_dirty(self, now: float) -> list[LimitState]:
        """What must survive a restart and changed since the last export."""
        changed, self._dirty = self._dirty, set()
        states = [self._states[key] for key in sorted(changed) if key in self._states]
        return [state for state in states if state.window_end > now]

    def export_again(self, states: Iterable[LimitState]) -> None:
        """Take back an export that could not be saved."""
        self._dirty.update(state.key for state in states if state.key in self._states)

    def restore(self, states: Iterable[LimitState]) -> None:
        """Take over what was saved; of two states of a key the fuller one counts."""
        for state in states:
            known = self._states.get(state.key)
            if known is None or _fullness(known) < _fullness(state):
                self._states[state.key] = state

    def _wait(self, limit: LimitObligation, key: str, now: float) -> float:
        if key not in self._states and self._is_full(now):
            return limit.window
        state = self._state(limit, key, now)
        if limit.unit == "rate":
            interval = limit.window / limit.amount
            owed = state.tat - now - (limit.window - interval)
            return owed if owed > interval * _ROUNDING else 0.0
        return 0.0 if state.consumed < limit.amount else state.window_end - now

    def _state(self, limit: LimitObligation, key: str, now: float) -> LimitState:
        """What counts now. A clock that was set back locks nobody out for longer than the window."""
        state, latest = self._states.get(key), now + limit.window
        if state is None or state.window_end <= now:
            return LimitState(key=key, window_end=latest)
        if state.window_end <= latest:
            return state
        return LimitState(key=key, tat=min(state.tat, latest), consumed=state.consumed, window_end=latest)

    def _keep(self, limit: LimitObligation, state: LimitState) -> None:
        self._states[state.key] = state
        if limit.window >= LASTING:
            self._dirty.add(state.key)

    def _is_full(self, now: float) -> bool:
        """Whether there is no place for another key. Old ones are looked for each time there are twice as many."""
        if len(self._states) >= self._prune_at and now >= self._full_until:
            self.prune(now)
            self._prune_at = min(max(_FEW, 2 * len(self._states)), self._max_keys)
            full = len(self._states) >= self._max_keys
            self._full_until = min(state.window_end for state in self._states.values()) if full else 0.0
        return len(self._states) >= self._max_keys


def _fullness(state: LimitState) -> tuple[float, int]:
    return state.window_end, state.consumed
