from collections.abc import Callable
from typing import Any

import pytest

from gatehold.approvals import grants
from gatehold.approvals.approvers import Quorum
from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.errors import AnswerRefused, IllegalMove, Objection, UnknownApproval
from gatehold.approvals.model import Approval, Channel, Fingerprint, GrantTerms, HeldCall
from gatehold.approvals.moves import GATEHOLD, Actor
from gatehold.approvals.states import ApprovalState
from gatehold.store import Store, outbox
from gatehold.store.users import add_user, remove_user
from policy.model import SessionId

type Calls = Callable[..., HeldCall]
TWO = Quorum(sets=(frozenset({"sre"}),), count=2)


def _yes(desk: ApprovalDesk, approval: Approval, user: str = "alice", reason: str = "") -> Approval:
    return desk.approve(approval.id, user, channel=Channel.CONSOLE, reason=reason)


def _no(desk: ApprovalDesk, approval: Approval, user: str = "alice", reason: str = "no") -> Approval:
    return desk.deny(approval.id, user, channel=Channel.CONSOLE, reason=reason)


def _events(store: Store, kind: str = "approval") -> list[dict[str, Any]]:
    return [dict(waiting.event) for waiting in outbox.waiting(store) if waiting.event["kind"] == kind]


def test_a_call_asks_once(desk: ApprovalDesk, make_call: Calls, store: Store) -> None:
    """The same call joins its question; another one opens its own."""
    first = desk.open_or_join(make_call())
    assert desk.open_or_join(make_call()) == first
    assert desk.open_or_join(make_call("2")).id != first.id
    assert first.id.startswith("apr_")
    assert first.state is ApprovalState.PENDING
    assert (first.created, first.expires, first.deadline) == (1_000.0, 1_900.0, 1_900.0)
    assert len(_events(store)) == 2


def test_a_yes_passes_one_call_once(desk: ApprovalDesk, make_call: Calls) -> None:
    """Approved, found by the same call, spent once; the next one asks again."""
    approval = desk.open_or_join(make_call())
    assert _yes(desk, approval).state is ApprovalState.APPROVED
    found = desk.open_or_join(make_call())
    assert (found.id, found.state) == (approval.id, ApprovalState.APPROVED)
    assert desk.spend(found.id, found.call.fingerprint)
    assert not desk.spend(found.id, found.call.fingerprint)
    assert desk.get(found.id).state is ApprovalState.SPENT
    again = desk.open_or_join(make_call())
    assert again.id != approval.id
    assert again.state is ApprovalState.PENDING


def test_a_yes_passes_no_other_call(desk: ApprovalDesk, make_call: Calls) -> None:
    """Neither another fingerprint nor another approval's; it stays unspent."""
    approval = _yes(desk, desk.open_or_join(make_call("1")))
    other = desk.open_or_join(make_call("2"))
    assert not desk.spend(approval.id, other.call.fingerprint)
    assert not desk.spend(approval.id, Fingerprint(""))
    assert not desk.spend(other.id, other.call.fingerprint)
    assert not desk.spend("apr_none", approval.call.fingerprint)
    assert desk.spend(approval.id, approval.call.fingerprint)


def test_a_no_answers_for_the_call_until_it_expires(desk: ApprovalDesk, make_call: Calls, clock: Any) -> None:
    """With its reason; afterwards people may be asked again."""
    approval = desk.open_or_join(make_call())
    _no(desk, approval, reason="not on a Friday")
    found = desk.open_or_join(make_call())
    assert (found.id, found.state, found.reason) == (approval.id, ApprovalState.DENIED, "not on a Friday")
    assert not desk.spend(approval.id, approval.call.fingerprint)
    clock.now = approval.expires
    assert desk.open_or_join(make_call()).id != approval.id


def test_an_unused_yes_is_void(desk: ApprovalDesk, make_call: Calls, clock: Any) -> None:
    """After ``spendWithin`` it passes nothing, swept up or not, and the call asks again."""
    approval = _yes(desk, desk.open_or_join(make_call()))
    assert approval.deadline == 1_300.0
    clock.now = 1_300.0
    assert not desk.spend(approval.id, approval.call.fingerprint)
    again = desk.open_or_join(make_call())
    assert (again.id != approval.id, again.state) == (True, ApprovalState.PENDING)
    assert desk.get(approval.id).state is ApprovalState.EXPIRED


def test_an_unanswered_question_ends(desk: ApprovalDesk, make_call: Calls, clock: Any) -> None:
    """It expires by itself; a late answer is refused."""
    approval = desk.open_or_join(make_call())
    clock.now = approval.expires
    with pytest.raises(AnswerRefused, match="expired") as caught:
        _yes(desk, approval)
    assert caught.value.objection is Objection.LATE
    assert desk.find(approval.call.fingerprint) is None
    assert desk.expire_due() == [approval.id]
    assert desk.expire_due() == []
    assert desk.get(approval.id).state is ApprovalState.EXPIRED


def test_two_people_are_two_people(desk: ApprovalDesk, make_call: Calls) -> None:
    """One yes of two leaves it pending, the same person's second does not count, another's does."""
    approval = desk.open_or_join(make_call(quorum=TWO))
    assert _yes(desk, approval).state is ApprovalState.PENDING
    assert not desk.spend(approval.id, approval.call.fingerprint)
    with pytest.raises(AnswerRefused, match="already"):
        _yes(desk, approval)
    done = _yes(desk, approval, "bob")
    assert done.state is ApprovalState.APPROVED
    assert [answer.user for answer in done.answers] == ["alice", "bob"]


def test_all_sets_of_groups_are_needed(desk: ApprovalDesk, make_call: Calls) -> None:
    """One of sre and one of security; somebody in both is both."""
    quorum = Quorum(sets=(frozenset({"sre"}), frozenset({"security"})))
    approval = desk.open_or_join(make_call("1", quorum=quorum))
    assert _yes(desk, approval, "alice").state is ApprovalState.PENDING
    assert _yes(desk, approval, "bob").state is ApprovalState.PENDING
    assert _yes(desk, approval, "carol").state is ApprovalState.APPROVED
    assert _yes(desk, desk.open_or_join(make_call("2", quorum=quorum)), "dave").state is ApprovalState.APPROVED


def test_one_no_ends_it(desk: ApprovalDesk, make_call: Calls) -> None:
    """However many said yes."""
    approval = desk.open_or_join(make_call(quorum=TWO))
    _yes(desk, approval)
    assert _no(desk, approval, "bob").state is ApprovalState.DENIED
    with pytest.raises(AnswerRefused, match="denied already"):
        _yes(desk, approval, "dave")


@pytest.mark.parametrize(
    ("user", "objection"),
    [
        ("mallory", Objection.UNKNOWN_USER),
        ("eve", Objection.WRONG_GROUP),
        ("carol", Objection.WRONG_GROUP),
        ("olga", Objection.OWN_REQUEST),
    ],
)
def test_not_everybody_may_answer(
    desk: ApprovalDesk, make_call: Calls, store: Store, user: str, objection: str
) -> None:
    """Strangers, other groups, and the owner of the agent; each try is in the audit trail, and changes nothing."""
    approval = desk.open_or_join(make_call())
    for answer in (_yes, _no):
        with pytest.raises(AnswerRefused) as caught:
            answer(desk, approval, user)
        assert caught.value.objection == objection
    assert desk.get(approval.id) == approval
    refused = _events(store, "approval-answer-refused")
    assert [(event["answer"], event["objection"], event["by"]) for event in refused] == [
        ("approve", objection, f"user:{user}"),
        ("deny", objection, f"user:{user}"),
    ]


def test_local_answers_can_be_switched_off(store: Store, clock: Any, settings: Any, make_call: Calls) -> None:
    """``approvals.local: off`` refuses them and nothing else."""
    with store.writing() as connection:
        add_user(connection, "alice", ["sre"], by="test", now=0.0)
    desk = ApprovalDesk(store, settings(local="off"), clock)
    approval = desk.open_or_join(make_call())
    with pytest.raises(AnswerRefused, match="switched off") as caught:
        desk.approve(approval.id, "alice", channel=Channel.LOCAL, os_user="root")
    assert caught.value.objection is Objection.CHANNEL_OFF
    assert _yes(desk, approval).state is ApprovalState.APPROVED


def test_one_account_counts_once(desk: ApprovalDesk, make_call: Calls, store: Store) -> None:
    """Two names from one account of the machine are one person; the account is on record."""
    approval = desk.open_or_join(make_call(quorum=TWO))
    desk.approve(approval.id, "alice", channel=Channel.LOCAL, os_user="root")
    with pytest.raises(AnswerRefused, match="account root"):
        desk.approve(approval.id, "bob", channel=Channel.LOCAL, os_user="root")
    assert desk.approve(approval.id, "bob", channel=Channel.LOCAL, os_user="bob").state is ApprovalState.APPROVED
    assert [event["os_user"] for event in _events(store)] == ["", "root", "bob"]


def test_unknown_ids_are_told(desk: ApprovalDesk, store: Store) -> None:
    """Also in the audit trail, where somebody tried to answer."""
    with pytest.raises(UnknownApproval, match="apr_none"):
        desk.get("apr_none")
    with pytest.raises(UnknownApproval):
        desk.approve("apr_none", "alice", channel=Channel.CONSOLE)
    with pytest.raises(UnknownApproval):
        desk.withdraw("apr_none", by=GATEHOLD)
    assert [event["objection"] for event in _events(store, "approval-answer-refused")] == ["unknown-approval"]


def test_withdrawing_and_revoking(desk: ApprovalDesk, make_call: Calls) -> None:
    """A question is withdrawn, a yes is revoked; neither passes a call, and neither can be done twice."""
    asked, answered = desk.open_or_join(make_call("1")), _yes(desk, desk.open_or_join(make_call("2")))
    assert desk.withdraw(asked.id, by=Actor.agent(asked), reason="gone").state is ApprovalState.WITHDRAWN
    assert desk.revoke(answered.id, by=Actor(name="user:alice"), reason="oops").state is ApprovalState.REVOKED
    for approval in (asked, answered):
        assert not desk.spend(approval.id, approval.call.fingerprint)
        for move in (desk.withdraw, desk.revoke):
            with pytest.raises(IllegalMove):
                move(approval.id, by=GATEHOLD)
        assert desk.open_or_join(approval.call).id != approval.id


def test_membership_is_checked_again_at_release(desk: ApprovalDesk, make_call: Calls, store: Store) -> None:
    """Whoever left meanwhile has not approved: the yes is revoked and the call asks again."""
    approval = _yes(desk, desk.open_or_join(make_call()))
    with store.writing() as connection:
        remove_user(connection, "alice", by="test", now=1.0)
    assert not desk.spend(approval.id, approval.call.fingerprint)
    revoked = desk.get(approval.id)
    assert revoked.state is ApprovalState.REVOKED
    assert "no longer" in revoked.reason
    assert desk.open_or_join(make_call()).state is ApprovalState.PENDING


def test_every_move_is_an_event(desk: ApprovalDesk, make_call: Calls, store: Store) -> None:
    """Who, from where, from what to what, and why."""
    approval = desk.open_or_join(make_call(quorum=TWO))
    _yes(desk, approval, "alice", "looks right")
    _yes(desk, approval, "bob")
    desk.spend(approval.id, approval.call.fingerprint)
    events = _events(store)
    assert [(event["from"], event["to"], event["by"]) for event in events] == [
        (None, "pending", "agent:corp/a1"),
        ("pending", "pending", "user:alice"),
        ("pending", "approved", "user:bob"),
        ("approved", "spent", "agent:corp/a1"),
    ]
    assert events[1]["reason"] == "looks right"
    assert events[1]["answer"] == "approve"
    assert events[1]["channel"] == "console"
    assert all(event["approval"] == approval.id for event in events)
    assert events[0]["agent"] == {"issuer": "corp", "subject": "a1", "session": "s1"}
    assert events[0]["rules"] == ["no-deletes"]
    assert events[0]["fingerprint"] == approval.call.fingerprint


def test_a_yes_may_leave_a_grant(desk: ApprovalDesk, make_call: Calls, store: Store, clock: Any) -> None:
    """Made with the last yes, for the session, until its time is over or it is revoked."""
    terms = GrantTerms(scope="rule", seconds=60.0, verb="DELETE", resource="/customers/*", name="/customers/1")
    approval = desk.open_or_join(make_call(quorum=TWO, terms=terms))
    _yes(desk, approval)
    with store.reading() as connection:
        assert grants.of_session(connection, SessionId("s1"), now=clock.now) == []
    _yes(desk, approval, "bob")
    with store.writing() as connection:
        (grant,) = grants.of_session(connection, SessionId("s1"), now=clock.now)
        assert (grant.approval, grant.terms, grant.rules) == (approval.id, terms, approval.call.rules)
        assert (grant.created, grant.expires) == (1_000.0, 1_060.0)
        assert grants.of_session(connection, SessionId("s1"), now=1_060.0) == []
        assert grants.of_session(connection, SessionId("s2"), now=clock.now) == []
        assert grants.revoke(connection, grant.id, by="user:alice", now=1_010.0)
        assert not grants.revoke(connection, grant.id, by="user:alice", now=1_011.0)
        assert grants.of_session(connection, SessionId("s1"), now=clock.now) == []
    assert [event["action"] for event in _events(store, "grant")] == ["create", "revoke"]


def test_grants_end_with_the_rules_that_asked(desk: ApprovalDesk, make_call: Calls, store: Store, clock: Any) -> None:
    """By name and content; the same name with another content is another rule. Nothing else ends."""
    terms = GrantTerms(scope="rule", seconds=60.0, verb="DELETE", resource="/customers/*", name="/customers/1")
    approval = _yes(desk, desk.open_or_join(make_call(terms=terms)))
    [rule] = {(str(each.name), each.digest) for each in approval.call.rules}
    assert desk.revoke_grants_of(frozenset(), reason="changed") == 0
    assert desk.revoke_grants_of({(rule[0], "another"), ("another", rule[1])}, reason="changed") == 0
    assert len(desk.grants()) == 1
    assert desk.revoke_grants_of({rule}, reason="changed") == 1
    assert not desk.grants()
    assert _events(store, "grant")[-1]["reason"] == "changed"


def test_listing_is_newest_first(desk: ApprovalDesk, make_call: Calls, clock: Any) -> None:
    """Of all states or one."""
    for key in ("1", "2", "3"):
        clock.now += 1
        desk.open_or_join(make_call(key))
    _no(desk, desk.open_or_join(make_call("2")))
    assert [approval.call.path[-1] for approval in desk.listing()] == ["3", "2", "1"]
    assert [approval.call.path[-1] for approval in desk.listing(state=ApprovalState.PENDING)] == ["3", "1"]
    assert [approval.call.path[-1] for approval in desk.listing(state=ApprovalState.DENIED)] == ["2"]
    assert len(desk.listing(limit=1)) == 1


def test_a_restart_forgets_nothing(
    desk: ApprovalDesk, make_call: Calls, open_again: Callable[[], Store], clock: Any, settings: Any
) -> None:
    """Pending, half answered and approved ones are found by the next process."""
    pending, half = desk.open_or_join(make_call("1")), desk.open_or_join(make_call("2", quorum=TWO))
    _yes(desk, half)
    done = _yes(desk, desk.open_or_join(make_call("3")))
    later = ApprovalDesk(open_again(), settings(), clock)
    assert later.open_or_join(make_call("1")) == pending
    assert _yes(later, half, "bob").state is ApprovalState.APPROVED
    assert later.spend(done.id, done.call.fingerprint)
    assert not desk.spend(done.id, done.call.fingerprint)
