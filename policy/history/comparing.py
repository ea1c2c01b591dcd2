"""What two engines say of the calls that were made: call by call, with what could not be compared and why."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from policy.codes import Code
from policy.engine import Engine
from policy.explain import obligations_to_json
from policy.history.inputs import RecordedCall
from policy.history.judging import Judge, Judged
from policy.history.requests import Reread
from policy.model import Decision, TargetTraits, Verdict

_OF_LIMITS: Final = frozenset({Code.RATE_LIMITED.value, Code.BUDGET_SPENT.value})
LIMITED: Final = "limits count otherwise than they did then: not all calls that used them are here"
UNFAITHFUL: Final = "judged again, the policy that decided says something else: the record does not tell all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One call that the two answer differently."""

    call: RecordedCall
    before: Decision
    after: Decision
    obligations: tuple[str, ...]
    """Names of obligations that differ, of a call that both let through or hold."""

    @property
    def is_wider(self) -> bool:
        """Whether something passes unasked that did not."""
        return self.after.verdict is Verdict.ALLOW and self.before.verdict is not Verdict.ALLOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Incomparable:
    """One call of which it cannot be said."""

    call: RecordedCall
    because: str


@dataclass(slots=True, kw_only=True)
class Comparison:
    """Counts; every call is in one of three, and those that changed in ``changed`` as well."""

    compared: int = 0
    changed: int = 0
    incomparable: int = 0
    unjudged: int = 0
    """Calls that were refused before policy was asked."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why calls are incomparable."""

    @property
    def calls(self) -> int:
        """How many there were."""
        return self.compared + self.incomparable + self.unjudged


def compare(
    current: Engine, candidate: Engine, calls: Iterable[RecordedCall], comparison: Comparison, *, limits: bool = True
) -> Iterator[Change | Incomparable]:
    """Every call that changes or cannot be compared, in the order of ``calls``; counts go to ``comparison``."""
    before, after = Judge(current, with_limits=limits), Judge(candidate, with_limits=limits)
    for call in calls:
        if not call.was_judged:
            comparison.unjudged += 1
            continue
        read: dict[TargetTraits, Reread] = {}
        first, second = before.judge(call, read), after.judge(call, read)
        found = _compared(call, first, second, checks=call.recorded.revision == current.revision, limits=limits)
        if isinstance(found, Incomparable):
            comparison.incomparable += 1
            comparison.reasons[found.because] += 1
        else:
            comparison.compared += 1
            comparison.changed += found is not None
        if found is not None:
            yield found


def _compared(
    call: RecordedCall, before: Judged, after: Judged, *, checks: bool, limits: bool
) -> Change | Incomparable | None:
    if before.decision is None or after.decision is None:
        return Incomparable(call=call, because=before.because or after.because)
    if checks and (because := _unfaithful(call, before.decision, limits=limits)):
        return Incomparable(call=call, because=because)
    differing = differing_obligations(before.decision, after.decision)
    if before.decision.verdict is after.decision.verdict and not differing:
        return None
    return Change(call=call, before=before.decision, after=after.decision, obligations=differing)


def _unfaithful(call: RecordedCall, decision: Decision, *, limits: bool) -> str:
    """Why the policy of then, judging again, says something else than it said; empty where it says the same."""
    was_limited, is_limited = call.recorded.code in _OF_LIMITS, decision.code.value in _OF_LIMITS
    if was_limited or is_limited:
        return LIMITED if limits and was_limited is not is_limited else ""
    is_same = not call.recorded.revision or decision.verdict.value == call.recorded.verdict
    return "" if is_same else UNFAITHFUL


def differing_obligations(before: Decision, after: Decision) -> tuple[str, ...]:
    """Names of obligations that differ; a denied call has none. The names of rules do not count."""
    if Verdict.DENY in (before.verdict, after.verdict):
        return ()
    one, other = _obligations(before), _obligations(after)
    names = sorted(one.keys() | other.keys())
    found = [name for name in names if one.get(name) != other.get(name)]
    if before.obligations.mask.on_unmaskable != after.obligations.mask.on_unmaskable and "mask" not in found:
        found.append("mask")
    return tuple(found)


def _obligations(decision: Decision) -> dict[str, Any]:
    found = obligations_to_json(decision.obligations)
    if found["approval"] is not None:
        found["approval"] = {key: value for key, value in found["approval"].items() if key != "rules"}
    if found["limit"] is not None:
        found["limit"] = [{key: value for key, value in each.items() if key != "rule"} for each in found["limit"]]
    return found
