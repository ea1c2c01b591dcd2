"""The ``spec`` of a ``MaskProfile`` document."""

import re
from typing import Annotated, Literal, Self

import regex
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from masking.operators import LONGEST_KEPT, Operator, Treatment
from masking.screens import PRESIDIO_ENTITIES
from masking.secret_patterns import SECRET_ENTITIES

KNOWN_ENTITIES = PRESIDIO_ENTITIES | SECRET_ENTITIES
"""What can be named in ``entities`` without a pattern of its own."""

_PATH = re.compile(r"\$(?:\.\.?[\w$-]+|\.\.?\*|\[\*\]|\[\d+\]|\[\"[^\"]*\"\]|\['[^']*'\])+")


def _checked_pattern(pattern: str) -> str:
    try:
        regex.compile(pattern)
    except regex.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


def _checked_path(path: str) -> str:
    if not _PATH.fullmatch(path):
        raise ValueError("not a path: use $, .name, ..name, .*, [n], [*] and ['name'], for example $.items[*].name")
    return path


type Pattern = Annotated[str, AfterValidator(_checked_pattern)]
type EntityName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class _Hidden(_Part):
    operator: Operator = "replace"
    keep_last: int = Field(default=0, ge=0, le=LONGEST_KEPT)

    @property
    def treatment(self) -> Treatment:
        """The operator with its parameters."""
        return Treatment(operator=self.operator, keep_last=self.keep_last)


class EntitySpec(_Hidden):
    """One kind of value to detect: Presidio's, one of the secrets, or an own one by ``regex`` or ``denyList``."""

    enabled: bool = True
    """False takes away an entity that an extended profile has."""
    regex: Pattern | None = None
    deny_list: tuple[str, ...] = ()
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


class KeySpec(_Placed):
    """Values of JSON members and form fields whose name ``match`` is found in."""

    match: Pattern
    entity: EntityName = "SECRET"
    deep: bool = True
    """Whether everything inside an object under such a name is masked as well."""


class PathSpec(_Placed):
    """The value at ``path``, with everything inside it."""

    path: Annotated[str, AfterValidator(_checked_path)]
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

    @model_validator(mode="after")
    def _entities_are_known(self) -> Self:
        for name, entity in self.entities.items():
            if entity.custom == (name in KNOWN_ENTITIES) and entity.enabled:
                hint = "is built in: take another name" if entity.custom else "is not built in: give regex or denyList"
                raise ValueError(f"entity {name} {hint}")
        return self
