"""Attempts in the store: asked for by ``gatehold reload``, answered by every gateway on that store, kept for a while.

One row is one question, or one attempt that a gateway made by itself. Every gateway puts its answer under its own name;
the row's outcome is the first one that is not good, else the first.
"""

import secrets
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, insert, select, update

from gatehold.reloading.pending import Acceptance
from gatehold.reloading.reports import Outcome, Report
from gatehold.store.outbox import append
from gatehold.store.schema import reloads

KEPT: Final = 30 * 86400.0
"""Seconds for which an attempt is kept."""
MOST_TOLD: Final = 1000
"""Lines of what would be gone that the journal is told."""
WAITING: Final = 120.0
"""Seconds for which a question waits for gateways; older ones nobody is waiting for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One attempt that was asked for."""

    id: str
    asked_by: str
    accepted: Acceptance | None = None
    """What protected may be gone, and in which files; None: nobody says so."""

    @property
    def accept_removals(self) -> bool:
        """May what protected be gone?"""
        return self.accepted is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt, with what gateways answered so far."""

    id: str
    asked_by: str
    created: float
    finished: float | None
    answers: dict[str, Report]
    """By gateway."""
    accepted: Acceptance | None = None
    """As of the question."""


def ask(connection: Connection, *, by: str, accept_removals: bool, revision: str = "", now: float) -> str:
    """Ask every gateway on this store to read its files anew; the id under which it answers.

    ``revision``: of the files that are meant; what protected may be gone in the case of no others. Empty: whatever
    they are.
    """
    question = secrets.token_hex(16)
    values = {"id": question, "asked_by": by, "accept_removals": accept_removals, "created": now}
    connection.execute(insert(reloads).values(revision=revision or None, **values))
    connection.execute(delete(reloads).where(reloads.c.created < now - KEPT))
    return question


def accept(connection: Connection, acceptance: Acceptance, *, by: str, now: float) -> str:
    """Ask it, with the word of a person who saw what would be gone; that is told in the same transaction."""
    question = ask(connection, by=by, accept_removals=True, revision=acceptance.revision, now=now)
    asked = update(reloads).where(reloads.c.id == question).values(report={"asked": acceptance.to_json()})
    connection.execute(asked)
    event = {"kind": "removals-accepted", "by": by, "reload": question, "revision": acceptance.revision}
    append(connection, {**event, **acceptance.to_json(most=MOST_TOLD)}, at=now)
    return question


def open_questions(connection: Connection, *, since: float, now: float) -> list[Question]:
    """What was asked after ``since`` and is not too old, the oldest first; also what other gateways answered."""
    newest = max(since, now - WAITING)
    statement = select(reloads).where(reloads.c.created >= newest).order_by(reloads.c.created)
    return [
        Question(id=row.id, asked_by=row.asked_by, accepted=_accepted(row))
        for row in connection.execute(statement)
        if not _is_own(row)
    ]


def answer(connection: Connection, question: str, gateway: str, report: Report, *, now: float) -> None:
    """Say what came of it here; nothing where the question is gone."""
    row = connection.execute(select(reloads).where(reloads.c.id == question).with_for_update()).one_or_none()
    if row is None:
        return
    answers = {**_answers(row), gateway: report.to_json()}
    outcome = row.outcome if row.outcome and not Outcome(row.outcome).is_good else report.outcome.value
    changed = {"report": {**(row.report or {}), "answers": answers}, "outcome": outcome, "finished": now}
    connection.execute(update(reloads).where(reloads.c.id == question).values(**changed))


def note(connection: Connection, gateway: str, why: str, report: Report, *, now: float) -> None:
    """Keep an attempt that a gateway made by itself; ``why``: what made it."""
    question = ask(connection, by=f"{_OWN}{why}", accept_removals=False, revision=report.revision, now=now)
    answer(connection, question, gateway, report, now=now)


def find(connection: Connection, question: str) -> Attempt | None:
    """One attempt."""
    row = connection.execute(select(reloads).where(reloads.c.id == question)).one_or_none()
    return None if row is None else _attempt(row)


def newest(connection: Connection) -> Attempt | None:
    """The last attempt that some gateway answered."""
    statement = select(reloads).where(reloads.c.finished.is_not(None)).order_by(reloads.c.finished.desc()).limit(1)
    row = connection.execute(statement).one_or_none()
    return None if row is None else _attempt(row)


_OWN: Final = "gatehold:"


def _is_own(row: Row[Any]) -> bool:
    return str(row.asked_by).startswith(_OWN)


def _answers(row: Row[Any]) -> dict[str, Any]:
    return dict((row.report or {}).get("answers", {}))


def _accepted(row: Row[Any]) -> Acceptance | None:
    asked = (row.report or {}).get("asked", {})
    return Acceptance.from_json(row.revision or "", asked) if row.accept_removals else None


def _attempt(row: Row[Any]) -> Attempt:
    return Attempt(
        id=row.id,
        asked_by=row.asked_by,
        created=row.created,
        finished=row.finished,
        answers={gateway: Report.from_json(value) for gateway, value in _answers(row).items()},
        accepted=_accepted(row),
    )
