"""A body is what its content type says, or it is refused."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.content import ContentType, Shape, read_content_type, refuse_binary, text_of, without_bom
from masking.errors import Unmaskable


@pytest.mark.parametrize(
    ("header", "shape"),
    [
        ("application/json", Shape.JSON),
        ("Application/JSON; charset=UTF-8", Shape.JSON),
        ("application/problem+json", Shape.JSON),
        ("application/json;as=Table;v=v1;g=meta.k8s.io", Shape.JSON),
        ("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", Shape.JSON),
        ("application/json;stream=watch", Shape.NDJSON),
        ("application/x-ndjson", Shape.NDJSON),
        ("text/event-stream", Shape.SSE),
        ("application/x-www-form-urlencoded", Shape.FORM),
        ("text/plain; charset=utf-8", Shape.TEXT),
        ('text/html; charset="iso-8859-1"', Shape.TEXT),
        ("text/csv", Shape.TEXT),
        ("application/atom+xml", Shape.TEXT),
        ("application/yaml", Shape.TEXT),
        ("", None),
        ("text/plain;", Shape.TEXT),
    ],
)
def test_shapes(header: str, shape: Shape | None) -> None:
    """Formats are told by the essence, whatever parameters stand behind it."""
    assert read_content_type(header).shape == shape


@pytest.mark.parametrize(
    "header",
    ["image/png", "application/pdf", "application/octet-stream", "application/vnd.kubernetes.protobuf", "application/cbor",
     "multipart/mixed; boundary=x", "application/zip", "application/json-seq", "video/mp4", "font/woff2"],
)  # fmt: skip
def test_other_formats_are_refused(header: str) -> None:
    """What cannot be read cannot be masked."""
    with pytest.raises(Unmaskable):
        assert read_content_type(header).shape


@pytest.mark.parametrize(
    "header",
    ["json", "text/", "/plain", "text/plain, text/html", "text/plain; charset", "text/plain; charset=utf-8; charset=utf-16",
     "text/plain; charset=utf-16", "text/plain; charset=utf-7", "application/json; charset=latin-1", "; charset=utf-8"],
)  # fmt: skip
def test_malformed_types_and_other_charsets_are_refused(header: str) -> None:
    """Two readers of a malformed header may read two things."""
    with pytest.raises(Unmaskable):
        read_content_type(header)


@given(st.text(max_size=40))
def test_any_header_is_read_or_refused(header: str) -> None:
    """No other exception, whatever an upstream sends."""
    with contextlib.suppress(Unmaskable):
        assert read_content_type(header).charset


@given(st.binary(max_size=60), st.sampled_from(["utf-8", "ascii", "latin-1", "iso8859-15", "cp1252"]))
def test_a_text_gives_its_bytes_back(body: bytes, charset: str) -> None:
    """Decoding and encoding loses nothing, in every charset of the list."""
    try:
        text = text_of(body, ContentType(essence="text/plain", charset=charset))
    except Unmaskable:
        return
    assert text.encode(charset) == body


@pytest.mark.parametrize(
    "start", [b"%PDF-1.7", b"\x89PNG\r\n", b"GIF89a", b"PK\x03\x04", b"\x1f\x8b\x08", b"k8s\x00", b"\xff\xd8\xff"]
)
def test_known_binary_formats_are_refused(start: bytes) -> None:
    """Whatever the content type says."""
    with pytest.raises(Unmaskable):
        refuse_binary(start + b"rest")


def test_the_byte_order_mark_is_no_part_of_the_text() -> None:
    """It is taken off for reading only."""
    assert without_bom("\ufeff{}") == without_bom("{}") == "{}"
