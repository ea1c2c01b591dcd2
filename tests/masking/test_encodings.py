"""Content codings are taken off within bounds, and whatever is not whole and known is refused."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.encodings import Decoder, Limits, coding, decode
from masking.errors import Unmaskable

LIMITS = Limits(body=1 << 16)


def bare(data: bytes) -> bytes:
    coder = zlib.compressobj(wbits=-15)
    return coder.compress(data) + coder.flush()


CODERS = {"gzip": gzip.compress, "deflate": zlib.compress, "bare": bare}


@pytest.mark.parametrize(
    ("header", "name"), [("", ""), ("identity", ""), ("gzip", "gzip"), ("X-GZip", "gzip"), ("deflate", "deflate"), (" identity , gzip", "gzip")]
)  # fmt: skip
def test_known_codings(header: str, name: str) -> None:
    """Names are compared without case; identity is none."""
    assert coding(header) == name


@pytest.mark.parametrize("header", ["br", "zstd", "compress", "gzip, deflate", "gzip;q=1", "x", "gzip, br"])
def test_other_codings_are_refused(header: str) -> None:
    """Also several at once."""
    with pytest.raises(Unmaskable):
        coding(header)


@given(st.binary(max_size=2000), st.sampled_from(sorted(CODERS)))
def test_what_was_encoded_comes_back(data: bytes, name: str) -> None:
    """gzip, zlib and bare deflate, as clients read them."""
    header = "gzip" if name == "gzip" else "deflate"
    assert decode(CODERS[name](data), header, LIMITS) == data


@given(st.binary(min_size=1, max_size=2000), st.sampled_from(sorted(CODERS)), st.integers(1, 50))
def test_any_cut_gives_the_same(data: bytes, name: str, size: int) -> None:
    """A decoder fed in pieces gives what it gives at once."""
    coded = CODERS[name](data)
    decoder = Decoder("gzip" if name == "gzip" else "deflate", LIMITS)
    pieces = [decoder.feed(coded[at : at + size]) for at in range(0, len(coded), size)]
    assert b"".join(pieces) + decoder.end() == data


@given(st.binary(min_size=1, max_size=500), st.sampled_from(sorted(CODERS)), st.integers(1, 20))
def test_a_torn_body_is_refused(data: bytes, name: str, missing: int) -> None:
    """Half of a body must not pass as a whole one."""
    coded = CODERS[name](data)
    with pytest.raises(Unmaskable):
        decode(coded[: max(len(coded) - missing, 1)], "gzip" if name == "gzip" else "deflate", LIMITS)


def test_several_members_of_gzip_are_one_body() -> None:
    """RFC 1952 allows them; a mask that stopped after the first would pass over the rest."""
    assert decode(gzip.compress(b"a") + gzip.compress(b"b"), "gzip", LIMITS) == b"ab"


@pytest.mark.parametrize("name", sorted(CODERS))
def test_bytes_after_the_end_are_refused(name: str) -> None:
    """Clients disagree about them."""
    with pytest.raises(Unmaskable):
        decode(CODERS[name](b"data") + b"tail", "gzip" if name == "gzip" else "deflate", LIMITS)


def test_sizes_are_bounded() -> None:
    """What a body becomes counts, not what it is."""
    assert len(decode(gzip.compress(b"x" * 65_536), "gzip", LIMITS)) == 65_536
    for body, header in ((gzip.compress(b"x" * 65_537), "gzip"), (b"x" * 65_537, "")):
        with pytest.raises(Unmaskable, match="too large"):
            decode(body, header, LIMITS)


def test_ratios_are_bounded_past_the_first_mebibyte() -> None:
    """A stream may be long, but not out of nothing."""
    decoder = Decoder("gzip", Limits(ratio=10))
    with pytest.raises(Unmaskable, match="highly"):
        decoder.feed(gzip.compress(b"x" * (2 << 20)))


def test_an_uncoded_body_is_the_same_object() -> None:
    """Nothing is copied."""
    body = b"x"
    assert decode(body, "identity", LIMITS) is body
    assert Decoder("", LIMITS).feed(body) is body
