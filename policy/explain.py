"""Why a call is answered as it is: the decision, and for every rule of the family what held and what did not.

The trace is read from the same masks and findings that the decision was made of, so it cannot tell another story.
It is for operators: it quotes conditions and facts, and goes to no agent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from policy.actions.decoding import Action
from policy.actions.kubernetes import KubernetesAction
from policy.engine import Engine
from policy.expressions import Environment, Expression, ExpressionError, Outcome
from policy.expressions.tokens import tokenize
from policy.model import (
    UNKNOWN,
    Agent,
    ApprovalObligation,
    Decision,
    DlpObligation,
    LimitObligation,
    Obligations,
    SessionObligation,
    TargetName,
    Visible,
)
from policy.rules.quantities import format_duration, format_quota
from policy.rules.rule import Rule
from policy.rules.verbs import counted_verbs
from policy.rules.weighing import Bindings, Call, Finding

_SCALARS = (str, int, float, bool)
_RANKS = {Outcome.MATCH: 0, Outcome.ERROR: 1, Outcome.NO_MATCH: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """One thing that kept a rule from matching."""

    selector: str
    """Its key in the rule: ``agents.groups``, ``namespaces``, ``when``."""
    wanted: Any
    """What the rule says; for ``when`` the part of the condition that was not true."""
    got: Any
    """What the call has; for ``when`` the variables that the part reads."""

    def to_json(self) -> dict[str, Any]:
        """Keys as in the fields."""
        return {"selector": self.selector, "wanted": self.wanted, "got": self.got}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rule on this call."""

    rule: Rule
    outcome: Outcome
    obstacles: tuple[Obstacle, ...] = ()
    detail: str = ""

    def to_json(self) -> dict[str, Any]:
        """One entry of ``trace``."""
        return {
            "rule": self.rule.name,
            "effect": self.rule.effect.value,
            "mode": "shadow" if self.rule.shadow else "enforce",
            "outcome": self.outcome.value,
            "failed": [obstacle.to_json() for obstacle in self.obstacles],
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A decision and its reasons."""

    decision: Decision
    action: Mapping[str, Any]
    """The facts of the call."""
    trace: tuple[Step, ...]
    """Rules that match first, then those that could not be evaluated, then by how little kept them from matching."""

    def to_json(self) -> dict[str, Any]:
        """The explanation as programs read it."""
        return {
            **decision_to_json(self.decision),
            "action": dict(self.action),
            "trace": [step.to_json() for step in self.trace],
        }


def explain(engine: Engine, agent: Agent, target: TargetName, action: Action, *, now: datetime) -> Explanation:
    """Decide as if every limit had room, and say why."""
    decision = engine.decide(agent, target, action, now=now)
    trace = sorted(_steps(engine, agent, target, action, now), key=_rank) if target in engine.targets else ()
    return Explanation(decision=decision, action=action.facts(), trace=tuple(trace))


def decision_to_json(decision: Decision) -> dict[str, Any]:
    """A decision as programs read it, without what it is about."""
    return {
        "verdict": decision.verdict.value,
        "code": decision.code.value,
        "rule": decision.rule,
        "rules": list(decision.rules),
        "shadow": list(decision.shadow),
        "reason": decision.reason,
        "detail": decision.detail,
        "obligations": obligations_to_json(decision.obligations),
        "wanted": sorted(decision.wanted),
    }


def obligations_to_json(obligations: Obligations) -> dict[str, Any]:
    """``approval``, ``mask`` and ``limit``, null where there is none; of the others those that there are."""
    found = {
        "approval": None if obligations.approval is None else _approval_to_json(obligations.approval),
        "mask": list(obligations.mask.profiles),
        "limit": [_limit_to_json(limit) for limit in obligations.limits] or None,
    }
    if obligations.filter is not None:
        found["filter"] = [_view_to_json(view) for view in obligations.filter.visible]
    if obligations.dlp is not None:
        found["dlp"] = dlp_to_json(obligations.dlp)
    if obligations.session is not None:
        found["session"] = _session_to_json(obligations.session)
    return found


def _approval_to_json(approval: ApprovalObligation) -> dict[str, Any]:
    return {
        "groups": [sorted(groups) for groups in approval.groups],
        "count": approval.count,
        "grant": None if approval.grant is None else format_duration(approval.grant),
        "scope": approval.scope,
        "message": approval.message,
        "rules": list(approval.rules),
        **({} if approval.unshowable == "ask" else {"unshowable": approval.unshowable}),
    }


def dlp_to_json(dlp: DlpObligation) -> dict[str, Any]:
    """Keys as in rules."""
    return {"profiles": list(dlp.profiles), "action": dlp.action}


def _session_to_json(session: SessionObligation) -> dict[str, Any]:
    """``max`` and ``idle`` as in rules; null for no bound."""
    bounds = {"max": session.longest, "idle": session.idle}
    return {key: None if seconds is None else format_duration(seconds) for key, seconds in bounds.items()}


def _view_to_json(view: Visible) -> dict[str, Any]:
    """``names`` and ``labels`` of what one door shows; null for any."""
    return {
        "names": None if view.names is None else list(view.names),
        "labels": None if view.labels is None else dict(view.labels),
    }


def _limit_to_json(limit: LimitObligation) -> dict[str, Any]:
    return {"rule": limit.rule, limit.unit: format_quota(limit.unit, limit.amount, limit.window), "per": limit.per}


def _rank(step: Step) -> tuple[int, int, str]:
    return (_RANKS[step.outcome], len(step.obstacles), step.rule.name)


def _steps(engine: Engine, agent: Agent, target: TargetName, action: Action, now: datetime) -> Iterator[Step]:
    weighed = engine.weigh(agent, target, action, now=now)
    findings = {finding.rule.name: finding for finding in weighed.findings}
    masks = engine.masks(agent, target, action)
    for at, rule in enumerate(engine.rules_of(target)):
        finding = findings.get(rule.name)
        if finding is not None:
            yield _step(finding, weighed.call)
        else:
            failed = [selector for selector, mask in masks if not mask >> at & 1]
            obstacles = tuple(_obstacle(selector, rule, weighed.call) for selector in failed)
            yield Step(rule=rule, outcome=Outcome.NO_MATCH, obstacles=obstacles)


def _step(finding: Finding, call: Call) -> Step:
    obstacles: tuple[Obstacle, ...] = ()
    if finding.selector == "when" and finding.rule.when is not None:
        obstacles = tuple(_condition_obstacles(finding.rule, finding.rule.when, call))
    elif finding.selector:
        obstacles = (_obstacle(finding.selector, finding.rule, call),)
    return Step(rule=finding.rule, outcome=finding.outcome, obstacles=obstacles, detail=finding.detail)


def _obstacle(selector: str, rule: Rule, call: Call) -> Obstacle:
    return Obstacle(selector=selector, wanted=_wanted(selector, rule), got=_got(selector, call))


def _wanted(selector: str, rule: Rule) -> Any:
    """What the rule says under this key; null where it says nothing (``validity`` is several keys)."""
    part, _, key = selector.rpartition(".")
    spec = rule.agents if part else rule.match
    return spec.model_dump(mode="json", by_alias=True).get(key)


def _got(selector: str, call: Call) -> Any:
    agent, action = call.agent, call.action
    facts: dict[str, Any] = {
        "validity": call.now.isoformat(),
        "targets": call.target.name,
        "agents.subjects": agent.subject,
        "agents.groups": list(agent.groups),
        "agents.issuers": agent.issuer,
        "agents.claims": sorted(agent.claims),
        "paths": action.path,
    }
    return (facts | _family_facts(action))[selector]


def _family_facts(action: Action) -> dict[str, Any]:
    if not isinstance(action, KubernetesAction):
        return {"methods": [action.method, *action.also_methods], "upgrade": action.upgrade}
    return {
        "verbs": list(counted_verbs(action)),
        "namespaces": "any" if action.covers_all_namespaces else action.namespace,
        "apiGroups": action.group,
        "resources": "/".join(filter(None, (action.resource, action.subresource))),
        "names": "any" if action.covers_all_names else action.name,
        "labels": "unknown" if action.labels is UNKNOWN else action.labels,
        "nonResourcePaths": "" if action.resource_request else action.path,
    }


def _condition_obstacles(rule: Rule, condition: Expression, call: Call) -> Iterator[Obstacle]:
    """The parts of a condition that are not true of the call, where ``&&`` joins it of parts."""
    environment = Environment.for_family(rule.family)
    for source in conjuncts(condition.source):
        try:
            part = environment.compile(source)
        except ExpressionError:
            part = condition
        outcomes = [part.test(activation) for activation in Bindings(call, [part]).of(rule, part)]
        if not outcomes or any(outcome is not Outcome.MATCH for outcome in outcomes):
            yield Obstacle(selector="when", wanted=part.source, got=_values(part, call))


def conjuncts(source: str) -> tuple[str, ...]:
    """The parts of a condition that must all be true; the condition itself where it is not one ``&&`` of parts."""
    depth, start, parts = 0, 0, list[str]()
    tokens = tokenize(source)
    for token, following in pairwise(tokens):
        depth += (token.text in "([{") - (token.text in ")]}")
        if depth == 0 and token.kind == "sign" and token.text in "|?":
            return (source,)
        if depth == 0 and token.text == following.text == "&":
            parts.append(source[start : token.start].strip())
            start = following.end
    return (*parts, source[start:].strip())


def _values(part: Expression, call: Call) -> dict[str, Any]:
    """What the part reads; of bodies, claims and headers only that they are there."""
    variables = call.variables(body=True)
    return {name: _shown(variables.get(name, UNKNOWN)) for name in sorted(part.variables)}


def _shown(value: Any) -> Any:
    if value is UNKNOWN:
        return "unknown"
    if isinstance(value, datetime):
        return value.isoformat()
    plain = value is None or isinstance(value, _SCALARS)
    listed = isinstance(value, list) and all(isinstance(item, _SCALARS) for item in value)
    return value if plain or listed else f"({type(value).__name__})"
