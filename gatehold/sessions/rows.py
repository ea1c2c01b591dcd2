"""Sessions in the store: what every process adds to them, and how they end, once.

Processes add and never overwrite: the earliest beginning counts, the latest call, the shortest bounds, and numbers of
calls are summed. So the order in which two gateways write does not matter. All functions work in the caller's
transaction. Times are Unix seconds.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, case, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gatehold.sessions.limits import UNBOUND, Bounds
from gatehold.store import outbox
from gatehold.store.revocations import KEPT
from gatehold.store.schema import agent_sessions
from policy.model import Agent, SessionId

type Key = tuple[str, str, SessionId]
"""Issuer, subject and session of an agent."""

_UNBOUND_KEPT: Final = 86400.0
"""Seconds for which a session without bounds is listed after its tokens ended."""
_CHUNK: Final = 500
"""Ids in one statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSession:
    """One session as the store knows it."""

    issuer: str
    subject: str
    session: SessionId
    groups: tuple[str, ...]
    started: float
    """Its first call."""
    seen: float
    """Its last call."""
    calls: int = 0
    denied: int = 0
    """Calls that were refused, for whatever reason."""
    held: int = 0
    """Calls that a person had to approve."""
    token_expires: float
    """The end of its last token."""
    bounds: Bounds = UNBOUND
    ended: float | None = None
    why: str = ""
    """Why it ended, in words that agents may read."""

    @property
    def key(self) -> Key:
        """What tells it from every other one."""
        return self.issuer, self.subject, self.session

    @property
    def ends(self) -> float:
        """When it ends at the latest, without another call and another token."""
        return min(self.token_expires, self.bounds.end(started=self.started, seen=self.seen))


def key_of(agent: Agent) -> Key:
    """Whose session it is, and which."""
    return agent.issuer, agent.subject, agent.session


def row_id(key: Key) -> str:
    """SHA-256, in hexadecimal, over the parts of a key, each with its length before it."""
    digest = hashlib.sha256()
    for part in key:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def add(connection: Connection, seen: Sequence[AgentSession]) -> None:
    """Add what one process saw; ``calls``, ``denied`` and ``held`` are those that it did not add before.

    Whether a session ended is not touched.
    """
    if not seen:
        return
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(agent_sessions)
    new, old = statement.excluded, agent_sessions.c
    merged = {
        "groups": new.groups,
        "started": _lesser(new.started, old.started),
        "seen": _greater(new.seen, old.seen),
        "calls": old.calls + new.calls,
        "denied": old.denied + new.denied,
        "held": old.held + new.held,
        "token_expires": _greater(new.token_expires, old.token_expires),
        "longest": _lesser(new.longest, old.longest),
        "idle": _lesser(new.idle, old.idle),
    }
    rows = sorted((_values(each) for each in seen), key=lambda row: str(row["id"]))  # else two writers could deadlock
    connection.execute(statement.on_conflict_do_update(index_elements=[old.id], set_=merged), rows)


def find(connection: Connection, keys: Collection[Key]) -> dict[Key, AgentSession]:
    """Those that there are, by key."""
    ids = [row_id(key) for key in keys]
    found: dict[Key, AgentSession] = {}
    for at in range(0, len(ids), _CHUNK):
        chunk = agent_sessions.c.id.in_(ids[at : at + _CHUNK])
        found |= {each.key: each for each in map(_session, connection.execute(select(agent_sessions).where(chunk)))}
    return found


def named(connection: Connection, session: str) -> list[AgentSession]:
    """Sessions of this name, which each issuer and subject gives for itself."""
    rows = connection.execute(select(agent_sessions).where(agent_sessions.c.session == session))
    return [_session(row) for row in rows]


def under_way(connection: Connection, *, now: float) -> list[AgentSession]:
    """Those whose tokens still count, ended or not."""
    return [_session(row) for row in connection.execute(select(agent_sessions).where(_has_tokens(now)))]


def of_id(connection: Connection, row_id: str) -> AgentSession | None:
    """The session whose key has this digest."""
    row = connection.execute(select(agent_sessions).where(agent_sessions.c.id == row_id)).one_or_none()
    return None if row is None else _session(row)


def listing(
    connection: Connection, *, now: float, everything: bool = False, limit: int | None = None
) -> list[AgentSession]:
    """Those that go on, the last seen first; with ``everything`` all that are remembered."""
    going_on = and_(agent_sessions.c.ended.is_(None), _has_tokens(now))
    statement = select(agent_sessions).order_by(agent_sessions.c.seen.desc(), agent_sessions.c.id).limit(limit)
    return [_session(row) for row in connection.execute(statement if everything else statement.where(going_on))]


def ended_since(connection: Connection, moment: float) -> dict[Key, str]:
    """Why sessions ended that ended after a moment."""
    columns = (agent_sessions.c.issuer, agent_sessions.c.subject, agent_sessions.c.session, agent_sessions.c.why)
    rows = connection.execute(select(*columns).where(agent_sessions.c.ended > moment))
    return {(row.issuer, row.subject, SessionId(row.session)): row.why or "" for row in rows}


def end(  # noqa: PLR0913 (which one, why, by whom, when)
    connection: Connection, key: Key, why: str, *, by: str, now: float, reason: str = ""
) -> bool:
    """End a session, unless it ended before; ``why`` is told to its agent, ``reason`` to the audit trail only."""
    going_on = (agent_sessions.c.id == row_id(key), agent_sessions.c.ended.is_(None))
    if connection.execute(update(agent_sessions).where(*going_on).values(ended=now, why=why)).rowcount == 0:
        return False
    issuer, subject, session = key
    words = {"issuer": issuer, "subject": subject, "session": session, "why": why, "reason": reason or why}
    outbox.append(connection, {"kind": "session", "action": "end", "by": by, **words}, at=now)
    return True


def forget(connection: Connection, *, now: float) -> None:
    """Delete what need not be known any more: a session that was bound is remembered long after its end.

    Its tokens may be renewed, and with them it would begin anew.
    """
    row = agent_sessions.c
    unbound = and_(row.ended.is_(None), row.longest.is_(None), row.idle.is_(None))
    late = or_(row.seen <= now - KEPT, and_(unbound, row.token_expires <= now - _UNBOUND_KEPT))
    gone = and_(row.token_expires <= now, late, or_(row.ended.is_(None), row.ended <= now - KEPT))
    connection.execute(delete(agent_sessions).where(gone))


def _has_tokens(now: float) -> ColumnElement[bool]:
    return agent_sessions.c.token_expires > now


def _lesser(new: ColumnElement[Any], old: ColumnElement[Any]) -> ColumnElement[Any]:
    """The smaller one, or that which is not NULL."""
    return case((old.is_(None), new), (new < old, new), else_=old)


def _greater(new: ColumnElement[Any], old: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((new > old, new), else_=old)


def _values(session: AgentSession) -> dict[str, object]:
    return {
        "id": row_id(session.key),
        "issuer": session.issuer,
        "subject": session.subject,
        "session": session.session,
        "groups": list(session.groups),
        "started": session.started,
        "seen": session.seen,
        "calls": session.calls,
        "denied": session.denied,
        "held": session.held,
        "token_expires": session.token_expires,
        "longest": _finite(session.bounds.longest),
        "idle": _finite(session.bounds.idle),
    }


def _finite(seconds: float) -> float | None:
    return None if seconds == inf else seconds


def _session(row: Row[Any]) -> AgentSession:
    return AgentSession(
        issuer=row.issuer,
        subject=row.subject,
        session=SessionId(row.session),
        groups=tuple(row.groups),
        started=row.started,
        seen=row.seen,
        calls=row.calls,
        denied=row.denied,
        held=row.held,
        token_expires=row.token_expires,
        bounds=Bounds.of(row.longest, row.idle),
        ended=row.ended,
        why=row.why or "",
    )
