"""What masking changed in a value: places, never contents."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

type Pointer = tuple[str, ...]
"""Keys and indices from a value to a part of it; empty: the whole value."""
type Pointers = tuple[Pointer, ...]

WHOLE: Final[Pointers] = ((),)
MOST: Final = 64
"""Places that are told apart; of a value with more the whole counts as changed."""


class _OtherShapeError(Exception):
    """The two values are not made of the same parts."""


def differences(original: Any, masked: Any) -> Pointers:
    """Where two values differ, by scalars; the whole where one is not the other with some scalars replaced."""
    try:
        found = tuple(islice(_differing(original, masked, ()), MOST + 1))
    except (_OtherShapeError, RecursionError):
        return WHOLE
    return WHOLE if len(found) > MOST else found


def overlaps(pointers: Pointers, place: Pointer) -> bool:
    """Whether a change lies at, in or around a place."""
    return any(each[: len(place)] == place[: len(each)] for each in pointers)


def _differing(original: Any, masked: Any, at: Pointer) -> Iterator[Pointer]:
    if isinstance(original, Mapping) and isinstance(masked, Mapping):
        if original.keys() != masked.keys():
            raise _OtherShapeError
        for key, value in original.items():
            yield from _differing(value, masked[key], (*at, str(key)))
    elif _is_list(original) and _is_list(masked):
        if len(original) != len(masked):
            raise _OtherShapeError
        for index, (one, other) in enumerate(zip(original, masked, strict=True)):
            yield from _differing(one, other, (*at, str(index)))
    elif any(isinstance(each, Mapping) or _is_list(each) for each in (original, masked)):
        raise _OtherShapeError
    elif type(original) is not type(masked) or original != masked:
        yield at


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)
