"""Rules as a page shows them: in the order in which they are weighed, in few words. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gatehold.approvals.approvers import Quorum
from gatehold.approvals.presenting import needs
from policy.rules.quantities import format_duration, format_quota
from policy.rules.rule import Effect, Rule

ORDER: Final = (Effect.DENY, Effect.CONSTRAIN, Effect.ALLOW)
"""Walls refuse first, then turnstiles demand, then one door has to be open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """One rule."""

    name: str
    policy: str
    effect: Effect
    is_shadow: bool
    selects: tuple[tuple[str, str], ...]
    """Key and what it says; nothing for a key that is left out."""
    demands: tuple[str, ...]
    reason: str
    place: str
    """``file:line``, empty where it is not known."""
    decided: int
    """Calls that it decided in this process."""

    @property
    def text(self) -> str:
        """Everything by which it can be found."""
        said = [f"{key} {value}" for key, value in self.selects]
        return "\n".join([self.name, self.policy, *said, *self.demands]).casefold()


def rows(rules: Iterable[Rule], places: Mapping[str, str], decided: Mapping[str, int], root: str) -> list[RuleRow]:
    """Walls, turnstiles, doors; each in name order. Places are shown below ``root``."""
    found = [
        _row(rule, places.get(rule.name, "").removeprefix(f"{root}/"), decided.get(rule.name, 0)) for rule in rules
    ]
    return sorted(found, key=lambda row: (ORDER.index(row.effect), row.name))


def _row(rule: Rule, place: str, decided: int) -> RuleRow:
    return RuleRow(
        name=rule.name,
        policy=rule.policy,
        effect=rule.effect,
        is_shadow=rule.shadow,
        selects=tuple(_selects(rule)),
        demands=tuple(_demands(rule)),
        reason=rule.reason,
        place=place,
        decided=decided,
    )


def _selects(rule: Rule) -> Iterator[tuple[str, str]]:
    for spec in (rule.agents, rule.match):
        said: dict[str, Any] = spec.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
        for key, value in said.items():
            yield key, _words(value)
    if rule.when is not None:
        yield "when", rule.when.source


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_words(each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}={_words(each)}" for key, each in value.items())
    return str(value)


def _demands(rule: Rule) -> Iterator[str]:
    if rule.approval is not None:
        terms = rule.approval
        asked = needs(Quorum(sets=terms.groups, count=terms.count))
        yield f"approval by {asked}" + (f", grant of {format_duration(terms.grant)}" if terms.grant else "")
    for limit in rule.limits:
        yield f"{limit.unit} {format_quota(limit.unit, limit.amount, limit.window)} per {limit.per}"
    if rule.mask is not None:
        yield f"mask {', '.join(rule.mask.profiles)}"
    if rule.dlp is not None:
        yield f"search requests for {', '.join(rule.dlp.profiles)}: {rule.dlp.action}"
    if rule.session is not None:
        bounds = (("at most", rule.session.longest), ("idle", rule.session.idle))
        yield "session " + ", ".join(f"{name} {format_duration(value)}" for name, value in bounds if value is not None)
