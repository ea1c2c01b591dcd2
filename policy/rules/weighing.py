"""What one candidate rule says about one call.

The index has ruled out all rules that cannot apply. Here the rest is tested, cheapest first: the rule's time, claims,
names, labels, and last its condition. The outcome has three values, because unknown is not false: a name or label
that cannot be known counts as matching for a wall or turnstile and as not matching for a door, and a condition that
errs is ``ERROR``, which the engine turns into a refusal or a shut door. Where the answer can be filtered, a door that
is limited by names or labels is open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from policy.actions.decoding import Action
from policy.actions.kubernetes import KubernetesAction
from policy.actions.paths import folded
from policy.expressions import Activation, Environment, Evaluation, Expression, Outcome
from policy.model import UNKNOWN, Agent, RuleName, TargetTraits
from policy.rules.compiler import PARAMS
from policy.rules.labels import labels_fit
from policy.rules.rule import Effect, Rule
from policy.rules.selectors import claims_match, glob_matches
from policy.rules.validity import ALWAYS
from policy.rules.visibility import can_be_filtered

MAX_DETAIL = 1000
"""Characters of what a decision tells the audit trail."""


class Finding(NamedTuple):
    """A rule, what it came to, and for explanations where it stopped."""

    rule: Rule
    outcome: Outcome
    selector: str = ""
    """The selector that did not hold, or ``when``; empty for a match."""
    detail: str = ""
    """For the audit trail: what the condition could not read."""


class Call:
    """One call while it is judged."""

    __slots__ = ("_variables", "action", "agent", "now", "target")

    def __init__(self, agent: Agent, target: TargetTraits, action: Action, now: datetime) -> None:
        self.agent = agent
        self.target = target
        self.action = action
        self.now = now
        self._variables: dict[bool, dict[str, Any]] = {}

    def variables(self, *, body: bool) -> dict[str, Any]:
        """Every variable that is known, under its dotted name; without the body's unless asked for."""
        found = self._variables.get(body)
        if found is None:
            found = self._variables[body] = {
                "agent.issuer": self.agent.issuer,
                "agent.subject": self.agent.subject,
                "agent.groups": self.agent.groups,
                "agent.claims": self.agent.claims,
                "agent.purpose": self.agent.purpose,
                "target.name": self.target.name,
                "now": self.now,
                **self.action.variables(body),
            }
        return found

    def params(self, rule: Rule) -> list[Mapping[str, str]]:
        """The parameters of each pattern of the rule that matches."""
        if isinstance(self.action, KubernetesAction):
            return []
        segments, options = folded(self.action.segments, self.target.paths), self.target.paths
        slash = self.action.trailing_slash
        bound = (pattern.params(segments, options, trailing_slash=slash) for pattern in rule.patterns)
        return [params for params in bound if params is not None]


class Bindings:
    """What some expressions read of a call: bound when first asked for, once, and shared by all of them.

    Only variables that one of them reads are bound, and the body is read only if one of them needs it.
    """

    __slots__ = ("_activation", "_expressions", "call")

    def __init__(self, call: Call, expressions: Sequence[Expression]) -> None:
        self.call = call
        self._expressions = expressions
        self._activation: Activation | None = None

    def of(self, rule: Rule, expression: Expression) -> Sequence[Activation]:
        """One activation, or one for each pattern of the rule that matches if the expression reads its parameters."""
        shared = self._activation = self._activation or self._bind()
        if PARAMS not in expression.variables:
            return (shared,)
        return [shared.bind({PARAMS: params}) for params in self.call.params(rule)]

    def _bind(self) -> Activation:
        call, body = self.call, any(expression.needs_body for expression in self._expressions)
        known, read = call.variables(body=body), {}
        for expression in self._expressions:
            for name in expression.variables:
                if name in known:
                    read[name] = known[name]
        return Environment.for_family(call.action.family).activation(read)


@dataclass(slots=True)
class Weighed:
    """What all candidates say about a call. Every list is in name order; rules in shadow stand in two of them only."""

    call: Call
    findings: list[Finding] = field(default_factory=list)
    """All of them, those in shadow too."""
    walls: list[Rule] = field(default_factory=list)
    gates: list[Rule] = field(default_factory=list)
    doors: list[Rule] = field(default_factory=list)
    doubtful: list[Rule] = field(default_factory=list)
    """Walls and gates of which it cannot be said whether they match."""
    shadow: list[Rule] = field(default_factory=list)
    """Rules in shadow that would have counted: by matching, or by a doubt that refuses."""

    names: list[RuleName] = field(default_factory=list)
    """Every enforced rule that matches."""
    errors: list[Finding] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        """Sort in the next finding."""
        self.findings.append(finding)
        rule, outcome = finding.rule, finding.outcome
        if outcome is Outcome.ERROR:
            self.errors.append(finding)
        if outcome is Outcome.NO_MATCH or (outcome is Outcome.ERROR and not rule.forbids):
            return
        if rule.shadow:
            self.shadow.append(rule)
        elif outcome is Outcome.ERROR:
            self.doubtful.append(rule)
        else:
            self._match(rule)

    def _match(self, rule: Rule) -> None:
        self.names.append(rule.name)
        if rule.effect is Effect.ALLOW:
            self.doors.append(rule)
        else:
            (self.walls if rule.effect is Effect.DENY else self.gates).append(rule)

    def detail(self) -> str:
        """What could not be evaluated and why, for the audit trail."""
        return "; ".join(f"{each.rule.name}: {each.detail}" for each in self.errors)[:MAX_DETAIL]


def weigh_all(rules: Sequence[Rule], call: Call) -> Weighed:
    """Weigh every candidate."""
    bindings = Bindings(call, [rule.when for rule in rules if rule.when is not None])
    weighed = Weighed(call)
    for rule in rules:
        weighed.add(weigh(rule, bindings))
    return weighed


def weigh(rule: Rule, bindings: Bindings) -> Finding:
    """Test what the index has not."""
    call = bindings.call
    if rule.validity is not ALWAYS and not rule.validity.holds(call.now):
        return Finding(rule, Outcome.NO_MATCH, "validity")
    if rule.claims is not None and not claims_match(rule.claims, call.agent.claims):
        return Finding(rule, Outcome.NO_MATCH, "agents.claims")
    if isinstance(call.action, KubernetesAction):
        if rule.names is not None and not _name_matches(rule, rule.names, call.action):
            return Finding(rule, Outcome.NO_MATCH, "names")
        if rule.labels is not None and not _labels_match(rule, rule.labels, call.action):
            return Finding(rule, Outcome.NO_MATCH, "labels")
    if rule.when is None:
        return Finding(rule, Outcome.MATCH)
    return _test(rule, rule.when, bindings)


def test(rule: Rule, condition: Expression, call: Call) -> Finding:
    """What a condition alone says of a call."""
    return _test(rule, condition, Bindings(call, [condition]))


def message(rule: Rule, call: Call) -> str:
    """What the approver reads first; empty where the rule states nothing or it cannot be computed."""
    expression = rule.approval.message if rule.approval else None
    if expression is None:
        return ""
    texts = (expression.text(activation) for activation in Bindings(call, [expression]).of(rule, expression))
    return next((text for text in texts if text), "")


def _test(rule: Rule, condition: Expression, bindings: Bindings) -> Finding:
    evaluations = [condition.evaluate(activation) for activation in bindings.of(rule, condition)]
    found = evaluations[0] if len(evaluations) == 1 else _decisive(rule, evaluations)
    return Finding(rule, found.outcome, "" if found.outcome is Outcome.MATCH else "when", found.detail)


def _decisive(rule: Rule, evaluations: Sequence[Evaluation]) -> Evaluation:
    """What a condition came to over several patterns: doubt about one is doubt, but a door needs only one match."""
    order = (Outcome.ERROR, Outcome.MATCH) if rule.forbids else (Outcome.MATCH, Outcome.ERROR)
    unbound = Evaluation(outcome=Outcome.ERROR, detail="no path of the rule binds its parameters")
    ranked = sorted(evaluations, key=lambda each: (*order, Outcome.NO_MATCH).index(each.outcome))
    return ranked[0] if ranked else unbound


def _name_matches(rule: Rule, globs: tuple[str, ...], action: KubernetesAction) -> bool:
    name = action.name
    if action.covers_all_names or name is UNKNOWN:
        return rule.forbids or can_be_filtered(action)
    names = {name, action.proxied_name} if rule.forbids else {name}
    return any(glob_matches(glob, each) for glob in globs for each in names)


def _labels_match(rule: Rule, wanted: Mapping[str, str], action: KubernetesAction) -> bool:
    fit = labels_fit(wanted, action, forbids=rule.forbids)
    return rule.forbids or can_be_filtered(action) if fit is UNKNOWN else fit
