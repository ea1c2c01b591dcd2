"""Audit events on their way to the journal.

The journal's hash chain has one writer, the gateway's recorder. Whoever changes something in the store (an approver's
command, another replica) appends the event here, in the transaction of the change: there is never one without the
other. The recorder takes events, writes them, and says so; one that it took and did not confirm comes again after its
lease. So each arrives at least once, under the same ``uid``, and mostly exactly once.
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, NewType

from sqlalchemy import Connection, delete, insert, select, update

from gatehold.store.database import Store
from gatehold.store.schema import outbox

EventId = NewType("EventId", int)

LEASE: Final = 30.0
"""Seconds for which events that were taken are not given to another taker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingEvent:
    """One event in the outbox."""

    id: EventId
    """Grows; what ``done`` takes."""
    uid: str
    """Never given twice; by it a reader of the journal knows a repetition."""
    at: float
    """When it happened, Unix seconds."""
    event: Mapping[str, Any]


def append(connection: Connection, event: Mapping[str, Any], *, at: float) -> str:
    """Leave an event in the caller's transaction; returns its uid."""
    uid = f"evt_{secrets.token_hex(14)}"
    connection.execute(insert(outbox).values(uid=uid, at=at, event=dict(event), leased_until=0.0))
    return uid


def take(store: Store, *, now: float, limit: int = 100) -> list[WaitingEvent]:
    """The oldest events that nobody else holds, leased to the caller; when there are none, nothing is written."""
    free = select(outbox.c.id).where(outbox.c.leased_until <= now).order_by(outbox.c.id).limit(limit)
    with store.reading() as connection:
        if connection.execute(free.limit(1)).first() is None:
            return []
    with store.writing() as connection:
        ids = connection.scalars(free.with_for_update(skip_locked=True)).all()
        connection.execute(update(outbox).where(outbox.c.id.in_(ids)).values(leased_until=now + LEASE))
        rows = connection.execute(select(outbox).where(outbox.c.id.in_(ids)).order_by(outbox.c.id))
        return [WaitingEvent(id=EventId(row.id), uid=row.uid, at=row.at, event=row.event) for row in rows]


def done(store: Store, ids: Collection[EventId]) -> None:
    """These events are in the journal."""
    if ids:
        with store.writing() as connection:
            connection.execute(delete(outbox).where(outbox.c.id.in_(ids)))


def waiting(store: Store) -> list[WaitingEvent]:
    """All events, oldest first, leased or not; takes nothing."""
    with store.reading() as connection:
        rows = connection.execute(select(outbox).order_by(outbox.c.id))
        return [WaitingEvent(id=EventId(row.id), uid=row.uid, at=row.at, event=row.event) for row in rows]
