"""What must never both happen, tried for real: many threads, and many processes, on one store."""

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gatehold.approvals.approvers import Quorum
from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.errors import AnswerRefused, Objection
from gatehold.approvals.grants import CallTraits
from gatehold.approvals.model import Approval, Channel, GrantTerms, HeldCall, Verb
from gatehold.approvals.moves import Actor
from gatehold.approvals.showing import digest
from gatehold.approvals.states import ApprovalState
from gatehold.store import Store, outbox
from gatehold.store.users import add_user
from policy.model import SessionId

ROUNDS = 8
ALICE = Actor(name="user:alice")

WORKER = """
import sys
from pathlib import Path
from types import SimpleNamespace
from gatehold.approvals.desk import ApprovalDesk
from gatehold.store import open_store

settings = SimpleNamespace(expire=900.0, spend_within=300.0, max_open_per_agent=20, local="users", break_glass=())
with open_store(sys.argv[1], Path(sys.argv[2])) as store:
    desk = ApprovalDesk(store, settings, clock=lambda: 1_000.0)
    print("ready", flush=True)
    for line in sys.stdin:
        approval_id, fingerprint = line.split()
        print("won" if desk.spend(approval_id, fingerprint) else "lost", flush=True)
"""


def _at_once(*actions: Callable[[], Any]) -> list[Any]:
    """The results (or exceptions) of functions that start at the same moment, each in a thread of its own."""
    barrier = threading.Barrier(len(actions))
    results: list[Any] = [None] * len(actions)

    def run(place: int, action: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            results[place] = action()
        except Exception as error:  # noqa: BLE001 - it is the result
            results[place] = error

    threads = [threading.Thread(target=run, args=item) for item in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def _moves(store: Store, approval: Approval) -> list[tuple[str, str]]:
    events = [waiting.event for waiting in outbox.waiting(store) if waiting.event.get("approval") == approval.id]
    return [(event["from"], event["to"]) for event in events if event["kind"] == "approval" and event["from"]]


@pytest.fixture
def desks(desk: ApprovalDesk, open_again: Callable[[], Store], settings: Any, clock: Any) -> Sequence[ApprovalDesk]:
    """Two desks on one store with connections of their own, as two processes have."""
    return desk, ApprovalDesk(open_again(), settings(), clock)


def test_two_approvers_at_once(desks: Sequence[ApprovalDesk], store: Store, make_call: Callable[..., HeldCall]) -> None:
    """Where one yes is needed one of them gives it and the other is late; where two are, both count."""
    for number in range(ROUNDS):
        count = 1 + number % 2
        quorum = Quorum(sets=(frozenset({"sre"}),), count=count)
        approval = desks[0].open_or_join(make_call(str(number), quorum=quorum))
        results = _at_once(
            partial(desks[0].approve, approval.id, "alice", channel=Channel.CONSOLE),
            partial(desks[1].approve, approval.id, "bob", channel=Channel.CONSOLE),
        )
        refused = [result for result in results if isinstance(result, AnswerRefused)]
        assert [error.objection for error in refused] == [Objection.LATE] * (2 - count)
        assert desks[0].get(approval.id).state is ApprovalState.APPROVED
        assert _moves(store, approval).count(("pending", "approved")) == 1


def test_yes_against_no(desks: Sequence[ApprovalDesk], store: Store, make_call: Callable[..., HeldCall]) -> None:
    """One of them stands, the other is told that it is late."""
    for number in range(ROUNDS):
        approval = desks[0].open_or_join(make_call(str(number)))
        results = _at_once(
            partial(desks[0].approve, approval.id, "alice", channel=Channel.CONSOLE),
            partial(desks[1].deny, approval.id, "bob", channel=Channel.CONSOLE, reason="no"),
        )
        assert sum(isinstance(result, AnswerRefused) for result in results) == 1
        assert desks[0].get(approval.id) in results
        assert len(_moves(store, approval)) == 1


def test_the_same_person_twice_at_once(desks: Sequence[ApprovalDesk], make_call: Callable[..., HeldCall]) -> None:
    """Two windows of one person are one yes."""
    for number in range(ROUNDS):
        quorum = Quorum(sets=(frozenset({"sre"}),), count=2)
        approval = desks[0].open_or_join(make_call(str(number), quorum=quorum))
        results = _at_once(*(partial(desk.approve, approval.id, "alice", channel=Channel.CONSOLE) for desk in desks))
        assert sum(isinstance(result, AnswerRefused) for result in results) == 1
        assert desks[0].get(approval.id).state is ApprovalState.PENDING


def test_yes_against_the_deadline(
    store: Store, desk: ApprovalDesk, open_again: Callable[[], Store], settings: Any, make_call: Callable[..., HeldCall]
) -> None:
    """Clocks may differ by a moment: for one desk it is in time, for the other it is over. One of them is right."""
    approver = ApprovalDesk(open_again(), settings(), clock=lambda: 1_899.0)
    sweeper = ApprovalDesk(open_again(), settings(), clock=lambda: 1_900.0)
    for number in range(ROUNDS):
        approval = desk.open_or_join(make_call(str(number)))
        answer, expired = _at_once(
            partial(approver.approve, approval.id, "alice", channel=Channel.CONSOLE),
            sweeper.expire_due,
        )
        assert isinstance(answer, Approval) is not (approval.id in expired)
        state = ApprovalState.APPROVED if isinstance(answer, Approval) else ApprovalState.EXPIRED
        assert desk.get(approval.id).state is state
        assert _moves(store, approval) == [("pending", state)]


def test_spending_against_revoking(
    desks: Sequence[ApprovalDesk], store: Store, make_call: Callable[..., HeldCall]
) -> None:
    """Either the call went out or the yes was taken back."""
    for number in range(ROUNDS):
        approval = desks[0].open_or_join(make_call(str(number)))
        desks[0].approve(approval.id, "alice", channel=Channel.CONSOLE)
        spent, revoked = _at_once(
            partial(desks[0].spend, approval.id, approval.call.fingerprint),
            partial(desks[1].revoke, approval.id, by=ALICE),
        )
        assert spent is not isinstance(revoked, Approval)
        assert desks[0].get(approval.id).state is (ApprovalState.SPENT if spent else ApprovalState.REVOKED)


def test_one_call_from_many_connections_asks_once(
    desks: Sequence[ApprovalDesk], make_call: Callable[..., HeldCall]
) -> None:
    """Everybody joins the same question."""
    for number in range(ROUNDS):
        call = make_call(str(number))
        results = _at_once(*(partial(desk.open_or_join, call) for desk in (*desks, *desks)))
        assert len({approval.id for approval in results}) == 1


def test_a_flood_from_many_connections_stays_within_the_cap(
    store: Store, open_again: Callable[[], Store], settings: Any, clock: Any, make_call: Callable[..., HeldCall]
) -> None:
    """Counting and opening are one step."""
    desks = [ApprovalDesk(each, settings(max_open_per_agent=3), clock) for each in (store, open_again())]
    calls = [make_call(str(number)) for number in range(8)]
    _at_once(*(partial(desk.open_or_join, call) for call in calls for desk in desks))
    assert len(desks[0].listing()) == 3


def test_one_yes_from_many_threads(desks: Sequence[ApprovalDesk], make_call: Callable[..., HeldCall]) -> None:
    """Exactly one of them spends it."""
    for number in range(ROUNDS):
        approval = desks[0].open_or_join(make_call(str(number)))
        desks[0].approve(approval.id, "alice", channel=Channel.CONSOLE)
        results = _at_once(*(partial(desk.spend, approval.id, approval.call.fingerprint) for desk in (*desks, *desks)))
        assert sorted(results) == [False, False, False, True]


def test_one_yes_from_many_processes(
    desk: ApprovalDesk, store: Store, store_url: str, tmp_path: Path, make_call: Callable[..., HeldCall]
) -> None:
    """Exactly one of them spends it, though they know nothing of each other."""
    approvals = [desk.open_or_join(make_call(str(number))) for number in range(20)]
    for approval in approvals:
        desk.approve(approval.id, "alice", channel=Channel.CONSOLE)
    command = [sys.executable, "-c", WORKER, store_url, str(tmp_path / "data")]
    workers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [_line(worker) for worker in workers] == ["ready"] * 3
    work = "".join(f"{approval.id} {approval.call.fingerprint}\n" for approval in approvals)
    outputs = [result[0] for result in _at_once(*(partial(each.communicate, work, 60) for each in workers))]
    wins = [output.split() for output in outputs]
    assert [len(each) for each in wins] == [20] * 3
    assert [sum(each[number] == "won" for each in wins) for number in range(20)] == [1] * 20
    assert all(_moves(store, approval).count(("approved", "spent")) == 1 for approval in approvals)


def test_one_set_answered_by_two_people_at_once(
    desks: Sequence[ApprovalDesk], store: Store, make_call: Callable[..., HeldCall]
) -> None:
    """One answer counts for all of them, and the other for none."""
    for number in range(ROUNDS):
        calls = [desks[0].open_or_join(make_call(f"{number}-{key}", together=str(number))) for key in "abc"]
        ids, shown = [each.id for each in calls], digest(calls)
        verbs = ((desks[0], "alice", Verb.APPROVE), (desks[1], "bob", Verb.DENY))
        results = _at_once(
            *(
                partial(desk.answer_together, ids, user, verb=verb, channel=Channel.CONSOLE, reason="r", shown=shown)
                for desk, user, verb in verbs
            )
        )
        assert sum(isinstance(result, AnswerRefused) for result in results) == 1
        assert len({desks[0].get(each).state for each in ids}) == 1
        assert all(len(_moves(store, each)) == 1 for each in calls)


def test_the_first_use_of_a_grant_against_its_end(
    desks: Sequence[ApprovalDesk], store: Store, make_call: Callable[..., HeldCall]
) -> None:
    """Of many first calls one spends the yes; once a grant is revoked no call passes, whatever came before."""
    for number in range(ROUNDS):
        terms = GrantTerms(scope="rule", seconds=600.0, verb="*", resource="*", name="")
        call = make_call(str(number), terms=terms, session=SessionId(f"s{number}"))
        approval = desks[0].approve(desks[0].open_or_join(call).id, "alice", channel=Channel.CONSOLE)
        [grant] = desks[0].grants_of(approval.id)
        traits = CallTraits(
            issuer="corp", subject="a1", session=call.session, target=call.target, verb="GET", resource="r", name="n"
        )
        _at_once(
            *(partial(desk.granted, traits, call.rules) for desk in (*desks, *desks)),
            partial(desks[1].revoke_grant, grant, by=ALICE),
        )
        assert not desks[0].granted(traits, call.rules)
        assert not desks[1].spend(approval.id, call.fingerprint)
        assert len(_moves(store, approval)) == 2
        assert desks[0].get(approval.id).state in (ApprovalState.SPENT, ApprovalState.REVOKED)


def test_breaking_the_glass_against_a_no(
    desks: Sequence[ApprovalDesk], store: Store, make_call: Callable[..., HeldCall]
) -> None:
    """One of them stands."""
    with store.writing() as connection:
        add_user(connection, "gwen", ["glass"], by="test", now=0.0)
    for number in range(ROUNDS):
        approval = desks[0].open_or_join(make_call(str(number)))
        results = _at_once(
            partial(desks[0].force, approval.id, "gwen", channel=Channel.CONSOLE, reason="outage"),
            partial(desks[1].deny, approval.id, "bob", channel=Channel.CONSOLE, reason="no"),
        )
        assert sum(isinstance(result, AnswerRefused) for result in results) == 1
        assert len(_moves(store, approval)) == 1


def _line(worker: subprocess.Popen[str]) -> str:
    assert worker.stdout is not None
    return worker.stdout.readline().strip()
