"""One issuer's keys: fresh, then going on for a while, then nothing; and never a crowd of fetches."""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from gatehold.identity.jwks import MAX_BACKOFF, MISS_INTERVAL, STALE_LIMIT, KeyRing
from gatehold.identity.sources import SourceError
from policy.errors import Refusal


@dataclass
class Source:
    """Gives what the test says; counts how often it was asked."""

    interval: float = 300.0
    document: bytes | Exception = b'{"keys": []}'
    asked: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def fetch(self) -> bytes:
        self.asked += 1
        await self.gate.wait()
        if isinstance(self.document, Exception):
            raise self.document
        return self.document


@pytest.fixture
def source(mint: Any) -> Source:
    return Source(document=mint.jwks())


@pytest.fixture
def ring(source: Source, clock: Any) -> KeyRing:
    return KeyRing("corp", source, ["EdDSA"], monotonic=clock)


async def settled() -> None:
    """Let tasks that are ready run."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_first_token_fetches_the_keys(ring: KeyRing, source: Source, mint: Any) -> None:
    """Once; the next ones find them."""
    for _ in range(3):
        assert (await ring.find(mint.jwk["kid"], "EdDSA")).key_id == mint.jwk["kid"]
    assert source.asked == 1


async def test_a_crowd_causes_one_fetch(ring: KeyRing, source: Source, mint: Any) -> None:
    """Whoever comes while a fetch is under way waits for that one; one of them giving up changes nothing."""
    source.gate.clear()
    crowd = [asyncio.create_task(ring.find(mint.jwk["kid"], "EdDSA")) for _ in range(50)]
    await settled()
    crowd[0].cancel()
    await settled()
    source.gate.set()
    keys = await asyncio.gather(*crowd[1:])
    assert len(keys) == 49
    assert source.asked == 1


async def test_unknown_keys_cause_a_fetch_now_and_then(
    ring: KeyRing, source: Source, mint: Any, other_mint: Any, clock: Any
) -> None:
    """A rotated key is found by the token that names it; a flood of inventions causes one fetch per interval."""
    await ring.find(mint.jwk["kid"], "EdDSA")
    clock.now += MISS_INTERVAL
    source.document = json.dumps({"keys": [mint.jwk, other_mint.jwk]}).encode()
    assert await ring.find(other_mint.jwk["kid"], "EdDSA")
    assert source.asked == 2
    for attempt in range(100):
        with pytest.raises(Refusal, match="unknown-key"):
            await ring.find(f"invented-{attempt}", "EdDSA")
    assert source.asked == 2
    clock.now += MISS_INTERVAL
    with pytest.raises(Refusal, match="unknown-key"):
        await ring.find("invented", "EdDSA")
    assert source.asked == 3


async def test_known_keys_do_not_wait_for_a_refresh(
    ring: KeyRing, source: Source, mint: Any, other_mint: Any, clock: Any
) -> None:
    """When the set is due it is fetched beside the call; a key that is gone from it then counts no more."""
    await ring.find(mint.jwk["kid"], "EdDSA")
    clock.now += source.interval + 1
    source.gate.clear()
    source.document = other_mint.jwks()
    assert await ring.find(mint.jwk["kid"], "EdDSA")
    source.gate.set()
    await settled()
    assert source.asked == 2
    with pytest.raises(Refusal, match="unknown-key"):
        await ring.find(mint.jwk["kid"], "EdDSA")
    assert await ring.find(other_mint.jwk["kid"], "EdDSA")


async def test_known_keys_go_on_while_the_issuer_is_down_but_not_for_ever(
    ring: KeyRing, source: Source, mint: Any, clock: Any
) -> None:
    """An hour's outage is borne; unknown keys are refused in it; past the bound all are."""
    kid = mint.jwk["kid"]
    await ring.find(kid, "EdDSA")
    source.document = SourceError("idp: status 503")
    for _ in range(60):
        clock.now += 60
        assert await ring.find(kid, "EdDSA")
        await settled()
        with pytest.raises(Refusal, match="unknown-key"):
            await ring.find("new", "EdDSA")
    clock.now += source.interval
    assert len(ring.keys) == 1
    clock.now += STALE_LIMIT
    assert len(ring.keys) == 0
    with pytest.raises(Refusal, match="unknown-key"):
        await ring.find(kid, "EdDSA")
    clock.now += MISS_INTERVAL
    source.document = mint.jwks()
    assert await ring.find(kid, "EdDSA")
    assert ring.problem == ""


@pytest.mark.parametrize("document", [b"<html>", b"{}", SourceError("idp: ConnectError")], ids=str)
async def test_a_bad_document_does_not_replace_a_good_one(
    ring: KeyRing, source: Source, mint: Any, document: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The failure is told once, however often it repeats, and its end as well."""
    caplog.set_level(logging.INFO, "gatehold.identity.jwks")
    await ring.refresh()
    good, source.document = source.document, document
    for _ in range(3):
        await ring.refresh()
    assert (len(ring.keys), ring.failures) == (1, 3)
    assert ring.problem
    source.document = good
    await ring.refresh()
    assert (ring.failures, ring.problem) == (0, "")
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_a_file_that_stays_bad_stays_a_failure(ring: KeyRing, source: Source) -> None:
    """Reading the same broken document again does not make it good."""
    source.document = b"{"
    for count in (1, 2):
        await ring.refresh()
        assert ring.failures == count


async def test_algorithm_and_key_must_fit(source: Source, clock: Any, mint: Any) -> None:
    """A token that names a key of another kind than its algorithm is refused as such, without a fetch."""
    ring = KeyRing("corp", source, ["EdDSA", "ES256"], monotonic=clock)
    with pytest.raises(Refusal, match="algorithm"):
        await ring.find(mint.jwk["kid"], "ES256")
    assert source.asked == 1


async def test_local_files_are_looked_at_before_the_call(
    source: Source, mint: Any, other_mint: Any, clock: Any
) -> None:
    """A key taken out of a file is out for the first token after its interval."""
    source.interval = 2.0
    ring = KeyRing("corp", source, ["EdDSA"], monotonic=clock)
    await ring.find(mint.jwk["kid"], "EdDSA")
    source.document = other_mint.jwks()
    clock.now += 3
    with pytest.raises(Refusal, match="unknown-key"):
        await ring.find(mint.jwk["kid"], "EdDSA")


async def test_the_background_refresh_slows_down_while_it_fails(ring: KeyRing, source: Source, mint: Any) -> None:
    """At the source's interval while all is well; after failures with doubling pauses up to a bound."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        source.document = mint.jwks() if len(pauses) in {1, 12} else SourceError("down")
        if len(pauses) == 13:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await ring.keep_fresh(sleep)
    expected = [300.0, 300.0, *(min(MAX_BACKOFF, 2.0**count) for count in range(10)), 300.0]
    for pause, most in zip(pauses, expected, strict=True):
        assert 0.8 * most <= pause <= most


async def test_closing_ends_a_fetch(ring: KeyRing, source: Source) -> None:
    """Nothing is left running."""
    source.gate.clear()
    waiting = asyncio.create_task(ring.refresh())
    await settled()
    await ring.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


def test_repr_tells_the_state(ring: KeyRing, spec: Callable[..., Any]) -> None:
    """How many keys, and what is wrong."""
    assert repr(ring) == "<KeyRing corp: <KeySet of 0 keys>>"
