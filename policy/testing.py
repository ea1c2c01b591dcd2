"""Runs ``kind: PolicyTest``: calls with the verdict, and the rule, that must come out.

Beside the results it counts what each rule did: how often its selectors matched, and how often its condition was
true, false or could not be evaluated. A rule that no case ever matches is a rule that nobody has tried.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from policy.actions.decoding import Action, decode
from policy.actions.knowledge import KnownObjects
from policy.actions.kubernetes import KubernetesAction
from policy.codes import Code
from policy.engine import Engine
from policy.errors import Refusal
from policy.explain import dlp_to_json
from policy.expressions import Outcome
from policy.model import Agent, Decision, RuleName, TargetName, TargetTraits, Verdict, WireRequest
from policy.rules.schema import CaseAgent, CaseObjects, CaseRequest, CaseSpec, PolicyTestDocument
from policy.rules.weighing import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One case and what came of it."""

    document: str
    name: str
    want: Mapping[str, Any]
    got: Mapping[str, Any]
    """The same keys as in ``want``."""

    @property
    def passed(self) -> bool:
        """Whether everything that was wanted came out."""
        return dict(self.want) == dict(self.got)


@dataclass(slots=True, kw_only=True)
class Coverage:
    """What one rule did in all cases."""

    rule: RuleName
    matched: int = 0
    """Cases in which its selectors matched."""
    true: int = 0
    false: int = 0
    error: int = 0
    """Of those, by the outcome of its condition; without a condition it is true."""

    def add(self, finding: Finding) -> None:
        """Count one finding."""
        if finding.selector not in {"", "when"}:
            return
        self.matched += 1
        self.true += finding.outcome is Outcome.MATCH
        self.false += finding.outcome is Outcome.NO_MATCH
        self.error += finding.outcome is Outcome.ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All results, and coverage by rule in name order."""

    results: tuple[Result, ...]
    coverage: tuple[Coverage, ...]

    @property
    def failed(self) -> int:
        """How many cases did not come out as wanted."""
        return sum(not result.passed for result in self.results)

    @property
    def covered(self) -> float:
        """The part of the rules that matched in at least one case; 1.0 where there are no rules."""
        return sum(each.true > 0 for each in self.coverage) / len(self.coverage) if self.coverage else 1.0


def run(engine: Engine, documents: Iterable[PolicyTestDocument], *, now: datetime, issuer: str = "") -> Report:
    """Run every case; ``now`` and ``issuer`` stand in where a case states none."""
    runner = _Runner(engine, now, issuer)
    results = [runner.run(document.metadata.name, case) for document in documents for case in document.cases]
    return Report(results=tuple(results), coverage=tuple(runner.coverage.values()))


class _Runner:
    def __init__(self, engine: Engine, now: datetime, issuer: str) -> None:
        self._engine = engine
        self._now = now
        self._issuer = issuer
        self.coverage = {name: Coverage(rule=name) for name in engine.rules}

    def run(self, document: str, case: CaseSpec) -> Result:
        try:
            decision = self._decide(case)
        except Refusal as refusal:
            decision = Decision(verdict=Verdict.DENY, code=refusal.code)
        want = case.expect.model_dump(mode="json", exclude_unset=True)
        return Result(document=document, name=case.name, want=want, got=_asked(_answer(decision), want))

    def _decide(self, case: CaseSpec) -> Decision:
        target, now = TargetName(case.request.target), case.now or self._now
        if target not in self._engine.targets:
            return Decision(verdict=Verdict.DENY, code=Code.UNREGISTERED_TARGET)
        agent = agent_of(case.agent, self._issuer)
        action = action_of(case.request, self._engine.targets[target])
        weighed = self._engine.weigh(agent, target, action, now=now)
        for finding in weighed.findings:
            self.coverage[finding.rule.name].add(finding)
        return self._engine.decide(agent, target, action, now=now)


def _answer(decision: Decision) -> dict[str, Any]:
    return {
        "verdict": decision.verdict.value,
        "rule": decision.rule,
        "code": decision.code.value,
        "mask": list(decision.obligations.mask.profiles),
        "dlp": decision.obligations.dlp and dlp_to_json(decision.obligations.dlp),
    }


def _asked(answer: Mapping[str, Any], want: Mapping[str, Any]) -> dict[str, Any]:
    """What a case asks about."""

    def part(wanted: Any, given: Any) -> Any:
        return _asked(given, wanted) if isinstance(wanted, Mapping) and isinstance(given, Mapping) else given

    return {key: part(wanted, answer[key]) for key, wanted in want.items()}


def agent_of(spec: CaseAgent, issuer: str) -> Agent:
    """The caller of a case."""
    return Agent(
        issuer=issuer if spec.issuer is None else spec.issuer,
        subject=spec.subject,
        groups=tuple(sorted(set(spec.groups))),
        claims=spec.claims,
        purpose=spec.purpose,
    )


def action_of(request: CaseRequest, traits: TargetTraits) -> Action:
    """What the request of a case asks for; raises ``Refusal`` where it is malformed."""
    action = decode(traits, _wire_request(request))
    if request.objects is None or not isinstance(action, KubernetesAction):
        return action
    return action.knowing(_known(request.objects))


def _known(stated: CaseObjects) -> KnownObjects:
    """What the cluster would tell. What a case leaves out is unknown; ``null`` says that there is no such object."""
    return KnownObjects(**{name: getattr(stated, name) for name in stated.model_fields_set})


def _wire_request(request: CaseRequest) -> WireRequest:
    headers = [(name, value) for name, given in request.headers.items() for value in _values(given)]
    body = b""
    if "body" in request.model_fields_set:
        as_text = isinstance(request.body, str)
        body = (request.body if as_text else json.dumps(request.body)).encode()
        if not as_text and "content-type" not in {name.lower() for name in request.headers}:
            headers.append(("content-type", "application/json"))
    return WireRequest(method=request.method, path=request.path, headers=tuple(headers), body=body)


def _values(given: str | Sequence[str]) -> Sequence[str]:
    return [given] if isinstance(given, str) else given
