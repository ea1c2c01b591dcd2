import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy.exc import ProgrammingError

from gatehold.approvals import waiting
from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.errors import UnknownApproval
from gatehold.approvals.model import Channel, HeldCall
from gatehold.approvals.moves import GATEHOLD
from gatehold.approvals.states import ApprovalState
from gatehold.approvals.waiting import Waiter
from gatehold.store import Store
from gatehold.store.errors import StoreUnavailable
from policy.codes import Code
from policy.errors import Refusal

LONG = 60.0


@pytest.fixture
async def waiter(store: Store) -> AsyncIterator[Waiter]:
    waiter = Waiter(store, interval=0.01)
    yield waiter
    await waiter.stop()


async def _until_waiting(waiter: Waiter, number: int) -> None:
    """Let the tasks that were just created begin to wait."""
    await asyncio.sleep(0)
    assert len(waiter) == number


async def test_an_answer_ends_the_wait(waiter: Waiter, desk: ApprovalDesk, make_call: Callable[..., HeldCall]) -> None:
    """Whichever it is, wherever it was given; all who wait for it hear it, others wait on."""
    yes, no, other = (desk.open_or_join(make_call(key)) for key in "123")
    ids = [yes.id, yes.id, no.id, other.id]
    tasks = [asyncio.create_task(waiter.wait(approval_id, LONG)) for approval_id in ids]
    await _until_waiting(waiter, 4)
    desk.approve(yes.id, "alice", channel=Channel.CONSOLE)
    desk.deny(no.id, "alice", channel=Channel.CONSOLE, reason="no")
    assert await asyncio.gather(*tasks[:3]) == ["approved", "approved", "denied"]
    assert not tasks[3].done()
    desk.withdraw(other.id, by=GATEHOLD)
    assert await tasks[3] is ApprovalState.WITHDRAWN
    assert len(waiter) == 0


async def test_an_answer_from_before_is_found(
    waiter: Waiter, desk: ApprovalDesk, make_call: Callable[..., HeldCall]
) -> None:
    """Nothing falls between asking and waiting."""
    approval = desk.open_or_join(make_call())
    desk.approve(approval.id, "alice", channel=Channel.CONSOLE)
    assert await waiter.wait(approval.id, LONG) is ApprovalState.APPROVED


async def test_time_that_runs_out_is_not_an_answer(
    waiter: Waiter, desk: ApprovalDesk, make_call: Callable[..., HeldCall]
) -> None:
    """The wait is over, the question is still open."""
    approval = desk.open_or_join(make_call())
    assert await waiter.wait(approval.id, 0.0) is ApprovalState.PENDING
    assert len(waiter) == 0


async def test_whoever_goes_away_leaves_nothing(
    waiter: Waiter, desk: ApprovalDesk, make_call: Callable[..., HeldCall]
) -> None:
    """A cancelled wait does not disturb another for the same approval."""
    approval = desk.open_or_join(make_call())
    gone, stays = (asyncio.create_task(waiter.wait(approval.id, LONG)) for _ in range(2))
    await _until_waiting(waiter, 2)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert len(waiter) == 1
    desk.approve(approval.id, "alice", channel=Channel.CONSOLE)
    assert await stays is ApprovalState.APPROVED


async def test_notify_does_not_wait_for_the_next_look(
    store: Store, desk: ApprovalDesk, make_call: Callable[..., HeldCall]
) -> None:
    """A decision of this process, made in another thread, is heard although the next look is an hour away."""
    waiter = Waiter(store, interval=3_600.0)
    approval = desk.open_or_join(make_call())
    task = asyncio.create_task(waiter.wait(approval.id, LONG))
    await _until_waiting(waiter, 1)

    def decide() -> None:
        desk.approve(approval.id, "alice", channel=Channel.CONSOLE)
        waiter.notify()

    thread = threading.Thread(target=decide)
    thread.start()
    assert await task is ApprovalState.APPROVED
    thread.join()
    await waiter.stop()


async def test_stopping_refuses_everybody(
    waiter: Waiter, desk: ApprovalDesk, make_call: Callable[..., HeldCall]
) -> None:
    """Those who wait and those who come later; never a pass. Stopping again is harmless."""
    tasks = [asyncio.create_task(waiter.wait(desk.open_or_join(make_call(key)).id, LONG)) for key in "12"]
    await _until_waiting(waiter, 2)
    await waiter.stop()
    results = await asyncio.gather(*tasks, waiter.wait("apr_late", LONG), return_exceptions=True)
    assert all(isinstance(result, Refusal) and result.code is Code.GATEWAY_ERROR for result in results)
    assert repr(waiter) == "<Waiter stopped, 0 waiting>"
    await waiter.stop()
    waiter.notify()


async def test_an_approval_that_does_not_exist_is_an_error(waiter: Waiter) -> None:
    """Nobody waits for what cannot come."""
    with pytest.raises(UnknownApproval):
        await waiter.wait("apr_none", LONG)


async def test_many_wait_on_one_look(
    store: Store, desk: ApprovalDesk, make_call: Callable[..., HeldCall], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand waiting calls ask the store no more often than one."""
    looks = 0
    real = waiting._no_longer_open

    def counted(store: Store, ids: frozenset[str]) -> dict[str, ApprovalState | None]:
        nonlocal looks
        looks += 1
        return real(store, ids)

    monkeypatch.setattr(waiting, "_no_longer_open", counted)
    waiter = Waiter(store, interval=3_600.0)
    approvals = [desk.open_or_join(make_call(str(number))) for number in range(20)]
    tasks = [asyncio.create_task(waiter.wait(approvals[number % 20].id, LONG)) for number in range(1_000)]
    await _until_waiting(waiter, 1_000)
    for approval in approvals:
        desk.approve(approval.id, "alice", channel=Channel.CONSOLE)
    waiter.notify()
    assert set(await asyncio.gather(*tasks)) == {ApprovalState.APPROVED}
    assert looks <= 3
    await waiter.stop()


async def test_it_looks_again_after_nobody_waited(
    waiter: Waiter, desk: ApprovalDesk, make_call: Callable[..., HeldCall]
) -> None:
    """The task that looks ends with the last wait, and starts with the next."""
    for key in "12":
        approval = desk.open_or_join(make_call(key))
        task = asyncio.create_task(waiter.wait(approval.id, LONG))
        await _until_waiting(waiter, 1)
        desk.approve(approval.id, "alice", channel=Channel.CONSOLE)
        assert await task is ApprovalState.APPROVED


async def test_a_store_that_comes_back_is_no_harm(
    waiter: Waiter, desk: ApprovalDesk, make_call: Callable[..., HeldCall], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few failed looks are bridged."""
    approval = desk.open_or_join(make_call())
    desk.approve(approval.id, "alice", channel=Channel.CONSOLE)
    real, failures = waiting._no_longer_open, iter(range(3))

    def failing(store: Store, ids: frozenset[str]) -> dict[str, ApprovalState | None]:
        if next(failures, None) is not None:
            raise StoreUnavailable("locked")
        return real(store, ids)

    monkeypatch.setattr(waiting, "_no_longer_open", failing)
    assert await waiter.wait(approval.id, LONG) is ApprovalState.APPROVED


@pytest.mark.parametrize(
    ("error", "told"), [(StoreUnavailable("gone"), StoreUnavailable), (ProgrammingError("", {}, OSError()), Refusal)]
)
async def test_a_store_that_stays_away_refuses_everybody(
    waiter: Waiter, monkeypatch: pytest.MonkeyPatch, error: Exception, told: type[Exception]
) -> None:
    """After some time at once an error of the store, any other fault as a refusal; nobody waits for nothing."""

    def failing(store: Store, ids: frozenset[str]) -> dict[str, ApprovalState | None]:
        raise error

    monkeypatch.setattr(waiting, "_no_longer_open", failing)
    monkeypatch.setattr(waiting, "MOST_FAILURES", 3)
    results = await asyncio.gather(waiter.wait("a", LONG), waiter.wait("b", LONG), return_exceptions=True)
    assert [type(result) for result in results] == [told, told]
