"""Which rules would ask for an approval, if an agent made calls that it only describes now. Pure.

What is asked in advance covers whatever fits the description. So a rule counts as soon as it may apply to one such
call: conditions, times, labels and claims' values beyond selectors are not looked at, and more rules, never fewer, are
put before people.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

from policy.engine import Engine
from policy.model import Agent, Family, RuleName, TargetName, TargetTraits
from policy.rules.resources import ResourceDimension
from policy.rules.rule import Rule
from policy.rules.schema import HttpSpec, KubernetesSpec
from policy.rules.selectors import claims_match, glob_matches


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Calls to come."""

    target: TargetName
    rule: RuleName | None = None
    """Only this one; None: every rule that may ask."""
    verbs: tuple[str, ...] = ()
    """Kubernetes verbs or HTTP methods; empty: any."""
    resource: str = ""
    """``deployments.apps/scale`` as kubectl writes it, or the path of an HTTP call; empty: any."""
    namespace: str | None = None
    """None: any."""
    name: str = ""
    """Of the one object that is meant; empty: any."""

    @property
    def kind(self) -> tuple[str, str, str]:
        """API group, resource and subresource."""
        whole, _, subresource = self.resource.partition("/")
        resource, _, group = whole.partition(".")
        return group, resource, subresource


def asking(engine: Engine, agent: Agent, wish: Wish) -> list[Rule]:
    """The rules with an approval that may apply to this agent's calls of that kind, in name order."""
    traits = engine.targets.get(wish.target)
    if traits is None:
        return []
    rules: Iterable[Rule] = engine.rules.values() if wish.rule is None else _named(engine, wish.rule)
    return [rule for rule in rules if _may_ask(rule, agent, traits, wish)]


def _named(engine: Engine, name: RuleName) -> Sequence[Rule]:
    rule = engine.rules.get(name)
    return [] if rule is None else [rule]


def _may_ask(rule: Rule, agent: Agent, traits: TargetTraits, wish: Wish) -> bool:
    if rule.approval is None or rule.shadow or rule.family is not traits.family:
        return False
    if not _is_about(rule, agent) or not _matches(rule.match.targets, traits.name):
        return False
    if rule.family is Family.KUBERNETES:
        return _fits_kubernetes(rule, cast("KubernetesSpec", rule.match), wish)
    return _fits_http(rule, cast("HttpSpec", rule.match), traits, wish)


def _is_about(rule: Rule, agent: Agent) -> bool:
    spec = rule.agents
    return (
        (spec.issuers is None or agent.issuer in spec.issuers)
        and (spec.subjects is None or agent.subject in spec.subjects)
        and (spec.groups is None or bool(set(agent.groups) & set(spec.groups)))
        and (rule.claims is None or claims_match(rule.claims, agent.claims))
    )


def _fits_kubernetes(rule: Rule, spec: KubernetesSpec, wish: Wish) -> bool:
    if not _shares(spec.verbs, wish.verbs):
        return False
    if not wish.resource:
        return True
    group, resource, subresource = wish.kind
    return (
        spec.non_resource_paths is None
        and _matches(spec.api_groups, group)
        and bool(ResourceDimension([(spec.resources, 1)]).mask(resource, subresource))
        and (wish.namespace is None or _matches(spec.namespaces, wish.namespace))
        and (not wish.name or _matches(rule.names, wish.name))
    )


def _fits_http(rule: Rule, spec: HttpSpec, traits: TargetTraits, wish: Wish) -> bool:
    if spec.upgrade is not None or not _shares(spec.methods, wish.verbs):
        return False
    if not wish.resource or not rule.patterns:
        return True
    if wish.resource in {pattern.text for pattern in rule.patterns}:
        return True
    path = wish.resource
    slash, segments = len(path) > 1 and path.endswith("/"), tuple(part for part in path.split("/") if part)
    return any(each.params(segments, traits.paths, trailing_slash=slash) is not None for each in rule.patterns)


def _shares(patterns: tuple[str, ...] | None, words: tuple[str, ...]) -> bool:
    return patterns is None or "*" in patterns or not words or bool(set(patterns) & set(words))


def _matches(globs: tuple[str, ...] | None, value: str) -> bool:
    return globs is None or any(glob_matches(glob, value) for glob in globs)
