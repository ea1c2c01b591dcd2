"""The decision: may this agent make this call, and what has to be done for it.

A deny is a wall, a constrain a turnstile, an allow a door, and where nothing matches it is closed. ``Engine.decide``
is the whole story:

1.  Every matching rule counts; the order of rules and documents means nothing.
2.  A matching wall refuses, and nothing lifts it.
3.  A wall or turnstile that cannot be evaluated refuses as well: unknown is not false.
4.  Without a door the call is denied.
5.  Of several doors the first in name order is taken that asks no approval and has room left, else the first that
    asks one; one that shows the whole answer comes before one that shows a part, a policy's own before those of packs.
6.  What the turnstiles and the chosen door demand is joined, and of masks and searches of the request what all open
    doors demand. Where the chosen
    door shows a part of the answer, the parts that other doors show for nothing are added.
7.  A Kubernetes write whose body has no single meaning is refused, also where no rule asks about it.
8.  A limit without room refuses; an approval that somebody has to give holds.
9.  A refusal that hangs on facts which a look at the cluster could tell says what to look at.

Rules in shadow mode are weighed beside the others and reported, and never change the answer. The engine is immutable
and has no clock: the same input gives the same decision.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Self

from policy.actions.decoding import Action
from policy.actions.http import HttpAction
from policy.actions.kubernetes import KubernetesAction
from policy.codes import Code
from policy.errors import GateholdError
from policy.expressions import Outcome
from policy.model import (
    Agent,
    Decision,
    DlpObligation,
    Family,
    FilterObligation,
    LimitObligation,
    Obligations,
    RuleName,
    TargetName,
    TargetTraits,
    Verdict,
    Wanted,
)
from policy.rules.compiler import RuleProblem, Surroundings, compile_rules
from policy.rules.index import HttpIndex, Index, KubernetesIndex, Masks, build_index, candidates
from policy.rules.obligations import combine_approvals, combine_dlp, combine_limits, combine_masks, combine_sessions
from policy.rules.room import LimitView, Room
from policy.rules.rule import Rule
from policy.rules.schema import PolicyDocument
from policy.rules.selectors import GlobDimension
from policy.rules.visibility import combine_views, partial_views
from policy.rules.wanting import wanted
from policy.rules.weighing import Call, Finding, Weighed, message, weigh_all

__all__ = ["Engine", "LimitView", "PolicyError"]

_REASONS = {
    Code.DENIED_BY_RULE: "A rule of the gateway denies this call.",
    Code.UNEVALUABLE: "A rule of the gateway could not be evaluated for this call.",
    Code.DEFAULT_DENY: "No rule of the gateway allows this call.",
    Code.RATE_LIMITED: "The rate limit for this call is reached.",
    Code.BUDGET_SPENT: "The budget for this call is spent.",
    Code.UNREGISTERED_TARGET: "This target is not registered.",
    Code.MALFORMED: "The body of this call cannot be read in one way only.",
    Code.APPROVAL_REQUIRED: "A person has to approve this call first.",
}
_NOTHING = Obligations()
_VERDICTS = {Code.ALLOWED: Verdict.ALLOW, Code.APPROVAL_REQUIRED: Verdict.HOLD}


class PolicyError(GateholdError):
    """These documents cannot be compiled; ``problems`` says why."""

    def __init__(self, problems: Sequence[RuleProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{each.policy}: {each.rule}: {each.message}" for each in problems))


class Engine:
    """All rules of a configuration, compiled."""

    def __init__(self, rules: Sequence[Rule], targets: Mapping[str, TargetTraits]) -> None:
        self.rules = {rule.name: rule for rule in sorted(rules, key=lambda rule: rule.name)}
        """By name, in name order."""
        self.targets = dict(targets)
        self.revision = _revision(self.rules.values(), self.targets.values())
        """SHA-256, in hexadecimal, of everything that a decision depends on."""
        self._indexes: dict[Family, Index] = {family: build_index(family, rules) for family in Family}

    @classmethod
    def compile(
        cls,
        policies: Sequence[PolicyDocument],
        targets: Mapping[str, TargetTraits],
        *,
        known_profiles: Collection[str] | None = None,
        known_issuers: Collection[str] | None = None,
    ) -> Self:
        """The engine for these documents. Raises ``PolicyError`` with every problem."""
        surroundings = Surroundings(targets=targets, profiles=known_profiles, issuers=known_issuers)
        compiled = compile_rules(policies, surroundings)
        if compiled.problems:
            raise PolicyError(compiled.problems)
        return cls(compiled.rules, targets)

    def default_deny(self) -> Decision:
        """What is decided where no rule matches."""
        return self._refuse(Code.DEFAULT_DENY)

    def rule_hash(self, name: str) -> str:
        """SHA-256 of a rule's content. Raises ``KeyError`` for a rule that is not there."""
        return self.rules[RuleName(name)].hash

    def decide(
        self, agent: Agent, target: TargetName, action: Action, *, now: datetime, limits: LimitView | None = None
    ) -> Decision:
        """Judge one call. ``now`` carries a time zone; without ``limits`` every limit has room.

        A refusal for want of room names the limits that have none in its obligations, so that the caller can tell
        how long to wait.
        """
        if target not in self.targets:
            return self._refuse(Code.UNREGISTERED_TARGET)
        weighed = self.weigh(agent, target, action, now=now)
        if refusal := _refusal(weighed):
            wants = wanted(weighed, limits)
            return self._refuse(*refusal, weighed, frozenset() if wants and _is_malformed(action) else wants)
        if _is_malformed(action):
            return replace(self._refuse(Code.MALFORMED, None, weighed), detail=action.body_reason())
        views, room = partial_views(weighed.doors, action), Room(limits, agent, target)
        door = room.choose(weighed.doors, views)
        binding = [*weighed.gates, door]
        if exhausted := room.exhausted(binding):
            return self._out_of_room(weighed, exhausted)
        return self._pass(weighed, binding, combine_views(door, weighed.doors, views))

    def weigh(self, agent: Agent, target: TargetName, action: Action, *, now: datetime) -> Weighed:
        """What every candidate rule says about a call."""
        traits = self.targets[target]
        call = Call(agent, traits, action, now)
        return weigh_all(candidates(self._indexes[traits.family], self.masks(agent, target, action)), call)

    def masks(self, agent: Agent, target: TargetName, action: Action) -> Masks:
        """Which rules of the target's family each selector leaves, by bits in name order."""
        traits = self.targets[target]
        index = self._indexes[traits.family]
        if isinstance(index, HttpIndex) and isinstance(action, HttpAction):
            return index.masks(agent, traits, action)
        if isinstance(index, KubernetesIndex) and isinstance(action, KubernetesAction):
            return index.masks(agent, traits, action)
        raise GateholdError(f"target {target} is of family {traits.family}, the action is not")

    def rules_of(self, target: TargetName) -> Sequence[Rule]:
        """The rules of the target's family: rule *i* has bit *i* in ``masks``."""
        return self._indexes[self.targets[target].family].rules

    def mask_profiles(self, target: TargetName) -> tuple[str, ...]:
        """Every profile that a rule, or the target itself, may put on this target's answers; sorted."""
        masks = (rule.mask for rule in self._rules_about(target))
        named = {profile for mask in masks if mask is not None for profile in mask.profiles}
        return tuple(sorted(named | set(self.targets[target].mask)))

    def dlp_profiles(self, target: TargetName) -> tuple[str, ...]:
        """Every profile by which a rule, or the target itself, may search this target's requests; sorted."""
        searches = (self.targets[target].dlp, *(rule.dlp for rule in self._rules_about(target)))
        return tuple(sorted({profile for dlp in searches if dlp is not None for profile in dlp.profiles}))

    def record_profiles(self, target: TargetName) -> tuple[str, ...]:
        """Every profile that may hide something in this target's answers or requests; sorted."""
        return tuple(sorted({*self.mask_profiles(target), *self.dlp_profiles(target)}))

    def profile_sets(self, target: TargetName) -> frozenset[tuple[str, ...]]:
        """Sets of profiles by which a call to this target may come to be masked, searched or recorded; sorted each.

        All of one rule with the target's own, all of two, and all together: not every set that rules could add up to.
        """
        about, own = self._rules_about(target), frozenset(self.targets[target].mask)
        masks = {frozenset(rule.mask.profiles) for rule in about if rule.mask is not None} | {frozenset[str]()}
        searches = [each for each in (self.targets[target].dlp, *(rule.dlp for rule in about)) if each is not None]
        sets = {one | other | own for one in masks for other in masks} | {frozenset(each.profiles) for each in searches}
        every = (self.mask_profiles(target), self.dlp_profiles(target), self.record_profiles(target))
        return frozenset({*(tuple(sorted(each)) for each in sets), *every} - {()})

    def dlp(
        self, agent: Agent, target: TargetName, action: Action, *, now: datetime, limits: LimitView | None = None
    ) -> DlpObligation | None:
        """How a request has to be searched before anything is done with it; None where it is refused or not searched.

        Where a look at the cluster could open a door, everything is demanded that may come to be demanded then: what
        the look itself sends is protected as well.
        """
        weighed = self.weigh(agent, target, action, now=now)
        if _refusal(weighed) is None:
            return combine_dlp(weighed.call.target, [*weighed.gates, *weighed.doors])
        if not wanted(weighed, limits):
            return None
        possible = [each.rule for each in weighed.findings if _may_match(each) and not each.rule.shadow]
        return combine_dlp(weighed.call.target, possible)

    def _rules_about(self, target: TargetName) -> list[Rule]:
        rules = self.rules_of(target)
        about = GlobDimension((rule.match.targets, 1 << bit) for bit, rule in enumerate(rules)).mask(target)
        return [rule for bit, rule in enumerate(rules) if about >> bit & 1]

    def _pass(self, weighed: Weighed, binding: Sequence[Rule], visible: FilterObligation | None) -> Decision:
        """Allow the call, or hold it where one of the binding rules asks for an approval; the door is the last."""
        asking = [rule for rule in binding if rule.approval is not None]
        obligations = Obligations(
            approval=combine_approvals(asking, [message(rule, weighed.call) for rule in asking]) if asking else None,
            mask=combine_masks(weighed.call.target, [*weighed.gates, *weighed.doors]),
            dlp=combine_dlp(weighed.call.target, [*weighed.gates, *weighed.doors]),
            limits=combine_limits(binding),
            filter=visible,
            session=combine_sessions(weighed.gates),
        )
        if not asking:
            return self._decision(Code.ALLOWED, weighed, binding[-1], obligations)
        return self._decision(Code.APPROVAL_REQUIRED, weighed, asking[0], obligations)

    def _out_of_room(self, weighed: Weighed, exhausted: tuple[LimitObligation, ...]) -> Decision:
        code = Code.RATE_LIMITED if exhausted[0].unit == "rate" else Code.BUDGET_SPENT
        return self._decision(code, weighed, self.rules[exhausted[0].rule], Obligations(limits=exhausted))

    def _refuse(
        self,
        code: Code,
        rule: Rule | None = None,
        weighed: Weighed | None = None,
        wanted: frozenset[Wanted] = frozenset(),
    ) -> Decision:
        return self._decision(code, weighed, rule, _NOTHING, wanted)

    def _decision(
        self,
        code: Code,
        weighed: Weighed | None,
        rule: Rule | None,
        obligations: Obligations,
        wanted: frozenset[Wanted] = frozenset(),
    ) -> Decision:
        stated = rule.reason if rule is not None and code is not Code.UNEVALUABLE else ""
        return Decision(
            verdict=_VERDICTS.get(code, Verdict.DENY),
            code=code,
            rule=rule.name if rule is not None else None,
            rules=tuple(weighed.names) if weighed else (),
            shadow=tuple(rule.name for rule in weighed.shadow) if weighed else (),
            reason=stated or _REASONS.get(code, ""),
            detail=weighed.detail() if weighed else "",
            obligations=obligations,
            revision=self.revision,
            wanted=wanted,
        )


def _is_malformed(action: Action) -> bool:
    return isinstance(action, KubernetesAction) and action.is_malformed


def _refusal(weighed: Weighed) -> tuple[Code, Rule | None] | None:
    """Why a call does not pass, and the rule that says so; None where a door is open to it."""
    if weighed.walls:
        return Code.DENIED_BY_RULE, weighed.walls[0]
    if weighed.doubtful:
        return Code.UNEVALUABLE, weighed.doubtful[0]
    return None if weighed.doors else (Code.DEFAULT_DENY, None)


def _may_match(finding: Finding) -> bool:
    """Could a rule match once more is known? A condition that is false stays false, labels may become known."""
    return finding.outcome is not Outcome.NO_MATCH or finding.selector == "labels"


def _revision(rules: Iterable[Rule], targets: Iterable[TargetTraits]) -> str:
    content = {
        "rules": [[rule.name, rule.hash] for rule in rules],
        "targets": sorted((asdict(target) for target in targets), key=lambda target: str(target["name"])),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
