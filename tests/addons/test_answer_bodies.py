"""Law: the gateway's own credential comes back in no body, however it is packed."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addons.answer_bodies import AnswerBody, holds_echo
from gatehold.credentials.echoes import spellings
from masking.encodings import Limits
from masking.errors import Unmaskable
from masking.literals import Literals

VALUE = "planted-credential-5f2a91"
ECHOES = Literals(spellings([VALUE]))
LIMITS = Limits(body=1 << 16)
PACKERS: list[Callable[[bytes], bytes]] = [gzip.compress, zlib.compress, bz2.compress, lzma.compress]


def bare(raw: bytes, encoding: str = "") -> bytes:
    """A body that is not masked, as it goes on."""
    return AnswerBody(raw=raw, content_type="", content_encoding=encoding, limits=LIMITS).bare(ECHOES)


@pytest.mark.parametrize("pack", PACKERS)
@pytest.mark.parametrize("cut", [0, 4])
def test_a_file_that_does_not_say_that_it_is_compressed(pack: Callable[[bytes], bytes], cut: int) -> None:
    """A client unpacks it all the same, also where its end is missing."""
    packed = pack(b"x: " + VALUE.encode() + b"\n" + bytes(range(256)) * 2)
    with pytest.raises(Unmaskable):
        bare(packed[: len(packed) - cut])
    assert bare(pack(b"nothing")) == pack(b"nothing")


def test_a_declared_coding_is_taken_off() -> None:
    """And the value with it."""
    assert bare(gzip.compress(f"a {VALUE}".encode()), "gzip") == b"a ***"


@pytest.mark.parametrize("pack", PACKERS)
def test_a_bomb_is_not_searched_to_its_end(pack: Callable[[bytes], bytes]) -> None:
    """What cannot be searched does not pass."""
    with pytest.raises(Unmaskable):
        bare(pack(bytes(1 << 18)))


def test_without_credentials_nothing_is_unpacked() -> None:
    """There is nothing to look for."""
    assert not holds_echo(gzip.compress(VALUE.encode()), Literals(()), LIMITS)


@given(st.sampled_from([b"\x1f\x8b", b"x\x9c", b"BZh", b"\xfd7zXZ\x00", b""]), st.binary(max_size=300))
def test_any_bytes_are_searched_without_a_fault(start: bytes, rest: bytes) -> None:
    """What is no compressed file passes as it is."""
    assert bare(start + rest) == start + rest
