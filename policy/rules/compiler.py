"""From policy documents to compiled rules, or to everything that is wrong with them.

A document's shape was judged when it was read; here the rules meet the rest of the configuration: targets, issuers,
mask profiles, each other, and the CEL of their family. All problems are collected, with the place in their document.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal

from policy.expressions import Environment, Expression, ExpressionError
from policy.model import (
    DlpObligation,
    Family,
    LimitObligation,
    MaskObligation,
    RuleName,
    SessionObligation,
    TargetTraits,
)
from policy.rules.paths import PathPattern, parse_pattern
from policy.rules.quantities import parse_count_quota, parse_size_quota
from policy.rules.rule import ApprovalTerms, Effect, Rule
from policy.rules.schema import (
    AgentsSpec,
    ApprovalSpec,
    HttpSpec,
    KubernetesSpec,
    LimitSpec,
    PolicyDocument,
    RuleSpec,
    SessionSpec,
)
from policy.rules.validity import compile_validity

type Place = tuple[str | int, ...]
type Result = Literal["bool", "string"]

PARAMS = "http.params"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleProblem:
    """One thing that is wrong with a rule."""

    policy: str
    rule: str
    path: Place
    """Where in the document, as keys and indices: ``("rules", 3, "when")``."""
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """The outcome; the rules are usable only if there are no problems."""

    rules: tuple[Rule, ...]
    """In name order."""
    problems: tuple[RuleProblem, ...]


class Expressions:
    """Compiles each expression once, however many rules state it."""

    def __init__(self) -> None:
        self._known: dict[tuple[Family, str, Result], Expression] = {}

    def compile(self, family: Family, source: str, result: Result) -> Expression:
        """The compiled expression. Raises ``ExpressionError``."""
        key = (family, source, result)
        if key not in self._known:
            self._known[key] = Environment.for_family(family).compile(source, result=result)
        return self._known[key]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What rules may refer to. ``None`` means that it is not known here and not checked."""

    targets: Mapping[str, TargetTraits]
    profiles: Collection[str] | None = None
    issuers: Collection[str] | None = None
    expressions: Expressions = field(default_factory=Expressions)


def compile_rules(documents: Sequence[PolicyDocument], surroundings: Surroundings) -> Compiled:
    """Compile every rule of every document."""
    rules: dict[str, Rule] = {}
    problems: list[RuleProblem] = []
    for document in documents:
        for at, spec in enumerate(document.rules):
            compilation = _Compilation(document.metadata.name, spec, at, surroundings, problems)
            if spec.name in rules:
                compilation.report((), f"policy {rules[spec.name].policy} has a rule of this name")
            rules[spec.name] = compilation.rule()
    return Compiled(rules=tuple(rules[name] for name in sorted(rules)), problems=tuple(problems))


def check(
    documents: Sequence[PolicyDocument],
    targets: Mapping[str, TargetTraits],
    *,
    known_profiles: Collection[str] | None = None,
    known_issuers: Collection[str] | None = None,
) -> list[RuleProblem]:
    """Everything that is wrong with these documents in this configuration."""
    surroundings = Surroundings(targets=targets, profiles=known_profiles, issuers=known_issuers)
    return list(compile_rules(documents, surroundings).problems)


def rule_hash(spec: RuleSpec) -> str:
    """SHA-256 over the rule as written, independent of the order of its keys."""
    content = spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class _Compilation:
    """One rule on its way from document to compiled form."""

    def __init__(
        self, policy: str, spec: RuleSpec, at: int, surroundings: Surroundings, problems: list[RuleProblem]
    ) -> None:
        self._policy = policy
        self._spec = spec
        self._at = at
        self._surroundings = surroundings
        self._problems = problems
        self._family = Family.HTTP if spec.http else Family.KUBERNETES

    def report(self, path: Place, message: str) -> None:
        place: Place = ("rules", self._at, *path)
        problem = RuleProblem(policy=self._policy, rule=self._spec.name, path=place, message=message)
        self._problems.append(problem)

    def rule(self) -> Rule:
        spec, match = self._spec, self._spec.http or self._spec.kubernetes or HttpSpec()
        agents = spec.agents or AgentsSpec()
        self._check_references(match, agents)
        return Rule(
            name=RuleName(spec.name),
            policy=self._policy,
            effect=Effect(spec.effect),
            shadow=spec.mode == "shadow",
            family=self._family,
            agents=agents,
            match=match,
            patterns=self._patterns(match),
            validity=compile_validity(spec),
            claims=agents.claims,
            names=_unless_any(match.names) if isinstance(match, KubernetesSpec) else None,
            labels=match.labels if isinstance(match, KubernetesSpec) else None,
            when=self._expression(("when",), spec.when, "bool"),
            approval=self._approval(spec.approval),
            limits=_limits(RuleName(spec.name), spec.limit) if spec.limit else (),
            mask=self._mask(),
            dlp=self._dlp(),
            session=_session(spec.session),
            reason=spec.reason,
            hash=rule_hash(spec),
        )

    def _check_references(self, match: HttpSpec | KubernetesSpec, agents: AgentsSpec) -> None:
        place = (self._family.value, "targets")
        for at, name in enumerate(match.targets or ()):
            if "*" not in name:
                self._check_target((*place, at), name)
        self._check_known(("agents", "issuers"), "issuer", agents.issuers or (), self._surroundings.issuers)
        for key, named in (("mask", self._spec.mask), ("dlp", self._spec.dlp)):
            if named:
                self._check_known((key, "profiles"), "mask profile", named.profiles, self._surroundings.profiles)

    def _check_target(self, path: Place, name: str) -> None:
        target = self._surroundings.targets.get(name)
        if target is None:
            self._check_known(path[:-1], "target", (name,), self._surroundings.targets, at=path[-1])
        elif target.family is not self._family:
            self.report(path, f"target {name} is of family {target.family}, this rule is for {self._family}")

    def _check_known(
        self, path: Place, what: str, names: Iterable[str], known: Collection[str] | None, at: str | int | None = None
    ) -> None:
        for index, name in enumerate(names if known is not None else ()):
            if known is not None and name not in known:
                close = get_close_matches(name, known, n=1)
                meant = f"; did you mean {close[0]}?" if close else ""
                self.report((*path, index if at is None else at), f"there is no {what} {name!r}{meant}")

    def _patterns(self, match: HttpSpec | KubernetesSpec) -> tuple[PathPattern, ...]:
        patterns: list[PathPattern] = []
        for at, text in enumerate((match.paths or ()) if isinstance(match, HttpSpec) else ()):
            try:
                patterns.append(parse_pattern(text))
            except ValueError as problem:
                self.report(("http", "paths", at), str(problem))
        return tuple(patterns)

    def _expression(self, path: Place, source: str | None, result: Result) -> Expression | None:
        if source is None:
            return None
        try:
            expression = self._surroundings.expressions.compile(self._family, source, result)
        except ExpressionError as problem:
            self.report(path, str(problem))
            return None
        if PARAMS in expression.variables and not self._names_parameters():
            self.report(path, f"{PARAMS} is read, but no path of this rule names a parameter, as /{{id}} does")
        return expression

    def _names_parameters(self) -> bool:
        paths = (self._spec.http.paths or ()) if self._spec.http else ()
        return any("{" in path for path in paths)

    def _approval(self, spec: ApprovalSpec | None) -> ApprovalTerms | None:
        if spec is None:
            return None
        return ApprovalTerms(
            groups=tuple(frozenset(names) for names in spec.groups),
            count=spec.count,
            grant=spec.grant,
            scope=spec.scope,
            message=self._expression(("approval", "message"), spec.message, "string"),
            unshowable=spec.unshowable,
        )

    def _mask(self) -> MaskObligation | None:
        spec = self._spec.mask
        if spec is None:
            return None
        return MaskObligation(profiles=tuple(sorted(set(spec.profiles))), on_unmaskable=spec.on_unmaskable)

    def _dlp(self) -> DlpObligation | None:
        spec = self._spec.dlp
        return None if spec is None else DlpObligation(profiles=tuple(sorted(set(spec.profiles))), action=spec.action)


def _unless_any(globs: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if globs is None or "*" in globs else globs


def _session(spec: SessionSpec | None) -> SessionObligation | None:
    return None if spec is None else SessionObligation(longest=spec.longest, idle=spec.idle)


def _limits(rule: RuleName, spec: LimitSpec) -> tuple[LimitObligation, ...]:
    quotas = (
        ("rate", parse_count_quota(spec.rate) if spec.rate else None),
        ("calls", parse_count_quota(spec.calls) if spec.calls else None),
        ("bytes", parse_size_quota(spec.bytes) if spec.bytes else None),
    )
    return tuple(
        LimitObligation(rule=rule, unit=unit, amount=quota.amount, window=float(quota.window), per=spec.per)  # type: ignore[arg-type]
        for unit, quota in quotas
        if quota is not None
    )
