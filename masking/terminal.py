"""Masking of what a command prints, as it comes: text in lines, often with a prompt that no line end follows.

Each line is masked as one, whatever the cuts in which it came, and given on when it is whole. At a terminal somebody
may have to see the beginning of a line before there is more of it (a prompt); ``flush`` gives it on, masked as far as
it is known. The rest of such a line is judged together with its beginning later: what turns out to belong to a value is
hidden from there on.

What is not text (archives, NUL bytes, other charsets than UTF-8) raises ``Unmaskable``; nothing of it was given on.
"""

import codecs
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from masking.blocks import blocks, touched
from masking.content import refuse_binary
from masking.edits import Edit, apply, merge, shift
from masking.errors import Unmaskable, refusing
from masking.stream import KeyGate
from masking.terminal_escapes import UNFINISHED_ESCAPE, edits_beside_escapes, hides_letters, seen_by_reader
from masking.windows import unfinished

_CONTEXT = 4096
"""Characters of what was given on of a line that the rest of it is judged with. Without a bound the screen of an
editor, which ends no line, would be judged from its beginning for each of its changes."""


class TerminalMask:
    """The output of one command on its way."""

    def __init__(
        self,
        *,
        edits: Callable[[str], list[Edit]],
        limit: int,
        gate: KeyGate | None = None,
        is_text: bool = False,
    ) -> None:
        """``edits``: what is to be replaced in a text; ``limit``: bytes of a line at most; ``is_text``: it is known
        that no archive begins here, whatever it looks like.
        """
        self._edits = edits
        self._limit = limit
        self._gate = gate
        self._line = bytearray()
        """The line that has not ended, from its beginning."""
        self._searched = 0
        self._released = 0
        """Characters of it that were given on."""
        self._ready = bytearray()
        self._started = is_text
        self._cut = False
        self._counts: Counter[str] = Counter()

    @property
    def counts(self) -> Mapping[str, int]:
        """How many values were hidden so far, by entity."""
        return dict(sorted(self._counts.items()))

    @property
    def held(self) -> int:
        """Bytes of the line that has not ended: what the next ones are judged with."""
        return len(self._line)

    def feed(self, data: bytes) -> bytes:
        """The masked form of the lines that ``data`` completes."""
        self._line += data
        with self._or_cut():
            if b"\0" in data:
                raise Unmaskable("the output is binary")
            if self._released:
                self._first_line()
            if not self._released and (end := self._line.rfind(b"\n", self._searched)) >= 0:
                for block in blocks(bytes(self._line[: end + 1])):
                    self._several(block)
            self._searched = len(self._line)
            if len(self._line) > self._limit:
                raise Unmaskable("a line of the output is too long")
        return self._take()

    def _first_line(self) -> None:
        """The rest of a line whose beginning was given on, if it has ended."""
        if (end := self._line.find(b"\n", self._searched)) >= 0:
            self._one(bytes(self._line[: end + 1]))

    def _several(self, block: bytes) -> None:
        """Some whole lines: together where that makes no difference, else one by one."""
        masked = self._together(block)
        if masked is None:
            for line in _lines(block):
                self._one(line)
        else:
            self._ready += masked
            del self._line[: len(block)]
            self._searched = 0

    def _one(self, line: bytes) -> None:
        self._ready += self._whole(line)
        del self._line[: len(line)]
        self._searched = self._released = 0

    def _together(self, block: bytes) -> bytes | None:
        """Some whole lines, masked; None where they have to be looked at one by one."""
        if not self._started or (self._gate and self._gate.is_inside):
            return None
        try:
            lines = [line.decode() for line in _lines(block)]
        except UnicodeDecodeError:
            return None
        text = "".join(lines)
        if hides_letters(text) or (self._gate and self._gate.begins_in(text)):
            return None
        looked_at = touched(lines, self._edits)
        if not looked_at:
            return block
        for at in looked_at:
            edits = merge(self._edits(lines[at]))
            self._counts.update(each.entity for each in edits)
            lines[at] = apply(lines[at], edits)
        return "".join(lines).encode()

    def flush(self) -> bytes:
        """What is known of the line that has not ended; an end that may be half of something stays."""
        with self._or_cut():
            text = codecs.getincrementaldecoder("utf-8")().decode(bytes(self._line))
            text = text[: _settled(text, self._released)]
            if len(text) <= self._released or (self._gate and self._gate.is_inside):
                return b""
            self._check_start(bytes(self._line))
            masked = self._after(text)
            self._released = len(text)
            self._forget(text)
            return masked

    def _forget(self, text: str) -> None:
        """Let go of what was given on long ago."""
        old = text[: max(0, self._released - _CONTEXT)]
        if len(old) < _CONTEXT:
            return
        if self._gate:
            self._gate.note(old)
        del self._line[: len(old.encode())]
        self._searched, self._released = len(self._line), self._released - len(old)

    def end(self) -> bytes:
        """The masked form of what is left."""
        if self._line:
            with self._or_cut():
                self._ready += self._whole(bytes(self._line))
                self._line.clear()
                self._searched = self._released = 0
        return self._take()

    def surrender(self) -> bytes:
        """After ``Unmaskable``: what was not given on, as it came, for a rule that lets it pass."""
        given = len(
            bytes(self._line).decode("utf-8", "surrogateescape")[: self._released].encode("utf-8", "surrogateescape")
        )
        rest = bytes(self._line[given:])
        self._line.clear()
        self._searched = self._released = 0
        return self._take() + rest

    @contextmanager
    def _or_cut(self) -> Iterator[None]:
        """Whatever goes wrong ends the output for good."""
        if self._cut:
            raise Unmaskable("the output was cut")
        self._cut = True
        with refusing():
            yield
        self._cut = False

    def _take(self) -> bytes:
        ready = bytes(self._ready)
        self._ready.clear()
        return ready

    def _whole(self, line: bytes) -> bytes:
        self._check_start(line)
        text = line.decode("utf-8")
        if self._gate:
            text = self._gate.outside(text)
            self._gate.note(text)
        return self._after(text)

    def _check_start(self, line: bytes) -> None:
        if not self._started:
            refuse_binary(line)
        self._started = True

    def _after(self, text: str) -> bytes:
        """What follows in ``text`` after what was given on, masked."""
        edits = [each for each in merge(edits_beside_escapes(text, self._edits)) if each.end > self._released]
        self._counts.update(each.entity for each in edits)
        clipped = [replace(each, start=max(each.start, self._released)) for each in edits]
        return apply(text[self._released :], [shift(each, -self._released) for each in clipped]).encode()


def _lines(block: bytes) -> list[bytes]:
    return [line + b"\n" for line in block.split(b"\n")[:-1]]


def _settled(text: str, released: int) -> int:
    """Where the end of ``text`` begins that may be half of something."""
    position = len(text)
    if escape := UNFINISHED_ESCAPE.search(text, released):
        position = escape.start()
    # With what was given on before: one that comes letter by letter has no end that looks like anything by itself.
    known = max(0, released - _CONTEXT)
    seen, places = seen_by_reader(text[known:position])
    if (place := unfinished(seen)) < len(seen):
        position = known + places[place]
    return max(position, released)
