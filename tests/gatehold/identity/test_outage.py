"""An identity provider that is down for an hour: known keys go on, unknown ones do not, and nothing waits that need not.

The provider is a real server that accepts connections and never answers; only the clock is not real.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gatehold.config.issuers import IssuerSpec
from gatehold.identity.jwks import MISS_INTERVAL, STALE_LIMIT
from gatehold.identity.verifier import TokenVerifier
from policy.errors import Refusal

Make = Callable[..., IssuerSpec]


async def turns(count: int) -> None:
    """Let the loop go round: it can only if nothing blocks it."""
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.fixture
def verifier(spec: Make, clock: Any, site: Any) -> TokenVerifier:
    return TokenVerifier([spec({"url": f"{site.address}/jwks"})], clock, monotonic=clock)


async def test_an_hour_without_the_provider(verifier: TokenVerifier, mint: Any, clock: Any, site: Any) -> None:
    """Old and new tokens of a known key are verified at once, minute by minute; after the bound no token is."""
    site.gives("/jwks", mint.jwks())
    end = int(clock()) + 10 * 3600
    known = mint.token(exp=end)
    await verifier.verify(known)
    site.hangs("/jwks")
    clock.now += 300
    for minute in range(60):
        clock.now += 60
        assert verifier.verify_cached(known) is not None
        fresh = asyncio.ensure_future(verifier.verify(mint.token(exp=end, jti=f"j-{minute}")))
        await turns(10)
        assert fresh.done(), "a known key waited for the provider"
        assert fresh.result().subject == "planner-1"
    assert site.asked.count("/jwks") <= 2, "one question is under way, the others join it"
    clock.now += STALE_LIMIT
    assert verifier.verify_cached(known) is None
    site.hanging.set()
    with pytest.raises(Refusal, match="unknown-key"):
        await verifier.verify(known)
    assert verifier.problems
    site.gives("/jwks", mint.jwks())
    clock.now += MISS_INTERVAL
    assert await verifier.verify(known)
    assert verifier.problems == ()
    await verifier.close()


async def test_an_unknown_key_waits_alone(
    verifier: TokenVerifier, mint: Any, other_mint: Any, clock: Any, site: Any
) -> None:
    """Its call waits for the provider that hangs; the loop goes on, and so do a thousand calls with known keys."""
    site.gives("/jwks", mint.jwks())
    known = mint.token()
    await verifier.verify(known)
    site.hangs("/jwks")
    clock.now += MISS_INTERVAL
    strangers = [asyncio.ensure_future(verifier.verify(other_mint.token(jti=str(number)))) for number in range(50)]
    await turns(20)
    for number in range(1000):
        assert verifier.verify_cached(known) is not None
        if number % 10 == 0:
            fresh = asyncio.ensure_future(verifier.verify(mint.token(jti=f"n-{number}")))
            await turns(2)
            assert fresh.done()
    assert not any(stranger.done() for stranger in strangers)
    site.hanging.set()
    told = await asyncio.gather(*strangers, return_exceptions=True)
    assert {str(getattr(each, "reason", each)) for each in told} == {"unknown-key"}
    assert site.asked.count("/jwks") == 2, "fifty unknown keys are one question"
    await verifier.close()


async def test_unknown_keys_do_not_flood_the_provider(
    verifier: TokenVerifier, mint: Any, other_mint: Any, clock: Any, site: Any
) -> None:
    """One question each ten seconds, however many keys are invented, also while it answers with errors."""
    site.gives("/jwks", mint.jwks())
    await verifier.verify(mint.token())
    for status in (200, 500):
        before = site.asked.count("/jwks")
        site.gives("/jwks", mint.jwks(), status=status)
        for second in range(30):
            clock.now += 1
            for number in range(5):
                with pytest.raises(Refusal, match="unknown-key"):
                    await verifier.verify(other_mint.token({"kid": f"k-{second}-{number}"}))
        assert 2 <= site.asked.count("/jwks") - before <= 3
    await verifier.close()
