"""The ``spec`` of a ``MaskProfile`` document."""

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from masking.operators import LONGEST_KEPT, Numbers, Operator, Treatment
from masking.profiles.checks import checked_path, checked_pattern, meant
from masking.profiles.ner_spec import NerSpec
from masking.profiles.restore_spec import RestoreSpec
from masking.screens import PRESIDIO_ENTITIES
from masking.secret_patterns import SECRET_ENTITIES

KNOWN_ENTITIES = PRESIDIO_ENTITIES | SECRET_ENTITIES
"""What can be named in ``entities`` without a pattern of its own."""
_LONGEST_WORD = 256


def _checked_word(word: str) -> str:
    if not word.strip() or len(word) > _LONGEST_WORD:
        raise ValueError(f"a word of a deny list has 1 to {_LONGEST_WORD} characters")
    return word


type Pattern = Annotated[str, AfterValidator(checked_pattern)]
type EntityName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class _Hidden(_Part):
    operator: Operator = "replace"
    keep_last: int = Field(default=0, ge=0, le=LONGEST_KEPT)
    numbers: Numbers = "digits"
    """What a JSON number becomes: other digits, as many, or ``null``."""

    @property
    def treatment(self) -> Treatment:
        """The operator with its parameters."""
        return Treatment(operator=self.operator, keep_last=self.keep_last, numbers=self.numbers)


class _Reversible(_Hidden):
    reversible: bool = False
    """Whether the token of a pseudonym can be put back where ``restore`` says."""

    @property
    def treatment(self) -> Treatment:
        """The operator with its parameters."""
        return Treatment(
            operator=self.operator, keep_last=self.keep_last, numbers=self.numbers, reversible=self.reversible
        )

    @model_validator(mode="after")
    def _only_pseudonyms_are_reversible(self) -> Self:
        if self.reversible and self.operator != "pseudonym":
            raise ValueError("`reversible` needs operator: pseudonym")
        return self


class EntitySpec(_Reversible):
    """One kind of value to detect: Presidio's, one of the secrets, or an own one by ``regex`` or ``denyList``."""

    enabled: bool = True
    """False takes away an entity that an extended profile has."""
    regex: Pattern | None = None
    deny_list: tuple[Annotated[str, AfterValidator(_checked_word)], ...] = ()
    """Whole words, in any case."""
    score: float = Field(default=0.8, ge=0, le=1)
    """Of an own entity: how sure a match is, before words next to it are considered."""
    context: tuple[str, ...] = ()
    """Words in the key or the text that make a match of an own entity surer by 0.35."""

    @property
    def custom(self) -> bool:
        """Whether it brings its own patterns."""
        return self.regex is not None or bool(self.deny_list)


class _Placed(_Hidden):
    entity: EntityName
    """What a value there counts as."""


class KeySpec(_Placed, _Reversible):
    """Values of JSON members and form fields whose name ``match`` is found in."""

    match: Pattern
    entity: EntityName = "SECRET"
    deep: bool = True
    """Whether everything inside an object under such a name is masked as well."""


class PathSpec(_Placed, _Reversible):
    """The value at ``path``, with everything inside it."""

    path: Annotated[str, AfterValidator(checked_path)]
    entity: EntityName = "VALUE"


class KindSpec(_Placed):
    """Kubernetes objects of ``kind``: everything under ``fields`` is masked, whatever it looks like."""

    kind: str
    fields: tuple[str, ...]
    encoded: tuple[str, ...] = ()
    """Those of the fields whose values are base64; what replaces them is base64 too."""
    entity: EntityName = "KUBERNETES_SECRET"


class MaskProfileSpec(_Part):
    """What a profile hides, and how."""

    extends: tuple[str, ...] = ()
    threshold: float | None = Field(default=None, ge=0, le=1)
    """The lowest score that counts; by default that of the extended profiles, else 0.5."""
    guard: Literal["boundary", "none"] | None = None
    """``boundary`` drops hits that are parts of identifiers and digests; stated here, it holds for every entity."""
    embedded: bool | None = None
    """Whether card numbers and US_SSN are also found where they touch letters."""
    pairs: bool = False
    """Whether ``{"name": N, "value": V}`` is read as a member N with the value V (environment variables)."""
    entities: dict[EntityName, EntitySpec] = Field(default_factory=dict)
    keys: tuple[KeySpec, ...] = ()
    paths: tuple[PathSpec, ...] = ()
    kinds: tuple[KindSpec, ...] = ()
    ner: NerSpec | None = None
    """A language model, for the values that it names; those of extended profiles stay."""
    restore: tuple[RestoreSpec, ...] = ()
    """Where reversible pseudonyms may be put back; nowhere by default."""

    @model_validator(mode="after")
    def _entities_are_known(self) -> Self:
        for name, entity in self.entities.items():
            if entity.custom and entity.enabled and name in KNOWN_ENTITIES:
                raise ValueError(f"`entities.{name}` is built in: take another name")
            # An extended profile may bring an entity of its own; what is none is told when profiles are resolved.
            if not self.extends and needs_patterns(name, entity):
                raise ValueError(not_known(name))
        return self


def needs_patterns(name: str, entity: EntitySpec) -> bool:
    """Whether there is nothing to detect an entity by, unless an extended profile has it."""
    return entity.enabled and not entity.custom and name not in KNOWN_ENTITIES


def not_known(name: str, more: Iterable[str] = ()) -> str:
    """What is said of an entity that nothing gives a pattern; ``more``: names that are known besides the built-in."""
    return f"`entities.{name}` is not built in: give regex or denyList{meant(name, {*KNOWN_ENTITIES, *more})}"
