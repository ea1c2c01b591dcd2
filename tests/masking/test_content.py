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
        ('text/html; charset="iso-8859-1"', Shape.HTML),
        ("text/csv; header=absent", Shape.CSV),
        ("text/tab-separated-values", Shape.CSV),
        ("application/atom+xml", Shape.XML),
        ("image/svg+xml", Shape.XML),
        ("application/soap+xml; charset=utf-8", Shape.XML),
        ("application/graphql-response+json", Shape.JSON),
        ('multipart/form-data; boundary="a b"', Shape.MULTIPART),
        ("multipart/mixed; boundary=x; charset=utf-8", Shape.MULTIPART),
        ("text/javascript", Shape.TEXT),
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
     "multipart/byteranges; boundary=x", "multipart/x-mixed-replace; boundary=x", "application/zip", "application/json-seq", "video/mp4", "font/woff2"],
)  # fmt: skip
def test_other_formats_are_refused(header: str) -> None:
    """What cannot be read cannot be masked."""
    with pytest.raises(Unmaskable):
        assert read_content_type(header).shape


@pytest.mark.parametrize(
    "header",
    ["json", "text/", "/plain", "text/plain, text/html", "text/plain; charset", "text/plain; charset=utf-8; charset=utf-16",
     "text/plain; charset=utf-16", "text/plain; charset=utf-7", "application/json; charset=latin-1", "; charset=utf-8", "text/xml; charset=utf-32",
     "multipart/mixed; boundary=a; boundary=b", "image/png; charset=utf-8; charset=utf-8"],
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
    "start",
    [b"%PDF-1.7", b"\x89PNG\r\n", b"GIF89a", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08", b"k8s\x00", b"\xff\xd8\xff", b"{\\rtf1",
     b"BM\x00\x10\x00\x00\x00\x00\x00\x00", b"RIFF\x00\x10\x00\x00WEBP", b"\x00\x00\x00\x18ftypmp42", b"OggS\x00", b"ID3\x03", b"wOF2",
     b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18", b"a" * 257 + b"ustar", b"\x7fELF", b"\x00asm",
     b"\xd0\xcf\x11\xe0", b"SQLite format 3\x00", b"PAR1\x15", b"Obj\x01", b"\xff\xfea\x00", b"\xfe\xff\x00a", b"+/v8-", b"\xd9\xd9\xf7"],
)  # fmt: skip
def test_known_binary_formats_are_refused(start: bytes) -> None:
    """Whatever the content type says."""
    with pytest.raises(Unmaskable):
        refuse_binary(start + b"rest")


@pytest.mark.parametrize(
    "start", [b"{", b"<html>", b"ORC files", b"BM is a word", b"RIFF", b"ID3 tags", b"OTTO", b"Rar", b"+/v"]
)
def test_texts_that_begin_alike_are_none(start: bytes) -> None:
    """A few letters make no format."""
    refuse_binary(start + b" and so on")


def test_parts_have_charsets_of_their_own() -> None:
    """A body of several parts is read byte by byte."""
    declared = read_content_type("multipart/form-data; boundary=b; charset=utf-8")
    assert (declared.charset, declared.boundary) == ("latin-1", "b")


def test_the_byte_order_mark_is_no_part_of_the_text() -> None:
    """It is taken off for reading only."""
    assert without_bom("\ufeff{}") == without_bom("{}") == "{}"
