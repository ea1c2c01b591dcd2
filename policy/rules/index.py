"""Which rules may apply to a call: one bitmask per selector, joined by AND.

Bit *i* stands for rule *i* in name order. Each selector is a dimension that answers with the mask of the rules it does
not rule out; what stands in all masks is a candidate. A decision takes the same steps for ten rules and for ten
thousand, and ``explain`` reads from the very same masks which selector ruled a rule out.

A request that covers more than one thing counts as each of them. For walls and turnstiles one of them is enough; a
door has to cover all. So without a namespace where there could be one, every wall matches and only doors that are open
to any namespace.
"""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import and_
from typing import cast

from policy.actions.http import HttpAction
from policy.actions.kubernetes import KubernetesAction
from policy.actions.paths import folded
from policy.model import Agent, Family, PathOptions, TargetTraits
from policy.rules.paths import PathTrie
from policy.rules.resources import NAMED_ONLY, ResourceDimension
from policy.rules.rule import Rule
from policy.rules.schema import HttpSpec, KubernetesSpec
from policy.rules.selectors import AgentDimension, ExactDimension, GlobDimension
from policy.rules.verbs import counted_verbs, required_verbs

WEBSOCKET = "websocket"
"""The one protocol that http rules can open."""

type Masks = tuple[tuple[str, int], ...]
"""Selector and the rules that it leaves."""


class HttpIndex:
    """The http rules."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = rules
        specs = [(cast("HttpSpec", rule.match), bit) for rule, bit in _numbered(rules)]
        self._agents = _agents(rules)
        self._forbidding = _bits(bit for rule, bit in _numbered(rules) if rule.forbids)
        self._plain = _bits(bit for spec, bit in specs if spec.upgrade is None)
        self._upgrading = _bits(bit for spec, bit in specs if spec.upgrade is not None)
        self._targets = GlobDimension((spec.targets, bit) for spec, bit in specs)
        self._methods = ExactDimension((spec.methods, bit) for spec, bit in specs)
        self._tries: dict[PathOptions, PathTrie] = {}

    def masks(self, agent: Agent, target: TargetTraits, action: HttpAction) -> Masks:
        """What each selector leaves of the rules. A door opens for an upgrade only where it says so."""
        segments = folded(action.segments, target.paths)
        return (
            ("targets", self._targets.mask(target.name)),
            *self._agents.masks(agent),
            ("methods", self._methods.mask_any((action.method, *action.also_methods))),
            ("paths", self._trie(target.paths).mask(segments, trailing_slash=action.trailing_slash)),
            ("upgrade", self._upgrade_mask(action.upgrade.strip().lower())),
        )

    def _upgrade_mask(self, asked: str) -> int:
        if not asked:
            return self._plain
        return self._plain & self._forbidding | (self._upgrading if asked == WEBSOCKET else 0)

    def _trie(self, options: PathOptions) -> PathTrie:
        """One trie for all targets that read paths alike."""
        trie = self._tries.get(options)
        if trie is None:
            trie = PathTrie(((rule.patterns, bit) for rule, bit in _numbered(self.rules)), options)
            self._tries[options] = trie
        return trie


class KubernetesIndex:
    """The kubernetes rules."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = rules
        specs = [(cast("KubernetesSpec", rule.match), bit) for rule, bit in _numbered(rules)]
        self._agents = _agents(rules)
        self._forbidding = _bits(bit for rule, bit in _numbered(rules) if rule.forbids)
        self._on_resources = _bits(bit for spec, bit in specs if spec.non_resource_paths is None)
        self._on_paths = _bits(bit for spec, bit in specs if not spec.about_resources)
        self._targets = GlobDimension((spec.targets, bit) for spec, bit in specs)
        self._verbs = ExactDimension((spec.verbs, bit) for spec, bit in specs)
        self._namespaces = GlobDimension((spec.namespaces, bit) for spec, bit in specs)
        self._groups = GlobDimension((spec.api_groups, bit) for spec, bit in specs)
        self._resources = ResourceDimension((spec.resources, bit) for spec, bit in specs)
        self._paths = GlobDimension((spec.non_resource_paths, bit) for spec, bit in specs)

    def masks(self, agent: Agent, target: TargetTraits, action: KubernetesAction) -> Masks:
        """What each selector leaves of the rules."""
        return (
            ("targets", self._targets.mask(target.name)),
            *self._agents.masks(agent),
            ("verbs", self._verb_mask(action)),
            *(self._resource_masks(action) if action.resource_request else self._path_masks(action)),
        )

    def _resource_masks(self, action: KubernetesAction) -> Masks:
        return (
            ("nonResourcePaths", self._on_resources),
            ("namespaces", self._namespace_mask(action)),
            ("apiGroups", self._groups.mask(action.group)),
            ("resources", self._resource_mask(action)),
        )

    def _path_masks(self, action: KubernetesAction) -> Masks:
        path = action.path
        found = self._paths.mask(path) | (self._paths.mask(path[:-1]) if path.endswith("/") else 0)
        return (("resources", self._on_paths), ("nonResourcePaths", found))

    def _namespace_mask(self, action: KubernetesAction) -> int:
        if action.covers_all_namespaces:
            return self._namespaces.open | self._forbidding
        return self._namespaces.mask(action.namespace)

    def _resource_mask(self, action: KubernetesAction) -> int:
        found = self._resources.mask(action.resource, action.subresource)
        if action.subresource in NAMED_ONLY:
            found &= self._forbidding | self._resources.mask_by_name(action.resource, action.subresource)
        return found

    def _verb_mask(self, action: KubernetesAction) -> int:
        if not action.also_verbs:
            return self._verbs.mask(action.verb)
        for_walls = self._verbs.mask_any(counted_verbs(action)) & self._forbidding
        return for_walls | reduce(and_, [self._verbs.mask_any(verbs) for verbs in required_verbs(action)])


type Index = HttpIndex | KubernetesIndex


def build_index(family: Family, rules: Iterable[Rule]) -> Index:
    """The index over the rules of one family, in name order whatever order they come in."""
    ordered = tuple(sorted((rule for rule in rules if rule.family is family), key=lambda rule: rule.name))
    return HttpIndex(ordered) if family is Family.HTTP else KubernetesIndex(ordered)


def candidates(index: Index, masks: Masks) -> list[Rule]:
    """The rules that stand in all masks, in name order."""
    left = reduce(and_, [mask for _, mask in masks])
    found = []
    while left:
        bit = left & -left
        found.append(index.rules[bit.bit_length() - 1])
        left ^= bit
    return found


def _numbered(rules: Sequence[Rule]) -> Iterable[tuple[Rule, int]]:
    return ((rule, 1 << at) for at, rule in enumerate(rules))


def _bits(bits: Iterable[int]) -> int:
    return sum(bits)


def _agents(rules: Sequence[Rule]) -> AgentDimension:
    return AgentDimension(
        subjects=((rule.agents.subjects, bit) for rule, bit in _numbered(rules)),
        groups=((rule.agents.groups, bit) for rule, bit in _numbered(rules)),
        issuers=((rule.agents.issuers, bit) for rule, bit in _numbered(rules)),
    )
