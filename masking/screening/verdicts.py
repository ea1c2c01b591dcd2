"""What is asked and told about the pieces of a body that is looked at quickly."""

from collections.abc import Callable, Mapping
from typing import NamedTuple


class Quick(NamedTuple):
    """A body that was masked quickly: the same object where nothing was found."""

    body: bytes
    counts: Mapping[str, int]


class Spliced(NamedTuple):
    """What takes the place of a string's inside, or of a number."""

    replacement: bytes
    entities: tuple[str, ...]


class NameTraits(NamedTuple):
    """What a member's name does to its value."""

    refused: bool
    telling: bool
    deep: bool
    speaking: bool
    """Whether it makes something count in the value that would not by itself."""


class Judging(NamedTuple):
    """What is asked about the pieces of a body. All bytes are in UTF-8, with escapes as in the body."""

    text: Callable[[bytes, bytes], Spliced | None]
    """For the inside of a string under a name, as they stand."""
    placed: Callable[[bytes, bytes], Spliced | None]
    """For the inside of a string under a telling name."""
    number: Callable[[bytes], Spliced | None]
    name: Callable[[bytes], NameTraits]
    tells: Callable[[bytes], bool]
    """Whether a string, as the name of a pair, tells."""
