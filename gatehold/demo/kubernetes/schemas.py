"""The types of the API as data: names, protobuf numbers, JSON types and list keys (`data/types.txt`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Literal

Shape = Literal["one", "list", "map"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a type."""

    number: int
    name: str
    """The JSON name; `.` where the fields of the type are inlined in the parent."""
    kind: str
    """A scalar's name, or the name of a type (it has a dot)."""
    shape: Shape
    pointer: bool
    """Whether absent and zero differ."""
    keys: tuple[str, ...] = ()
    """What makes the list a map; ("*",) for a set."""

    @property
    def is_struct(self) -> bool:
        """Whether the values are of a known type, not scalars."""
        return "." in self.kind

    @property
    def inlined(self) -> bool:
        return self.name == "."


@dataclass(frozen=True)
class StructType:
    """A named type, fields in the order in which the server writes them."""

    name: str
    fields: tuple[Field, ...]

    @cached_property
    def by_number(self) -> Mapping[int, Field]:
        return {field.number: field for field in self.fields}

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """By JSON name, those of inlined types included."""
        found: dict[str, Field] = {}
        for field in self.fields:
            found |= struct_type(field.kind).by_name if field.inlined else {field.name: field}
        return found

    @cached_property
    def order(self) -> Mapping[str, int]:
        """Position of each JSON name in what the server writes."""
        return {name: position for position, name in enumerate(self.by_name)}


def struct_type(name: str) -> StructType:
    """The type of that name; raises KeyError."""
    return types()[name]


def field_of(kind: str | None, name: str) -> Field | None:
    """The field of a type by JSON name; None for unknown fields and for values of no known type."""
    struct = types().get(kind) if kind else None
    return struct.by_name.get(name) if struct else None


@cache
def types() -> Mapping[str, StructType]:
    """All types by name."""
    text = files(__package__).joinpath("data", "types.txt").read_text(encoding="utf-8")
    found: dict[str, list[Field]] = {}
    fields: list[Field] = []
    for line in text.splitlines():
        if line.startswith("  "):
            fields.append(_field(line.split()))
        elif line and not line.startswith("#"):
            fields = found.setdefault(line, [])
    return {name: StructType(name, tuple(fields)) for name, fields in found.items()}


def _field(words: list[str]) -> Field:
    number, name, kind, *rest = words
    shape: Shape = "list" if kind.startswith("[]") else "map" if kind.startswith("map:") else "one"
    return Field(
        number=int(number),
        name=name,
        kind=kind.removeprefix("[]").removeprefix("map:").removeprefix("*"),
        shape=shape,
        pointer=kind.startswith("*"),
        keys=tuple(rest[1].split(",")) if rest else (),
    )
