"""Lists of approvals as their rows are shown: without bodies and diffs, which are large and on no list."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, select

from gatehold.approvals.model import Kind
from gatehold.approvals.states import ApprovalState
from gatehold.console.wording import headline
from gatehold.store.schema import approvals

PAGE: Final = 100
"""Entries of one list."""

_COLUMNS = [
    approvals.c[name]
    for name in (
        "id", "state", "issuer", "subject", "session", "target", "method", "path", "facts", "rules", "quorum",
        "message", "reason", "kind", "together", "created", "expires", "spend_by", "ended",
    )
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One question on a list; several of one command are one entry."""

    id: str
    state: ApprovalState
    issuer: str
    subject: str
    session: str
    target: str
    method: str
    path: str
    facts: Mapping[str, Any]
    rule: str
    message: str
    reason: str
    kind: Kind
    command: str
    """The same for all calls of one command; the id of one that stands for itself."""
    created: float
    deadline: float
    ended: float | None
    more: int = 0
    """Further calls of the same command."""

    @property
    def headline(self) -> tuple[str, str]:
        """Verb and object."""
        return headline(self.facts, self.method, self.path)


def waiting(connection: Connection, *, now: float) -> list[Entry]:
    """Open questions, those that end first on top; calls of one command are one entry."""
    standing = and_(approvals.c.state == ApprovalState.PENDING, approvals.c.expires > now)
    order = (approvals.c.expires, approvals.c.id)
    return joined(_read(connection, standing, order, limit=10 * PAGE))


def history(
    connection: Connection, *, state: ApprovalState | None, before: float | None, limit: int = PAGE
) -> list[Entry]:
    """Questions that are answered or over and were asked before that time, the newest first."""
    wanted = approvals.c.state != ApprovalState.PENDING if state is None else approvals.c.state == state
    if before is not None:
        wanted = and_(wanted, approvals.c.created < before)
    return _read(connection, wanted, (approvals.c.created.desc(), approvals.c.id), limit=limit)


def one(connection: Connection, approval_id: str) -> Entry | None:
    """The question with this id."""
    found = _read(connection, approvals.c.id == approval_id, (approvals.c.id,), limit=1)
    return found[0] if found else None


def joined(entries: Iterable[Entry]) -> list[Entry]:
    """The first of every command, with the number of the others."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.command, []).append(entry)
    return [replace(first, more=len(others)) for first, *others in found.values()]


def _read(
    connection: Connection, wanted: ColumnElement[bool], order: tuple[ColumnElement[Any], ...], *, limit: int
) -> list[Entry]:
    found = connection.execute(select(*_COLUMNS).where(wanted).order_by(*order).limit(limit))
    return [_entry(row) for row in found]


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        id=row.id,
        state=ApprovalState(row.state),
        issuer=row.issuer,
        subject=row.subject,
        session=row.session,
        target=row.target,
        method=row.method,
        path=row.path,
        facts=row.facts,
        rule=row.rules[0]["name"] if row.rules else "",
        message=row.message,
        reason=row.reason,
        kind=Kind(row.kind),
        command=row.together or row.id,
        created=row.created,
        deadline=row.expires if row.spend_by is None else row.spend_by,
        ended=row.ended,
    )
