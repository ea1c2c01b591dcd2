"""What goes between the event loop and the scribe, as objects and as frames of bytes.

A frame is its length (4 bytes, little endian) and a value as ``marshal`` writes it: both ends are the same Python, and
nothing takes less time. What has no such form (an enumeration, a text nested too deeply) is encoded before it is sent.
A large body is a frame of its own before the job, as it is: the event loop copies none.
"""

import marshal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from recordings.annotations import annotate
from recordings.events import Event
from recordings.flow_parts import FlowParts
from recordings.lines import Entry
from recordings.ocsf import Kind
from recordings.said import Said, packed, unpacked
from recordings.writer import Record

_LENGTH: Final = 4
_RAW: Final = 1 << 31
"""In a length: what follows are bytes, and no value."""
_LARGE: Final = 16 * 1024
"""Bytes of a body from which on it goes by itself."""
_APART: Final = ...
"""In the place of a body that went before."""
_SAID: Final = 3


@dataclass(slots=True, kw_only=True)
class Job:
    """Something to record: events in order, and the flow that the last of them is about."""

    number: int
    """By which it is reported."""
    events: Sequence[Said | Event | Entry]
    flow: FlowParts | bytes | None = field(default=None, repr=False)
    """As it was picked, or encoded."""
    session: str = ""
    durable: bool = False
    signed: bool = False

    def record(self) -> Record:
        """What is written. ``TypeError`` or ``ValueError`` where an event is not JSON, or a flow has no form."""
        entries = tuple([_entry(event) for event in self.events])
        flow = self._remarked(self.flow).encoded() if isinstance(self.flow, FlowParts) else self.flow
        return Record(entries=entries, flow=flow, session=self.session, signed=self.signed)

    def _remarked(self, flow: FlowParts) -> FlowParts:
        last = self.events[-1]
        if flow.remarks is None or not isinstance(last, Said):
            return flow
        note = annotate(last.call, **flow.remarks)
        return flow._replace(metadata=note.metadata, comment=note.comment, marked=note.marked)


class Gap(NamedTuple):
    """So many calls could not be given to the scribe: an event, once it can write."""

    number: int
    calls: int
    reason: str


class Report(NamedTuple):
    """What became of jobs and gaps."""

    numbers: tuple[int, ...] = ()
    lost: str = ""
    """Why they were not written; empty where they were."""
    fault: str = ""
    """Why the scribe cannot write just now; empty where it can."""
    ended: bool = False
    """It was the last report: everything is sealed, or nothing more will be written."""


def pack(job: Job | Gap) -> list[bytes]:
    """The frames of a job. ``TypeError``, ``ValueError``, ``RecursionError`` or ``OverflowError``: it has no form."""
    if isinstance(job, Gap):
        return [frame(tuple(job))]
    try:
        flow, bodies = _taken_apart(job.flow)
        return [*bodies, frame((job.number, [_plain(event) for event in job.events], flow, *_options(job)))]
    except ValueError:
        record = job.record()
        return [frame((job.number, [_plain(entry) for entry in record.entries], record.flow, *_options(job)))]


def unpack(plain: Sequence[Any], bodies: Sequence[bytes] = ()) -> Job | Gap:
    """What ``pack`` was given; ``bodies`` came before it."""
    if len(plain) == len(Gap._fields):
        return Gap(*plain)
    number, events, flow, session, durable, signed = plain
    return Job(
        number=number,
        events=[_event(event) for event in events],
        flow=_put_together(flow, iter(bodies)) if isinstance(flow, tuple) else flow,
        session=session,
        durable=durable,
        signed=signed,
    )


def frame(value: Any) -> bytes:
    """A value of plain types, to be sent; ``ValueError`` where it is none, ``OverflowError`` where it is too large."""
    content = marshal.dumps(value)
    if len(content) >= _RAW:
        raise OverflowError("a value too large for a frame")
    return len(content).to_bytes(_LENGTH, "little") + content


class Frames:
    """Values, and bodies as bytes, out of the pieces in which they arrive."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, piece: bytes) -> list[Any]:
        """The values that are whole by now."""
        self._buffer += piece
        values, end = [], 0
        with memoryview(self._buffer) as view:
            for start, end, is_raw in self._whole():
                # From our own other half.
                values.append(bytes(view[start:end]) if is_raw else marshal.loads(view[start:end]))  # noqa: S302
        del self._buffer[:end]
        return values

    def _whole(self) -> Iterator[tuple[int, int, bool]]:
        """Where the contents of whole frames stand, and whether they are bytes."""
        start = _LENGTH
        while start <= len(self._buffer):
            head = int.from_bytes(self._buffer[start - _LENGTH : start], "little")
            end = start + (head & ~_RAW)
            if end > len(self._buffer):
                return
            yield start, end, bool(head & _RAW)
            start = end + _LENGTH


def _taken_apart(flow: FlowParts | bytes | None) -> tuple[tuple[Any, ...] | bytes | None, list[bytes]]:
    """A flow as plain values without large bodies, and these as frames."""
    if not isinstance(flow, FlowParts):
        return flow, []
    frames: list[bytes] = []
    if flow.size < _LARGE:
        return flow.plain(), frames
    *others, request, response = flow.plain()
    messages = [message and _without_body(message, frames) for message in (request, response)]
    return (*others, *messages), frames


def _without_body(message: tuple[Any, ...], frames: list[bytes]) -> tuple[Any, ...]:
    headers, body, *others = message
    if body is None or len(body) < _LARGE:
        return message
    if len(body) >= _RAW:
        raise OverflowError("a body too large for a frame")
    frames += (len(body) | _RAW).to_bytes(_LENGTH, "little"), body
    return (headers, _APART, *others)


def _put_together(plain: Sequence[Any], bodies: Iterator[bytes]) -> FlowParts:
    *others, request, response = plain
    messages = [message and _with_body(message, bodies) for message in (request, response)]
    return FlowParts.named((*others, *messages))


def _with_body(message: tuple[Any, ...], bodies: Iterator[bytes]) -> tuple[Any, ...]:
    headers, body, *others = message
    return (headers, next(bodies) if body is _APART else body, *others)


def _options(job: Job) -> tuple[str, bool, bool]:
    return job.session, job.durable, job.signed


def _entry(event: Said | Event | Entry) -> Entry:
    if isinstance(event, Said):
        event = event.event()
    return event if isinstance(event, Entry) else event.entry()


def _plain(event: Said | Event | Entry) -> tuple[Any, ...]:
    if isinstance(event, Said):
        return event.builder, packed(event.call), event.words
    if isinstance(event, Entry):
        return (str(event.kind), *event[1:])
    return event.kind.value, event.data, event.decision, event.session


def _event(plain: Sequence[Any]) -> Said | Event | Entry:
    if len(plain) == len(Entry._fields):
        return Entry(*plain)
    if len(plain) == _SAID:
        builder, call, words = plain
        return Said(builder, unpacked(call), words)
    kind, data, decision, session = plain
    return Event(kind=Kind(kind), data=data, decision=decision, session=session)
