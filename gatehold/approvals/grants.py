"""What a yes can leave behind: later calls of the same session that need not be asked for again.

A grant never allows anything that the policy does not: it only satisfies the rules that asked, by their content. It
covers a call of the same agent and session, on the same target, with the same verb on the same kind of thing (and, with
scope ``resource``, the same thing), whose facts stay within what the approver saw. A fact that is not known is not
within anything. It ends by itself.
"""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NewType

from sqlalchemy import Connection, Row, insert, select, update

from gatehold.approvals.model import Approval, ApprovalId, Bound, GrantTerms, RuleRef
from gatehold.approvals.rows import terms
from gatehold.store import outbox
from gatehold.store.schema import grants
from policy.model import SessionId, TargetName

GrantId = NewType("GrantId", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTraits:
    """What of a call decides whether a grant covers it."""

    issuer: str
    subject: str
    session: SessionId
    target: TargetName
    verb: str
    resource: str
    name: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Under dotted names; unknown facts are absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A permission with an end."""

    id: GrantId
    approval: ApprovalId
    issuer: str
    subject: str
    session: SessionId
    target: TargetName
    rules: tuple[RuleRef, ...]
    terms: GrantTerms
    created: float
    expires: float
    revoked: float | None = None

    def covers(self, call: CallTraits, rule: RuleRef, *, now: float) -> bool:
        """Whether this call needs no further approval as far as this rule is concerned."""
        if self.revoked is not None or not self.created <= now < self.expires or rule not in self.rules:
            return False
        return self._is_for(call) and self._fits(call)

    def _is_for(self, call: CallTraits) -> bool:
        mine = (self.issuer, self.subject, self.session, self.target)
        return bool(self.session) and mine == (call.issuer, call.subject, call.session, call.target)

    def _fits(self, call: CallTraits) -> bool:
        if (self.terms.verb, self.terms.resource) != (call.verb, call.resource):
            return False
        if self.terms.scope == "resource" and self.terms.name != call.name:
            return False
        return all(within(bound, call.facts) for bound in self.terms.bounds)


def within(bound: Bound, facts: Mapping[str, Any]) -> bool:
    """Whether the fact is known, of the same kind, and not beyond the bound."""
    value, limit = facts.get(bound.fact, ...), bound.value
    if isinstance(value, bool) or isinstance(limit, bool) or not isinstance(limit, int | float):
        return type(value) is type(limit) and value == limit
    return isinstance(value, int | float) and value <= limit


def leave(connection: Connection, approval: Approval, *, now: float) -> Grant | None:
    """Make the grant of an approval that was just approved; None when its terms leave none."""
    call = approval.call
    if call.terms is None:
        return None
    grant = Grant(
        id=GrantId(f"gr_{secrets.token_urlsafe(16)}"),
        approval=approval.id,
        issuer=call.issuer,
        subject=call.subject,
        session=call.session,
        target=call.target,
        rules=call.rules,
        terms=call.terms,
        created=now,
        expires=now + call.terms.seconds,
    )
    connection.execute(insert(grants).values(_values(grant)))
    _tell(connection, grant, "create", by="gatehold", now=now)
    return grant


def of_session(connection: Connection, session: SessionId, *, now: float) -> list[Grant]:
    """The grants that a session has now."""
    live = (grants.c.session == session, grants.c.expires > now, grants.c.revoked.is_(None))
    return [_grant(row) for row in connection.execute(select(grants).where(*live).order_by(grants.c.created))]


def revoke(connection: Connection, grant_id: str, *, by: str, now: float) -> bool:
    """End a grant; whether there was one to end."""
    live = (grants.c.id == grant_id, grants.c.expires > now, grants.c.revoked.is_(None))
    if connection.execute(update(grants).where(*live).values(revoked=now)).rowcount == 0:
        return False
    row = connection.execute(select(grants).where(grants.c.id == grant_id)).one()
    _tell(connection, _grant(row), "revoke", by=by, now=now)
    return True


def _tell(connection: Connection, grant: Grant, action: str, *, by: str, now: float) -> None:
    agent = {"issuer": grant.issuer, "subject": grant.subject, "session": grant.session}
    rules = [rule.name for rule in grant.rules]
    event = {"kind": "grant", "action": action, "grant": grant.id, "approval": grant.approval, "by": by}
    extra = {"agent": agent, "target": grant.target, "rules": rules, "expires": grant.expires}
    outbox.append(connection, event | extra, at=now)


def _values(grant: Grant) -> dict[str, Any]:
    return {
        "id": grant.id,
        "approval_id": grant.approval,
        "issuer": grant.issuer,
        "subject": grant.subject,
        "session": grant.session,
        "target": grant.target,
        "rules": [asdict(rule) for rule in grant.rules],
        "terms": asdict(grant.terms),
        "created": grant.created,
        "expires": grant.expires,
    }


def _grant(row: Row[Any]) -> Grant:
    return Grant(
        id=GrantId(row.id),
        approval=ApprovalId(row.approval_id),
        issuer=row.issuer,
        subject=row.subject,
        session=row.session,
        target=row.target,
        rules=tuple(RuleRef(**rule) for rule in row.rules),
        terms=terms(row.terms),
        created=row.created,
        expires=row.expires,
        revoked=row.revoked,
    )
