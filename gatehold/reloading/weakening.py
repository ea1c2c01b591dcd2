"""Rules that stay under their name and protect less: what they are about, under which condition, what they demand.

A door that lost a selector is open to more, a wall that gained one, or is about less, stops less. Values that became
other ones (an amount, a condition, a group of approvers) are changes, which somebody wrote: they are not told.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from policy.model import DlpObligation, MaskObligation
from policy.rules.paths import AnySegment, PathPattern
from policy.rules.rule import ApprovalTerms, Effect, Rule
from policy.rules.selectors import glob_matches

_STRENGTH: Final = {Effect.ALLOW: 0, Effect.CONSTRAIN: 1, Effect.DENY: 2}
_UNMASKABLE: Final = ("pass", "drop", "block")
"""What is done about what cannot be masked, the strictest last."""

type Selectors = Mapping[str, tuple[str, ...]]


def weaker(rule: Rule, other: Rule, *, targets: Iterable[str]) -> Iterator[str]:
    """What a rule in force has no more, as ends of ``the rule NAME ...``; ``targets``: those that there are now."""
    if other.shadow or _STRENGTH[other.effect] < _STRENGTH[rule.effect]:
        if rule.forbids:
            yield f"was {rule.effect} and is {'in shadow' if other.shadow else other.effect}"
        return
    if rule.forbids:
        yield from _narrower(rule, other, frozenset(targets))
    elif not other.forbids:
        yield from (f"has no {each} any more" for each in sorted(_selectors(rule).keys() - _selectors(other).keys()))
    if other.effect is not Effect.DENY:
        yield from _demands_lost(rule, other)


def lost(what: str, before: Iterable[str], now: Iterable[str]) -> Iterator[str]:
    """``mask by pii``, for everything that is not there any more."""
    yield from (f"{what} by {name}" for name in sorted(set(before) - set(now)))


def mask_lost(before: MaskObligation, now: MaskObligation) -> Iterator[str]:
    """What of a mask is gone."""
    yield from lost("mask", before.profiles, now.profiles)
    old, new = before.on_unmaskable, now.on_unmaskable
    if before.profiles and now.profiles and _UNMASKABLE.index(new) < _UNMASKABLE.index(old):
        yield f"onUnmaskable: {old}"


def dlp_lost(before: DlpObligation | None, now: DlpObligation | None) -> Iterator[str]:
    """What of a search of requests is gone."""
    if before is None:
        return
    yield from lost("dlp", before.profiles, now.profiles if now else ())
    if now is not None and (before.action, now.action) == ("block", "mask"):
        yield "dlp action: block"


def _narrower(rule: Rule, other: Rule, targets: frozenset[str]) -> Iterator[str]:
    before, now = _selectors(rule), _selectors(other)
    for name in sorted(now.keys() - before.keys()):
        yield f"is about fewer calls: it has {name} now"
    for name in sorted(now.keys() & before.keys()):
        if name == "paths":
            missing = [each.text for each in rule.patterns if not any(_covers(new, each) for new in other.patterns)]
        else:
            missing = [each for each in before[name] if not any(glob_matches(new, each) for new in now[name])]
        if name == "targets":  # of one that is gone nothing is to be kept
            missing = [each for each in missing if "*" in each or each in targets]
        if missing:
            yield f"is about fewer calls: not about {name} {', '.join(missing)}"


def _covers(pattern: PathPattern, other: PathPattern) -> bool:
    """Does a pattern match whatever another one matches? No, where that takes thinking."""
    mine, theirs = pattern.parts, other.parts
    if not pattern.rest and (other.rest or len(mine) != len(theirs) or pattern.trailing_slash != other.trailing_slash):
        return False
    pairs = zip(mine, theirs, strict=False)
    return len(mine) <= len(theirs) and all(isinstance(one, AnySegment) or one == each for one, each in pairs)


def _selectors(rule: Rule) -> Selectors:
    """Keys that narrow a rule, as they are written, with their values; conditions have none that could be compared."""
    said: dict[str, Any] = {}
    for spec in (rule.agents, rule.match):
        said |= spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    found: dict[str, tuple[str, ...]] = {}
    for name, value in said.items():
        if isinstance(value, dict):
            found |= {f"{name}.{key}": _texts(each) for key, each in value.items()}
        else:
            found[name] = _texts(value)
    validity = rule.validity
    conditions = {
        "when": rule.when,
        "notBefore": validity.not_before,
        "notAfter": validity.not_after,
        "windows": validity.windows,
    }
    return found | {name: () for name, condition in conditions.items() if condition}


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)


def _demands_lost(rule: Rule, other: Rule) -> Iterator[str]:
    if rule.approval is not None:
        yield from _approval_lost(rule.approval, other.approval)
    units = {limit.unit for limit in rule.limits} - {limit.unit for limit in other.limits}
    gone = [f"limit of {unit}" for unit in sorted(units)]
    if rule.session is not None:
        kept = other.session
        gone += ["session max"] if rule.session.longest and not (kept and kept.longest) else []
        gone += ["session idle"] if rule.session.idle and not (kept and kept.idle) else []
    gone += mask_lost(rule.mask or MaskObligation(), other.mask or MaskObligation())
    gone += dlp_lost(rule.dlp, other.dlp)
    yield from (f"has no {each} any more" for each in gone)


def _approval_lost(before: ApprovalTerms, now: ApprovalTerms | None) -> Iterator[str]:
    if now is None:
        yield "has no approval any more"
        return
    if now.count < before.count:
        yield f"is approved by {now.count}, and was by {before.count}"
    if len(now.groups) < len(before.groups):
        yield f"is approved by {_told(now.groups)}, and was by {_told(before.groups)}"
    if (before.unshowable, now.unshowable) == ("refuse", "ask"):
        yield "has no unshowable: refuse any more"


def _told(groups: Iterable[frozenset[str]]) -> str:
    return " and ".join(sorted("/".join(sorted(each)) for each in groups))
