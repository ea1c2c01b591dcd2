"""Masking of answers that come bit by bit: watches, logs, server-sent events.

A stream is a sequence of records: a line, an event. One record is held until it is whole, then masked and given on;
nothing else is buffered, so order and latency stay. What comes out does not depend on how the input was cut. A line of
text that grows beyond the limit is judged in windows (``masking.windows``); any other record of that size is refused,
for it could not be judged. Records that hold pieces of a growing text wait for each other (``masking.growing``).

A private key may span many lines of a log. From its opening marker on nothing is given until its closing one.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from masking.blocks import BLOCK, touched
from masking.content import ContentType, refuse_binary, text_of, without_bom
from masking.edits import Edit, apply, merge
from masking.encodings import Decoder
from masking.errors import Unmaskable, refusing
from masking.growing import Growing, Record
from masking.long_lines import LongLine
from masking.secret_patterns import PEM_BEGIN, PEM_END


class Framer(Protocol):
    """Cuts a stream into records."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The records that ``data`` completes, each with its end."""

    @property
    def held(self) -> int:
        """How many bytes are held back."""

    def rest(self) -> bytes:
        """What is held back."""

    def drop(self) -> None:
        """Forget what is held back: somebody else goes on with it."""

    @property
    def is_open(self) -> bool:
        """Does what is held back wait for more than the end of its line?"""

    def goes_on(self, line: bytes) -> None:
        """A line ended that somebody else went on with: perhaps what follows belongs to it."""


class Lines:
    """Records are lines, with the line feed at their end."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The lines that ``data`` completes."""
        *whole, rest = data.split(b"\n")
        for line in whole:
            yield bytes(self._held) + line + b"\n"
            self._held.clear()
        self._held += rest

    @property
    def held(self) -> int:
        """How many bytes of a line are held back."""
        return len(self._held)

    def rest(self) -> bytes:
        """The line that has not ended."""
        return bytes(self._held)

    def drop(self) -> None:
        """Forget the beginning of the line: what follows is its rest."""
        self._held.clear()

    @property
    def is_open(self) -> bool:
        """A line waits for its end only."""
        return False

    def goes_on(self, line: bytes) -> None:
        """Lines stand by themselves."""


class Events:
    """Records are server-sent events, with the empty line at their end."""

    is_open = False
    _END = re.compile(rb"(?>\r\n|\r|\n){2}")

    def __init__(self) -> None:
        self._held = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The events that ``data`` completes."""
        self._held += data
        # A carriage return at the end may be half of a line end.
        known = len(self._held) - self._held.endswith(b"\r")
        while match := self._END.search(self._held, self._searched, known):
            yield bytes(self._held[: match.end()])
            del self._held[: match.end()]
            known -= match.end()
            self._searched = 0
        self._searched = max(known - 3, 0)

    @property
    def held(self) -> int:
        """How many bytes of an event are held back."""
        return len(self._held)

    def rest(self) -> bytes:
        """The event that has not ended."""
        return bytes(self._held)

    def drop(self) -> None:
        """Forget the beginning of the event."""
        self._held.clear()
        self._searched = 0

    def goes_on(self, line: bytes) -> None:
        """Events stand by themselves."""


class KeyGate:
    """Holds back what follows the opening marker of a private key, across records."""

    _BEGIN, _END = re.compile(PEM_BEGIN), re.compile(PEM_END)

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._inside = False
        self._dropped = 0

    @property
    def is_inside(self) -> bool:
        """Has a key begun that has not ended?"""
        return self._inside

    def outside(self, record: str) -> str:
        """What of a record follows a key that an earlier one began; all of it if none is open."""
        if not self._inside:
            return record
        closing = self._END.search(record)
        if closing is None:
            self._dropped += len(record)
            if self._dropped > self._limit:
                raise Unmaskable("a private key does not end")
            return ""
        self._inside = False
        return record[closing.end() :]

    def begins_in(self, text: str) -> bool:
        """Is there a private key's opening marker in a text?"""
        return self._BEGIN.search(text) is not None

    def note(self, record: str) -> None:
        """Remembers whether a record leaves a key open."""
        begun = [match.end() for match in self._BEGIN.finditer(record)]
        if begun and not self._END.search(record, begun[-1]):
            self._inside, self._dropped = True, 0


class StreamMask:
    """One answer on its way. After an ``Unmaskable`` it gives nothing any more."""

    def __init__(  # noqa: PLR0913  (its parts, each by name)
        self,
        *,
        decoder: Decoder,
        framer: Framer,
        edits: Callable[[str], list[Edit]],
        declared: ContentType,
        limit: int,
        gate: KeyGate | None = None,
        growing: Growing | None = None,
        in_windows: bool = False,
        look: Callable[[str], list[Edit]] | None = None,
        longest: int | None = None,
    ) -> None:
        """``growing``: joins the pieces of texts in its records; ``in_windows``: records are lines of text, of which
        one beyond ``limit`` is judged piece by piece; ``look``: finds something wherever ``edits`` would, sooner;
        ``longest``: bytes of lines that belong together, ``limit`` where that is not said.
        """
        self._decoder = decoder
        self._framer = framer
        self._edits = edits
        self._declared = declared
        self._limit = limit
        self._gate = gate
        self._growing = growing
        self._in_windows = in_windows
        self._looked = look or edits
        self._longest = longest or limit
        self._line: LongLine | None = None
        """The line that is judged in windows, while it lasts."""
        self._counts: Counter[str] = Counter()
        self._started = False
        self._cut = False

    @property
    def counts(self) -> Mapping[str, int]:
        """How many values were hidden so far, by entity."""
        return dict(sorted(self._counts.items()))

    @property
    def waits(self) -> bool:
        """Is something held back that ``flush`` could give on?"""
        if self._growing:
            return self._growing.held > 0
        if self._framer.is_open:
            return False
        return self._in_windows and bool(self._framer.held or (self._line and self._line.held))

    @property
    def held(self) -> int:
        """About how much is held back, and worked off by ``flush``."""
        return self._framer.held + (self._line.held if self._line else 0) + (self._growing.held if self._growing else 0)

    @property
    def waits_for_silence(self) -> bool:
        """Is it a pause that lets ``flush`` show more? Else what waits may be shown after a while in any case."""
        return self._growing is not None

    def feed(self, chunk: bytes) -> bytes:
        """The masked form of the records that ``chunk`` completes, without content coding; often empty."""
        with self._or_cut():
            masked = list(self._records(self._framer.feed(self._decoder.feed(chunk))))
            if self._in_windows and not self._framer.is_open and (self._line or self._framer.held > self._limit):
                masked.append(self._begun(self._framer.rest()))
                self._framer.drop()
            self._fits(self._framer.held)
            return b"".join(masked)

    def flush(self, *, patient: bool) -> bytes:
        """Nothing came for a while: what can be given on of what is held back. ``patient``: that was not long."""
        with self._or_cut():
            if self._growing:
                return self._given(self._growing.flush(patient=patient))
            if not self._in_windows or (self._gate and self._gate.is_inside) or not self.waits:
                return b""
            masked = self._begun(self._framer.rest())
            self._framer.drop()
            return masked + self._encoded(self._line.flush() if self._line else "")

    def end(self) -> bytes:
        """The masked form of what is left."""
        with self._or_cut():
            self._decoder.end()
            rest = self._framer.rest()
            self._framer.drop()
            masked = self._record(rest) if rest or self._line else b""
            return masked + self._given(self._growing.flush(patient=False)) if self._growing else masked

    def _records(self, records: Iterator[bytes]) -> Iterator[bytes]:
        """Each masked; lines of text together where that makes no difference."""
        if not self._in_windows:
            yield from map(self._record, records)
            return
        block: list[bytes] = []
        size = 0
        for record in records:
            if self._line or not self._started or len(record) > BLOCK or (self._gate and self._gate.is_inside):
                yield from self._together(block)
                yield self._record(record)
                block, size = [], 0
                continue
            block.append(record)
            size += len(record)
            if size >= BLOCK:
                yield from self._together(block)
                block, size = [], 0
        yield from self._together(block)

    def _together(self, block: list[bytes]) -> Iterator[bytes]:
        """Lines, of which only those are judged alone in which something is seen when they are looked at together."""
        texts = [text_of(record, self._declared) for record in block] if len(block) > 1 else []
        if not texts or (self._gate and self._gate.begins_in("".join(texts))):
            yield from map(self._record, block)
            return
        found = set(touched(texts, self._looked))
        for at, record in enumerate(block):
            yield self._record(record) if at in found or _is_joined(record) else record

    def _record(self, record: bytes) -> bytes:
        if self._line or (self._in_windows and len(record) > self._limit and not _is_joined(record)):
            return self._begun(record) + self._ended()
        return self._masked(record)

    def _masked(self, record: bytes) -> bytes:
        self._fits(len(record))
        if not self._started:
            refuse_binary(record)
        text = text_of(record, self._declared)
        body = text if self._started else without_bom(text)
        mark = text[: len(text) - len(body)]
        self._started = True
        if self._gate:
            body = self._gate.outside(body)
            self._gate.note(body)
        edits = self._edits(body)
        if self._growing:
            return self._given(self._growing.feed(body, mark, edits))
        return self._sent(mark, body, merge(edits))

    def _given(self, released: Iterator[tuple[Record, list[Edit]]]) -> bytes:
        return b"".join(self._sent(record.mark, record.body, edits) for record, edits in released)

    def _sent(self, mark: str, body: str, edits: list[Edit]) -> bytes:
        # An edit without a replacement may be the rest of a value that was counted where it began.
        self._counts.update(edit.entity for edit in edits if edit.replacement or not self._growing)
        return self._encoded(mark + apply(body, edits))

    def _begun(self, data: bytes) -> bytes:
        """More of a line that is judged in windows."""
        if self._line is None:
            if self._gate and self._gate.is_inside:
                raise Unmaskable("a private key does not end")
            self._line = LongLine(self._edits, self._declared, limit=self._limit, is_first=not self._started)
            self._started = True
        return self._encoded(self._line.feed(data))

    def _ended(self) -> bytes:
        """The rest of that line."""
        line, self._line = self._line, None
        if line is None:
            return b""
        masked = self._encoded(line.end())
        self._counts.update(edit.entity for edit in line.applied)
        if self._gate:
            self._gate.note(line.known)
        self._framer.goes_on(self._encoded(line.known))
        return masked

    def _encoded(self, text: str) -> bytes:
        return text.encode(self._declared.charset)

    def _fits(self, size: int) -> None:
        if size > self._longest:
            raise Unmaskable("a record of the stream is too large")

    @contextmanager
    def _or_cut(self) -> Iterator[None]:
        """Whatever goes wrong ends the stream for good."""
        if self._cut:
            raise Unmaskable("the stream was cut")
        self._cut = True
        with refusing():
            yield
        self._cut = False


def _is_joined(record: bytes) -> bool:
    """Does a record of text hold several lines?"""
    return b"\n" in record[:-1]
