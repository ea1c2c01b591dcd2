"""A whole body of an answer on its way to an agent: masked, and free of the gateway's own credential.

Pure but for masking; runs on the event loop or in a thread, by size.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from addons.offload import PARSED_ON_LOOP
from masking.encodings import Limits, decode
from masking.engine import MaskingEngine
from masking.errors import Unmaskable
from masking.literals import Replacing
from masking.pseudonyms import Pseudonyms

_STEP = 1 << 16
_PACKED: tuple[tuple[bytes, Callable[[], "Unpacker"]], ...] = (
    (b"\x1f\x8b", lambda: zlib.decompressobj(31)),
    (b"x\x01", zlib.decompressobj),
    (b"x\x5e", zlib.decompressobj),
    (b"x\x9c", zlib.decompressobj),
    (b"x\xda", zlib.decompressobj),
    (b"BZh", bz2.BZ2Decompressor),
    (b"\xfd7zXZ\x00", lzma.LZMADecompressor),
)
"""What a compressed file begins with that does not say what it is."""


class Unpacker(Protocol):
    """Decompresses bit by bit."""

    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes:
        """At most so many bytes of what was compressed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerBody:
    """A body as it came, and what is to be done with it."""

    raw: bytes = field(repr=False)
    content_type: str
    content_encoding: str
    profiles: tuple[str, ...] = ()
    pseudonyms: Pseudonyms | None = None
    limits: Limits

    def masked(self, masking: MaskingEngine, echoes: Replacing) -> tuple[bytes, Mapping[str, int]]:
        """The body without a content coding, and how much was hidden in it; raises Unmaskable."""
        if not self.profiles:
            return self.bare(echoes), {}
        if len(self.raw) > self.limits.body:
            raise Unmaskable(f"the answer is larger than {self.limits.body} bytes")
        masked = masking.mask_body(
            self.raw,
            content_type=self.content_type,
            content_encoding=self.content_encoding,
            profiles=self.profiles,
            pseudonyms=self.pseudonyms,
        )
        return echoes.replace(masked.body), masked.counts

    def masked_at_once(self, masking: MaskingEngine, echoes: Replacing) -> tuple[bytes, Mapping[str, int]] | None:
        """What ``masked`` gives, where that takes so little that the event loop may wait for it; raises Unmaskable."""
        if not self.profiles:
            return (echoes.replace(self.raw), {}) if self._is_plain else None
        if len(self.raw) > self.limits.body:
            return None
        masked = masking.mask_at_once(
            self.raw,
            content_type=self.content_type,
            content_encoding=self.content_encoding,
            profiles=self.profiles,
            pseudonyms=self.pseudonyms,
        )
        return (echoes.replace(masked.body), masked.counts) if masked is not None else None

    @property
    def _is_plain(self) -> bool:
        """Is it small, and was it sent as it is?"""
        is_small = len(self.raw) <= min(PARSED_ON_LOOP, self.limits.body)
        return is_small and not self.content_encoding.strip() and _unpacker(self.raw) is None

    def bare(self, echoes: Replacing) -> bytes:
        """The body without a content coding and without the gateway's own credential, else as it is."""
        plain = decode(self.raw, self.content_encoding, self.limits)
        if holds_echo(plain, echoes, self.limits):
            raise Unmaskable("a compressed file holds the gateway's own credential")
        return echoes.replace(plain)


def holds_echo(body: bytes, echoes: Replacing, limits: Limits) -> bool:
    """Is a credential in a compressed file? Judged by what can be unpacked of it, also where its end is missing.

    Raises Unmaskable for one that would become too large.
    """
    start = _unpacker(body)
    if start is None or not echoes:
        return False
    found = _unpacked(start(), body, limits)
    return echoes.replace(found) is not found


def _unpacker(body: bytes) -> "Callable[[], Unpacker] | None":
    """What unpacks a body that begins like a compressed file."""
    return next((start for magic, start in _PACKED if body.startswith(magic)), None)


def _unpacked(unpacker: Unpacker, body: bytes, limits: Limits) -> bytes:
    """All that comes out of it before its end or its first fault."""
    pieces, size, data = [], 0, body
    while True:
        try:
            piece = unpacker.decompress(data, _STEP)
        except (zlib.error, OSError, EOFError, lzma.LZMAError):
            break
        pieces.append(piece)
        size += len(piece)
        if size > limits.body:
            raise Unmaskable("a compressed file is too large to be searched")
        data = getattr(unpacker, "unconsumed_tail", b"")
        if not piece and not data:
            break
        if getattr(unpacker, "eof", False):
            break
    return b"".join(pieces)
