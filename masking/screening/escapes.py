r"""Escapes of JSON strings, undone without moving what stands around them into disorder.

``bare`` has every simple escape (``\"``, ``\\``, ``\n``, ``\r``, ``\t``) as one byte that no valid JSON text holds, so
that each ``"`` in it begins or ends a string. ``read`` is of the same length, with the characters that these bytes
stand for: what the strings say. All other escapes stay as they are.
"""

from typing import NamedTuple

_ESCAPES = ((b"\\\\", b"\x01", b"\\"), (b'\\"', b"\x02", b'"'), (b"\\n", b"\x03", b"\n"), (b"\\r", b"\x04", b"\r"),
            (b"\\t", b"\x05", b"\t"))  # fmt: skip
_READ = bytes.maketrans(b"\x01\x02\x03\x04\x05", b'\\"\n\r\t')


class Bodies(NamedTuple):
    """One text in two forms of the same length."""

    bare: bytes
    read: bytes


def undone(text: bytes) -> Bodies:
    """Both forms of a text without control characters, other than in whitespace."""
    if b"\\" not in text:
        return Bodies(text, text)
    # Most texts have no other escape than this one. Two bytes are split by much faster than they are replaced.
    bare = b"\x02".join(text.split(b'\\"'))
    if b"\\" not in bare:
        return Bodies(bare, bare.replace(b"\x02", b'"'))
    bare = text
    for escape, stand_in, _ in _ESCAPES:
        bare = stand_in.join(bare.split(escape))
        if b"\\" not in bare:
            break
    return Bodies(bare, bare.translate(_READ))


def redone(bare: bytes) -> bytes:
    """The text again, with the escapes as they were."""
    for escape, stand_in, _ in _ESCAPES:
        if stand_in in bare:
            bare = bare.replace(stand_in, escape)
    return bare
