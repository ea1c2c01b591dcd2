"""What protected before and would be gone: a file that was lost lifts no wall by itself.

What is compared is what stands in a configuration under a name, not how it is written: a rule that moves to another
file is there, one that gets another name is gone.
"""

from collections.abc import Iterable, Iterator, Mapping

from gatehold.config import Configuration, Target
from masking.profiles import Profile, resolve
from policy.model import DlpObligation
from policy.rules.rule import Effect, Rule

_STRENGTH = {Effect.ALLOW: 0, Effect.CONSTRAIN: 1, Effect.DENY: 2}


def removals(before: Configuration, now: Configuration) -> tuple[str, ...]:
    """A line for everything that protected and is gone."""
    return (
        *_files(before.files, now.files),
        *_rules(before, now),
        *_targets(before.targets, now.targets),
        *_profiles(resolve(before.profiles), resolve(now.profiles)),
    )


def _files(before: Mapping[tuple[str, str], str], now: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """Whole files with documents that stand nowhere else now."""
    for name in sorted(set(before.values()) - set(now.values())):
        lost = [
            f"{kind} {title}" for (kind, title), file in before.items() if file == name and (kind, title) not in now
        ]
        if lost:
            yield f"the file {name} is gone, and with it {', '.join(sorted(lost))}"


def _rules(before: Configuration, now: Configuration) -> Iterator[str]:
    for name, rule in before.engine.rules.items():
        if rule.shadow:
            continue
        other = now.engine.rules.get(name)
        if other is None:
            if rule.forbids:
                yield f"the rule {name} ({rule.effect}) is gone"
        elif other.shadow or _STRENGTH[other.effect] < _STRENGTH[rule.effect]:
            if rule.forbids:
                yield f"the rule {name} was {rule.effect} and is {'in shadow' if other.shadow else other.effect}"
        else:
            yield from (f"the rule {name} has no {what} any more" for what in _demands_lost(rule, other))


def _demands_lost(rule: Rule, other: Rule) -> Iterator[str]:
    if rule.approval is not None and other.approval is None and other.effect is not Effect.DENY:
        yield "approval"
    masks = other.mask.profiles if other.mask else ()
    if rule.mask is not None and other.effect is not Effect.DENY:
        yield from _lost("mask", rule.mask.profiles, masks)
    if rule.dlp is not None and other.effect is not Effect.DENY:
        yield from _dlp_lost(rule.dlp, other.dlp)


def _dlp_lost(before: DlpObligation | None, now: DlpObligation | None) -> Iterator[str]:
    if before is not None:
        yield from _lost("dlp", before.profiles, now.profiles if now else ())


def _lost(what: str, before: Iterable[str], now: Iterable[str]) -> Iterator[str]:
    yield from (f"{what} by {name}" for name in sorted(set(before) - set(now)))


def _targets(before: Mapping[str, Target], now: Mapping[str, Target]) -> Iterator[str]:
    """Of targets that stay; one that is gone is reached by nobody."""
    for name, target in before.items():
        if (other := now.get(name)) is None:
            continue
        for lost in (
            *_lost("mask", target.traits.mask, other.traits.mask),
            *_dlp_lost(target.traits.dlp, other.traits.dlp),
        ):
            yield f"the target {name} has no {lost} any more"


def _profiles(before: Mapping[str, Profile], now: Mapping[str, Profile]) -> Iterator[str]:
    """Of profiles that stay; who used one that is gone is told above."""
    for name, profile in before.items():
        if name not in now or now[name] == profile:
            continue
        kept = _hidden(now[name])
        yield from (f"the mask profile {name} hides no {what} any more" for what in sorted(_hidden(profile) - kept))


def _hidden(profile: Profile) -> set[str]:
    """What a profile hides, without how."""
    return {
        *profile.entities,
        *(f"values under names like {each.match!r}" for each in profile.keys),
        *(f"value at {each.path}" for each in profile.paths),
        *(f"{field} of {each.kind}" for each in profile.kinds for field in each.fields),
        *(["pairs of names and values"] if profile.pairs else []),
        *(f"what the language model {each.place} finds" for each in profile.ner),
    }
