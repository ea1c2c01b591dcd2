"""What the rules of one policy did in the calls that were made.

*Coverage* counts for each rule how often its selectors matched and how its condition came out, as ``policy.testing``
does for test cases, and how often it decided. A rule that nothing matched is *unused*. A rule in *shadow* is put into
force, alone, and every call that it matches judged again: that is what it would have changed.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from policy.engine import Engine
from policy.history.comparing import differing_obligations
from policy.history.inputs import RecordedCall
from policy.history.judging import Judge, Judged
from policy.history.suggesting import Seen
from policy.model import Decision, RuleName, Verdict
from policy.testing import Coverage


@dataclass(slots=True, kw_only=True)
class Use:
    """What one rule did."""

    coverage: Coverage
    decided: int = 0
    """Calls that it decided."""
    unclear: int = 0
    """Calls in which its answer hangs on something that is masked."""
    matched: Seen = field(default_factory=Seen)
    """Calls that it matched: its selectors and its condition."""


@dataclass(slots=True, kw_only=True)
class Uses:
    """What all rules did."""

    rules: dict[RuleName, Use]
    """In name order."""
    calls: int = 0
    unjudged: int = 0
    """Calls that were refused before policy was asked."""
    unread: Counter[str] = field(default_factory=Counter)
    """Calls of which it cannot be said which rules they matched, by reason."""

    @property
    def unused(self) -> list[RuleName]:
        """Rules that nothing matched, or may have matched."""
        return [name for name, use in self.rules.items() if not use.matched.calls and not use.unclear]


def use(engine: Engine, calls: Iterable[RecordedCall]) -> Uses:
    """Judge every call, and count."""
    judge = Judge(engine, weighs=True)
    found = Uses(rules={name: Use(coverage=Coverage(rule=name)) for name in engine.rules})
    for call in calls:
        found.calls += 1
        if not call.was_judged:
            found.unjudged += 1
            continue
        judged = judge.judge(call)
        if judged.weighed is None:
            found.unread[judged.because or "the target or the request is refused whatever rules say"] += 1
        else:
            _count(found, call, judged)
    return found


def _count(found: Uses, call: RecordedCall, judged: Judged) -> None:
    for finding in judged.weighed.findings if judged.weighed else ():
        rule = found.rules[finding.rule.name]
        if finding.rule.name in judged.doubtful:
            rule.unclear += 1
            continue
        before = rule.coverage.true
        rule.coverage.add(finding)
        if rule.coverage.true > before:
            rule.matched.add(call.time)
    for name in judged.doubtful - {
        finding.rule.name for finding in (judged.weighed.findings if judged.weighed else ())
    }:
        found.rules[RuleName(name)].unclear += 1
    if judged.decision is not None and judged.decision.rule is not None:
        found.rules[judged.decision.rule].decided += 1


@dataclass(slots=True, kw_only=True)
class ShadowUse:
    """What one rule in shadow would have changed."""

    rule: RuleName
    matched: Seen = field(default_factory=Seen)
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Calls that would have been answered otherwise, by verdict before and after."""
    obligations: Counter[str] = field(default_factory=Counter)
    """Calls that would have carried other obligations under the same verdict, by obligation."""
    unclear: int = 0
    """Calls of which it cannot be said."""
    examples: dict[tuple[str, str], str] = field(default_factory=dict)
    """A decision for each change; obligations stand under their verdict and their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Enforced:
    found: ShadowUse
    judge: Judge


def shadows(engine: Engine, calls: Iterable[RecordedCall]) -> list[ShadowUse]:
    """What each rule in shadow would have changed, alone; limits count as having room."""
    current = Judge(engine, with_limits=False, weighs=True)
    others = {
        name: _Enforced(found=ShadowUse(rule=name), judge=Judge(_enforcing(engine, name), with_limits=False))
        for name, rule in engine.rules.items()
        if rule.shadow
    }
    for call in calls if others else ():
        if not call.was_judged:
            continue
        judged = current.judge(call)
        if judged.weighed is None:
            continue
        unclear = {name for name in judged.doubtful if name in others}
        for name in unclear | {rule.name for rule in judged.weighed.shadow}:
            other = others[RuleName(name)]
            after = other.judge.judge(call)
            if name in unclear or judged.decision is None or after.decision is None:
                other.found.unclear += 1
            else:
                _compare(other.found, call, judged.decision, after.decision)
    return [other.found for other in others.values()]


def _enforcing(engine: Engine, name: RuleName) -> Engine:
    rules = [replace(rule, shadow=False) if rule.name == name else rule for rule in engine.rules.values()]
    return Engine(rules, engine.targets)


def _compare(found: ShadowUse, call: RecordedCall, before: Decision, after: Decision) -> None:
    found.matched.add(call.time)
    verdicts = (before.verdict.value, after.verdict.value)
    if before.verdict is not after.verdict:
        found.changes[verdicts] += 1
        found.examples.setdefault(verdicts, call.decision)
    elif before.verdict is not Verdict.DENY and (names := differing_obligations(before, after)):
        found.obligations.update(names)
        found.examples.setdefault((before.verdict.value, ", ".join(names)), call.decision)
