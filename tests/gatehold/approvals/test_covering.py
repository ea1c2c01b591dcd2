"""Laws of grants in use: every rule that asks is covered, by people who still may, of a yes that still counts."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import insert

from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.grants import CallTraits
from gatehold.approvals.model import Approval, Channel, GrantTerms, HeldCall, RuleRef
from gatehold.approvals.moves import GATEHOLD, Actor
from gatehold.approvals.states import ApprovalState
from gatehold.store import Store
from gatehold.store.revocations import Reach, revoke
from gatehold.store.schema import agent_sessions
from policy.model import RuleName, SessionId, TargetName

type Make = Callable[..., HeldCall]
LIKE = "a" * 64
TERMS = GrantTerms(
    scope="resource", seconds=600.0, verb="DELETE", resource="/customers/*", name="/customers/1", like=LIKE
)
RULE = RuleRef(name=RuleName("no-deletes"), digest="d1")
CALL = CallTraits(
    issuer="corp",
    subject="a1",
    session=SessionId("s1"),
    target=TargetName("crm"),
    verb="DELETE",
    resource="/customers/*",
    name="/customers/1",
    likes={"resource": LIKE},
)


@pytest.fixture
def approved(desk: ApprovalDesk, make_call: Make) -> Approval:
    """An approval that left a grant."""
    return desk.approve(desk.open_or_join(make_call(terms=TERMS)).id, "alice", channel=Channel.CONSOLE)


def test_the_first_call_uses_the_yes_up(desk: ApprovalDesk, approved: Approval) -> None:
    """It was for one call; what follows passes by the grant alone."""
    assert [each.approval for each in desk.granted(CALL, [RULE])] == [approved.id]
    assert desk.get(approved.id).state is ApprovalState.SPENT
    assert desk.granted(CALL, [RULE])
    assert not desk.spend(approved.id, approved.call.fingerprint)


def test_every_rule_that_asks_is_covered(desk: ApprovalDesk, approved: Approval) -> None:
    """One that is not, or was edited, asks; so does no rule at all."""
    assert not desk.granted(CALL, [RULE, RuleRef(name=RuleName("other"), digest="d2")])
    assert not desk.granted(CALL, [replace(RULE, digest="edited")])
    assert not desk.granted(CALL, [])


@pytest.mark.parametrize(
    "call",
    [
        replace(CALL, session=SessionId("s2")),
        replace(CALL, subject="a2"),
        replace(CALL, target=TargetName("erp")),
        replace(CALL, verb="DELETE,GET"),
        replace(CALL, name="/customers/2"),
        replace(CALL, namespace="prod", likes={"resource": "b" * 64}),
        replace(CALL, likes={"rule": LIKE}),
        replace(CALL, likes={}),
        replace(CALL, tunnel=True, likes={}),
    ],
)
def test_another_call_is_asked_about(desk: ApprovalDesk, approved: Approval, call: CallTraits) -> None:
    """In whatever it differs."""
    assert not desk.granted(call, [RULE])


def test_it_goes_with_its_approver(desk: ApprovalDesk, store: Store, approved: Approval) -> None:
    """Who left the group gives nothing any more, also for streams that are open."""
    [grant] = desk.granted(CALL, [RULE])
    assert desk.still_granted([grant.id])
    with store.writing() as connection:
        connection.exec_driver_sql("DELETE FROM user_groups WHERE user_name = 'alice'")
    assert not desk.granted(CALL, [RULE])
    assert not desk.still_granted([grant.id])


def test_it_goes_with_its_yes(desk: ApprovalDesk, approved: Approval) -> None:
    """A yes that is taken back takes its grant along."""
    desk.revoke(approved.id, by=GATEHOLD, reason="the object changed")
    assert not desk.granted(CALL, [RULE])
    assert not desk.grants()


def test_a_yes_that_nobody_used_leaves_nothing(
    desk: ApprovalDesk, approved: Approval, clock: Callable[[], float]
) -> None:
    """After its own deadline."""
    clock.now += 300.0  # type: ignore[attr-defined]
    desk.expire_due()
    assert desk.get(approved.id).state is ApprovalState.EXPIRED
    assert not desk.granted(CALL, [RULE])


def test_a_revoked_grant_takes_an_unused_yes_along(desk: ApprovalDesk, approved: Approval) -> None:
    """Whoever ends a grant means that nothing more passes."""
    [grant] = desk.grants()
    assert desk.revoke_grant(grant.id, by=Actor(name="os:root"), reason="enough")
    assert not desk.revoke_grant(grant.id, by=Actor(name="os:root"))
    assert not desk.revoke_grant("gr_unknown", by=Actor(name="os:root"))
    assert desk.get(approved.id).state is ApprovalState.REVOKED
    assert not desk.spend(approved.id, approved.call.fingerprint)


def test_a_tunnel_is_never_covered_in_advance(desk: ApprovalDesk, make_call: Make) -> None:
    """Nobody saw what would go through it."""
    terms = GrantTerms(scope="rule", seconds=600.0, verb="*", resource="*", name="")
    desk.approve(desk.open_or_join(make_call(terms=terms)).id, "alice", channel=Channel.CONSOLE)
    assert desk.granted(CALL, [RULE])
    assert not desk.granted(replace(CALL, tunnel=True), [RULE])


def test_a_session_that_ended_leaves_nothing_behind(
    desk: ApprovalDesk, store: Store, approved: Approval, make_call: Make
) -> None:
    """And another session of the same agent keeps what it has."""
    other = desk.open_or_join(make_call("2", session=SessionId("s2")))
    session = {"id": "x", "issuer": "corp", "subject": "a1", "session": "s1", "groups": [], "started": 0.0, "seen": 0.0}
    with store.writing() as connection:
        connection.execute(insert(agent_sessions).values(**session, token_expires=9e9, ended=1_000.0, why="idle"))
    desk.expire_due()
    assert desk.get(approved.id).state is ApprovalState.REVOKED
    assert desk.get(other.id).state is ApprovalState.PENDING
    assert not desk.granted(CALL, [RULE])


@pytest.mark.parametrize(
    ("reach", "value"), [(Reach.SESSION, "s1"), (Reach.SUBJECT, "a1"), (Reach.ISSUER, "corp"), (Reach.ALL, "")]
)
def test_access_that_was_revoked_leaves_nothing_behind(  # noqa: PLR0917 (fixtures)
    desk: ApprovalDesk,
    store: Store,
    approved: Approval,
    make_call: Make,
    clock: Callable[[], float],
    reach: Reach,
    value: str,
) -> None:
    """Questions are withdrawn, answers and grants revoked: giving access back does not bring them back."""
    pending = desk.open_or_join(make_call("2"))
    other = desk.open_or_join(make_call("3", issuer="partner", subject="a2", session=SessionId("s2")))
    with store.writing() as connection:
        revoke(connection, reach, value, by="test", now=clock())
    desk.expire_due()
    assert desk.get(pending.id).state is ApprovalState.WITHDRAWN
    assert desk.get(approved.id).state is ApprovalState.REVOKED
    assert (desk.get(other.id).state is ApprovalState.PENDING) is (reach is not Reach.ALL)
    assert not desk.grants()
