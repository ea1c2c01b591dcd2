r"""Escapes of JSON strings, undone without moving what stands around them into disorder.

``bare`` has every simple escape (``\"``, ``\\``, ``\n``, ``\r``, ``\t``) as one byte that no valid JSON text holds.
``read`` is of the same length, with the characters that these bytes stand for: what the strings say. All other escapes
stay as they are. Where ``\"`` is the only escape in a text, both forms are the text itself, which saves more time than
anything else here: expressions that match ``"`` match ``\"`` as well (``superset``). So of the quotes in ``bare`` those
begin or end strings that have no backslash before them.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from masking.screening.backends import scanner

_ESCAPES = ((b"\\\\", b"\x01", b"\\"), (b'\\"', b"\x02", b'"'), (b"\\n", b"\x03", b"\n"), (b"\\r", b"\x04", b"\r"),
            (b"\\t", b"\x05", b"\t"))  # fmt: skip
_FILL = b"\x06"
_SAMPLE, _DENSE = 1 << 16, 32
"""Bytes at the begin of a text that tell how many there are in it, and of how many one is many."""
LEFT = r"\\[^\x22]"
"""An escape that is left in one of the forms; the backslash that was one itself looks the same."""
_LEFT = re.compile(LEFT.encode())
_STAND_IN = re.compile(b"[\x01-\x05]")
_READ = bytes.maketrans(b"\x01\x02\x03\x04\x05", b'\\"\n\r\t')


class Bodies(NamedTuple):
    """One text in two forms of the same length."""

    bare: bytes
    read: bytes


def undone(text: bytes) -> Bodies:
    """Both forms of a text without control characters, other than in whitespace."""
    if b"\\" not in text or scanner((LEFT,)).is_quiet(text):
        return Bodies(text, text)
    # Replacing by as many bytes and taking some away at the end are much faster than making the text shorter by and by.
    bare = text
    for escape, stand_in, _ in _ESCAPES:
        bare = bare.replace(escape, _FILL + stand_in)
        if b"\\" not in bare:
            break
    bare = _without_fill(bare)
    return Bodies(bare, bare.translate(_READ))


def _without_fill(text: bytes) -> bytes:
    """Where there is little to take away, looking for it is faster than looking at every byte."""
    is_dense = text.count(_FILL, 0, _SAMPLE) * _DENSE > min(len(text), _SAMPLE)
    return text.translate(None, _FILL) if is_dense else text.replace(_FILL, b"")


def has_left(piece: bytes) -> bool:
    """Whether an escape is left in the inside of a string of ``bare``."""
    return b"\\" in piece and _LEFT.search(piece) is not None


def places(bare: bytes, ascending: Iterable[int]) -> Iterator[int]:
    """Where places of ``bare`` are in the text that it was made of."""
    present = [stand_in for _, stand_in, _ in _ESCAPES if stand_in in bare]
    if not present:
        yield from ascending
        return
    before = passed = 0
    for place in ascending:
        passed += sum(bare.count(stand_in, before, place) for stand_in in present)
        before = place
        yield place + passed


def redone(bare: bytes) -> bytes:
    """The text again, with the escapes as they were."""
    if _STAND_IN.search(bare) is None:
        return bare
    for escape, stand_in, _ in _ESCAPES:
        bare = bare.replace(stand_in, escape)
    return bare
