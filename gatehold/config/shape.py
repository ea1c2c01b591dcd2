"""What all parts of a document have in common."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

API_VERSION: Literal["gatehold.dev/v1"] = "gatehold.dev/v1"

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")


class Part(BaseModel):
    """A part of a document: immutable, camelCase, closed to unknown keys; errors never repeat the input."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=False,
        hide_input_in_errors=True,
        defer_build=True,
    )


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"{text!r} is not a name; letters, digits, `-`, `.` and `_`, at most 63")
    return text


def _port(number: int) -> int:
    if not 0 <= number <= 65535:
        raise ValueError(f"{number} is not a port")
    return number


Name = Annotated[str, AfterValidator(_name)]
Text = Annotated[str, Field(min_length=1, max_length=1024)]
Port = Annotated[int, Field(strict=True), AfterValidator(_port)]


class Metadata(Part):
    """The name of a document, unique within its kind."""

    name: Name
