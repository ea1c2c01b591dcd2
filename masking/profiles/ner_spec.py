"""The ``ner`` part of a mask profile: names, places and organisations, found by a language model.

A model is slow (less than 0.1 MB/s) and guesses, so it is asked only about the values that a profile names. It lies on
the disk of the gateway; nothing is ever downloaded.
"""

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, model_validator
from pydantic.alias_generators import to_camel

from masking.operators import LONGEST_KEPT, Operator, Treatment
from masking.profiles.checks import checked_path, checked_pattern

NER_ENTITIES = ("PERSON", "LOCATION", "ORGANIZATION")
"""What a model is asked for where a profile does not say."""


def _absolute(path: Path, info: ValidationInfo) -> Path:
    base = Path((info.context or {}).get("base", "."))
    return Path(os.path.normpath(base.absolute() / path))


type _File = Annotated[Path, AfterValidator(_absolute)]


class NerSpec(BaseModel):
    """A language model, and the values that it is asked about."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    engine: Literal["spacy", "gliner", "presidio"] = "spacy"
    """``presidio``: whatever its own configuration of NLP engines describes (spaCy, transformers, stanza)."""
    model: _File | None = None
    """Directory of the model, relative to the file that names it."""
    configuration: _File | None = None
    """With ``engine: presidio``: Presidio's configuration of an NLP engine; models in it are directories beside it."""
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] = "en"
    entities: tuple[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")], ...] = Field(
        default_factory=lambda: NER_ENTITIES, min_length=1
    )
    """In Presidio's words: labels of the model are mapped as Presidio maps them."""
    keys: tuple[Annotated[str, AfterValidator(checked_pattern)], ...] = ()
    """Values of members, form fields and columns whose name one of these is found in."""
    paths: tuple[Annotated[str, AfterValidator(checked_path)], ...] = ()
    """Values at these JSON paths, with everything inside them."""
    threshold: float = Field(default=0.5, ge=0, le=1)
    operator: Operator = "replace"
    keep_last: int = Field(default=0, ge=0, le=LONGEST_KEPT)

    @property
    def treatment(self) -> Treatment:
        """The operator with its parameters."""
        return Treatment(operator=self.operator, keep_last=self.keep_last)

    @property
    def place(self) -> Path:
        """What the model is loaded from."""
        place = self.configuration if self.engine == "presidio" else self.model
        assert place is not None  # noqa: S101  (validated)
        return place

    @model_validator(mode="after")
    def _has_a_model_and_something_to_ask_about(self) -> Self:
        needed, other = ("configuration", "model") if self.engine == "presidio" else ("model", "configuration")
        if getattr(self, needed) is None:
            raise ValueError(f"ner: engine {self.engine} needs `{needed}`")
        if getattr(self, other) is not None:
            raise ValueError(f"ner: `{other}` is of no use with engine {self.engine}")
        if not self.keys and not self.paths:
            raise ValueError("ner: name the values to ask about, by `keys` or `paths`")
        return self
