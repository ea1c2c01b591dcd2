"""One stream of output of a command on its way to the agent: masked, and freed of the gateway's own credentials."""

from collections.abc import Callable, Mapping

from masking.errors import Unmaskable
from masking.literals import LiteralStream, Replacing
from masking.terminal import TerminalMask

_SHORT = 8
"""Bytes that look like the beginning of a credential and are given on all the same when nothing follows them: else a
prompt would wait for its last letter."""


class OutputChannel:
    """Bytes in, bytes out. Without a mask only credentials are taken out."""

    def __init__(self, *, mask: TerminalMask | None, literals: Replacing, on_unmaskable: str) -> None:
        """``on_unmaskable``: ``block``, ``drop`` or ``pass``, as the rule says."""
        self._mask = mask
        self._echoes = LiteralStream(literals)
        self._on_unmaskable = on_unmaskable
        self._dropping = False
        self._masked: Mapping[str, int] = {}

    @property
    def counts(self) -> Mapping[str, int]:
        """How many values were hidden so far, by entity."""
        return self._masked

    @property
    def held(self) -> int:
        """Bytes that wait for the end of their line, and are masked with what comes next."""
        return 0 if self._mask is None else self._mask.held

    def feed(self, data: bytes) -> bytes:
        """What may go on now; raises Unmaskable where the rule says that nothing may."""
        return self._echoes.feed(self._apply(lambda mask: mask.feed(data), data))

    def flush(self) -> bytes:
        """What may go on of what was held back, now that nothing came for a while."""
        data = self._echoes.feed(self._apply(TerminalMask.flush))
        tail = self._echoes.end()
        return data + (tail if len(tail) <= _SHORT else self._echoes.feed(tail))

    def end(self) -> bytes:
        """What was held back, now that nothing follows."""
        return self._echoes.feed(self._apply(TerminalMask.end)) + self._echoes.end()

    def _apply(self, work: Callable[[TerminalMask], bytes], data: bytes = b"") -> bytes:
        if self._dropping:
            return b""
        if self._mask is None:
            return data
        try:
            done = work(self._mask)
        except Unmaskable:
            if self._on_unmaskable == "block":
                raise
            return self._otherwise(self._mask)
        self._masked = self._mask.counts
        return done

    def _otherwise(self, mask: TerminalMask) -> bytes:
        """What the rule says of output that cannot be masked, where it may pass or be dropped."""
        held = mask.surrender()
        self._mask = None
        if self._on_unmaskable == "pass":
            return held
        self._dropping = True
        return b""
