"""Where reversible pseudonyms may be put back: what the mask profiles of a configuration say, compiled.

A profile speaks for its own tokens only: a place that it names gets values of those entities which it makes
reversible, and of no other profile's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from masking.profiles import Profile
from masking.profiles.paths import Places, Step
from policy.actions.http import HttpAction
from policy.actions.paths import folded
from policy.model import PathOptions
from policy.rules.paths import PathPattern, parse_pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreRule:
    """One endpoint with the places of its requests, for the tokens of some entities."""

    methods: frozenset[str]
    path: PathPattern
    body: Places
    query: frozenset[str]
    entities: frozenset[str]

    def is_for(self, action: HttpAction, options: PathOptions) -> bool:
        """Whether it names the endpoint that is called."""
        if action.method not in self.methods:
            return False
        segments = folded(action.segments, options)
        return self.path.params(segments, options, trailing_slash=action.trailing_slash) is not None


class RestoreRules:
    """The rules of all profiles, by target."""

    def __init__(self, profiles: Iterable[Profile]) -> None:
        by_target: dict[str, list[RestoreRule]] = {}
        for profile in profiles:
            for spec in profile.restore:
                rule = RestoreRule(
                    methods=frozenset(spec.methods),
                    path=parse_pattern(spec.path),
                    body=Places(spec.body),
                    query=frozenset(spec.query),
                    entities=profile.reversible,
                )
                by_target.setdefault(spec.target, []).append(rule)
        self._by_target: Mapping[str, Sequence[RestoreRule]] = by_target

    def __bool__(self) -> bool:
        return bool(self._by_target)

    def of(self, target: str, action: HttpAction, options: PathOptions) -> tuple[RestoreRule, ...]:
        """The rules that name this target and endpoint."""
        return tuple(rule for rule in self._by_target.get(target, ()) if rule.is_for(action, options))


def entities_at(rules: Iterable[RestoreRule], steps: Sequence[Step]) -> frozenset[str]:
    """The entities that get a value at a place of a JSON body."""
    return frozenset().union(*(rule.entities for rule in rules if rule.body.holds(steps)))


def entities_of(rules: Iterable[RestoreRule], parameter: str) -> frozenset[str]:
    """The entities that get a value in a query parameter."""
    return frozenset().union(*(rule.entities for rule in rules if parameter in rule.query))
