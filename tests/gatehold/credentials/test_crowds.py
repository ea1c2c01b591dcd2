"""Law: where every agent has its own credential, what one token gave is given to that token's calls only, is gone when
the token ends or its agent's access is taken away, and there are never more than a bounded number."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gatehold.config.values import Secret
from gatehold.credentials.agent_echoes import AgentEchoes
from gatehold.credentials.broker import CredentialBroker
from gatehold.credentials.crowds import MOST
from gatehold.credentials.fields import Asker
from gatehold.credentials.injection import Injection, origins
from gatehold.credentials.recipes import Recipe
from gatehold.credentials.sources import CredentialDelayed, Source
from masking.literals import Literals
from policy.errors import Refusal
from policy.model import Agent, TargetName
from tests.gatehold.credentials.clocks import Clock

CRM, API = TargetName("crm"), TargetName("api")
BOUND = origins("https", [("crm.corp.example", 443)])


@dataclass
class Exchange:
    """Gives every asker ``planted-TOKEN-1``, ``planted-TOKEN-2`` ..."""

    clock: Clock
    life: float = 600.0
    failing: set[str] = field(default_factory=set)
    """Subjects that are refused."""
    asked: list[str] = field(default_factory=list)
    """Tokens, as they came."""
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def of(self, asker: Asker | None) -> Source:
        assert asker is not None
        return _One(self, asker)


@dataclass
class _One:
    exchange: Exchange
    asker: Asker

    async def obtain(self) -> Injection:
        self.exchange.asked.append(self.asker.token)
        await self.exchange.gate.wait()
        if self.asker.agent.subject in self.exchange.failing:
            raise CredentialDelayed("refused")
        secret = Secret(f"planted-{self.asker.token}-{self.exchange.asked.count(self.asker.token)}")
        ends = self.exchange.clock.now + self.exchange.life
        return Injection(bound=BOUND, headers=(("X-Key", secret),), secrets=(secret,), expires_at=ends)

    def changed(self) -> bool:
        return False


@pytest.fixture
def exchange(clock: Clock) -> Exchange:
    return Exchange(clock)


@pytest.fixture
def broker(
    exchange: Exchange, target: Callable[..., Any], clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> CredentialBroker:
    """A broker with two targets of which every agent has its own, and one whose credential all use."""

    async def shared() -> Injection:
        return Injection(
            bound=BOUND, headers=(("X-Key", Secret("planted-shared")),), secrets=(Secret("planted-shared"),)
        )

    class Shared:
        obtain = staticmethod(shared)

        def changed(self) -> bool:
            return False

    recipes = {"crm": Recipe(make=exchange.of, per_agent=True), "api": Recipe(make=exchange.of, per_agent=True)}
    monkeypatch.setattr(
        "gatehold.credentials.broker.recipe_of",
        lambda each, keys, having: recipes.get(each.name, Recipe(make=lambda asker: Shared())),
    )
    targets = {name: target({"bearer": "x"}, name) for name in ("crm", "api", "all")}
    return CredentialBroker(targets, data_dir=tmp_path, clock=clock, monotonic=clock)


def asker(token: str, clock: Clock, subject: str = "a1", *, life: float = 3600) -> Asker:
    return Asker(token=token, agent=Agent(issuer="corp", subject=subject, expires_at=clock.now + life))


def shown(injection: Injection | None) -> str:
    return "" if injection is None else injection.headers[0][1].reveal()


async def test_two_agents_never_get_each_others(broker: CredentialBroker, clock: Clock) -> None:
    """Whatever the order, at the same time or later."""
    one, two = asker("one", clock), asker("two", clock, "a2")
    first, second = await asyncio.gather(broker.get(CRM, one), broker.get(CRM, two))
    assert (shown(first), shown(second)) == ("planted-one-1", "planted-two-1")
    for _ in range(3):
        assert shown(broker.get_cached(CRM, two)) == "planted-two-1"
        assert shown(broker.get_cached(CRM, one)) == "planted-one-1"
    assert broker.get_cached(CRM, asker("three", clock, "a1")) is None


async def test_another_token_of_the_same_agent_is_asked_for_anew(
    broker: CredentialBroker, exchange: Exchange, clock: Clock
) -> None:
    """Each is as long as its own token, and of its own rights; so is each target."""
    await broker.get(CRM, asker("one", clock))
    assert shown(await broker.get(CRM, asker("one-more", clock))) == "planted-one-more-1"
    assert broker.get_cached(API, asker("one", clock)) is None
    assert exchange.asked == ["one", "one-more"]


async def test_nobody_gets_nothing(broker: CredentialBroker, exchange: Exchange) -> None:
    """Neither at hand nor by waiting, even if an agent was given one."""
    assert broker.get_cached(CRM) is None
    with pytest.raises(Refusal, match="no agent asks"):
        await broker.get(CRM)
    assert await broker.prepare() == ()
    assert exchange.asked == []
    assert (broker.is_per_agent(CRM), broker.is_per_agent(TargetName("all"))) == (True, False)


async def test_a_crowd_of_one_agent_causes_one_exchange(
    broker: CredentialBroker, exchange: Exchange, clock: Clock
) -> None:
    """Those of others do not wait for it."""
    exchange.gate.clear()
    crowd = [asyncio.create_task(broker.get(CRM, asker("one", clock))) for _ in range(20)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    exchange.gate.set()
    await asyncio.gather(*crowd)
    assert exchange.asked == ["one"]


async def test_a_failure_is_one_agents_own(broker: CredentialBroker, exchange: Exchange, clock: Clock) -> None:
    """Nobody else is refused or has to pause for it."""
    exchange.failing.add("a1")
    with pytest.raises(Refusal, match="refused"):
        await broker.get(CRM, asker("one", clock))
    assert shown(await broker.get(CRM, asker("two", clock, "a2"))) == "planted-two-1"
    with pytest.raises(Refusal):
        await broker.get(CRM, asker("one", clock))
    assert exchange.asked == ["one", "two"]


async def test_gone_with_the_token(broker: CredentialBroker, exchange: Exchange, clock: Clock) -> None:
    """Though what it gave would last: not used, not renewed, and forgotten at the next turn."""
    one = asker("one", clock, life=60)
    await broker.get(CRM, one)
    clock.now += 60
    assert broker.get_cached(CRM, one) is None
    with pytest.raises(Refusal, match="token has ended"):
        await broker.get(CRM, one)
    broker.forget(lambda _: False)
    assert not broker.own_echoes(one.agent)
    assert exchange.asked == ["one"]


async def test_gone_with_the_agents_access(broker: CredentialBroker, clock: Clock) -> None:
    """Of that agent alone."""
    one, two = asker("one", clock), asker("two", clock, "a2")
    await broker.get(CRM, one)
    await broker.get(CRM, two)
    broker.forget(lambda agent: agent.subject == "a1")
    assert broker.get_cached(CRM, one) is None
    assert shown(broker.get_cached(CRM, two)) == "planted-two-1"


async def test_they_are_renewed_in_time(broker: CredentialBroker, exchange: Exchange, clock: Clock) -> None:
    """Each beside its own agent's calls."""
    one = asker("one", clock)
    await broker.get(CRM, one)
    clock.now += 500
    assert shown(broker.get_cached(CRM, one)) == "planted-one-1"
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert shown(broker.get_cached(CRM, one)) == "planted-one-2"


async def test_a_bounded_number(broker: CredentialBroker, clock: Clock) -> None:
    """The one that was not used for longest goes first."""
    used = asker("used", clock, "used")
    await broker.get(CRM, used)
    for number in range(MOST + 10):
        await broker.get(CRM, asker(f"t{number}", clock, f"a{number}"))
        assert broker.get_cached(CRM, used) is not None
    kept = [number for number in range(MOST + 10) if broker.get_cached(CRM, asker(f"t{number}", clock, f"a{number}"))]
    assert kept == list(range(11, MOST + 10))


async def test_what_may_not_come_back_to_whom(broker: CredentialBroker, clock: Clock) -> None:
    """An agent's own, of all targets and tokens, as long as calls may carry it; and what all use."""
    one, again, two = asker("one", clock), asker("again", clock), asker("two", clock, "a2")
    await broker.prepare()
    assert not broker.own_echoes(one.agent)
    await broker.get(CRM, one)
    await broker.get(API, again)
    await broker.get(CRM, two)
    clock.now += 550
    await broker.get(CRM, one)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    echoes = AgentEchoes(lambda: Literals(broker.known_secrets()), lambda: broker.own_echoes(one.agent))
    body = b"planted-one-1 planted-one-2 planted-again-1 planted-two-1 planted-shared"
    assert echoes
    assert echoes.replace(body) == b"*** *** *** planted-two-1 ***"
    assert echoes.held_back(b"x planted-one") == len(b"planted-one")
    assert echoes.held_back(b"x planted-share") == len(b"planted-share")
    assert broker.own_echoes(one.agent) is broker.own_echoes(again.agent)


async def test_the_last_one_is_what_connections_have(broker: CredentialBroker, clock: Clock) -> None:
    """It has no part of its own in what they need."""
    assert broker.in_use(CRM) is None
    given = await broker.get(CRM, asker("one", clock))
    assert broker.in_use(CRM) is given


async def test_closing_forgets(broker: CredentialBroker, exchange: Exchange, clock: Clock) -> None:
    """Whoever waits is not left hanging."""
    one = asker("one", clock)
    await broker.get(CRM, one)
    exchange.gate.clear()
    waiting = asyncio.create_task(broker.get(CRM, asker("two", clock)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await broker.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert broker.get_cached(CRM, one) is None
    assert not broker.own_echoes(one.agent)


async def test_nothing_is_shown(broker: CredentialBroker, clock: Clock) -> None:
    """No token, no credential, in any repr."""
    await broker.get(CRM, asker("one-planted-token", clock))
    assert "planted" not in f"{broker!r} {vars(broker)!r}"
