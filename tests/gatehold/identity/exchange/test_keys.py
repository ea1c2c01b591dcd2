"""Laws of signing keys: the private half stays in its process; the public half is known to all, for as long as needed."""

import asyncio

import pytest
from sqlalchemy import func, insert, select

from gatehold.identity.exchange.keys import BELIEVED, ROTATION, SigningKeys
from gatehold.identity.jose import parse
from gatehold.store import Store
from gatehold.store.errors import StoreUnavailable
from gatehold.store.schema import signing_keys
from policy.errors import Refusal
from tests.gatehold.identity.exchange.conftest import Clock

OTHER = "A" * 43


def keys_of(store: Store, clock: Clock) -> SigningKeys:
    """Of one process."""
    return SigningKeys(store, clock, monotonic=clock)


def stored(store: Store) -> int:
    """How many there are."""
    with store.reading() as connection:
        return int(connection.scalars(select(func.count()).select_from(signing_keys)).one())


async def kid_of(keys: SigningKeys) -> str:
    """Of a token that is made now."""
    return str(parse(await keys.sign({"a": 1})).key_id)


async def test_every_gateway_knows_what_another_signed(store: Store, clock: Clock) -> None:
    """Also when the one that signed is gone; only the public half is in the store."""
    token = parse(await keys_of(store, clock).sign({"sub": "x"}))
    key = await keys_of(store, clock).find(token.key_id)
    assert key.verifies("EdDSA", token.signed, token.signature)
    assert not key.verifies("EdDSA", token.signed + b"x", token.signature)
    with store.reading() as connection:
        row = connection.execute(select(signing_keys)).one()
    assert "d" not in row.jwk
    assert row.jwk["kid"] == row.kid == token.key_id


async def test_one_key_a_day(store: Store, clock: Clock) -> None:
    """Made for the first token, however many are asked for at once; then another one, and the old one goes on."""
    keys = keys_of(store, clock)
    assert stored(store) == 0
    first = set(await asyncio.gather(*(kid_of(keys) for _ in range(8))))
    assert len(first) == stored(store) == 1
    clock.now += ROTATION - 1
    assert {await kid_of(keys)} == first
    clock.now += 1
    assert await kid_of(keys) not in first
    await keys.find(first.pop())
    clock.now += ROTATION
    await kid_of(keys)
    assert stored(store) == 2


async def test_keys_end(store: Store, clock: Clock) -> None:
    """An hour after the last token that it may have signed, a key is nobody's."""
    keys = keys_of(store, clock)
    kid = await kid_of(keys)
    await keys.find(kid)
    assert keys.counts(kid)
    clock.now += ROTATION + 3600 + 60
    assert not keys.counts(kid)
    with pytest.raises(Refusal):
        await keys.find(kid)


async def test_what_was_read_is_believed_for_a_while(store: Store, clock: Clock) -> None:
    """Then the store is asked again: a key that was taken out of it counts no more."""
    keys = keys_of(store, clock)
    kid = await kid_of(keys)
    await keys.find(kid)
    with store.writing() as connection:
        connection.execute(signing_keys.delete())
    assert keys.counts(kid)
    clock.now += BELIEVED
    assert not keys.counts(kid)
    with pytest.raises(Refusal):
        await keys.find(kid)


@pytest.mark.parametrize("kid", [None, "", "x", OTHER, OTHER + "A", "../" + OTHER[3:], OTHER[:-1] + "\n"])
async def test_names_of_no_key(store: Store, clock: Clock, kid: str | None) -> None:
    """What has not even the form of a name is never looked for."""
    with pytest.raises(Refusal) as caught:
        await keys_of(store, clock).find(kid)
    assert caught.value.reason == "unknown-key"


async def test_many_who_ask_for_nothing_share_a_look(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most two looks for any number that come at once."""
    keys, looks = SigningKeys(store, clock), list[int]()
    real = keys._read
    monkeypatch.setattr(keys, "_read", lambda: looks.append(1) or real())
    done = await asyncio.gather(*(keys.find(OTHER) for _ in range(50)), return_exceptions=True)
    assert all(isinstance(each, Refusal) for each in done)
    assert len(looks) <= 2


async def test_rows_that_no_gateway_wrote(store: Store, clock: Clock) -> None:
    """A key under another's name, another kind of key, no key at all: left out, the others go on."""
    keys = keys_of(store, clock)
    kid = await kid_of(keys)
    with store.writing() as connection:
        jwk = connection.execute(select(signing_keys.c.jwk)).scalar_one()
        for name, other in (
            (OTHER, {**jwk, "kid": OTHER}),
            ("B" * 43, {"kty": "oct", "k": "AAAA", "kid": "B" * 43}),
            ("C" * 43, {}),
        ):
            connection.execute(insert(signing_keys).values(kid=name, jwk=other, created=clock(), expires=clock() + 999))
    await keys.find(kid)
    for name in (OTHER, "B" * 43, "C" * 43):
        clock.now += 1
        with pytest.raises(Refusal):
            await keys.find(name)


async def test_without_the_store(store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither made nor known: the gateway says that it cannot tell."""
    keys = keys_of(store, clock)

    def fail() -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(store, "reading", fail)
    monkeypatch.setattr(store, "writing", fail)
    for asked in (keys.sign({}), keys.find(OTHER)):
        with pytest.raises(Refusal) as caught:
            await asked
        assert caught.value.code == "gateway-error"


def test_nothing_secret_is_shown(store: Store, clock: Clock) -> None:
    """Not by its repr."""
    keys = keys_of(store, clock)
    asyncio.run(kid_of(keys))
    assert "key=" not in repr(keys)
    assert "key=" not in repr(keys._signer)
