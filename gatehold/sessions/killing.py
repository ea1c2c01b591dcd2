"""A person ends a session, and the tokens with which it could begin anew."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection

from gatehold.sessions import rows
from gatehold.sessions.rows import AgentSession
from gatehold.store.revocations import Reach, Revocation, replace_older, revoke
from policy.errors import GateholdError

MARGIN: Final = 60.0
"""Seconds by which the clock of an issuer may be ahead: tokens that it issues in them do not count either."""
WHY: Final = "an operator ended it"
"""What the agent is told."""


class UnknownSession(GateholdError):
    """No session that is remembered has this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """What was ended and refused."""

    session: AgentSession
    revocation: Revocation
    """Of the subject's tokens that were issued before a moment."""
    issued_before: float
    """That moment, Unix seconds."""


def kill(  # noqa: PLR0913 (which one, by whom, why, how far)
    connection: Connection,
    session: str,
    *,
    by: str,
    now: float,
    reason: str = "",
    margin: float = MARGIN,
    lasting: Mapping[str, float] = MappingProxyType({}),
) -> list[Killed]:
    """End every session of this name, and refuse the tokens of its subject that are issued up to ``margin`` from now.

    ``by`` and ``reason`` are for the audit trail. ``lasting``: the longest life of tokens by issuer, in seconds,
    where it is known; else the refusal lasts until it is lifted. Raises UnknownSession.
    """
    found = rows.named(connection, session)
    if not found:
        raise UnknownSession(f"no session is named {session!a}")
    return [kill_one(connection, each, by=by, now=now, reason=reason, margin=margin, lasting=lasting) for each in found]


def kill_one(  # noqa: PLR0913 (as above)
    connection: Connection,
    session: AgentSession,
    *,
    by: str,
    now: float,
    reason: str = "",
    margin: float = MARGIN,
    lasting: Mapping[str, float] = MappingProxyType({}),
) -> Killed:
    """The same for this session alone; those of other agents that have its name go on."""
    issued_before, longest = now + margin, lasting.get(session.issuer)
    rows.end(connection, session.key, WHY, by=by, now=now, reason=reason)
    made = revoke(
        connection,
        Reach.SUBJECT,
        session.subject,
        issuer=session.issuer,
        until=None if longest is None else issued_before + longest,
        issued_before=issued_before,
        by=by,
        now=now,
    )
    replace_older(connection, made)
    return Killed(session=session, revocation=made, issued_before=issued_before)
