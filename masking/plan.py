"""Several profiles as one: what one of them hides is hidden, in the strictest way that any of them asks for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import regex

from masking.errors import Unmaskable
from masking.judging import Judge
from masking.memory import remembered
from masking.ner import NerDetector, NerRules
from masking.operators import Operators, Treatment, strictest
from masking.profiles.ner_spec import NerSpec
from masking.profiles.paths import PathRules
from masking.profiles.resolving import EntityRule, Profile
from masking.profiles.spec import EntitySpec, KeySpec
from masking.screening.superset import superset
from masking.senses import Sense
from masking.sieve import sieve

_KEY_SECONDS = 1.0
LONGEST_NAME = 4096
"""Characters of a name that key rules are still asked about; a longer one is unmaskable."""


class Plan:
    """What a set of profiles asks for, compiled."""

    def __init__(self, profiles: Sequence[Profile], hand: Operators) -> None:
        self.hand = hand
        labelled = [(rule.entity, rule.treatment) for p in profiles for rule in (*p.keys, *p.paths, *p.kinds)]
        self.ner = NerRules(tuple(dict.fromkeys(spec for profile in profiles for spec in profile.ner)))
        self.judge = Judge(_senses(profiles), hand, labelled, self.ner, [_ner_senses(spec) for spec in self.ner.specs])
        self.keys = KeyRules(key for profile in profiles for key in profile.keys)
        self.paths = PathRules(path for profile in profiles for path in profile.paths)
        self.kinds = tuple(dict.fromkeys(kind for profile in profiles for kind in profile.kinds))
        self.pairs = any(profile.pairs for profile in profiles)
        self.has_pseudonyms = any(each.operator == "pseudonym" for each in _treatments(profiles))
        self.hides_pem = any("PRIVATE_KEY" in profile.entities for profile in profiles)

    @property
    def placed(self) -> bool:
        """Whether values are hidden for where they stand, which only JSON can tell."""
        return bool(self.paths or self.kinds or self.ner.placed)


def _treatments(profiles: Sequence[Profile]) -> Iterator[Treatment]:
    for profile in profiles:
        yield from (rule.treatment for rule in profile.entities.values())
        yield from (rule.treatment for rule in (*profile.keys, *profile.paths, *profile.kinds))
        yield from (spec.treatment for spec in profile.ner)


class KeyRules:
    """Which names tell that their value is to be hidden."""

    def __init__(self, rules: Iterable[KeySpec]) -> None:
        self._rules = [(regex.compile(rule.match), rule) for rule in dict.fromkeys(rules)]
        self._which = sieve([superset(pattern, strict=True, bordered=False) for pattern in self.patterns])
        self.find = remembered(self._find)

    def __bool__(self) -> bool:
        return bool(self._rules)

    @property
    def patterns(self) -> tuple[str, ...]:
        """What is searched for in names."""
        return tuple(rule.match for _, rule in self._rules)

    def may_tell(self, text: str) -> bool:
        """Whether any part of a text could be a name that tells."""
        if not self._rules or self._which is None or not text.isascii():
            return bool(self._rules)
        return bool(self._which(text))

    def is_deep(self, pattern: str) -> bool:
        """Whether a rule with this pattern reaches into objects."""
        return any(rule.deep for _, rule in self._rules if rule.match == pattern)

    def _find(self, name: str) -> KeySpec | None:
        """The strictest rule for a name."""
        if not self._rules:
            return None
        if len(name) > LONGEST_NAME:
            raise Unmaskable("a member's name is too long")
        try:
            matching = [rule for pattern, rule in self._rules if pattern.search(name, timeout=_KEY_SECONDS)]
        except TimeoutError:
            raise Unmaskable("a key rule ran out of time") from None
        return max(matching, key=lambda rule: (rule.treatment.strictness, rule.deep), default=None)


def _senses(profiles: Sequence[Profile]) -> list[Sense]:
    rules: dict[str, EntityRule] = {}
    customs: dict[str, list[EntitySpec]] = {}
    for profile in profiles:
        for entity, rule in profile.entities.items():
            rules[entity] = _union(rules[entity], rule) if entity in rules else rule
            if rule.custom and rule.custom not in customs.setdefault(entity, []):
                customs[entity].append(rule.custom)
    return [sense for entity in sorted(rules) for sense in _bound(rules[entity], customs.get(entity, ()))]


def _ner_senses(spec: NerSpec) -> list[Sense]:
    """What a language model is asked; loads it."""
    from masking.ner_models import reader  # noqa: PLC0415  (seconds of imports: only where a profile names a model)

    asked = reader(spec)
    rules = (
        EntityRule(entity=each, treatment=spec.treatment, threshold=spec.threshold, guarded=False, embedded=False)
        for each in spec.entities
    )
    return [Sense(detector=NerDetector(rule.entity, asked), rule=rule) for rule in rules]


def _bound(rule: EntityRule, customs: Sequence[EntitySpec]) -> Iterable[Sense]:
    from masking import detectors  # noqa: PLC0415  (seconds of imports: only where something is compiled)

    found = [detectors.custom(rule.entity, spec) for spec in customs] or detectors.builtin(rule.entity)
    return (Sense(detector=detector, rule=rule) for detector in found)


def _union(one: EntityRule, other: EntityRule) -> EntityRule:
    return replace(
        one,
        treatment=strictest(one.treatment, other.treatment),
        threshold=min(one.threshold, other.threshold),
        guarded=one.guarded and other.guarded,
        embedded=one.embedded or other.embedded,
    )
