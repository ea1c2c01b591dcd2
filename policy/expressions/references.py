"""The names that a compiled expression refers to, out of its serialised form.

``CheckedExpr.reference_map`` (field 2 of cel/expr/checked.proto) holds for every identifier the declaration that it was
resolved to; a ``google.protobuf.Any`` is around it. Both are read on the wire level.
"""

from collections.abc import Iterator

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_ANY_VALUE, _REFERENCE_MAP, _ENTRY_VALUE, _REFERENCE_NAME = 2, 2, 2, 1


def names_in(serialized: bytes) -> set[str]:
    """Names of all variables (and loop variables) in a serialised checked expression. Raises ``ValueError``."""
    return {
        name.decode()
        for checked in _fields(serialized, _ANY_VALUE)
        for entry in _fields(checked, _REFERENCE_MAP)
        for reference in _fields(entry, _ENTRY_VALUE)
        for name in _fields(reference, _REFERENCE_NAME)
    }


def _fields(message: bytes, wanted: int) -> Iterator[bytes]:
    """The contents of every length-delimited field of that number."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            _, at = _varint(message, at)
        elif kind in {_FIXED64, _FIXED32}:
            at += 8 if kind == _FIXED64 else 4
        elif kind == _LENGTH:
            size, at = _varint(message, at)
            if key >> 3 == wanted:
                yield message[at : at + size]
            at += size
        else:
            raise ValueError("this is no serialised expression")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    if message[at] < 0x80:
        return message[at], at + 1
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
