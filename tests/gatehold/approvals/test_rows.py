import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from gatehold.approvals import rows
from gatehold.approvals.approvers import Quorum
from gatehold.approvals.model import ApprovalId, Bound, Change, Fingerprint, GrantTerms, HeldCall
from gatehold.approvals.states import TABLE, ApprovalState, Move
from gatehold.store import Store
from gatehold.store.schema import approvals

TERMS = GrantTerms(
    scope="rule", seconds=60.0, verb="DELETE", resource="/c/*", name="/c/1", bounds=(Bound(fact="n", value=1),)
)


def test_what_goes_in_comes_out(store: Store, make_call: Callable[..., HeldCall]) -> None:
    """All of a held call, in its own types."""
    call = make_call(
        terms=TERMS,
        quorum=Quorum(sets=(frozenset({"a", "b"}), frozenset({"c"})), count=2, each=2),
        facts={"nested": {"list": [1, None, "\ud800\x00"]}},
        request=Fingerprint("r" * 64),
        change=Change(diff="-a\n+b", cut=3),
    )
    with store.writing() as connection:
        rows.add(connection, ApprovalId("apr_1"), call, created=1.0, expires=2.0)
        approval = rows.get(connection, "apr_1")
    assert approval is not None
    assert approval.call == call
    assert (approval.state, approval.created, approval.expires, approval.deadline) == ("pending", 1.0, 2.0, 2.0)


def test_nobody_can_store_two_live_approvals_of_one_call(store: Store, make_call: Callable[..., HeldCall]) -> None:
    """The database itself refuses, should all locks fail."""
    with store.writing() as connection:
        rows.add(connection, ApprovalId("apr_1"), make_call(), created=1.0, expires=2.0)

    def add_again() -> None:
        with store.writing() as connection:
            rows.add(connection, ApprovalId("apr_2"), make_call(), created=1.0, expires=2.0)

    with pytest.raises(IntegrityError) as caught:
        add_again()
    assert "customers" not in str(caught.value)


@pytest.mark.parametrize(("state", "step"), list(itertools.product(ApprovalState, Move)))
def test_the_update_knows_the_table(
    store: Store, make_call: Callable[..., HeldCall], state: ApprovalState, step: Move
) -> None:
    """Whatever the caller believes, the statement itself moves along the table only, and changes nothing else."""
    with store.writing() as connection:
        rows.add(connection, ApprovalId("apr_1"), make_call(), created=1.0, expires=100.0)
        connection.execute(approvals.update().values(state=state, spend_by=100.0))
        before = rows.get(connection, "apr_1")
        assert before is not None
        after = replace(before, state=TABLE[state].get(step, ApprovalState.SPENT), reason="moved")
        now = 150.0 if step is Move.EXPIRE else 50.0
        assert rows.move(connection, before, step, after, now=now) is (step in TABLE[state])
        assert rows.get(connection, "apr_1") == (after if step in TABLE[state] else before)


@pytest.mark.parametrize("step", [Move.APPROVE, Move.DENY, Move.WITHDRAW, Move.SPEND, Move.REVOKE])
def test_the_update_knows_the_deadline(store: Store, make_call: Callable[..., HeldCall], step: Move) -> None:
    """At the deadline only one move is left: to expire."""
    state = ApprovalState.APPROVED if step in TABLE[ApprovalState.APPROVED] else ApprovalState.PENDING
    with store.writing() as connection:
        rows.add(connection, ApprovalId("apr_1"), make_call(), created=1.0, expires=100.0)
        connection.execute(approvals.update().values(state=state, spend_by=100.0))
        before = rows.get(connection, "apr_1")
        assert before is not None
        after = replace(before, state=TABLE[state][step])
        assert not rows.move(connection, before, step, after, now=100.0)
        assert rows.move(connection, before, step, after, now=99.0)


@pytest.mark.parametrize("step", list(Move))
def test_the_update_holds_only_where_the_approval_was_read(
    store: Store, make_call: Callable[..., HeldCall], step: Move
) -> None:
    """Somebody else moved it meanwhile: neither is an overdue question expired that was answered, nor anything else."""
    with store.writing() as connection:
        rows.add(connection, ApprovalId("apr_1"), make_call(), created=1.0, expires=100.0)
        read = rows.get(connection, "apr_1")
        assert read is not None
        connection.execute(approvals.update().values(state=ApprovalState.APPROVED, spend_by=400.0))
        now = 100.0 if step is Move.EXPIRE else 50.0
        assert not rows.move(connection, read, step, replace(read, state=ApprovalState.EXPIRED), now=now)
        moved = rows.get(connection, "apr_1")
        assert moved is not None
        assert moved.state is ApprovalState.APPROVED


def test_the_update_is_bound_to_the_call(store: Store, make_call: Callable[..., HeldCall]) -> None:
    """An approval read with another fingerprint than the stored one moves nothing."""
    with store.writing() as connection:
        rows.add(connection, ApprovalId("apr_1"), make_call(), created=1.0, expires=100.0)
        read = rows.get(connection, "apr_1")
        assert read is not None
        forged = replace(read, call=make_call("2"))
        assert not rows.move(connection, forged, Move.DENY, replace(forged, state=ApprovalState.DENIED), now=50.0)


def test_open_ones_are_counted_per_agent(store: Store, make_call: Callable[..., HeldCall]) -> None:
    """Pending and in time, of this issuer and subject."""
    with store.writing() as connection:
        calls = [make_call("1"), make_call("2"), make_call("3", issuer="other"), make_call("4", subject="a2")]
        for number, call in enumerate(calls):
            rows.add(connection, ApprovalId(f"apr_{number}"), call, created=1.0, expires=10.0 + number)
        assert rows.count_open(connection, "corp", "a1", now=5.0) == 2
        assert rows.count_open(connection, "corp", "a1", now=10.0) == 1


def test_states_of_none(store: Store) -> None:
    """No ids, no statement that a database refuses."""
    with store.writing() as connection:
        assert rows.states(connection, []) == {}
        assert rows.pending_ids(connection) == set()
