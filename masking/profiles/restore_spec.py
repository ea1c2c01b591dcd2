"""The ``restore`` part of a mask profile: where a reversible pseudonym may become its value again."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from masking.profiles.checks import checked_place
from policy.rules.paths import parse_pattern


def _checked_pattern(path: str) -> str:
    return parse_pattern(path).text


def _checked_method(method: str) -> str:
    if not re.fullmatch(r"[A-Z]{1,32}", method):
        raise ValueError("a method is written in upper-case letters, as in POST")
    return method


def _checked_name(name: str) -> str:
    if not name or len(name) > 256:
        raise ValueError("the name of a parameter has 1 to 256 characters")
    return name


class RestoreSpec(BaseModel):
    """One endpoint, and the places of its requests that get values where an agent sends their tokens."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    target: str
    """Name of an http target."""
    methods: tuple[Annotated[str, AfterValidator(_checked_method)], ...] = Field(min_length=1)
    path: Annotated[str, AfterValidator(_checked_pattern)]
    """As in the rules of a policy: ``*`` and ``{name}`` stand for a segment, ``**`` at the end for any rest."""
    body: tuple[Annotated[str, AfterValidator(checked_place)], ...] = ()
    """JSON paths of the values in a JSON body."""
    query: tuple[Annotated[str, AfterValidator(_checked_name)], ...] = ()
    """Names of query parameters."""

    @model_validator(mode="after")
    def _names_a_place(self) -> Self:
        if not self.body and not self.query:
            raise ValueError("name the places that get values, by `body` or `query`")
        return self
