"""Several issuers beside each other: what one publishes or loses says nothing about another's tokens."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatehold.config.issuers import IssuerSpec
from gatehold.identity.verifier import TokenVerifier
from policy.errors import Refusal

Make = Callable[..., IssuerSpec]


@pytest.fixture
def two(spec: Make, mint: Any, clock: Any, tmp_path: Path) -> TokenVerifier:
    """Two issuers who publish the same key under the same name."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_bytes(mint.jwks())
    specs = [
        spec(
            {"file": "a.json"}, name="a", issuer="https://a.example", groups={"allow": ["*"]}, require={"team": ["x"]}
        ),
        spec({"file": "b.json"}, name="b", issuer="https://b.example", audience="other"),
    ]
    return TokenVerifier(specs, clock, monotonic=clock)


async def test_a_key_of_two_issuers_makes_no_issuer_of_two(two: TokenVerifier, mint: Any) -> None:
    """A token is judged by what the issuer that it names demands: audience, claims, groups, name."""
    ours = mint.token(iss="https://a.example", team="x")
    theirs = mint.token(iss="https://b.example", aud="other")
    assert (await two.verify(ours)).issuer == "a"
    assert ((await two.verify(theirs)).issuer, (await two.verify(theirs)).groups) == ("b", ())
    assert (await two.verify(ours)).session != (await two.verify(theirs)).session
    with pytest.raises(Refusal, match="wrong-audience"):
        await two.verify(mint.token(iss="https://b.example", team="x"))
    with pytest.raises(Refusal, match="claims"):
        await two.verify(mint.token(iss="https://a.example"))


async def test_a_key_that_one_takes_away_still_is_the_others(
    two: TokenVerifier, mint: Any, clock: Any, tmp_path: Path
) -> None:
    """The tokens of the one end, known or not; those of the other go on."""
    ours = mint.token(iss="https://a.example", team="x")
    theirs = mint.token(iss="https://b.example", aud="other")
    await two.verify(ours)
    await two.verify(theirs)
    (tmp_path / "a.json").write_text(json.dumps({"keys": []}))
    clock.now += 3
    for token in (mint.token(iss="https://a.example", team="x", jti="new"), ours):
        with pytest.raises(Refusal, match="unknown-key"):
            await two.verify(token)
    assert two.verify_cached(ours) is None
    assert two.verify_cached(theirs)
    assert await two.verify(mint.token(iss="https://b.example", aud="other", jti="new"))


async def test_a_key_that_becomes_another_tenants_ends_its_tokens(
    spec: Make, mint: Any, clock: Any, tmp_path: Path
) -> None:
    """The same key, published for somebody else from now on: what was verified by it is not believed any more."""
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [{**mint.jwk, "issuer": mint.issuer}]}))
    verifier = TokenVerifier([spec()], clock, monotonic=clock)
    token = mint.token()
    await verifier.verify(token)
    file.write_text(json.dumps({"keys": [{**mint.jwk, "issuer": "https://else.example"}]}))
    clock.now += 3
    with pytest.raises(Refusal, match="unknown-key"):
        await verifier.verify(mint.token(jti="new"))
    assert verifier.verify_cached(token) is None


async def test_nothing_goes_on_after_the_end(spec: Make, mint: Any, clock: Any, site: Any) -> None:
    """Fetches under way are ended and known tokens are forgotten."""
    site.gives("/jwks", mint.jwks())
    verifier = TokenVerifier([spec({"url": f"{site.address}/jwks"})], clock, monotonic=clock)
    verifier.start()
    token = mint.token()
    await verifier.verify(token)
    site.hangs("/jwks")
    clock.now += 301
    await verifier.verify(token)
    await verifier.close()
    assert verifier.recall(token) is None
