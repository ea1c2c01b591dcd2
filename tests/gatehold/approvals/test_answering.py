from collections.abc import Callable
from typing import Any

import pytest

from gatehold.approvals.answering import Voice, check, enough
from gatehold.approvals.approvers import Quorum
from gatehold.approvals.errors import AnswerRefused, Objection
from gatehold.approvals.model import Answer, Approval, ApprovalId, Channel, HeldCall, Verb
from gatehold.approvals.states import ApprovalState

SRE = frozenset({"sre"})


def _approval(call: HeldCall, *answers: Answer, state: ApprovalState = ApprovalState.PENDING) -> Approval:
    return Approval(
        id=ApprovalId("apr_1"),
        state=state,
        call=call,
        created=0.0,
        expires=100.0,
        answered=None,
        spend_by=None,
        ended=None,
        reason="",
        answers=answers,
    )


def _voice(user: str = "alice", verb: Verb = Verb.APPROVE, **more: Any) -> Voice:
    return Voice(**{"user": user, "verb": verb, "channel": Channel.CONSOLE, **more})


def _objection(approval: Approval, voice: Voice, groups: frozenset[str] | None = SRE, now: float = 50.0) -> Objection:
    with pytest.raises(AnswerRefused) as caught:
        check(approval, voice, groups, now=now)
    return caught.value.objection


def test_a_member_may_answer(make_call: Callable[..., HeldCall]) -> None:
    """Yes without a reason, no with one."""
    check(_approval(make_call()), _voice(), SRE, now=50.0)
    check(_approval(make_call()), _voice(verb=Verb.DENY, reason="not today"), SRE, now=50.0)


def test_objections(make_call: Callable[..., HeldCall]) -> None:
    """Each rule has its own objection."""
    approval = _approval(make_call())
    said = _voice().answer(1.0)
    assert _objection(approval, _voice(), now=100.0) is Objection.LATE
    assert _objection(_approval(make_call(), state=ApprovalState.DENIED), _voice()) is Objection.LATE
    assert _objection(approval, _voice(), None) is Objection.UNKNOWN_USER
    assert _objection(approval, _voice(), frozenset({"security"})) is Objection.WRONG_GROUP
    assert _objection(approval, _voice(), frozenset()) is Objection.WRONG_GROUP
    assert _objection(approval, _voice("Olga")) is Objection.OWN_REQUEST
    assert _objection(approval, _voice("a1")) is Objection.OWN_REQUEST
    assert _objection(approval, _voice("a1", Verb.DENY, reason="no")) is Objection.OWN_REQUEST
    assert _objection(approval, _voice(verb=Verb.DENY, reason=" ")) is Objection.NO_REASON
    assert _objection(_approval(make_call(), said), _voice()) is Objection.TWICE


def test_one_account_of_the_machine_is_one_person(make_call: Callable[..., HeldCall]) -> None:
    """Whoever it names, and also through another channel under the same name."""
    local = _voice("bob", channel=Channel.LOCAL, os_user="root")
    approval = _approval(make_call(), local.answer(1.0))
    assert _objection(approval, _voice("alice", channel=Channel.LOCAL, os_user="root")) is Objection.TWICE
    assert _objection(approval, _voice("bob")) is Objection.TWICE
    check(approval, _voice("alice", channel=Channel.LOCAL, os_user="alice"), SRE, now=50.0)
    check(approval, _voice("alice"), SRE, now=50.0)


def test_an_account_cannot_pass_for_a_user(make_call: Callable[..., HeldCall]) -> None:
    """A user and an account of the same name are two people."""
    approval = _approval(make_call(), _voice("root").answer(1.0))
    check(approval, _voice("alice", channel=Channel.LOCAL, os_user="root"), SRE, now=50.0)


def test_who_said_yes_may_still_say_no(make_call: Callable[..., HeldCall]) -> None:
    """A change of mind ends the question."""
    approval = _approval(make_call(), _voice().answer(1.0))
    check(approval, _voice(verb=Verb.DENY, reason="I looked again"), SRE, now=50.0)


def test_a_local_answer_needs_an_account() -> None:
    """It is recorded with every one of them."""
    with pytest.raises(ValueError, match="account"):
        _voice(channel=Channel.LOCAL)


def test_messages_show_what_cannot_be_seen(make_call: Callable[..., HeldCall]) -> None:
    """Names come from outside; a terminal must not obey them."""
    with pytest.raises(AnswerRefused, match=r"<U\+001B>\[31m"):
        check(_approval(make_call()), _voice("\x1b[31m"), None, now=50.0)


def test_enough_counts_present_groups_and_people_once(make_call: Callable[..., HeldCall]) -> None:
    """Groups are those of now; two names from one account are one yes."""
    call = make_call(quorum=Quorum(sets=(SRE,), count=2))
    alice, bob = _voice("alice").answer(1.0), _voice("bob").answer(2.0)
    groups = {"alice": SRE, "bob": SRE}
    assert enough(_approval(call, alice, bob), groups)
    assert not enough(_approval(call, alice, bob), {"alice": SRE})
    assert not enough(_approval(call, alice), groups)
    local = [_voice(name, channel=Channel.LOCAL, os_user="root").answer(1.0) for name in ("alice", "bob")]
    assert not enough(_approval(call, *local), groups)
    no = _voice("bob", Verb.DENY, reason="x").answer(2.0)
    assert not enough(_approval(call, alice, no), groups)
