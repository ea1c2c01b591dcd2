"""What is to be told, in the store. Every function is one or two transactions; call them in a thread.

Rows are made by whoever looks first (their key is unique) and taken for a while, so that of several gateways on one
store one sends. Who took a row and was late finds that its attempt is not the last any more and changes nothing.
An event waits until those before it of the same approval are done with.
"""

import secrets
from collections.abc import Callable, Iterable
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gatehold.approvals import rows
from gatehold.approvals.model import Approval, ApprovalId
from gatehold.approvals.states import FINAL, ApprovalState
from gatehold.channels.model import Delivery, Event
from gatehold.store import Store, outbox
from gatehold.store.schema import approvals, deliveries

LEASE: Final = 60.0
"""Seconds after which a row that was taken is given to another taker; longer than any attempt."""
KEPT: Final = 30 * 86400.0
"""Seconds."""

_NEVER: Final = 1e12
_MOST: Final = 1000
"""Rows that one look makes."""
_OVER: Final = tuple(sorted(FINAL - {ApprovalState.DENIED}))

type Concerns = Callable[[str, frozenset[str]], bool]
"""Whether a channel is told of approvals for this target, which these groups may answer."""


def note(store: Store, channel: str, concerns: Concerns, *, now: float, since: float) -> int:
    """Make a row for everything of approvals made after ``since`` that the channel was not told; returns how many."""
    with store.reading() as connection:
        found = [*_opened(connection, channel, concerns, now), *_moved(connection, channel, since)]
    if not found:
        return 0
    insertion = (postgresql if store.dialect == "postgresql" else sqlite).insert(deliveries)
    values = [
        {"id": f"msg_{secrets.token_hex(12)}", "channel": channel, "approval_id": approval, "event": event,
         "created": now, "due": now, "attempts": 0}
        for approval, event in found
    ]  # fmt: skip
    with store.writing() as connection:
        connection.execute(insertion.on_conflict_do_nothing(), values)
    return len(values)


def take(store: Store, channel: str, *, now: float, limit: int) -> list[tuple[Delivery, Approval]]:
    """What is due and nobody else has, the oldest first, each with how its approval stands now."""
    due = _due(channel, now)
    with store.reading() as connection:
        if connection.execute(select(deliveries.c.id).where(due).limit(1)).first() is None:
            return []
    with store.writing() as connection:
        free = select(deliveries.c.id).where(due).order_by(deliveries.c.due).limit(limit)
        ids = connection.scalars(free.with_for_update(skip_locked=True)).all()
        mine = deliveries.c.id.in_(ids)
        connection.execute(update(deliveries).where(mine).values(due=now + LEASE, attempts=deliveries.c.attempts + 1))
        opened = deliveries.alias()
        told = and_(
            opened.c.channel == deliveries.c.channel,
            opened.c.approval_id == deliveries.c.approval_id,
            opened.c.event == Event.OPENED,
        )
        statement = select(deliveries, opened.c.reference.label("told")).outerjoin(opened, told).where(mine)
        taken = connection.execute(statement.order_by(deliveries.c.created, deliveries.c.id)).all()
        found = []
        for row in taken:
            approval = rows.get(connection, row.approval_id)
            delivery = Delivery(
                id=row.id, channel=row.channel, approval=ApprovalId(row.approval_id), event=Event(row.event),
                created=row.created, attempts=row.attempts, reference=row.told,
            )  # fmt: skip
            if approval is not None:
                found.append((delivery, approval))
        return found


def done(store: Store, delivery: Delivery, *, now: float, reference: str | None) -> bool:
    """It was received; whether this attempt was still the last."""
    with store.writing() as connection:
        values = {"delivered": now, "due": _NEVER, "reference": reference}
        return connection.execute(update(deliveries).where(*_mine(delivery)).values(values)).rowcount == 1


def again(store: Store, delivery: Delivery, *, due: float) -> bool:
    """It is tried again, then; whether this attempt was still the last."""
    with store.writing() as connection:
        return connection.execute(update(deliveries).where(*_mine(delivery)).values(due=due)).rowcount == 1


def give_up(store: Store, delivery: Delivery, *, now: float, reason: str) -> bool:
    """It is not tried again, which is told to the journal; whether this attempt was still the last."""
    event = {
        "kind": "delivery-given-up", "approval": delivery.approval, "by": "gatehold", "reason": reason,
        "channel": delivery.channel, "event": delivery.event, "attempts": delivery.attempts,
    }  # fmt: skip
    with store.writing() as connection:
        values = {"given_up": now, "due": _NEVER}
        if connection.execute(update(deliveries).where(*_mine(delivery)).values(values)).rowcount != 1:
            return False
        outbox.append(connection, event, at=now)
        return True


def forget(store: Store, *, before: float) -> None:
    """Drop rows about approvals that are over."""
    standing = select(approvals.c.id).where(approvals.c.state.not_in(sorted(FINAL)))
    old = (deliveries.c.created < before) & deliveries.c.approval_id.not_in(standing)
    with store.writing() as connection:
        connection.execute(delete(deliveries).where(old))


def _opened(connection: Connection, channel: str, concerns: Concerns, now: float) -> Iterable[tuple[str, Event]]:
    pending = select(approvals.c.id, approvals.c.target, approvals.c.quorum).where(
        approvals.c.state == ApprovalState.PENDING, approvals.c.expires > now, ~_told(channel, Event.OPENED)
    )
    for row in connection.execute(pending.order_by(approvals.c.created).limit(_MOST)):
        if concerns(row.target, frozenset(group for groups in row.quorum["sets"] for group in groups)):
            yield row.id, Event.OPENED


def _moved(connection: Connection, channel: str, since: float) -> Iterable[tuple[str, Event]]:
    """Answers and ends of what the channel was told of."""
    for event, happened in (
        (Event.ANSWERED, approvals.c.answered.is_not(None)),
        (Event.ENDED, approvals.c.state.in_(_OVER)),
    ):
        known = and_(approvals.c.created > since, happened, _told(channel, Event.OPENED), ~_told(channel, event))
        for approval in connection.scalars(select(approvals.c.id).where(known).limit(_MOST)):
            yield approval, event


def _told(channel: str, event: Event) -> ColumnElement[bool]:
    return exists().where(
        deliveries.c.channel == channel, deliveries.c.approval_id == approvals.c.id, deliveries.c.event == event
    )


def _due(channel: str, now: float) -> ColumnElement[bool]:
    before = deliveries.alias()
    earlier = or_(
        and_(before.c.event == Event.OPENED, deliveries.c.event != Event.OPENED),
        and_(before.c.event == Event.ANSWERED, deliveries.c.event == Event.ENDED),
    )
    waits = exists().where(
        before.c.channel == deliveries.c.channel, before.c.approval_id == deliveries.c.approval_id, earlier,
        before.c.delivered.is_(None), before.c.given_up.is_(None),
    )  # fmt: skip
    return and_(
        deliveries.c.channel == channel, deliveries.c.due <= now, deliveries.c.delivered.is_(None),
        deliveries.c.given_up.is_(None), ~waits,
    )  # fmt: skip


def _mine(delivery: Delivery) -> tuple[ColumnElement[bool], ...]:
    return (
        deliveries.c.id == delivery.id, deliveries.c.attempts == delivery.attempts,
        deliveries.c.delivered.is_(None), deliveries.c.given_up.is_(None),
    )  # fmt: skip
