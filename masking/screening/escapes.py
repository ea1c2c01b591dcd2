r"""Escapes of JSON strings, undone without moving what stands around them into disorder.

``bare`` has every simple escape (``\"``, ``\\``, ``\n``, ``\r``, ``\t``) as one byte that no valid JSON text holds, so
that each ``"`` in it begins or ends a string. ``read`` is of the same length, with the characters that these bytes
stand for: what the strings say. All other escapes stay as they are.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

_ESCAPES = ((b"\\\\", b"\x01", b"\\"), (b'\\"', b"\x02", b'"'), (b"\\n", b"\x03", b"\n"), (b"\\r", b"\x04", b"\r"),
            (b"\\t", b"\x05", b"\t"))  # fmt: skip
_FILL = b"\x06"
_READ = bytes.maketrans(b"\x01\x02\x03\x04\x05", b'\\"\n\r\t')


class Bodies(NamedTuple):
    """One text in two forms of the same length."""

    bare: bytes
    read: bytes


def undone(text: bytes) -> Bodies:
    """Both forms of a text without control characters, other than in whitespace."""
    if b"\\" not in text:
        return Bodies(text, text)
    # Replacing by as many bytes and taking some away at the end are much faster than making the text shorter by and by.
    bare = text.replace(b'\\"', _FILL + b"\x02")
    if b"\\" not in bare:
        bare = bare.translate(None, _FILL)
        return Bodies(bare, bare.replace(b"\x02", b'"'))
    bare = text
    for escape, stand_in, _ in _ESCAPES:
        bare = bare.replace(escape, _FILL + stand_in)
        if b"\\" not in bare:
            break
    bare = bare.translate(None, _FILL)
    return Bodies(bare, bare.translate(_READ))


def places(bare: bytes, ascending: Iterable[int]) -> Iterator[int]:
    """Where places of ``bare`` are in the text that it was made of."""
    present = [stand_in for _, stand_in, _ in _ESCAPES if stand_in in bare]
    before = passed = 0
    for place in ascending:
        passed += sum(bare.count(stand_in, before, place) for stand_in in present)
        before = place
        yield place + passed


def redone(bare: bytes) -> bytes:
    """The text again, with the escapes as they were."""
    for escape, stand_in, _ in _ESCAPES:
        if stand_in in bare:
            bare = bare.replace(stand_in, escape)
    return bare
