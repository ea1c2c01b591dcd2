"""Law: no call passes whose session is over, however many gateways saw it; what was noted reaches the store."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from gatehold.sessions import rows
from gatehold.sessions.registry import SessionRegistry
from gatehold.sessions.rows import AgentSession, key_of
from gatehold.store import Store, outbox
from gatehold.store.errors import StoreUnavailable
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent, SessionId, SessionObligation
from tests.gatehold.sessions.conftest import Clock

IDLE = SessionObligation(idle=60.0)
SHIFT = SessionObligation(longest=100.0)
AGENT = Agent(issuer="corp", subject="a1", groups=("planners",), session=SessionId("s1"), expires_at=1_000_000.0 + 3600)
type StoreFactory = Callable[[], Store]


@pytest.fixture
def here(store: Store, clock: Clock) -> SessionRegistry:
    """The registry of one gateway."""
    return SessionRegistry(store, clock)


@pytest.fixture
def there(open_again: StoreFactory, clock: Clock) -> SessionRegistry:
    """That of another one on the same store."""
    return SessionRegistry(open_again(), clock)


def stored(store: Store, agent: Agent = AGENT) -> AgentSession:
    """The session as the store has it."""
    with store.reading() as connection:
        return rows.find(connection, [key_of(agent)])[key_of(agent)]


def hear(registry: SessionRegistry, store: Store) -> None:
    """What the view of revocations does twice a second."""
    with store.reading() as connection:
        view = registry.read(connection)
    registry.take(view)


async def refusal(registry: SessionRegistry, asked: SessionObligation | None = None, agent: Agent = AGENT) -> str:
    """Why a call is refused; empty where it passes."""
    try:
        await registry.enter(agent, asked)
    except Refusal as refused:
        return refused.detail if refused.code is Code.REVOKED else refused.code
    return ""


async def test_the_first_call_waits_for_the_store_and_no_other(
    here: SessionRegistry, store: Store, clock: Clock
) -> None:
    """From then on calls are noted in memory, and written by the turn."""
    assert not here.note(AGENT)
    assert await refusal(here) == ""
    clock.now += 5
    assert here.note(AGENT, held=True)
    here.deny(AGENT)
    assert stored(store).calls == 0
    await here.turn()
    found = stored(store)
    assert (found.calls, found.held, found.denied) == (2, 1, 1)
    assert (found.started, found.seen, found.token_expires) == (clock.now - 5, clock.now, AGENT.expires_at)
    await here.turn()
    assert stored(store) == found


@pytest.mark.parametrize(
    ("asked", "told"),
    [(IDLE, "idle for 1m"), (SHIFT, "it lasted 100s")],
)
async def test_a_call_that_comes_too_late(
    here: SessionRegistry, store: Store, clock: Clock, asked: SessionObligation, told: str
) -> None:
    """It is refused at once, with the words of the bound, and so is every one after it; nothing turned meanwhile."""
    assert await refusal(here, asked) == ""
    clock.now += 50
    assert here.note(AGENT)
    clock.now += asked.idle or 50
    words = f"The session ended: {told}; get a new token."
    assert await refusal(here) == words
    assert await refusal(here) == words
    assert here.why_ended(AGENT) == told
    assert stored(store).why == told
    assert len(outbox.waiting(store)) == 1


async def test_the_turn_ends_what_is_over(here: SessionRegistry, store: Store, clock: Clock) -> None:
    """By itself, with no call; whoever waits is told. What is said in an open shell keeps a session alive."""
    told: list[str] = []
    here.on_end = lambda: told.append(here.why_ended(AGENT))
    await here.enter(AGENT, IDLE)
    clock.now += 59
    await here.turn()
    here.touch(AGENT)
    clock.now += 59
    await here.turn()
    assert not told
    clock.now += 1
    here.touch(AGENT)  # too late
    await here.turn()
    assert told == ["idle for 1m"]
    assert stored(store).ended == clock.now


async def test_bounds_stay(here: SessionRegistry, clock: Clock) -> None:
    """A call that no bound is about does not free the session of those that it has; a first bound counts from the
    first call of all.
    """
    await here.enter(AGENT)
    clock.now += 99
    assert here.note(AGENT, SHIFT)
    assert here.note(AGENT)
    clock.now += 1
    assert not here.note(AGENT)
    other = replace(AGENT, session=SessionId("s2"))
    await here.enter(other)
    clock.now += 100
    assert await refusal(here, SHIFT, other) == "The session ended: it lasted 100s; get a new token."


async def test_used_through_another_gateway(here: SessionRegistry, there: SessionRegistry, clock: Clock) -> None:
    """A session is idle only where it is idle in all of them, and older than either knows alone."""
    await here.enter(AGENT, IDLE)
    clock.now += 50
    await here.turn()
    await there.enter(AGENT)
    await there.turn()
    clock.now += 50
    await here.turn()
    assert here.why_ended(AGENT) == ""
    assert await refusal(here) == ""
    assert await refusal(here, SHIFT) == "The session ended: it lasted 100s; get a new token."


async def test_ended_by_another_gateway(
    here: SessionRegistry, there: SessionRegistry, store: Store, clock: Clock
) -> None:
    """The next look at the store tells, once and for all."""
    await here.enter(AGENT, IDLE)
    await there.enter(AGENT, IDLE)
    clock.now += 60
    await there.turn()
    assert here.why_ended(AGENT) == ""
    hear(here, store)
    hear(here, store)
    assert here.why_ended(AGENT) == there.why_ended(AGENT) == "idle for 1m"
    assert not here.note(AGENT)
    assert len(outbox.waiting(store)) == 1


async def test_two_end_it_at_once(here: SessionRegistry, there: SessionRegistry, store: Store, clock: Clock) -> None:
    """Both know that it ended, and the record has one line."""
    await asyncio.gather(here.enter(AGENT, IDLE), there.enter(AGENT, IDLE))
    clock.now += 60
    await asyncio.gather(here.turn(), there.turn())
    hear(here, store)
    hear(there, store)
    assert here.why_ended(AGENT) == there.why_ended(AGENT) == "idle for 1m"
    assert len(outbox.waiting(store)) == 1


async def test_a_restart_gives_no_new_session(here: SessionRegistry, there: SessionRegistry, clock: Clock) -> None:
    """Neither to one that goes on, nor to one that ended, nor to one that was over while nobody looked."""
    ended, late = replace(AGENT, subject="a2"), replace(AGENT, subject="a3")
    for agent in (AGENT, ended, late):
        await here.enter(agent, SHIFT if agent is AGENT else IDLE)
    clock.now += 40
    assert here.note(late)
    clock.now += 20
    await here.turn()
    assert here.why_ended(ended)
    await there.start()
    assert there.why_ended(ended) == "idle for 1m"
    assert there.note(AGENT)
    clock.now += 40
    assert await refusal(there, agent=late) == "The session ended: idle for 1m; get a new token."
    assert await refusal(there) == "The session ended: it lasted 100s; get a new token."


async def test_renewed_tokens_give_no_new_session(here: SessionRegistry, clock: Clock) -> None:
    """One that ended, and one that was idle meanwhile, is refused although memory forgot it with its tokens."""
    other = replace(AGENT, subject="a2")
    await here.enter(AGENT, SHIFT)
    await here.enter(other, SessionObligation(idle=7200.0))
    clock.now += 3600
    await here.turn()
    assert repr(here) == "<SessionRegistry: 0 sessions, 0 ended>"
    renewed = replace(AGENT, expires_at=clock.now + 7200)
    assert await refusal(here, agent=renewed) == "The session ended: it lasted 100s; get a new token."
    await here.turn()
    assert here.why_ended(renewed) == "it lasted 100s"
    clock.now += 3600
    renewed = replace(other, expires_at=clock.now + 7200)
    assert await refusal(here, agent=renewed) == "The session ended: idle for 2h; get a new token."


async def test_without_the_store(
    here: SessionRegistry, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Known sessions go on, others are refused; nothing that was counted is lost."""
    await here.enter(AGENT, IDLE)
    await here.turn()

    def unavailable(*_: object, **__: object) -> None:
        raise StoreUnavailable("locked")

    with monkeypatch.context() as patched:
        patched.setattr(store, "reading", unavailable)
        patched.setattr(store, "writing", unavailable)
        clock.now += 1
        assert here.note(AGENT)
        here.deny(AGENT)
        with pytest.raises(StoreUnavailable):
            await here.turn()
        with pytest.raises(Refusal) as unknown:
            await here.enter(replace(AGENT, subject="a2"))
        clock.now += 60
        with pytest.raises(Refusal) as late:
            await here.enter(AGENT)
        assert unknown.value.code is late.value.code is Code.GATEWAY_ERROR
    clock.now -= 30
    await here.turn()
    found = stored(store)
    assert (found.calls, found.denied) == (2, 1)


async def test_the_store_is_cleared(here: SessionRegistry, store: Store, clock: Clock) -> None:
    """From time to time, of what need not be known any more."""
    await here.enter(AGENT)
    await here.turn()
    clock.now += 3 * 86400
    await here.turn()
    with store.reading() as connection:
        assert not rows.find(connection, [key_of(AGENT)])
