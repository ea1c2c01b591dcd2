"""Laws of answers beyond a single yes: what was shown is what is answered, all or nothing, and broken glass is loud."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from gatehold.approvals.approvers import Quorum
from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.errors import AnswerRefused, Objection, UnknownApproval
from gatehold.approvals.model import Channel, GrantTerms, HeldCall, Kind, Verb
from gatehold.approvals.showing import digest
from gatehold.approvals.states import ApprovalState
from gatehold.store import Store, outbox
from gatehold.store.schema import users
from gatehold.store.users import add_user, enrol

type Make = Callable[..., HeldCall]
TWO = Quorum(sets=(frozenset({"sre"}),), count=2)
TERMS = GrantTerms(scope="rule", seconds=600.0, verb="*", resource="*", name="")


def kinds(store: Store) -> list[str]:
    """Kinds of the events that wait."""
    return [str(each.event["kind"]) for each in outbox.waiting(store)]


@pytest.fixture
def glass(store: Store, desk: ApprovalDesk) -> str:
    """Somebody who may break the glass and is in no other group."""
    with store.writing() as connection:
        add_user(connection, "gwen", ["glass"], by="test", now=0.0)
    return "gwen"


def test_an_answer_is_to_what_was_shown(desk: ApprovalDesk, make_call: Make) -> None:
    """Another digest is refused, and nothing is changed."""
    approval, other = desk.open_or_join(make_call("1")), desk.open_or_join(make_call("2"))
    for answer in (desk.approve, desk.deny):
        with pytest.raises(AnswerRefused) as caught:
            answer(approval.id, "alice", channel=Channel.CONSOLE, reason="r", shown=digest([other]))
        assert caught.value.objection is Objection.NOT_SHOWN
    assert desk.get(approval.id) == approval
    shown = digest([approval])
    assert desk.approve(approval.id, "alice", channel=Channel.CONSOLE, shown=shown).answers[0].shown == shown


def test_the_digest_covers_all_that_is_rendered(desk: ApprovalDesk, make_call: Make) -> None:
    """A change of anything that is shown is another digest; order and state are not shown by it."""
    one, two = desk.open_or_join(make_call("1")), desk.open_or_join(make_call("2"))
    assert digest([one, two]) == digest([two, one]) != digest([one])
    changes: list[dict[str, Any]] = [
        {"path": "/x"},
        {"method": "GET"},
        {"facts": {"a": 1}},
        {"message": "m"},
        {"target": "t"},
        {"subject": "s"},
        {"terms": TERMS},
        {"quorum": TWO},
        {"kind": Kind.ACCESS},
        {"rules": ()},
        {"session": "s2"},
    ]
    digests = {digest([replace(one, call=replace(one.call, **change))]) for change in changes}
    assert len(digests | {digest([one])}) == len(changes) + 1
    assert digest([replace(one, state=ApprovalState.DENIED)]) == digest([one])


def test_calls_of_one_command_are_answered_at_once(desk: ApprovalDesk, make_call: Make) -> None:
    """Those that were on the page; one that joins later needs its own answer."""
    calls = [desk.open_or_join(make_call(key, together="t")) for key in "12"]
    assert {each.id for each in desk.together(calls[0].id)} == {each.id for each in calls}
    shown = digest(calls)
    late = desk.open_or_join(make_call("3", together="t"))
    ids = [each.id for each in calls]
    answered = desk.answer_together(ids, "alice", verb=Verb.APPROVE, channel=Channel.CONSOLE, shown=shown)
    assert [each.state for each in answered] == [ApprovalState.APPROVED] * 2
    assert desk.get(late.id).state is ApprovalState.PENDING
    assert desk.together(late.id) == [late]
    assert desk.together(ids[0]) == [late], "the open ones of the same command"


def test_all_or_none(desk: ApprovalDesk, make_call: Make) -> None:
    """One of them that cannot be answered leaves the others as they were."""
    calls = [desk.open_or_join(make_call(key, together="t")) for key in "12"]
    ids, shown = [each.id for each in calls], digest(calls)
    desk.deny(ids[1], "bob", channel=Channel.CONSOLE, reason="no")
    with pytest.raises(AnswerRefused):
        desk.answer_together(ids, "alice", verb=Verb.APPROVE, channel=Channel.CONSOLE, shown=shown)
    assert desk.get(ids[0]) == calls[0]


@pytest.mark.parametrize("key", [{"together": None}, {"together": "other"}, {"together": "t", "session": "s2"}])
def test_strangers_are_not_answered_together(desk: ApprovalDesk, make_call: Make, key: dict[str, Any]) -> None:
    """Not of another command, session, or of none."""
    calls = [desk.open_or_join(make_call("1", together="t")), desk.open_or_join(make_call("2", **key))]
    with pytest.raises(AnswerRefused) as caught:
        desk.answer_together(
            [each.id for each in calls], "alice", verb=Verb.APPROVE, channel=Channel.CONSOLE, shown=digest(calls)
        )
    assert caught.value.objection is Objection.NOT_SHOWN


def test_bad_sets_are_refused(desk: ApprovalDesk, make_call: Make) -> None:
    """None at all, too many, one that is not there."""
    approval = desk.open_or_join(make_call("1", together="t"))
    shown = digest([approval])
    for ids in ([], [f"apr_{number}" for number in range(101)]):
        with pytest.raises(AnswerRefused):
            desk.answer_together(ids, "alice", verb=Verb.APPROVE, channel=Channel.CONSOLE, shown=shown)
    with pytest.raises(UnknownApproval):
        desk.answer_together([approval.id, "apr_x"], "alice", verb=Verb.APPROVE, channel=Channel.CONSOLE, shown=shown)


def test_broken_glass_is_enough_and_loud(desk: ApprovalDesk, store: Store, make_call: Make, glass: str) -> None:
    """One yes instead of two, with an event of its own; it leaves no grant for later calls."""
    approval = desk.open_or_join(make_call(quorum=TWO, terms=TERMS))
    forced = desk.force(approval.id, glass, channel=Channel.CONSOLE, reason="the site is down")
    assert forced.state is ApprovalState.APPROVED
    assert [each.forced for each in forced.answers] == [True]
    assert "approval-forced" in kinds(store)
    assert not desk.grants()
    assert desk.spend(approval.id, approval.call.fingerprint)


def test_glass_is_not_for_everybody(desk: ApprovalDesk, store: Store, make_call: Make, glass: str) -> None:
    """Not without a reason, not outside the group, not for one's own, and not after one left."""
    approval = desk.open_or_join(make_call(quorum=TWO))
    own = desk.open_or_join(make_call("own", people=frozenset({"gwen@corp.example"})))
    cases = [
        (approval.id, glass, " ", Objection.NO_REASON),
        (approval.id, "alice", "r", Objection.NO_BREAK_GLASS),
        (approval.id, "nobody", "r", Objection.UNKNOWN_USER),
        (own.id, glass, "r", Objection.OWN_REQUEST),
    ]
    for number, user, reason, objection in cases:
        with pytest.raises(AnswerRefused) as caught:
            desk.force(number, user, channel=Channel.CONSOLE, reason=reason)
        assert caught.value.objection is objection
    assert kinds(store).count("approval-answer-refused") == len(cases)
    desk.force(approval.id, glass, channel=Channel.CONSOLE, reason="r")
    with store.writing() as connection:
        connection.exec_driver_sql("DELETE FROM user_groups WHERE user_name = 'gwen'")
    assert not desk.spend(approval.id, approval.call.fingerprint)
    assert desk.get(approval.id).state is ApprovalState.REVOKED


def test_who_said_yes_may_still_break_the_glass(desk: ApprovalDesk, store: Store, make_call: Make) -> None:
    """Their yes becomes the forced one."""
    with store.writing() as connection:
        add_user(connection, "alice", ["glass"], by="test", now=0.0)
    approval = desk.open_or_join(make_call(quorum=TWO))
    assert desk.approve(approval.id, "alice", channel=Channel.CONSOLE).state is ApprovalState.PENDING
    forced = desk.force(approval.id, "alice", channel=Channel.CONSOLE, reason="nobody else is awake")
    assert (forced.state, len(forced.answers)) == (ApprovalState.APPROVED, 1)


def test_access_that_is_granted_is_used_up_at_once(desk: ApprovalDesk, make_call: Make) -> None:
    """It leaves its grant and lets no call out by itself."""
    approval = desk.open_or_join(make_call(kind=Kind.ACCESS, terms=TERMS))
    granted = desk.approve(approval.id, "alice", channel=Channel.CONSOLE)
    assert granted.state is ApprovalState.SPENT
    assert [grant.approval for grant in desk.grants()] == [approval.id]
    assert not desk.spend(approval.id, approval.call.fingerprint)


def enrolled(store: Store, subject: str) -> str:
    """Somebody in ``sre`` and ``glass`` whom an OpenID provider knows by this subject."""
    with store.writing() as connection:
        person = enrol(
            connection, issuer="https://login.test", subject=subject, name="frank", groups=["sre", "glass"], now=0.0
        )
    return person.name


@pytest.mark.parametrize("subject", ["a1", "A1", "olga@corp.example"])
def test_nobody_answers_for_their_own_by_another_name(
    store: Store, desk: ApprovalDesk, make_call: Make, subject: str
) -> None:
    """The subject at the OpenID provider is a name as well: neither an answer nor broken glass counts."""
    user, approval = enrolled(store, subject), desk.open_or_join(make_call())
    for answer in (desk.approve, desk.deny, desk.force):
        with pytest.raises(AnswerRefused) as caught:
            answer(approval.id, user, channel=Channel.CONSOLE, reason="r")
        assert caught.value.objection is Objection.OWN_REQUEST
    assert desk.get(approval.id) == approval


def test_a_name_that_is_learned_later_voids_the_yes(store: Store, desk: ApprovalDesk, make_call: Make) -> None:
    """Who turns out to be behind the call has not approved it, when it is to leave."""
    user, approval = enrolled(store, "f-1"), desk.open_or_join(make_call())
    assert desk.approve(approval.id, user, channel=Channel.CONSOLE).state is ApprovalState.APPROVED
    with store.writing() as connection:
        connection.execute(update(users).where(users.c.name == user).values(login_subject="a1"))
    assert not desk.spend(approval.id, approval.call.fingerprint)
    assert desk.get(approval.id).state is ApprovalState.REVOKED
