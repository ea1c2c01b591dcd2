"""One recorded call: its lines in the journal, and what was asked and answered from the flow files. Blocks."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from gatehold.console import bodies
from gatehold.console.bodies import ShownBody
from gatehold.console.timeline import Entry, entries, facts_of, own_words
from recordings.errors import RecordUnreadable
from recordings.exchanges import Exchange, Message, exchanges
from recordings.flows import Spoken
from recordings.index.finding import scan
from recordings.listing import Filter, Row
from recordings.ocsf import Kind
from recordings.reading import record
from recordings.scanning import Place, Scan

MOST_BYTES: Final = 16 * 1024 * 1024
"""Of records that are read for one page."""
MOST_PARTS: Final = 12
"""Pieces of a stream on one page."""
MOST_MESSAGES: Final = 200
LONGEST_MESSAGE: Final = 1000
_LINES: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownMessage:
    """A request or response on a page."""

    message: Message
    body: ShownBody


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One record of a call; streams that are kept in pieces have several."""

    row: Row
    request: ShownMessage | None = None
    response: ShownMessage | None = None
    error: str = ""
    """How the call broke off."""
    problem: str = ""
    """Why there is nothing to see."""
    spoken: tuple[tuple[float, str, str], ...] = field(default=(), repr=False)
    """WebSocket messages: when, from whom, what."""
    unspoken: int = 0
    """Messages that are not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCall:
    """Everything about one call."""

    entry: Entry | None
    """None: it was not found."""
    parts: tuple[Part, ...] = ()
    parts_left_out: int = 0
    scan: Scan

    @property
    def is_terminal(self) -> bool:
        """Was it a shell or the like in a container?"""
        said = any(part.spoken for part in self.parts)
        return said and self.entry is not None and "command" in facts_of(self.entry.row)

    @property
    def facts(self) -> dict[str, Any]:
        """What the decoder found."""
        return {} if self.entry is None else dict(facts_of(self.entry.row))

    @property
    def own(self) -> dict[str, Any]:
        """What policy said."""
        nothing: dict[str, Any] = {"rules": [], "shadow": [], "detail": "", "grants": [], "revision": ""}
        return nothing if self.entry is None else {**nothing, **own_words(self.entry.row)}


def read_call(data_dir: Path, decision: str, at: Place | None) -> RecordedCall:
    """The call with this decision. Its newest lines are looked for from ``at`` back to its intent."""
    done = scan(data_dir, Filter(decision=decision), limit=_LINES, at=at, until_line=_is_first)
    found = [entry for entry in entries(done.found) if entry.is_call]
    if not found:
        return RecordedCall(entry=None, scan=done)
    kept = [row for row in reversed(found[0].rows) if row.file and row.length]
    parts = tuple(_parts(data_dir, kept[:MOST_PARTS]))
    return RecordedCall(entry=found[0], parts=parts, parts_left_out=len(kept[MOST_PARTS:]), scan=done)


def _is_first(row: Row) -> bool:
    return row.kind in {Kind.INTENT, Kind.REFUSAL} and row.part <= 1


def _parts(data_dir: Path, rows: list[Row]) -> Iterator[Part]:
    left = MOST_BYTES
    for row in rows:
        try:
            content = record(data_dir, row, most=left)
            found = exchanges(content)
        except RecordUnreadable as error:
            yield Part(row=row, problem=str(error))
            continue
        left -= len(content)
        yield from (_part(row, exchange) for exchange in found)


def _part(row: Row, exchange: Exchange) -> Part:
    return Part(
        row=row,
        request=_shown(exchange.request),
        response=None if exchange.response is None else _shown(exchange.response),
        error=exchange.error,
        spoken=tuple(_said(each) for each in exchange.spoken[:MOST_MESSAGES]),
        unspoken=max(0, len(exchange.spoken) - MOST_MESSAGES),
    )


def _shown(message: Message) -> ShownMessage:
    return ShownMessage(message=message, body=bodies.shown(message.body))


def _said(message: Spoken) -> tuple[float, str, str]:
    content = message.content
    text = content.decode("utf-8", "replace") if message.is_text or content.isascii() else f"{len(content)} bytes"
    return message.time, "agent" if message.from_client else "target", text[:LONGEST_MESSAGE]
