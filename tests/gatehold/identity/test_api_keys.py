"""Laws of API keys: shown once, stored as a digest; whoever shows one is its agent until it ends or is revoked."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gatehold.identity import api_key_rows as rows
from gatehold.identity.api_key_rows import KeyRefused, NewKey, Wanted
from gatehold.identity.api_keys import BELIEVED, ApiKeys
from gatehold.identity.revocation import Revocations
from gatehold.store import Store, open_store, outbox
from gatehold.store.errors import StoreUnavailable
from gatehold.store.schema import api_keys
from policy.errors import Refusal
from tests.postgres import emptied

DAY = 86400.0


@dataclass
class Clock:
    """Says what it was told; noon."""

    now: float = 20_000 * DAY + DAY / 2

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = emptied(request.getfixturevalue("postgres")) if request.param == "postgresql" else "sqlite"
    with open_store(url, tmp_path / "data") as opened:
        yield opened


def make(store: Store, clock: Clock, **wanted: Any) -> NewKey:
    """A key of ``planner-1``, for ten days."""
    values: dict[str, Any] = {"subject": "planner-1", "groups": ["planners", "ci"], "ttl": 10 * DAY} | wanted
    with store.writing() as connection:
        return rows.create(connection, Wanted(**values), by="os:root", now=clock())


def known(store: Store, clock: Clock) -> ApiKeys:
    """As a gateway knows them."""
    return ApiKeys(store, clock, monotonic=clock)


async def why(keys: ApiKeys, text: str) -> str:
    """Why a key is refused."""
    with pytest.raises(Refusal) as caught:
        await keys.find(text)
    return str(caught.value.code) if caught.value.code != "unauthenticated" else caught.value.reason


async def test_a_key_is_its_agent(store: Store, clock: Clock) -> None:
    """Subject, groups, purpose; the issuer is the gateway's own name."""
    made, keys = make(store, clock, purpose="plans trips"), known(store, clock)
    assert keys.find_cached(made.text) is None
    agent = await keys.find(made.text)
    assert (agent.issuer, agent.subject, agent.groups) == ("api-keys", "planner-1", ("ci", "planners"))
    assert (agent.purpose, agent.claims["key"], agent.claims["iat"]) == ("plans trips", made.key.id, int(clock()))
    assert keys.find_cached(made.text) == agent


async def test_nobody_waits_behind_those_who_try_keys(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that was good before is looked up beside the keys of strangers, however many of those there are."""
    made, keys, goes_on = make(store, clock), known(store, clock), threading.Event()
    await keys.find(made.text)
    clock.now += BELIEVED
    look_up = keys._look_up

    def slow(digest: str) -> rows.ApiKey | None:
        if digest != rows.digest_of(made.text):
            goes_on.wait(30)
        return look_up(digest)

    monkeypatch.setattr(ApiKeys, "_look_up", staticmethod(slow))
    strangers = [asyncio.create_task(why(keys, f"ghk_{each:043d}")) for each in range(20)]
    try:
        await asyncio.sleep(0)
        assert keys.find_cached(made.text) is None
        assert (await keys.find(made.text)).subject == "planner-1"
        assert not any(each.done() for each in strangers)
    finally:
        goes_on.set()
    assert set(await asyncio.gather(*strangers)) == {"unknown-key"}


async def test_only_a_digest_is_kept(store: Store, clock: Clock) -> None:
    """Not in the store, not in what is journaled, not in a repr."""
    made = make(store, clock)
    secret = made.text.removeprefix("ghk_")
    assert len(secret) == 43
    with store.reading() as connection:
        row = connection.execute(select(api_keys)).one()
    assert secret not in str(row)
    assert secret not in str(outbox.waiting(store))
    assert secret not in repr(made)
    keys = known(store, clock)
    await keys.find(made.text)
    assert secret not in repr(keys)


@pytest.mark.parametrize(
    "text", ["", "ghk_", "ghk_" + "A" * 42, "ghk_" + "A" * 43, "ghk_" + "A" * 44, "GHK_" + "A" * 43, "ghk_" + "é" * 43]
)
async def test_what_is_no_key(store: Store, clock: Clock, text: str) -> None:
    """Of whatever shape."""
    keys = known(store, clock)
    assert await why(keys, text) == "unknown-key"
    assert keys.find_cached(text) is None


async def test_a_session_is_a_day_of_a_key(store: Store, clock: Clock) -> None:
    """By UTC; of each key its own; the agent lasts a day longer, or as long as the key."""
    first, second, keys = make(store, clock), make(store, clock), known(store, clock)
    one = await keys.find(first.text)
    assert (await keys.find(second.text)).session != one.session
    assert one.expires_at == 20_002 * DAY
    clock.now = 20_001 * DAY - 1
    assert (await keys.find(first.text)).session == one.session
    clock.now += 1
    assert keys.find_cached(first.text) is None
    assert (await keys.find(first.text)).session != one.session
    clock.now = first.key.expires - 1
    assert (await keys.find(first.text)).expires_at == first.key.expires


async def test_keys_end(store: Store, clock: Clock) -> None:
    """Also those that are remembered."""
    made, keys = make(store, clock, ttl=30.0), known(store, clock)
    await keys.find(made.text)
    clock.now += 30
    assert keys.find_cached(made.text) is None
    assert await why(keys, made.text) == "expired"


async def test_revoked_keys(store: Store, clock: Clock) -> None:
    """Unknown from then on; who still remembers one learns of it from the revocations."""
    made, keys = make(store, clock), known(store, clock)
    agent = await keys.find(made.text)
    other = await keys.find(make(store, clock).text)
    with store.writing() as connection:
        rows.revoke(connection, made.key.id, by="os:root", now=clock())
    revocations = Revocations(store, clock, monotonic=clock)
    await revocations.refresh()
    with pytest.raises(Refusal) as caught:
        revocations.check(agent)
    assert caught.value.code == "revoked"
    revocations.check(other)
    await revocations.close()
    assert await why(keys, made.text) == "unknown-key"
    clock.now += BELIEVED
    assert keys.find_cached(made.text) is None
    for name in (made.key.id, "key_none", ""):
        with pytest.raises(KeyRefused), store.writing() as connection:
            rows.revoke(connection, name, by="os:root", now=clock())


async def test_rotation(store: Store, clock: Clock) -> None:
    """The same agent by a new key, for as long again; the old one stays good until it is revoked."""
    old, keys = make(store, clock, label="ci"), known(store, clock)
    clock.now += DAY
    with store.writing() as connection:
        new = rows.rotate(connection, old.key.id, ttl=None, by="os:root", now=clock())
    assert new.key.expires == clock() + 10 * DAY
    assert (new.key.label, new.text != old.text) == ("ci", True)
    assert (await keys.find(old.text)).groups == (await keys.find(new.text)).groups


async def test_last_use_is_noted_once_a_minute(store: Store, clock: Clock) -> None:
    """Not with every call."""
    made, keys = make(store, clock), known(store, clock)
    used = []
    for _ in range(4):
        await keys.find(made.text)
        with store.reading() as connection:
            used.append(rows.listing(connection, now=clock())[0].last_used)
        clock.now += BELIEVED / 2
    assert used[0] == used[1] != used[2] == used[3]


async def test_without_the_store(store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is let in; the gateway says that it cannot tell."""
    made, keys = make(store, clock), known(store, clock)

    def fail() -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(store, "reading", fail)
    assert await why(keys, made.text) == "gateway-error"


@pytest.mark.parametrize(
    "wanted",
    [
        {"subject": ""},
        {"subject": "a\nb"},
        {"subject": " a"},
        {"subject": "a" * 1025},
        {"groups": [""]},
        {"groups": ["a\0"]},
        {"ttl": 0.5},
        {"ttl": 367 * DAY},
        {"label": "a" * 129},
        {"purpose": "a\tb"},
    ],
)
def test_keys_that_are_not_made(store: Store, clock: Clock, wanted: dict[str, Any]) -> None:
    """Texts that are no texts, lives that are too long."""
    with pytest.raises(KeyRefused):
        make(store, clock, **wanted)


def test_the_list(store: Store, clock: Clock) -> None:
    """The good ones, the newest first; on request the others as well."""
    first = make(store, clock, ttl=5.0)
    clock.now += 1
    second, third = make(store, clock), make(store, clock)
    with store.writing() as connection:
        rows.revoke(connection, third.key.id, by="os:root", now=clock())
    clock.now += 10
    with store.reading() as connection:
        assert [each.id for each in rows.listing(connection, now=clock())] == [second.key.id]
        every = {each.id for each in rows.listing(connection, now=clock(), everything=True)}
    assert every == {first.key.id, second.key.id, third.key.id}
