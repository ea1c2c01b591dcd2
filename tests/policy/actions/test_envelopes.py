"""Names in protobuf bodies."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.actions.envelopes import MAGIC, MAX_FIELDS, read_name
from policy.actions.readings import Unreadable


def field(number: int, value: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def envelope(raw: bytes, *more: bytes) -> bytes:
    return MAGIC + field(1, field(1, b"v1") + field(2, b"Pod")) + field(2, raw) + b"".join(more)


@given(st.text(st.characters(codec="utf-8")), st.binary())
def test_name_is_found(name: str, other: bytes) -> None:
    """Whatever else the object holds."""
    metadata = field(1, name.encode()) + field(2, b"gen") + field(3, b"ns") + b"\x38\x00"
    raw = field(1, metadata) + field(2, other) + field(2, other) + b"\x19" + b"\0" * 8 + b"\x25" + b"\0" * 4
    assert read_name(envelope(raw, field(3, b""), field(4, b""))) == name


@pytest.mark.parametrize("raw", [field(1, b""), field(1, field(2, b"gen")), field(2, b"x")])
def test_no_name_is_empty(raw: bytes) -> None:
    """The server chooses one, or needs none."""
    assert read_name(envelope(raw)) == ""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        envelope(b""),
        b"k8s\x01" + field(2, b""),
        MAGIC + field(2, b"") + field(2, field(1, field(1, b"a"))),
        envelope(field(1, field(1, b"a")) + field(1, field(1, b"b"))),
        envelope(field(1, field(1, b"a") + field(1, b"b"))),
        envelope(field(1, field(1, b"\xff"))),
        envelope(b"\x08\x01"),
        envelope(field(1, b"\x08\x01")),
        envelope(b"\x0a\x05a"),
        envelope(b"\x0b"),
        envelope(b"\x0f"),
        envelope(b"\x02\x00"),
        envelope(b"\x80" * 11),
        envelope(b"\xff" * 10 + b"\x01"),
        envelope(b"\x10"),
        envelope(b"\x19\x00"),
        envelope(b"", field(3, b"gzip")),
        envelope(b"", field(4, b"application/json")),
        envelope(b"")[:-1],
    ],
)
def test_unsound_messages(body: bytes) -> None:
    """What a decoder would merge, refuse or read otherwise is unreadable."""
    with pytest.raises(Unreadable):
        read_name(body)


def test_fields_are_bounded() -> None:
    """A body of nothing but tiny fields costs no time."""
    with pytest.raises(Unreadable, match="too many"):
        read_name(envelope(b"\x12\x00" * (MAX_FIELDS + 1)))


@given(st.binary(max_size=60))
def test_never_raises_but_unreadable(body: bytes) -> None:
    """Any bytes."""
    for candidate in (body, MAGIC + body, envelope(body), envelope(field(1, body))):
        with contextlib.suppress(Unreadable):
            assert isinstance(read_name(candidate), str)
