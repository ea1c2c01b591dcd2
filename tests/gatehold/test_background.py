"""Law: what is counted and what happened elsewhere reaches store and journal, however often a turn fails before."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from gatehold import background
from gatehold.approvals.desk import ApprovalDesk
from gatehold.background import Background
from gatehold.store import Store, limits, open_store, outbox
from policy.limits import LimitLedger, LimitState, key_for
from policy.model import Agent, LimitObligation, RuleName, SessionId, TargetName
from recordings.events import Event
from recordings.recorder import Recorder

NOW = 1_000_000.0
HOURLY = LimitObligation(rule=RuleName("hourly"), unit="calls", amount=10, window=3600.0)
KEY = key_for(HOURLY, Agent(issuer="corp", subject="a"), TargetName("crm"))


class FakeRecorder:
    """Keeps what it is given; fails as often as it is told to."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.failures = 0

    async def append(self, *, events: Sequence[Event], flow: bytes | None, session: SessionId, durable: bool) -> None:
        assert durable
        if self.failures:
            self.failures -= 1
            raise OSError("a text that nobody may read in a log")
        self.events += events


class FakeDesk:
    """Counts how often it was asked to end what is due."""

    def __init__(self) -> None:
        self.turns = 0
        self.failures = 0

    def expire_due(self) -> None:
        self.turns += 1
        if self.failures:
            self.failures -= 1
            raise RuntimeError("a text that nobody may read in a log")


class Parts:
    """One background, and everything around it."""

    def __init__(self, store: Store) -> None:
        self.store, self.desk, self.recorder, self.ledger = store, FakeDesk(), FakeRecorder(), LimitLedger()
        self.background = self.another(self.ledger)

    def another(self, ledger: LimitLedger) -> Background:
        """The same, as after a restart."""
        desk, recorder = cast("ApprovalDesk", self.desk), cast("Recorder", self.recorder)
        return Background(self.store, desk, ledger, recorder, lambda: NOW)

    def happen(self, number: int) -> None:
        """Something happened in another process."""
        with self.store.writing() as connection:
            outbox.append(connection, {"kind": "user", "user": f"user-{number}", "by": "user:root"}, at=NOW)

    async def turns(self, number: int) -> None:
        """Wait until so many turns were done to their end."""
        done, finished = 0, asyncio.Event()

        async def count() -> None:
            nonlocal done
            done += 1
            if done >= number:
                finished.set()

        self.background.every_turn(count)
        await finished.wait()


@pytest.fixture
async def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Parts]:
    monkeypatch.setattr(background, "TURN", 0.0)
    store = open_store("sqlite", tmp_path)
    yield Parts(store)
    store.close()


def _users(events: Sequence[Event]) -> list[Any]:
    return [event.data["unmapped"]["gatehold"]["user"] for event in events]


async def test_the_outbox_is_drained_in_order(parts: Parts) -> None:
    """Each event once, oldest first; then the outbox is empty."""
    for number in range(3):
        parts.happen(number)
    await parts.background.start()
    await parts.turns(2)
    await parts.background.stop()
    assert _users(parts.recorder.events) == ["user-0", "user-1", "user-2"]
    assert outbox.waiting(parts.store) == []


async def test_what_the_recorder_did_not_take_stays(parts: Parts) -> None:
    """It leaves the outbox only when it is in the journal."""
    parts.happen(1)
    parts.recorder.failures = 1
    await parts.background.stop()
    assert parts.recorder.events == []
    assert [row.event["user"] for row in outbox.waiting(parts.store)] == ["user-1"]


async def test_budgets_survive_a_restart(parts: Parts) -> None:
    """What was counted is saved at the latest at the end, and counts again after the start."""
    await parts.background.start()
    for _ in range(10):
        parts.ledger.charge(HOURLY, KEY, NOW)
    await parts.background.stop()
    ledger = LimitLedger()
    again = parts.another(ledger)
    await again.start()
    await again.stop()
    assert ledger.peek(HOURLY, KEY, NOW) > 0


async def test_budgets_that_could_not_be_saved_are_saved_later(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is away for a moment refills no budget."""
    save, failures = limits.save, [True]

    def failing(store: Store, states: Sequence[LimitState]) -> None:
        if failures.pop():
            raise OSError("the store is away")
        save(store, states)

    monkeypatch.setattr(limits, "save", failing)
    parts.ledger.charge(HOURLY, KEY, NOW)
    await parts.background.stop()
    assert limits.load(parts.store, now=NOW) == []
    failures.append(False)
    await parts.background.stop()
    assert [state.consumed for state in limits.load(parts.store, now=NOW)] == [1]


async def test_a_failing_turn_is_told_and_tried_again(parts: Parts, caplog: pytest.LogCaptureFixture) -> None:
    """Its type is logged, its text is not; the next turn does all of the work."""
    parts.desk.failures = 2
    parts.happen(1)
    with caplog.at_level(logging.ERROR):
        await parts.background.start()
        await parts.turns(1)
        await parts.background.stop()
    told = [record.getMessage() for record in caplog.records]
    assert told == ["gatehold: background work failed: RuntimeError"] * 2
    assert parts.desk.turns >= 3
    assert _users(parts.recorder.events) == ["user-1"]


async def test_stopping_does_a_last_turn_and_never_raises(parts: Parts, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever failed: what comes after it at the end (the recorder's own end) is not skipped."""

    def fail() -> None:
        raise RuntimeError("a text that nobody may read in a log")

    parts.desk.failures = 1
    with caplog.at_level(logging.ERROR):
        parts.background.alongside(fail)
        await parts.background.stop()
    assert parts.desk.turns == 1
    assert {record.getMessage() for record in caplog.records} == {"gatehold: background work failed: RuntimeError"}
    assert not parts.background.did_alongside


@pytest.mark.parametrize(("work", "expected"), [(lambda: None, True), (lambda: 1 / 0, False)])
async def test_what_is_done_alongside_is_known(parts: Parts, work: Callable[[], object], expected: bool) -> None:
    """Done, and without an error; not before it began."""
    assert not parts.background.did_alongside
    parts.background.alongside(work)
    await parts.background.stop()
    assert parts.background.did_alongside is expected


async def test_what_is_done_afterwards_waits_for_what_is_done_alongside(parts: Parts) -> None:
    """And readiness does not wait for it."""
    done: list[str] = []
    parts.background.alongside(lambda: done.append("first"))
    parts.background.afterwards(partial(done.append, each) for each in ("second", "third"))
    await asyncio.wait_for(parts.background.all_done(), 10)
    assert done == ["first", "second", "third"]
    assert parts.background.did_alongside
