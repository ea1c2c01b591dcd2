import asyncio
from dataclasses import replace

import pytest

from gatehold.identity.watching import Watch
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent

AGENT = Agent(issuer="corp", subject="a1")
OTHER = Agent(issuer="corp", subject="a2")
LONG = 3_600.0


class Refusing:
    """A check that refuses some subjects and counts how often it is asked."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.looks = 0
        self.third = asyncio.Event()

    def __call__(self, agent: Agent) -> None:
        self.looks += 1
        if self.looks == 3:
            self.third.set()
        if agent.subject in self.refused:
            raise Refusal(Code.REVOKED, f"{agent.subject} is out.")


@pytest.fixture
def check() -> Refusing:
    return Refusing()


@pytest.fixture
def watch(check: Refusing) -> Watch:
    return Watch(check, lambda agent: (agent.issuer, agent.subject))


def begin(watch: Watch, *agents: Agent, patience: float = LONG) -> list[asyncio.Task[Refusal]]:
    """Calls of these agents that wait."""
    return [asyncio.create_task(watch.refused(agent, patience=patience)) for agent in agents]


async def test_those_who_are_refused_are_told(watch: Watch, check: Refusing) -> None:
    """All calls of one agent at the same look, and none of another; each agent is looked at once."""
    waiting = begin(watch, *[replace(AGENT, expires_at=float(number)) for number in range(1_000)], OTHER)
    await asyncio.sleep(0)
    check.looks = 0
    watch.look(patience=LONG)
    assert check.looks == 2
    check.refused.add("a1")
    watch.look(patience=LONG)
    async with asyncio.timeout(10):
        told = await asyncio.gather(*waiting[:-1])
    assert {refusal.detail for refusal in told} == {"a1 is out."}
    assert not waiting[-1].done()
    check.refused.add("a2")
    watch.look(patience=LONG)
    async with asyncio.timeout(10):
        assert (await waiting[-1]).detail == "a2 is out."
    assert repr(watch) == "<Watch: 0 agents>"


async def test_who_is_refused_already_does_not_wait(watch: Watch, check: Refusing) -> None:
    """The answer is there at once."""
    check.refused.add("a1")
    assert (await watch.refused(AGENT, patience=LONG)).code is Code.REVOKED


async def test_it_looks_by_itself_where_nothing_is_learned(watch: Watch, check: Refusing) -> None:
    """Again and again, as long as somebody waits."""
    [waiting] = begin(watch, AGENT, patience=0.0)
    async with asyncio.timeout(10):
        await check.third.wait()
        check.refused.add("a1")
        assert (await waiting).code is Code.REVOKED


async def test_who_goes_away_leaves_nothing(watch: Watch, check: Refusing) -> None:
    """A wait that is given up does not disturb another of the same agent; after the last nobody is looked at."""
    gone, stays = begin(watch, AGENT, AGENT)
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    assert repr(watch) == "<Watch: 1 agents>"
    stays.cancel()
    await asyncio.wait([stays])
    check.looks = 0
    watch.look(patience=LONG)
    assert check.looks == 0


async def test_who_is_told_and_goes_away_at_once(watch: Watch, check: Refusing) -> None:
    """Two looks before the waiting task runs again tell it once; one that was given up is not told."""
    told, gone = begin(watch, AGENT, OTHER)
    await asyncio.sleep(0)
    check.refused |= {"a1", "a2"}
    gone.cancel()
    watch.look(patience=LONG)
    watch.look(patience=LONG)
    async with asyncio.timeout(10):
        assert (await told).code is Code.REVOKED
    await asyncio.wait([gone])
    assert gone.cancelled()
