"""Content codings (RFC 9110, 8.4.1), decoded within bounds.

gzip and deflate are decoded; deflate means zlib, but bare deflate is told apart, as clients do. Anything else, more
than one coding, a torn end, bytes after the end, too many bytes or too high a ratio are refused.
"""

import zlib
from dataclasses import dataclass

from masking.errors import Unmaskable

_SLACK = 1 << 20
"""Decoded bytes that are allowed at any ratio."""
_STEP = 1 << 16
_GZIP, _ZLIB, _BARE = 31, 15, -15


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
    """``""``, ``gzip`` or ``deflate``; raises ``Unmaskable`` for every other ``Content-Encoding``."""
    names = [name.strip().lower() for name in header.split(",")]
    codings = [name for name in names if name not in {"", "identity"}]
    if not codings:
        return ""
    name = codings[0].removeprefix("x-")
    if len(codings) > 1 or name not in {"gzip", "deflate"}:
        raise Unmaskable("content encoding is not supported")
    return name


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
        self._name = name
        self._limits = limits
        self._total = total
        self._inner: zlib._Decompress | None = None
        self._head = b""
        self._taken = self._given = 0

    def feed(self, chunk: bytes) -> bytes:
        """What ``chunk`` decodes to."""
        if not self._name or not chunk:
            return chunk
        self._taken += len(chunk)
        try:
            return self._inflate(chunk)
        except zlib.error:
            raise Unmaskable("compressed body is damaged") from None

    def end(self) -> bytes:
        """Checks that the body is complete; nothing is left to give."""
        if self._name and self._taken and (self._inner is None or not self._inner.eof):
            raise Unmaskable("compressed body ends too early")
        return b""

    def _inflate(self, chunk: bytes) -> bytes:
        pieces: list[bytes] = []
        pending = self._started(chunk)
        while pending and self._inner:
            if self._inner.eof:
                self._restart()
            pieces.append(self._inner.decompress(pending, _STEP))
            self._count(len(pieces[-1]))
            pending = self._inner.unused_data if self._inner.eof else self._inner.unconsumed_tail
            if not pending and len(pieces[-1]) == _STEP and not self._inner.eof:
                pieces.append(self._drain())
        return b"".join(pieces)

    def _drain(self) -> bytes:
        """What the decompressor still holds although it has taken all input."""
        pieces: list[bytes] = []
        while self._inner and (piece := self._inner.decompress(b"", _STEP)):
            self._count(len(piece))
            pieces.append(piece)
        return b"".join(pieces)

    def _started(self, chunk: bytes) -> bytes:
        """The bytes to decode once the kind of the decoder is known."""
        if self._inner is not None:
            return chunk
        if self._name == "gzip":
            self._inner = zlib.decompressobj(_GZIP)
            return chunk
        self._head += chunk
        if len(self._head) < 2:
            return b""
        is_zlib = self._head[0] & 0x0F == 8 and int.from_bytes(self._head[:2]) % 31 == 0
        self._inner = zlib.decompressobj(_ZLIB if is_zlib else _BARE)
        return self._head

    def _restart(self) -> None:
        """gzip bodies may have several members (RFC 1952, 2.2); nothing else may follow the end."""
        if self._name != "gzip":
            raise Unmaskable("compressed body goes on after its end")
        self._inner = zlib.decompressobj(_GZIP)

    def _count(self, size: int) -> None:
        self._given += size
        if self._total is not None and self._given > self._total:
            raise Unmaskable("body is too large")
        if self._given > _SLACK + self._limits.ratio * self._taken:
            raise Unmaskable("body is compressed too highly")
