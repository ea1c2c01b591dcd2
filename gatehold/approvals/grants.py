"""What a yes can leave behind: later calls of the same session that need not be asked for again.

A grant never allows anything that the policy does not: it only satisfies the rules that asked, by their content. It
covers a call of the same agent and session, on the same target, with the same verb on the same kind of thing in the
same namespace (and, with scope ``resource``, the same thing), whose facts stay within what the approver saw, and which
is in all else the call that the approver saw: headers, query and body. A fact that is not known is not within anything.
It ends by itself, and it stands only as long as those who gave it are in the groups that may give it.

One that was asked for in advance showed no call, so that headers, query and body may be any; it covers no tunnel, for
nobody saw what would go through it.
"""

import hmac
import secrets
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NewType

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from gatehold.approvals.columns import terms
from gatehold.approvals.model import Approval, ApprovalId, Bound, GrantTerms, RuleRef
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
    """The verb, and with commas after it those that the call counts as besides."""
    resource: str
    name: str
    """Empty where the call concerns no one thing."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Under dotted names; unknown facts are absent."""
    namespace: str | None = None
    """None where it may be any, and for calls that are not to Kubernetes resources."""
    likes: Mapping[str, str] = field(default_factory=dict)
    """By scope, the keyed hash of all else; empty where it cannot be told."""
    tunnel: bool = False
    """What goes through it cannot be judged beforehand."""


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
        terms = self.terms
        if "*" not in terms.verbs and not frozenset(call.verb.split(",")) <= terms.verbs:
            return False
        if terms.resource not in ("*", call.resource):
            return False
        if terms.namespace is not None and terms.namespace != call.namespace:
            return False
        if terms.scope == "resource" and (not terms.name or terms.name != call.name):
            return False
        return self._is_like(call) and all(within(bound, call.facts) for bound in terms.bounds)

    def _is_like(self, call: CallTraits) -> bool:
        if self.terms.like is None:
            return not call.tunnel
        like = call.likes.get(self.terms.scope, "")
        return bool(like) and hmac.compare_digest(self.terms.like, like)


def within(bound: Bound, facts: Mapping[str, Any]) -> bool:
    """Whether the fact is known, of the same kind, and not beyond the bound."""
    value, limit = facts.get(bound.fact, ...), bound.value
    if isinstance(value, bool) or isinstance(limit, bool) or not isinstance(limit, int | float):
        return type(value) is type(limit) and value == limit
    return isinstance(value, int | float) and (0 <= value <= limit or value == limit)


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
    statement = select(grants).where(grants.c.session == session, *_live(now)).order_by(grants.c.created)
    return [_grant(row) for row in connection.execute(statement)]


def asked_by(connection: Connection, rules: Collection[tuple[str, str]], *, now: float) -> list[GrantId]:
    """The grants in force that one of these rules, by name and digest, asked for."""
    found = [_grant(row) for row in connection.execute(select(grants).where(*_live(now)))]
    return [each.id for each in found if any((str(rule.name), rule.digest) in rules for rule in each.rules)]


def find(connection: Connection, grant_id: str) -> Grant | None:
    """One grant, ended or not."""
    row = connection.execute(select(grants).where(grants.c.id == grant_id)).one_or_none()
    return None if row is None else _grant(row)


def left_by(connection: Connection, approval_id: str) -> tuple[GrantId, ...]:
    """The grant that an approval left, ended or not; empty where it left none."""
    found = connection.scalars(select(grants.c.id).where(grants.c.approval_id == approval_id))
    return tuple(GrantId(each) for each in found)


def newest(connection: Connection, *, now: float, ended: bool, limit: int) -> list[Grant]:
    """Grants that are in force, or all, the newest first."""
    statement = select(grants).order_by(grants.c.created.desc(), grants.c.id).limit(limit)
    return [_grant(row) for row in connection.execute(statement if ended else statement.where(*_live(now)))]


def revoke(connection: Connection, grant_id: str, *, by: str, now: float, reason: str = "") -> bool:
    """End a grant; whether there was one to end."""
    live = (grants.c.id == grant_id, *_live(now))
    if connection.execute(update(grants).where(*live).values(revoked=now)).rowcount == 0:
        return False
    row = connection.execute(select(grants).where(grants.c.id == grant_id)).one()
    _tell(connection, _grant(row), "revoke", by=by, now=now, reason=reason)
    return True


def void(connection: Connection, approval: ApprovalId, *, by: str, now: float, reason: str) -> None:
    """End the grant of a yes that counts no more, if it left one that is in force."""
    statement = select(grants.c.id).where(grants.c.approval_id == approval, *_live(now))
    for grant_id in connection.scalars(statement).all():
        revoke(connection, grant_id, by=by, now=now, reason=reason)


def _live(now: float) -> tuple[ColumnElement[bool], ...]:
    return grants.c.expires > now, grants.c.revoked.is_(None)


def _tell(  # noqa: PLR0913 (the words of an event)
    connection: Connection, grant: Grant, action: str, *, by: str, now: float, reason: str = ""
) -> None:
    agent = {"issuer": grant.issuer, "subject": grant.subject, "session": grant.session}
    rules = [rule.name for rule in grant.rules]
    event = {
        "kind": "grant",
        "action": action,
        "grant": grant.id,
        "approval": grant.approval,
        "by": by,
        "reason": reason,
    }
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
