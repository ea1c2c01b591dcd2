"""The calls of a session, as the journal and the flow files have them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from gatehold.history.reading import call_of
from policy.history.inputs import RecordedCall
from recordings.exchanges import exchanges
from recordings.listing import CALLS, Row

type Read = Callable[[Row], bytes]
"""The record of a line; raises RecordUnreadable where it is not as the journal says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One call, and how it was answered."""

    call: RecordedCall
    operation: str
    """For people: ``GET /customers/7``; masked."""
    status: int | None
    """None: it was not answered."""
    body: bytes | None = field(repr=False)
    """Of the answer: masked; None where it was not kept, or in pieces."""
    is_stream: bool
    """Recorded in pieces."""
    is_restored: bool = False
    """Pseudonyms in it were put back on the way, for the session of then."""


def calls_of(read: Read, rows: Sequence[Row]) -> Iterator[Past]:
    """The calls of a timeline in the order in which they were made, each once. Raises what ``read`` does."""
    first = dict[str, Row]()
    for row in rows:
        if row.kind in CALLS and row.file and row.length:
            first.setdefault(row.decision, row)
    began = [(row.time - _seconds(row), row) for row in first.values()]
    for _, row in sorted(began, key=lambda each: (each[0], each[1].seq)):
        found = _past(read(row), row)
        if found is not None:
            yield found


def _past(content: bytes, row: Row) -> Past | None:
    call = call_of(content)
    if call is None:
        return None
    response = next((each.response for each in exchanges(content)), None)
    is_stream = bool(row.part)
    return Past(
        call=call,
        operation=row.operation,
        status=row.status,
        body=None if response is None or is_stream else response.body,
        is_stream=is_stream,
        is_restored=bool(row.raw["event"]["unmapped"]["gatehold"].get("restored")),
    )


def _seconds(row: Row) -> float:
    """How long it took until this line."""
    duration = row.raw["event"].get("duration", 0)
    return duration / 1000 if isinstance(duration, int) else 0.0
