"""Rates and budgets that a restart must not refill.

The gateway counts in memory and writes through what it counted; this module keeps the numbers, it does not judge them.
"""

from collections.abc import Iterable

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from gatehold.store.database import Store
from gatehold.store.schema import limits
from policy.limits import LimitState


def save(store: Store, states: Iterable[LimitState]) -> None:
    """Insert or overwrite."""
    rows = [{"key": s.key, "tat": s.tat, "consumed": s.consumed, "window_end": s.window_end} for s in states]
    if not rows:
        return
    insert = postgresql.insert(limits) if store.dialect == "postgresql" else sqlite.insert(limits)
    new = insert.excluded
    with store.writing() as connection:
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=[limits.c.key],
                set_={"tat": new.tat, "consumed": new.consumed, "window_end": new.window_end},
            ),
            rows,
        )


def load(store: Store, *, now: float) -> list[LimitState]:
    """Every key whose window has not ended; forgets the others."""
    with store.writing() as connection:
        connection.execute(delete(limits).where(limits.c.window_end <= now))
        rows = connection.execute(select(limits).order_by(limits.c.key))
        return [LimitState(key=r.key, tat=r.tat, consumed=r.consumed, window_end=r.window_end) for r in rows]
