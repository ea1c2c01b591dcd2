"""From documents to profiles: what is inherited is spelled out, what is unknown is refused."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

import yaml

from masking.operators import Treatment
from masking.profiles.spec import EntitySpec, KeySpec, KindSpec, MaskProfileSpec, PathSpec

BUILTIN = ("kubernetes", "pci", "pii", "secrets")
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

    Raises ``ValueError`` naming the profile that takes a built-in name, extends an unknown one, or extends itself.
    """
    taken = sorted(set(documents) & set(BUILTIN))
    if taken:
        raise ValueError(f"mask profile {taken[0]}: the name is taken by a built-in profile")
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
        raise ValueError(f"mask profile {name}: extends itself by way of {' -> '.join((*open_, name))}")
    parents: list[Profile] = []
    for parent in specs[name].extends:
        if parent not in specs:
            raise ValueError(f"mask profile {name}: extends an unknown profile, {parent}")
        parents.append(_resolve(parent, specs, done, (*open_, name)))
    done[name] = _combine(name, specs[name], parents)
    return done[name]


def _combine(name: str, spec: MaskProfileSpec, parents: list[Profile]) -> Profile:
    threshold = spec.threshold
    if threshold is None:
        threshold = min((parent.threshold for parent in parents), default=_DEFAULT_THRESHOLD)
    inherited = {entity: rule for parent in parents for entity, rule in parent.entities.items()}
    return Profile(
        name=name,
        threshold=threshold,
        entities={rule.entity: rule for rule in _rules(spec, inherited, threshold)},
        keys=(*spec.keys, *(key for parent in parents for key in parent.keys)),
        paths=(*spec.paths, *(path for parent in parents for path in parent.paths)),
        kinds=(*spec.kinds, *(kind for parent in parents for kind in parent.kinds)),
        pairs=spec.pairs or any(parent.pairs for parent in parents),
    )


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
                custom=own if own.custom else None,
            )
        else:
            continue
        yield rule if guard is None else replace(rule, guarded=guard)
