"""What is recorded of a stream of Kubernetes Secrets whose values its agent may see: the same without the values.

A part of a recording may end anywhere, within a Secret as well, whose name then stands in one part and a value in the
next. So the record of such a stream waits, and not its agent, until a line is whole; each line is masked by itself. An
API server writes an event, or a list, as one line. A line that is too long, or is no JSON object, is left out.
"""

from collections.abc import Callable

from masking.stream import Lines

LONGEST = 4 << 20
"""Bytes of a line; etcd holds objects of 1.5 MiB."""
_LEFT_OUT = b"[%d bytes left out]\n"


class SecretLines:
    """The record of one stream."""

    def __init__(self, masked: Callable[[bytes], bytes]) -> None:
        """``masked``: an object of JSON as it may be recorded."""
        self._masked = masked
        self._lines = Lines()
        self._dropped = 0
        """Bytes of a line that is too long, so far."""

    @property
    def held(self) -> int:
        """Bytes of a line that has not ended."""
        return self._lines.held

    def feed(self, data: bytes) -> bytes:
        """What may be recorded now; often empty."""
        kept = b"".join([self._kept(line) for line in self._lines.feed(data)])
        if self._lines.held > LONGEST:
            self._dropped += self._lines.held
            self._lines.drop()
        return kept

    def end(self) -> bytes:
        """The rest."""
        rest = self._lines.rest()
        self._lines.drop()
        return self._kept(rest) if rest or self._dropped else b""

    def cut(self) -> bytes:
        """The rest of a stream that broke off."""
        size, self._dropped = self._dropped + self._lines.held, 0
        self._lines.drop()
        return _LEFT_OUT % size if size else b""

    def _kept(self, line: bytes) -> bytes:
        size, self._dropped = self._dropped + len(line), 0
        body = line.strip()
        if not body and size == len(line):
            return line
        if size > LONGEST or not body.startswith(b"{"):
            return _LEFT_OUT % size
        return self._masked(body) + b"\n"
