"""Content codings (RFC 9110, 8.4.1), decoded within bounds.

gzip, deflate, br and zstd are decoded; deflate means zlib, but bare deflate is told apart, as clients do. Anything
else, more than one coding, a torn end, bytes after the end, too many bytes or too high a ratio are refused.

However high the ratio, only a few MiB are ever held of what a body becomes before they are counted.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import brotli  # type: ignore[import-untyped]
import zstandard

from masking.errors import Unmaskable

ACCEPTED = "gzip, zstd, br"
"""The ``Accept-Encoding`` under which an answer can be decoded."""
_SLACK = 1 << 20
"""Decoded bytes that are allowed at any ratio."""
_STEP = 1 << 16
_ZSTD_SLICE = 64
"""Bytes of zstd taken at once: a block of 4 may become 128 KiB, so these become 2 MiB at most."""
_ZSTD_WINDOW = 8 << 20
"""The largest window that HTTP allows (RFC 9659, 3)."""
_GZIP, _ZLIB, _BARE = 31, 15, -15
_NAMES = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate", "x-deflate": "deflate", "br": "br", "zstd": "zstd"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a body may cost. Sizes in bytes, decoded."""

    body: int = 32 << 20
    """Largest whole body."""
    record: int = 1 << 20
    """Largest record of a stream: an event, a line."""
    ratio: int = 200
    """Most bytes that a compressed byte may become, past the first MiB."""


def coding(header: str) -> str:
    """``""``, ``gzip``, ``deflate``, ``br`` or ``zstd``; raises ``Unmaskable`` for every other ``Content-Encoding``."""
    names = [name.strip().lower() for name in header.split(",")]
    codings = [name for name in names if name not in {"", "identity"}]
    if not codings:
        return ""
    if len(codings) > 1 or codings[0] not in _NAMES:
        raise Unmaskable("content encoding is not supported")
    return _NAMES[codings[0]]


def decode(body: bytes, header: str, limits: Limits) -> bytes:
    """A whole body without its content coding; the same object when it has none."""
    name = coding(header)
    if not name or not body:
        plain = body
    else:
        decoder = Decoder(name, limits, total=limits.body)
        plain = decoder.feed(body) + decoder.end()
    if len(plain) > limits.body:
        raise Unmaskable("body is too large")
    return plain


class Decoder:
    """Decodes a body as it comes. ``name`` is what ``coding`` gave; with ``""`` bytes pass as they are."""

    def __init__(self, name: str, limits: Limits, *, total: int | None = None) -> None:
        """``total``: the most that all of it may become; None: streams may go on for ever."""
        self._limits = limits
        self._total = total
        self._inner = _CODERS[name]() if name else None
        self._taken = self._given = 0

    def feed(self, chunk: bytes) -> bytes:
        """What ``chunk`` decodes to."""
        if self._inner is None or not chunk:
            return chunk
        self._taken += len(chunk)
        pieces: list[bytes] = []
        try:
            for piece in self._inner.pieces(chunk):
                self._count(len(piece))
                pieces.append(piece)
        except (zlib.error, brotli.error, zstandard.ZstdError):
            raise Unmaskable("compressed body is damaged") from None
        return b"".join(pieces)

    def end(self) -> bytes:
        """Checks that the body is complete; nothing is left to give."""
        if self._inner and self._taken and not self._inner.is_whole:
            raise Unmaskable("compressed body ends too early")
        return b""

    def _count(self, size: int) -> None:
        self._given += size
        if self._total is not None and self._given > self._total:
            raise Unmaskable("body is too large")
        if self._given > _SLACK + self._limits.ratio * self._taken:
            raise Unmaskable("body is compressed too highly")


class _Coder(Protocol):
    """One coding at work."""

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """What ``chunk`` decodes to, in pieces of bounded size."""

    @property
    def is_whole(self) -> bool:
        """Whether the body may end here."""


class _Deflate:
    """gzip, with as many members as there are (RFC 1952, 2.2), and both kinds of deflate."""

    def __init__(self, *, members: bool) -> None:
        self._members = members
        self._inner = zlib.decompressobj(_GZIP) if members else None
        self._head = b""

    @property
    def is_whole(self) -> bool:
        return self._inner is not None and self._inner.eof

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        pending = chunk if self._inner else self._started(chunk)
        while pending and self._inner:
            if self._inner.eof:
                self._restart()
            piece = self._inner.decompress(pending, _STEP)
            yield piece
            pending = self._inner.unused_data if self._inner.eof else self._inner.unconsumed_tail
            if not pending and len(piece) == _STEP:
                yield from self._drained()

    def _drained(self) -> Iterator[bytes]:
        """What the decompressor still holds although it has taken all input."""
        while self._inner and not self._inner.eof and (piece := self._inner.decompress(b"", _STEP)):
            yield piece

    def _started(self, chunk: bytes) -> bytes:
        """The bytes to decode once the kind of deflate is known."""
        self._head += chunk
        if len(self._head) < 2:
            return b""
        is_zlib = self._head[0] & 0x0F == 8 and int.from_bytes(self._head[:2]) % 31 == 0
        self._inner = zlib.decompressobj(_ZLIB if is_zlib else _BARE)
        return self._head

    def _restart(self) -> None:
        if not self._members:
            raise Unmaskable("compressed body goes on after its end")
        self._inner = zlib.decompressobj(_GZIP)


class _Brotli:
    """Brotli (RFC 7932) without large windows; the library refuses bytes after the end."""

    def __init__(self) -> None:
        self._inner = brotli.Decompressor()

    @property
    def is_whole(self) -> bool:
        return bool(self._inner.is_finished())

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        piece = self._inner.process(chunk, output_buffer_limit=_STEP)
        # It may have taken all input and still hold output, which it then gives for none.
        while not self._inner.can_accept_more_data() or (piece and not self._inner.is_finished()):
            yield piece
            piece = self._inner.process(b"", output_buffer_limit=_STEP)
        yield piece


class _Zstd:
    """Zstandard (RFC 8878): frames one after the other, also such as hold no content."""

    def __init__(self) -> None:
        self._library = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        self._inner = self._library.decompressobj()

    @property
    def is_whole(self) -> bool:
        return self._inner.eof

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        for start in range(0, len(chunk), _ZSTD_SLICE):
            pending = chunk[start : start + _ZSTD_SLICE]
            while pending:
                if self._inner.eof:
                    self._inner = self._library.decompressobj()
                yield self._inner.decompress(pending)
                pending = self._inner.unused_data if self._inner.eof else b""


_CODERS: dict[str, Callable[[], _Coder]] = {
    "gzip": lambda: _Deflate(members=True),
    "deflate": lambda: _Deflate(members=False),
    "br": _Brotli,
    "zstd": _Zstd,
}
