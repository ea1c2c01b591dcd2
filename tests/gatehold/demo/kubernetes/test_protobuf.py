"""Protobuf bodies."""

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gatehold.demo.kubernetes.protobuf import MAGIC, BrokenMessageError, decode, open_envelope
from gatehold.demo.kubernetes.schemas import types


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number: int, value: bytes | int | str) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


@given(st.binary(max_size=200), st.sampled_from(sorted(types())))
@example(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "core.v1.Pod")
@example(b"\x0b", "core.v1.Pod")
def test_any_bytes_decode_or_are_broken(data: bytes, kind: str) -> None:
    """Whatever the bytes are, the outcome is JSON or BrokenMessageError."""
    with suppress(BrokenMessageError):
        json.dumps(decode(data, kind))


@given(st.binary(max_size=60))
def test_any_envelope_opens_or_is_broken(data: bytes) -> None:
    """The same for envelopes, with the magic and without."""
    for body in (data, MAGIC + data):
        with suppress(BrokenMessageError):
            open_envelope(body)


@given(
    st.text(max_size=20),
    st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4),
    st.dictionaries(st.text(max_size=8), st.binary(max_size=8), max_size=4),
)
def test_a_config_map_survives(name: str, data: dict[str, str], binary: dict[str, bytes]) -> None:
    """What a client encodes is what is decoded; bytes become base64."""
    message = field(1, field(1, name))
    message += b"".join(field(2, field(1, key) + field(2, value)) for key, value in data.items())
    message += b"".join(field(3, field(1, key) + field(2, value)) for key, value in binary.items())
    expected: dict[str, Any] = {"metadata": {"name": name}}
    expected |= {"data": data} if data else {}
    expected |= (
        {"binaryData": {key: base64.b64encode(value).decode() for key, value in binary.items()}} if binary else {}
    )
    assert decode(message, "core.v1.ConfigMap") == expected


@given(st.integers(-(2**31), 2**31 - 1))
def test_integers_keep_their_sign(replicas: int) -> None:
    """Negative numbers are ten bytes on the wire and negative again after it."""
    assert decode(field(2, field(1, replicas)), "autoscaling.v1.Scale") == {"spec": {"replicas": replicas}}


def test_special_types() -> None:
    """Times, quantities, int-or-strings and managed fields take their JSON form; inlined fields join the parent."""
    moment = field(1, 1_795_235_121) + field(2, 5)
    managed = field(1, "kubectl") + field(7, field(1, '{"f:data":{}}'))
    meta = decode(field(8, moment) + field(17, managed), "meta.v1.ObjectMeta")
    assert meta["creationTimestamp"] == "2026-11-21T04:25:21Z"
    assert meta["managedFields"] == [{"manager": "kubectl", "fieldsV1": {"f:data": {}}}]
    assert decode(field(8, b""), "meta.v1.ObjectMeta") == {}
    limits = field(1, field(1, "cpu") + field(2, field(1, "250m")))
    assert decode(limits, "core.v1.ResourceRequirements") == {"limits": {"cpu": "250m"}}
    rolling = field(1, field(1, 1) + field(3, "25%")) + field(2, field(1, 0) + field(2, 1))
    assert decode(rolling, "apps.v1.RollingUpdateDeployment") == {"maxUnavailable": "25%", "maxSurge": 1}
    volume = field(1, "v") + field(2, field(6, field(1, "db")))
    assert decode(volume, "core.v1.Volume") == {"name": "v", "secret": {"secretName": "db"}}


def test_what_has_no_table_is_refused() -> None:
    """A field of an opaque type cannot be decoded, and the error says what to do."""
    volume = field(2, field(7, field(1, "server")))
    with pytest.raises(BrokenMessageError, match="send JSON"):
        decode(volume, "core.v1.Volume")
