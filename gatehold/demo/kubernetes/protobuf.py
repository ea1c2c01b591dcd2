"""Protobuf request bodies: the envelope (`k8s\\0` + runtime.Unknown) and messages of the types in `schemas`.

Kubernetes messages are proto2 without packed fields or groups. Fields that cannot tell zero from absent are always
on the wire, so zero values of such fields mean nothing and are dropped later, when the value is conformed.
"""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from gatehold.demo.kubernetes.objects import micro_timestamp, timestamp
from gatehold.demo.kubernetes.schemas import Field, struct_type

MAGIC = b"k8s\x00"
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5


class BrokenMessageError(ValueError):
    """Bytes that are no protobuf message, or hold a field this server cannot decode."""


def open_envelope(data: bytes) -> tuple[str, str, bytes]:
    """apiVersion, kind and the message inside; raises BrokenMessageError."""
    if not data.startswith(MAGIC):
        raise BrokenMessageError("provided data does not appear to be a protobuf message, expected prefix k8s")
    type_meta, raw = b"", b""
    for number, value in _wire(data[len(MAGIC) :]):
        if number == 1:
            type_meta = _bytes(value)
        elif number == 2:
            raw = _bytes(value)
    names = {number: _text(value) for number, value in _wire(type_meta)}
    return names.get(1, ""), names.get(2, ""), raw


def decode(data: bytes, type_name: str) -> dict[str, Any]:
    """A message of a known type as its JSON value; raises BrokenMessageError."""
    struct = struct_type(type_name)
    found: dict[str, Any] = {}
    for number, value in _wire(data):
        field = struct.by_number.get(number)
        if field is None:
            continue
        if field.inlined:
            found |= decode(_bytes(value), field.kind)
        elif field.shape == "list":
            found.setdefault(field.name, []).append(_one(value, field))
        elif field.shape == "map":
            key, item = _entry(_bytes(value), field)
            found.setdefault(field.name, {})[key] = item
        else:
            found[field.name] = _one(value, field)
    return {name: value for name, value in found.items() if value is not None}


def _entry(data: bytes, field: Field) -> tuple[str, Any]:
    parts = dict(_wire(data))
    empty: bytes | int = 0 if field.kind in ("int32", "int64", "bool") else b""
    return _text(parts.get(1, b"")), _one(parts.get(2, empty), field)


def _one(value: bytes | int, field: Field) -> Any:
    if field.is_struct:
        return decode(_bytes(value), field.kind)
    match field.kind:
        case "string":
            return _text(value)
        case "bytes":
            return base64.b64encode(_bytes(value)).decode()
        case "bool":
            return bool(_int(value))
        case "int32" | "int64":
            return _signed(_int(value))
        case "time" | "microtime":
            return _moment(_bytes(value), field.kind)
        case "quantity":
            return _text(dict(_wire(_bytes(value))).get(1, b""))
        case "intstr":
            return _int_or_string(_bytes(value))
        case "fields":
            return _fields(_bytes(value))
    raise BrokenMessageError(f"field {field.name} is not supported by this server in protobuf, send JSON")


def _moment(data: bytes, kind: str) -> str | None:
    parts = dict(_wire(data))
    if not parts:
        return None
    seconds, nanos = _signed(_int(parts.get(1, 0))), _signed(_int(parts.get(2, 0)))
    try:
        moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=nanos // 1000)
    except (OverflowError, ValueError, OSError) as error:
        raise BrokenMessageError("a time is out of range") from error
    return timestamp(moment) if kind == "time" else micro_timestamp(moment)


def _int_or_string(data: bytes) -> int | str:
    parts = dict(_wire(data))
    return _text(parts.get(3, b"")) if parts.get(1) else _signed(_int(parts.get(2, 0)))


def _fields(data: bytes) -> Any:
    try:
        return json.loads(_bytes(dict(_wire(data)).get(1, b"{}")))
    except ValueError as error:
        raise BrokenMessageError("managed fields are not JSON") from error


def _wire(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """The (field number, value) pairs of a message: bytes for length-delimited fields, int for the others."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        size, at = {FIXED64: (8, at), FIXED32: (4, at)}.get(wire_type) or _length(data, at, wire_type)
        if at + size > len(data):
            raise BrokenMessageError("unexpected EOF")
        chunk = data[at : at + size]
        yield number, chunk if wire_type == LENGTH else int.from_bytes(chunk, "little")
        at += size


def _length(data: bytes, at: int, wire_type: int) -> tuple[int, int]:
    if wire_type != LENGTH:
        raise BrokenMessageError(f"illegal wireType {wire_type}")
    return _varint(data, at)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise BrokenMessageError("unexpected EOF")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise BrokenMessageError("integer overflow")


def _signed(value: int) -> int:
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


def _bytes(value: bytes | int) -> bytes:
    if isinstance(value, int):
        raise BrokenMessageError("a field has the wrong wire type")
    return value


def _int(value: bytes | int) -> int:
    if isinstance(value, bytes):
        raise BrokenMessageError("a field has the wrong wire type")
    return value


def _text(value: bytes | int) -> str:
    try:
        return _bytes(value).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BrokenMessageError("a string is not UTF-8") from error
