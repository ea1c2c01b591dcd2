"""Laws of the gateway's tokens: they say what their source said, end no later, and only what the gateway signed is one."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.identity.exchange.keys import SigningKeys
from gatehold.identity.exchange.tokens import ExchangedTokens
from gatehold.identity.jose import parse, seal
from gatehold.store import Store
from policy.errors import Refusal
from policy.model import Agent, SessionId
from tests.gatehold.identity.exchange.conftest import NOW, Clock

AGENT = Agent(
    issuer="corp",
    subject="planner-1",
    groups=("ci", "planners"),
    claims={"iat": int(NOW) - 100, "team": {"name": "blue"}},
    session=SessionId("s" * 26),
    expires_at=NOW + 3600,
    purpose="plans trips",
)


def tokens_of(store: Store, clock: Clock, *sources: str) -> ExchangedTokens:
    """Of one process."""
    return ExchangedTokens(SigningKeys(store, clock, monotonic=clock), sources or ("corp",), clock)


async def why(tokens: ExchangedTokens, text: str, clock: Clock) -> str:
    """A refusal's reason."""
    with pytest.raises(Refusal) as caught:
        await tokens.verify(parse(text), now=clock())
    return caught.value.reason


async def test_everything_is_the_source_s(store: Store, clock: Clock) -> None:
    """Issuer, subject, groups, claims, session, purpose: what revokes the one revokes the other."""
    made = await tokens_of(store, clock).make(AGENT, ttl=900)
    agent, counts = await tokens_of(store, clock).verify(parse(made.text), now=clock())
    assert agent == replace(AGENT, expires_at=NOW + 900)
    assert (made.lasts, counts()) == (900, True)
    assert made.text not in repr(made)


@pytest.mark.parametrize(("ends", "lasts"), [(100.0, 100), (100.9, 100), (1.0, 1), (3600.0, 900)])
async def test_never_after_its_source(store: Store, clock: Clock, ends: float, lasts: int) -> None:
    """Nor longer than is configured."""
    made = await tokens_of(store, clock).make(replace(AGENT, expires_at=NOW + ends), ttl=900)
    assert made.lasts == lasts
    clock.now += lasts
    assert await why(tokens_of(store, clock), made.text, clock) == "expired"


@pytest.mark.parametrize("ends", [0.0, -1.0, 0.5])
async def test_a_source_that_is_over(store: Store, clock: Clock, ends: float) -> None:
    """Makes no token."""
    with pytest.raises(Refusal) as caught:
        await tokens_of(store, clock).make(replace(AGENT, expires_at=NOW + ends), ttl=900)
    assert caught.value.reason == "expired"


async def test_sources_that_are_not_configured_any_more(store: Store, clock: Clock) -> None:
    """Their tokens end with them."""
    made = await tokens_of(store, clock).make(AGENT, ttl=900)
    assert await why(tokens_of(store, clock, "other"), made.text, clock) == "unknown-issuer"


async def test_claims_that_make_no_token(store: Store, clock: Clock) -> None:
    """Too many or too deep to be read again: refused when it is asked for, not when it is shown."""
    deep: Any = "x"
    for _ in range(15):
        deep = [deep]
    for claims in ({"x": "y" * 20_000}, {"x": deep}):
        with pytest.raises(Refusal):
            await tokens_of(store, clock).make(replace(AGENT, claims=claims), ttl=900)


async def test_only_what_was_signed(store: Store, clock: Clock) -> None:
    """Another algorithm, another key, no key, a changed part: refused."""
    tokens = tokens_of(store, clock)
    made = await tokens.make(AGENT, ttl=900)
    parts = parse(made.text)
    header = {"alg": "EdDSA", "typ": "at+jwt", "kid": parts.key_id}
    payload = dict(parts.payload)
    forged = lambda head, body: seal(head, body, lambda _: parts.signature)  # noqa: E731
    assert await why(tokens, forged(header, {**payload, "sub": "root"}), clock) == "bad-signature"
    assert await why(tokens, forged({**header, "alg": "HS256"}, payload), clock) == "algorithm"
    assert await why(tokens, forged({**header, "kid": "A" * 43}, payload), clock) == "unknown-key"
    assert await why(tokens, forged({"alg": "EdDSA"}, payload), clock) == "unknown-key"


CHANGES: list[dict[str, Any]] = [
    {"aud": "gatehold"},
    {"aud": ["gatehold:exchange"]},
    {"sub": ""},
    {"sub": 7},
    {"iat": True},
    {"iat": 1.5},
    {"exp": None},
    {"exp": "9999999999"},
    {"iat": int(NOW) + 61},
    {"gatehold": None},
    {"gatehold": {}},
]


@pytest.mark.parametrize("change", CHANGES, ids=map(json.dumps, CHANGES))
async def test_claims_are_read_strictly(store: Store, clock: Clock, change: dict[str, Any]) -> None:
    """Though the gateway signed them."""
    tokens = tokens_of(store, clock)
    payload = parse((await tokens.make(AGENT, ttl=900)).text).payload
    text = await tokens._keys.sign({**payload, **change})
    assert await why(tokens, text, clock) in ("claims", "not-yet-valid")


@given(
    st.dictionaries(
        st.sampled_from(["issuer", "groups", "session", "claims", "purpose"]),
        st.one_of(st.none(), st.integers(), st.text(), st.lists(st.integers()), st.just({})),
    )
)
def test_any_claim_of_its_own(changes: dict[str, Any]) -> None:
    """An agent, or a refusal."""
    tokens = ExchangedTokens.__new__(ExchangedTokens)
    tokens._sources = frozenset({"corp"})
    own = {"issuer": "corp", "groups": [], "session": "s", "claims": {}, "purpose": ""} | changes
    payload = {"aud": "gatehold:exchange", "sub": "a", "iat": int(NOW), "exp": int(NOW) + 9, "gatehold": own}
    try:
        agent = tokens._agent(payload, NOW)
    except Refusal:
        return
    assert agent.session
    assert agent.issuer == "corp"
