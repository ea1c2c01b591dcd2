"""What a look at the cluster could still change about a refusal.

Looking costs calls to the cluster, so it is worth it only where the refusal hangs on it: no wall matches for certain,
every doubt may be cleared, and a door is open, or would be but for a fact that an object tells. What was looked at is
not wanted again, so a decision is repeated a few times at most.
"""

from policy.actions.kubernetes import KubernetesAction
from policy.actions.scopes import BUILT_IN_GROUPS
from policy.expressions import Outcome
from policy.model import UNKNOWN, Wanted
from policy.rules.labels import labels_fit, labels_of
from policy.rules.room import LimitView, Room
from policy.rules.rule import Effect, Rule
from policy.rules.weighing import Call, Finding, Weighed, test

NOTHING: frozenset[Wanted] = frozenset()
_WRITES = frozenset({"create", "update", "patch", "delete"})


def wanted(weighed: Weighed, limits: LimitView | None) -> frozenset[Wanted]:
    """The objects to look at before this refusal is final; none where it is."""
    call = weighed.call
    if not isinstance(call.action, KubernetesAction) or _is_plain(weighed) or not _about_one_object(call.action):
        return NOTHING
    hopes = _Hopes(call, call.action)
    found = hopes.of_forbidding(weighed)
    room = Room(limits, call.agent, call.target.name)
    if found is None or room.exhausted(weighed.gates):
        return NOTHING
    if any(not room.exhausted([door]) for door in weighed.doors):
        return found
    of_doors = hopes.of_doors(weighed, room)
    return found | of_doors if of_doors else NOTHING


def _is_plain(weighed: Weighed) -> bool:
    """Whether there is a wall that nothing lifts, or no rule that hangs on anything: most refusals are such."""
    if any(wall.labels is None for wall in weighed.walls):
        return True
    return not weighed.errors and all(each.rule.labels is None for each in weighed.findings)


def _about_one_object(action: KubernetesAction) -> bool:
    """Whether the call writes one object that can be looked at, or addresses a subresource of one."""
    if not action.resource_request or (action.covers_all_namespaces and action.group in BUILT_IN_GROUPS):
        return False
    if action.verb == "create" and not action.subresource:
        return True
    return not action.covers_all_names and (
        action.verb in _WRITES or (action.verb == "get" and bool(action.subresource))
    )


class _Hopes:
    """The objects on which it hangs whether rules match one call."""

    def __init__(self, call: Call, action: KubernetesAction) -> None:
        self._call = call
        self._action = action
        self._effect = action.effect

    def of_forbidding(self, weighed: Weighed) -> frozenset[Wanted] | None:
        """What walls and turnstiles hang on; None where one refuses whatever an object tells."""
        found = NOTHING
        for finding in weighed.findings:
            rule = finding.rule
            if rule.forbids and not rule.shadow and finding.outcome is not Outcome.NO_MATCH:
                needs = self._needs(finding)
                if not needs and (rule.effect is Effect.DENY or finding.outcome is Outcome.ERROR):
                    return None
                found |= needs
        return found

    def of_doors(self, weighed: Weighed, room: Room) -> frozenset[Wanted]:
        """What doors hang on that have room."""
        found = NOTHING
        for finding in weighed.findings:
            rule = finding.rule
            shut = not rule.forbids and not rule.shadow and finding.outcome is not Outcome.MATCH
            if shut and not room.exhausted([rule]):
                found |= self._needs(finding)
        return found

    def _needs(self, finding: Finding) -> frozenset[Wanted]:
        rule = finding.rule
        if finding.selector not in {"", "when", "labels"}:
            return NOTHING
        by_labels = self._for_labels(rule)
        if finding.selector == "labels" and by_labels and rule.when is not None:
            finding = test(rule, rule.when, self._call)
        if finding.outcome is not Outcome.ERROR:
            return NOTHING if finding.selector == "when" else by_labels
        by_condition = self._for_condition(rule)
        return by_labels | by_condition if by_condition or rule.forbids else NOTHING

    def _for_labels(self, rule: Rule) -> frozenset[Wanted]:
        if rule.labels is None or labels_fit(rule.labels, self._action, forbids=rule.forbids) is not UNKNOWN:
            return NOTHING
        unknown = (wanted for wanted, labels in labels_of(self._action) if labels is UNKNOWN)
        return frozenset(each for each in unknown if not self._effect.looked_at(each))

    def _for_condition(self, rule: Rule) -> frozenset[Wanted]:
        if rule.when is None:
            return NOTHING
        known = self._call.variables(body=rule.when.needs_body)
        sources = (self._effect.source(name) for name in rule.when.variables if name not in known)
        return frozenset(source for source in sources if source is not None and not self._effect.looked_at(source))
