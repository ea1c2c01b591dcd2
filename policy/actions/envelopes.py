"""The name in a protobuf body, read on the wire level without a schema.

Sources: k8s.io/apimachinery/pkg/runtime/generated.proto (``Unknown``: 1 typeMeta, 2 raw, 3 contentEncoding,
4 contentType) after the magic ``k8s\\0``; in ``raw``, field 1 of an object is its ``ObjectMeta``, and there field 1 is
the name. Fields that occur twice are merged by decoders, and make the body unreadable here.
"""

from collections.abc import Iterator

from policy.actions.readings import Unreadable

MAGIC = b"k8s\x00"
MAX_FIELDS = 10_000
"""Of one message. An object whose first field cannot be found within them is not worth the time."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}


def read_name(body: bytes) -> str:
    """``metadata.name`` of an object, empty where it has none; raises ``Unreadable``."""
    if not body.startswith(MAGIC):
        raise Unreadable("protobuf without its magic number")
    envelope = body[len(MAGIC) :]
    if _field(envelope, 3) or _field(envelope, 4):
        raise Unreadable("protobuf with an encoding or a type of its own")
    value = _field(envelope, 2)
    if not value:
        raise Unreadable("protobuf without an object")
    metadata = _field(value, 1)
    try:
        return _field(metadata, 1).decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable("a name that is not UTF-8") from None


def _field(message: bytes, wanted: int) -> bytes:
    """The one length-delimited field of this number, empty where it is absent. The whole message has to be sound."""
    found: bytes | None = None
    for number, wire_type, value in _fields(message):
        if number != wanted:
            continue
        if found is not None or wire_type != _BYTES:
            raise Unreadable("a protobuf field that occurs twice or is of another type")
        found = value
    return found or b""


def _fields(message: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(number, wire type, bytes of the value) of every field; the bytes of a varint are left out."""
    at = count = 0
    while at < len(message):
        count += 1
        if count > MAX_FIELDS:
            raise Unreadable("a protobuf message of too many fields")
        key, at = _varint(message, at)
        number, wire_type = key >> 3, key & 7
        if wire_type == _VARINT:
            _, end = _varint(message, at)
        elif wire_type == _BYTES:
            length, at = _varint(message, at)
            end = at + length
        elif wire_type in _FIXED:
            end = at + _FIXED[wire_type]
        else:
            raise Unreadable("a protobuf group or an unknown wire type")
        if number == 0 or end > len(message):
            raise Unreadable("protobuf cut short")
        yield number, wire_type, message[at:end] if wire_type == _BYTES else b""
        at = end


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """The number that starts at ``at``, and where it ends."""
    value = 0
    for shift in range(0, 64, 7):
        if at >= len(message):
            raise Unreadable("protobuf cut short")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise Unreadable("a protobuf number that is too long")
