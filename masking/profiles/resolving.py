"""From documents to profiles: what is inherited is spelled out, what is unknown is refused."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

import yaml

from masking.operators import Treatment
from masking.profiles.checks import meant
from masking.profiles.ner_spec import NerSpec
from masking.profiles.restore_spec import RestoreSpec
from masking.profiles.spec import EntitySpec, KeySpec, KindSpec, MaskProfileSpec, PathSpec, needs_patterns, not_known

BUILTIN = ("health", "kubernetes", "pci", "pii", "secrets")
_DEFAULT_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityRule:
    """How one kind of value is detected and treated."""

    entity: str
    treatment: Treatment
    threshold: float
    guarded: bool
    """Whether the boundary guard may drop hits."""
    embedded: bool
    """Whether it is also looked for between letters."""
    custom: EntitySpec | None = None
    """The patterns of an entity that is not built in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A mask profile with all that it extends."""

    name: str
    threshold: float
    entities: Mapping[str, EntityRule]
    keys: tuple[KeySpec, ...]
    paths: tuple[PathSpec, ...]
    kinds: tuple[KindSpec, ...]
    pairs: bool
    ner: tuple[NerSpec, ...] = ()
    restore: tuple[RestoreSpec, ...] = ()

    @property
    def reversible(self) -> frozenset[str]:
        """The entities whose tokens can be put back."""
        detected = {rule.entity for rule in self.entities.values() if rule.treatment.reversible}
        return frozenset(detected | {rule.entity for rule in (*self.keys, *self.paths) if rule.treatment.reversible})


class ProfileError(ValueError):
    """A profile that cannot be resolved. The message begins with its name."""

    def __init__(self, profile: str, message: str, *place: str) -> None:
        """``place``: the keys under ``spec`` that lead to what is wrong."""
        self.profile = profile
        self.place = place
        super().__init__(f"mask profile {profile}: {message}")


@cache
def builtin() -> Mapping[str, MaskProfileSpec]:
    """The documents of the profiles that come with Gatehold."""
    directory = files("masking.profiles")
    return {
        name: MaskProfileSpec.model_validate(yaml.safe_load(directory.joinpath(f"{name}.yaml").read_text("utf-8")))
        for name in BUILTIN
    }


def resolve(documents: Mapping[str, MaskProfileSpec]) -> Mapping[str, Profile]:
    """All profiles by name: the built-in ones and ``documents``.

    Raises ``ProfileError`` for one that takes a built-in name, extends an unknown one or itself, has an entity that
    nothing describes, or puts back what nothing can put back.
    """
    taken = sorted(set(documents) & set(BUILTIN))
    if taken:
        raise ProfileError(taken[0], "the name is taken by a built-in profile")
    specs = {**builtin(), **documents}
    resolved: dict[str, Profile] = {}
    for name in specs:
        _resolve(name, specs, resolved, ())
    return resolved


def _resolve(
    name: str, specs: Mapping[str, MaskProfileSpec], done: dict[str, Profile], open_: tuple[str, ...]
) -> Profile:
    if name in done:
        return done[name]
    if name in open_:
        raise ProfileError(name, f"extends itself by way of {' -> '.join((*open_, name))}", "extends")
    parents: list[Profile] = []
    for parent in specs[name].extends:
        if parent not in specs:
            raise ProfileError(name, f"extends an unknown profile, {parent}{meant(parent, specs)}", "extends")
        parents.append(_resolve(parent, specs, done, (*open_, name)))
    done[name] = _combine(name, specs[name], parents)
    return done[name]


def _combine(name: str, spec: MaskProfileSpec, parents: list[Profile]) -> Profile:
    threshold = spec.threshold
    if threshold is None:
        threshold = min((parent.threshold for parent in parents), default=_DEFAULT_THRESHOLD)
    inherited = {entity: rule for parent in parents for entity, rule in parent.entities.items()}
    for entity, own in spec.entities.items():
        if needs_patterns(entity, own) and entity not in inherited:
            raise ProfileError(name, not_known(entity, inherited), "entities", entity)
    profile = Profile(
        name=name,
        threshold=threshold,
        entities={rule.entity: rule for rule in _rules(spec, inherited, threshold)},
        keys=(*spec.keys, *(key for parent in parents for key in parent.keys)),
        paths=(*spec.paths, *(path for parent in parents for path in parent.paths)),
        kinds=(*spec.kinds, *(kind for parent in parents for kind in parent.kinds)),
        pairs=spec.pairs or any(parent.pairs for parent in parents),
        ner=(*((spec.ner,) if spec.ner else ()), *(ner for parent in parents for ner in parent.ner)),
        restore=(*spec.restore, *(each for parent in parents for each in parent.restore)),
    )
    if spec.restore and not profile.reversible:
        message = "there is nothing to put back: no entity, key or path of it is `reversible: true`"
        raise ProfileError(name, message, "restore")
    return profile


def _rules(spec: MaskProfileSpec, inherited: Mapping[str, EntityRule], threshold: float) -> Iterator[EntityRule]:
    guard = None if spec.guard is None else spec.guard == "boundary"
    embedded = any(rule.embedded for rule in inherited.values()) if spec.embedded is None else spec.embedded
    for entity in sorted({*spec.entities, *inherited}):
        own = spec.entities.get(entity)
        if own is None:
            rule = replace(inherited[entity], threshold=threshold, embedded=embedded)
        elif own.enabled:
            guarded = entity in inherited and inherited[entity].guarded
            rule = EntityRule(
                entity=entity,
                treatment=own.treatment,
                threshold=threshold,
                guarded=guarded,
                embedded=embedded,
                custom=own if own.custom else inherited[entity].custom if entity in inherited else None,
            )
        else:
            continue
        yield rule if guard is None else replace(rule, guarded=guard)
