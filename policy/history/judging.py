"""What an engine says of a recorded call: the decision, or why there is none.

The steps are those of a running gateway: the call is judged by its request; where the policy asks for an object, by
what was found out then; and limits count the calls before. Three things make a call incomparable: it was recorded
without its input, a rule's answer hangs on something that is masked, or the policy asks for an object that nobody
looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from policy.actions.decoding import Action
from policy.actions.http import HttpAction
from policy.actions.kubernetes import KubernetesAction
from policy.actions.paths import folded
from policy.codes import Code
from policy.engine import Engine
from policy.errors import Refusal
from policy.expressions import Outcome
from policy.history.differences import overlaps
from policy.history.inputs import RecordedCall
from policy.history.reading import Reads, reads_of, reads_of_message
from policy.history.requests import NotReadable, Reread, known_so_far, reread
from policy.limits import LimitKey, LimitLedger, key_for
from policy.model import Agent, Decision, LimitObligation, PathOptions, TargetName, TargetTraits, Verdict, Wanted
from policy.rules.compiler import PARAMS
from policy.rules.paths import PathPattern
from policy.rules.rule import Effect, Rule
from policy.rules.weighing import Call, Finding, Weighed

_ROUNDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One recorded call under one engine."""

    decision: Decision | None
    """None: not comparable."""
    because: str = ""
    """Why it is not comparable; names rules and variables, never values."""
    weighed: Weighed | None = None
    """What every rule said; None where that was not asked for, or nothing is hidden and policy was not asked."""
    doubtful: frozenset[str] = frozenset()
    """Rules whose answer hangs on something that is hidden."""


class Replayed:
    """The limits, as the calls that were judged before left them."""

    def __init__(self, engine: Engine) -> None:
        self.now = 0.0
        self._ledger = LimitLedger()
        self._groups = {name: rule.agents.groups for name, rule in engine.rules.items()}

    def wait(self, obligation: LimitObligation, agent: Agent, target: TargetName) -> float:
        """Seconds until there is room."""
        return self._ledger.peek(obligation, self._key(obligation, agent, target), self.now)

    def charge(self, decision: Decision, call: RecordedCall) -> None:
        """Count a call that passes; a held one where somebody had said yes then."""
        if decision.verdict is Verdict.DENY or (decision.verdict is Verdict.HOLD and not call.passed):
            return
        for limit in decision.obligations.limits:
            amount = call.answered if limit.unit == "bytes" else 1
            self._ledger.charge(limit, self._key(limit, call.agent, call.target), self.now, amount)

    def _key(self, obligation: LimitObligation, agent: Agent, target: TargetName) -> LimitKey:
        return key_for(obligation, agent, target, groups=self._groups.get(obligation.rule))


class Judge:
    """Judges recorded calls by one engine, one after the other in the order of time."""

    def __init__(self, engine: Engine, *, with_limits: bool = True, weighs: bool = False) -> None:
        """``weighs``: say what every rule said of every call."""
        self.engine = engine
        self._weighs = weighs
        self._limits = Replayed(engine) if with_limits else None

    def judge(self, call: RecordedCall, read: dict[TargetTraits, Reread] | None = None) -> Judged:
        """The decision about one call; ``read``: this very request, as another judge has read it for a target."""
        traits = self.engine.targets.get(call.target)
        if traits is None:
            return Judged(decision=Decision(verdict=Verdict.DENY, code=Code.UNREGISTERED_TARGET))
        if call.recorded.code == Code.MALFORMED and call.input is not None and "body" in call.input.hidden:
            return Judged(decision=None, because="the body was malformed, and is masked")
        try:
            request = read[traits] if read and traits in read else reread(call, traits)
            if read is not None:
                read[traits] = request
        except NotReadable as reason:
            return Judged(decision=None, because=str(reason))
        except Refusal as refusal:
            return Judged(decision=Decision(verdict=Verdict.DENY, code=refusal.code))
        return self._judge(call, request, datetime.fromtimestamp(call.input.at if call.input else call.time, UTC))

    def _judge(self, call: RecordedCall, request: Reread, now: datetime) -> Judged:
        if self._limits is not None:
            self._limits.now = now.timestamp()
        action, decision = request.action, self._decide(call, request.action, now)
        wanted: frozenset[Wanted] = frozenset()
        for _ in range(_ROUNDS):
            if decision.wanted <= wanted or not isinstance(action, KubernetesAction):
                break
            missing = decision.wanted - wanted
            wanted |= (missing - {Wanted.NEW}) or missing
            known = known_so_far(request.known, wanted)
            if known is None:
                return Judged(
                    decision=None, because="the policy asks for an object that was not looked at, or could not be"
                )
            action = action.knowing(known)
            decision = self._decide(call, action, now)
        judged = Judged(decision=decision)
        if self._weighs or request.hidden:
            weighed = self.engine.weigh(call.agent, call.target, action, now=now)
            judged = _with_doubts(self.engine, call, request, weighed, decision)
        if judged.decision is not None and self._limits is not None:
            self._limits.charge(judged.decision, call)
        return judged

    def _decide(self, call: RecordedCall, action: Action, now: datetime) -> Decision:
        return self.engine.decide(call.agent, call.target, action, now=now, limits=self._limits)


def _with_doubts(engine: Engine, call: RecordedCall, request: Reread, weighed: Weighed, decision: Decision) -> Judged:
    if not request.hidden:
        return Judged(decision=decision, weighed=weighed)
    doubts = list(_doubts(engine, call, request, weighed))
    names = frozenset(rule.name for rule, _ in doubts)
    sure_wall = any(wall.name not in names for wall in weighed.walls)
    enforced = [doubt for doubt in doubts if not doubt[0].shadow]
    if enforced and not sure_wall:
        rule, variable = enforced[0]
        because = f"rule {rule.name} reads {variable}, of which a part is masked"
        return Judged(decision=None, because=because, weighed=weighed, doubtful=names)
    if sure_wall:
        decision = Decision(verdict=Verdict.DENY, code=Code.DENIED_BY_RULE, rule=decision.rule)
    return Judged(decision=decision, weighed=weighed, doubtful=names)


def _doubts(engine: Engine, call: RecordedCall, request: Reread, weighed: Weighed) -> Iterator[tuple[Rule, str]]:
    """Rules whose answer could be another one, with the variable on which it hangs."""
    for finding in weighed.findings:
        variable = _doubt(finding, request, weighed.call)
        if variable:
            yield finding.rule, variable
    if request.segments and isinstance(request.action, HttpAction):
        for rule in _perhaps_about(engine, call, request.action, request.segments):
            yield rule, "http.path"


def _doubt(finding: Finding, request: Reread, call: Call) -> str:
    """What of a tested rule hangs on something hidden; empty for nothing."""
    rule, stopped, hidden = finding.rule, finding.selector, request.hidden
    if stopped == "validity":
        return ""
    claims = hidden.get("agent.claims", ())
    if any(overlaps(claims, place) for name in rule.claims or {} for place in ((name,), tuple(name.split(".")))):
        return "agent.claims"
    if stopped == "agents.claims":
        return ""
    if isinstance(call.action, KubernetesAction):
        if rule.names is not None and "k8s.name" in hidden:
            return "k8s.name"
        if stopped == "names":
            return ""
        if rule.labels is not None and "k8s.labels" in hidden:
            return "k8s.labels"
        if stopped == "labels":
            return ""
    read = dict(reads_of(rule))
    if finding.outcome is Outcome.MATCH and rule.effect is not Effect.DENY:
        for name, places in reads_of_message(rule).items():
            read[name] = (*read.get(name, ()), *places)
    return _hidden_in(read, request, rule)


def _hidden_in(read: Reads, request: Reread, rule: Rule) -> str:
    for variable, places in read.items():
        if variable == PARAMS and request.segments and len(rule.patterns) > 1:
            return variable  # another pattern may bind it as well
        if variable == PARAMS and any(() in places or (name,) in places for name in _hidden_parameters(rule, request)):
            return variable
        changed = request.hidden.get(variable, ())
        if any(overlaps(changed, place) for place in places):
            return variable
    return ""


def _hidden_parameters(rule: Rule, request: Reread) -> Iterator[str]:
    """Names of path parameters that a hidden segment may be the value of."""
    for pattern in rule.patterns:
        for number, part in enumerate(pattern.parts):
            if number in request.segments and not isinstance(part, str) and part.name:
                yield part.name


def _perhaps_about(engine: Engine, call: RecordedCall, action: HttpAction, segments: frozenset[int]) -> Iterator[Rule]:
    """Rules of which no pattern matches, but one would if hidden segments were what it says."""
    options = engine.targets[call.target].paths
    read, left, by_path = folded(action.segments, options), -1, 0
    for selector, mask in engine.masks(call.agent, call.target, action):
        left, by_path = (left, mask) if selector == "paths" else (left & mask, by_path)
    for bit, rule in enumerate(engine.rules_of(call.target)):
        could_be = (pattern for pattern in rule.patterns if _could_be(pattern, read, segments, options))
        if (left & ~by_path) >> bit & 1 and next(could_be, None) is not None:
            yield rule


def _could_be(pattern: PathPattern, read: tuple[str, ...], segments: frozenset[int], options: PathOptions) -> bool:
    for parts, rest in pattern.forms(options):
        if len(read) < len(parts) or (len(read) > len(parts) and not rest):
            continue
        pairs = enumerate(zip(parts, read, strict=False))
        if all(not isinstance(part, str) or part == segment or at in segments for at, (part, segment) in pairs):
            return True
    return False
