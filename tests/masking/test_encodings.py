"""Content codings are taken off within bounds, and whatever is not whole and known is refused."""

import contextlib
import gzip
import tracemalloc
import zlib

import brotli  # type: ignore[import-untyped]
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from masking.encodings import ACCEPTED, Decoder, Limits, coding, decode
from masking.errors import Unmaskable

LIMITS = Limits(body=1 << 16)


def bare(data: bytes) -> bytes:
    coder = zlib.compressobj(wbits=-15)
    return coder.compress(data) + coder.flush()


def streamed(data: bytes) -> bytes:
    """zstd as servers write it: without the size of the content."""
    coder = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    return coder.compress(data) + coder.flush()


CODERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "bare": bare,
    "br": brotli.compress,
    "zstd": zstandard.compress,
    "streamed": streamed,
}
HEADERS = {"bare": "deflate", "streamed": "zstd"}
SKIPPABLE = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"abcd"


def header_of(name: str) -> str:
    return HEADERS.get(name, name)


@pytest.mark.parametrize(
    ("header", "name"), [("", ""), ("identity", ""), ("gzip", "gzip"), ("X-GZip", "gzip"), ("deflate", "deflate"), (" identity , gzip", "gzip"), ("BR", "br"), ("zstd", "zstd")]
)  # fmt: skip
def test_known_codings(header: str, name: str) -> None:
    """Names are compared without case; identity is none."""
    assert coding(header) == name


@pytest.mark.parametrize(
    "header", ["compress", "x-br", "dcb", "dcz", "gzip, deflate", "gzip;q=1", "x", "gzip, br", "br, br", "aes128gcm"]
)
def test_other_codings_are_refused(header: str) -> None:
    """Also several at once."""
    with pytest.raises(Unmaskable):
        coding(header)


@given(st.binary(max_size=2000), st.sampled_from(sorted(CODERS)))
def test_what_was_encoded_comes_back(data: bytes, name: str) -> None:
    """Every coding, as clients read it."""
    assert decode(CODERS[name](data), header_of(name), LIMITS) == data


@given(st.binary(min_size=1, max_size=2000), st.sampled_from(sorted(CODERS)), st.integers(1, 50))
def test_any_cut_gives_the_same(data: bytes, name: str, size: int) -> None:
    """A decoder fed in pieces gives what it gives at once."""
    coded = CODERS[name](data)
    decoder = Decoder(header_of(name), LIMITS)
    pieces = [decoder.feed(coded[at : at + size]) for at in range(0, len(coded), size)]
    assert b"".join(pieces) + decoder.end() == data


@given(st.binary(min_size=1, max_size=500), st.sampled_from(sorted(CODERS)), st.integers(1, 20))
def test_a_torn_body_is_refused(data: bytes, name: str, missing: int) -> None:
    """Half of a body must not pass as a whole one."""
    coded = CODERS[name](data)
    with pytest.raises(Unmaskable):
        decode(coded[: max(len(coded) - missing, 1)], header_of(name), LIMITS)


def test_several_members_of_gzip_are_one_body() -> None:
    """RFC 1952 allows them; a mask that stopped after the first would pass over the rest."""
    assert decode(gzip.compress(b"a") + gzip.compress(b"b"), "gzip", LIMITS) == b"ab"


@given(st.lists(st.binary(max_size=40) | st.none(), min_size=1, max_size=6), st.integers(1, 50))
def test_several_frames_of_zstd_are_one_body(frames: list[bytes | None], size: int) -> None:
    """RFC 8878 allows them, and between them frames that hold no content."""
    coded = b"".join(SKIPPABLE if data is None else zstandard.compress(data) for data in frames)
    decoder = Decoder("zstd", LIMITS)
    pieces = [decoder.feed(coded[at : at + size]) for at in range(0, len(coded), size)]
    assert b"".join(pieces) + decoder.end() == b"".join(data or b"" for data in frames)


def test_a_window_above_that_of_http_is_refused() -> None:
    """A frame of a few bytes could ask for gigabytes."""
    wide = zstandard.ZstdCompressor(compression_params=zstandard.ZstdCompressionParameters(window_log=27)).compressobj()
    with pytest.raises(Unmaskable, match="damaged"):
        decode(wide.compress(b"data") + wide.flush(), "zstd", LIMITS)


@given(st.binary(max_size=200), st.sampled_from(sorted(CODERS)), st.data())
def test_damaged_bodies_are_refused_or_decoded(data: bytes, name: str, draw: st.DataObject) -> None:
    """No other exception, whatever comes; and no more than is allowed."""
    coded = bytearray(CODERS[name](data))
    for _ in range(draw.draw(st.integers(1, 4))):
        coded[draw.draw(st.integers(0, len(coded) - 1))] ^= draw.draw(st.integers(1, 255))
    with contextlib.suppress(Unmaskable):
        assert len(decode(bytes(coded), header_of(name), LIMITS)) <= LIMITS.body


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "br", "zstd"]))
def test_bytes_of_any_kind_are_refused_or_decoded(body: bytes, header: str) -> None:
    """The same for what was never encoded."""
    with contextlib.suppress(Unmaskable):
        decode(body, header, LIMITS)


def test_what_is_accepted_can_be_decoded() -> None:
    """Upstreams are asked for it."""
    assert [coding(name) for name in ACCEPTED.split(",")] == ["gzip", "zstd", "br"]


@pytest.mark.parametrize("name", sorted(CODERS))
def test_bytes_after_the_end_are_refused(name: str) -> None:
    """Clients disagree about them."""
    with pytest.raises(Unmaskable):
        decode(CODERS[name](b"data") + b"tail", header_of(name), LIMITS)


def test_sizes_are_bounded() -> None:
    """What a body becomes counts, not what it is."""
    assert len(decode(gzip.compress(b"x" * 65_536), "gzip", LIMITS)) == 65_536
    for body, header in ((gzip.compress(b"x" * 65_537), "gzip"), (b"x" * 65_537, "")):
        with pytest.raises(Unmaskable, match="too large"):
            decode(body, header, LIMITS)


@pytest.mark.parametrize("name", sorted(CODERS))
def test_ratios_are_bounded_past_the_first_mebibyte(name: str) -> None:
    """A stream may be long, but not out of nothing."""
    decoder = Decoder(header_of(name), Limits(ratio=10))
    with pytest.raises(Unmaskable, match="highly"):
        decoder.feed(CODERS[name](b"x" * (4 << 20)))


@pytest.mark.parametrize("name", ["br", "gzip", "zstd"])
def test_a_bomb_is_never_held(name: str) -> None:
    """What is decoded before it is counted stays small, however much it would become."""
    bomb = CODERS[name](b"\0" * (64 << 20))
    tracemalloc.start()
    with pytest.raises(Unmaskable):
        decode(bomb, name, Limits(body=1 << 20))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20


def test_an_uncoded_body_is_the_same_object() -> None:
    """Nothing is copied."""
    body = b"x"
    assert decode(body, "identity", LIMITS) is body
    assert Decoder("", LIMITS).feed(body) is body
