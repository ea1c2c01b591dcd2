"""What protected before and would be gone: a file that was lost lifts no wall by itself.

What is compared is what stands in a configuration under a name, not how it is written: a rule that moves to another
file is there, one that gets another name is gone.
"""

from collections.abc import Iterator, Mapping

from gatehold.config import Configuration, Target
from gatehold.registry import Registry, split
from gatehold.reloading.weakening import dlp_lost, mask_lost, weaker
from masking.profiles import Profile, resolve
from masking.profiles.resolving import EntityRule
from policy.model import MaskObligation, TargetTraits
from policy.rules.rule import Rule
from policy.rules.selectors import glob_matches


def removals(before: Configuration, now: Configuration) -> tuple[str, ...]:
    """A line for everything that protected and is gone."""
    return (
        *_files(before.files, now.files),
        *(f"the rule {name} {said}" for name, lost in lost_rules(before, now).items() for said in lost),
        *_targets(before.targets, now.targets),
        *_moved_hosts(before, now),
        *_profiles(resolve(before.profiles), resolve(now.profiles)),
        *_tests(before, now),
    )


def _files(before: Mapping[tuple[str, str], str], now: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """Whole files with documents that stand nowhere else now."""
    for name in sorted(set(before.values()) - set(now.values())):
        lost = [
            f"{kind} {title}" for (kind, title), file in before.items() if file == name and (kind, title) not in now
        ]
        if lost:
            yield f"the file {name} is gone, and with it {', '.join(sorted(lost))}"


def lost_rules(before: Configuration, now: Configuration) -> dict[str, tuple[str, ...]]:
    """Rules that protected and do so no more, by name, each with what is said of it: ``(deny) is gone``."""
    found = {
        str(name): tuple(_lost_of(rule, now.engine.rules.get(name), now)) for name, rule in before.engine.rules.items()
    }
    return {name: lost for name, lost in found.items() if lost}


def _lost_of(rule: Rule, other: Rule | None, now: Configuration) -> Iterator[str]:
    if rule.shadow:
        return
    if other is not None:
        yield from weaker(rule, other, targets=now.targets)
    elif rule.forbids:
        yield f"({rule.effect}) is gone"


def _targets(before: Mapping[str, Target], now: Mapping[str, Target]) -> Iterator[str]:
    """Of targets that stay; one that is gone is reached by nobody, unless another one leads there."""
    for name, target in before.items():
        if name in now:
            yield from (f"the target {name} has no {each} any more" for each in _lost(target, now[name]))


def _moved_hosts(before: Configuration, now: Configuration) -> Iterator[str]:
    """Of hosts that belong to a target of another name now."""
    registry = Registry(now.targets)
    for name, target in before.targets.items():
        for host in target.spec.hosts:
            heir = registry.find(*split(host))
            if heir is None or heir.name == name:
                continue
            moved = f"{host} was of the target {name}, and is of {heir.name}"
            yield from (f"{moved}, which has no {each}" for each in _lost(target, heir))
            yield from (f"{moved}, which the rule {rule} is not about" for rule in _passed_by(before, now, name, heir))


def _passed_by(before: Configuration, now: Configuration, name: str, heir: Target) -> Iterator[str]:
    """Walls and turnstiles that were about a target and are not about its heir; those that are gone are told above."""
    for rule in before.engine.rules.values():
        kept = now.engine.rules.get(rule.name)
        if kept is None or rule.shadow or not rule.forbids:
            continue
        if _is_about(rule, name) and not _is_about(kept, heir.name):
            yield f"{rule.name} ({rule.effect})"


def _is_about(rule: Rule, target: str) -> bool:
    return any(glob_matches(glob, target) for glob in rule.match.targets or ("*",))


def _lost(before: Target, now: Target) -> Iterator[str]:
    yield from mask_lost(_mask(before.traits), _mask(now.traits))
    yield from dlp_lost(before.traits.dlp, now.traits.dlp)
    old, new = before.spec, now.spec
    if old.case_insensitive_paths and not new.case_insensitive_paths:
        yield "caseInsensitivePaths"  # a wall is not about /ADMIN, and the target answers as to /admin
    yield from (f"suffix {suffix}" for suffix in old.suffixes if suffix not in new.suffixes)
    if old.impersonate and not new.impersonate:
        yield "impersonate"


def _mask(traits: TargetTraits) -> MaskObligation:
    return MaskObligation(profiles=traits.mask, on_unmaskable=traits.on_unmaskable)


def _tests(before: Configuration, now: Configuration) -> Iterator[str]:
    """Cases that are nowhere any more, though their file is."""
    files, cases = set(now.files.values()), [case for document in now.tests for case in document.cases]
    names = {(document.metadata.name, case.name) for document in now.tests for case in document.cases}
    for document in before.tests:
        title = document.metadata.name
        if before.files["PolicyTest", title] not in files:
            continue
        gone = [each.name for each in document.cases if (title, each.name) not in names and each not in cases]
        if gone:
            yield f"the policy test {title} has no case {', '.join(map(repr, gone))} any more"


def _profiles(before: Mapping[str, Profile], now: Mapping[str, Profile]) -> Iterator[str]:
    """Of profiles that stay; who used one that is gone is told above."""
    for name, profile in before.items():
        if name not in now or now[name] == profile:
            continue
        kept = _hidden(now[name])
        yield from (f"the mask profile {name} hides no {what} any more" for what in sorted(_hidden(profile) - kept))
        yield from (
            f"the mask profile {name} finds less {what}" for what in _less(profile.entities, now[name].entities)
        )


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


def _less(before: Mapping[str, EntityRule], now: Mapping[str, EntityRule]) -> Iterator[str]:
    """Entities that are looked for less closely, by how."""
    found: dict[str, list[str]] = {}
    for entity in sorted(before.keys() & now.keys()):
        if how := ", ".join(_found_less(before[entity], now[entity])):
            found.setdefault(how, []).append(entity)
    yield from (f"{', '.join(entities)}: {how}" for how, entities in found.items())


def _found_less(before: EntityRule, now: EntityRule) -> Iterator[str]:
    """Why fewer values are taken for one of an entity."""
    if now.threshold > before.threshold:
        yield f"threshold {now.threshold:g}, not {before.threshold:g}"
    if now.guarded and not before.guarded:
        yield "not in identifiers"
    if before.embedded and not now.embedded:
        yield "not between letters"
    words = [set(each.custom.deny_list) if each.custom else set[str]() for each in (before, now)]
    if gone := words[0] - words[1]:
        yield f"{len(gone)} fewer of its words"
