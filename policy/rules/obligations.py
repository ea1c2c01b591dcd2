"""How the demands of several rules become one: always the strictest.

Masks join by union, and so do searches of requests: where one of them blocks, all do. Approvals are all required, in
one prompt: their sets of groups stand side by side, the largest count counts, the shortest grant and the narrowest
scope. Limits all have to have room. Of the bounds of a session the shortest counts.
"""

from collections.abc import Iterable, Sequence
from itertools import chain

from policy.model import (
    ApprovalObligation,
    DlpObligation,
    LimitObligation,
    MaskObligation,
    RuleName,
    SessionObligation,
    TargetTraits,
)
from policy.rules.rule import ApprovalTerms, Rule

_ON_UNMASKABLE = ("block", "drop", "pass")
_ACTIONS = ("block", "mask")
_NO_MASK = MaskObligation()
_SCOPES = ("request", "resource", "rule")


def combine_masks(target: TargetTraits, rules: Iterable[Rule]) -> MaskObligation:
    """Every profile of the target and of the rules."""
    masks = [rule.mask for rule in rules if rule.mask is not None]
    if target.mask:
        masks.append(MaskObligation(profiles=tuple(sorted(set(target.mask))), on_unmaskable=target.on_unmaskable))
    if len(masks) < 2:
        return masks[0] if masks else _NO_MASK
    return MaskObligation(
        profiles=tuple(sorted(set(chain.from_iterable(mask.profiles for mask in masks)))),
        on_unmaskable=min((mask.on_unmaskable for mask in masks), key=_ON_UNMASKABLE.index),
    )


def combine_dlp(target: TargetTraits, rules: Iterable[Rule]) -> DlpObligation | None:
    """Every profile of the target and of the rules; None where the request is not searched."""
    found = [rule.dlp for rule in rules if rule.dlp is not None]
    if target.dlp is not None:
        found.append(target.dlp)
    return join_dlp(found) if found else None


def join_dlp(found: Sequence[DlpObligation]) -> DlpObligation:
    """Several searches as one, the strictest; at least one."""
    if len(found) == 1:
        return found[0]
    return DlpObligation(
        profiles=tuple(sorted(set(chain.from_iterable(dlp.profiles for dlp in found)))),
        action=min((dlp.action for dlp in found), key=_ACTIONS.index),
    )


def combine_sessions(rules: Iterable[Rule]) -> SessionObligation | None:
    """The shortest of each bound; None where none is given."""
    bounds = [rule.session for rule in rules if rule.session is not None]
    if len(bounds) < 2:
        return bounds[0] if bounds else None
    return SessionObligation(
        longest=min((each.longest for each in bounds if each.longest is not None), default=None),
        idle=min((each.idle for each in bounds if each.idle is not None), default=None),
    )


def combine_limits(rules: Iterable[Rule]) -> tuple[LimitObligation, ...]:
    """Every limit, in the order of the rules."""
    return tuple(limit for rule in rules for limit in rule.limits)


def combine_approvals(rules: Sequence[Rule], messages: Sequence[str]) -> ApprovalObligation | None:
    """One approval that satisfies every rule that asks for one; None where none does."""
    asking = [(rule.name, rule.approval) for rule in rules if rule.approval is not None]
    if not asking:
        return None
    terms = [approval for _, approval in asking]
    return ApprovalObligation(
        rules=tuple(RuleName(name) for name, _ in asking),
        groups=tuple(dict.fromkeys(chain.from_iterable(each.groups for each in terms))),
        count=max(each.count for each in terms),
        grant=_shortest(terms),
        scope=min((each.scope for each in terms), key=_SCOPES.index),
        message="; ".join(text for text in dict.fromkeys(messages) if text),
        unshowable="refuse" if any(each.unshowable == "refuse" for each in terms) else "ask",
    )


def _shortest(terms: Sequence[ApprovalTerms]) -> float | None:
    """No grant at all is the shortest."""
    grants = [each.grant for each in terms if each.grant is not None]
    return min(grants) if len(grants) == len(terms) else None
