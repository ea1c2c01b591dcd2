"""Laws of an exchange: only what may be exchanged is; a revoked agent gets nothing, and its assertion is not used up."""

from pathlib import Path
from typing import Any

import pytest

from gatehold.config.issuers import IdentitySpec
from gatehold.identity.exchange.exchanging import Exchange, exchanged_tokens
from gatehold.identity.exchange.requests import SAML_BEARER, TOKEN_EXCHANGE, ExchangeRequest, UnusableRequest
from gatehold.identity.jose import parse
from gatehold.identity.vouching import Use
from gatehold.store import Store
from gatehold.store.errors import StoreUnavailable
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent, SessionId
from tests.gatehold.identity.exchange.conftest import AUDIENCE, NOW, Clock, Said, Site, certificate, encoded, signed

ISSUER: Any = {
    "name": "corp",
    "issuer": "https://idp.corp.example",
    "audience": "gatehold",
    "algorithms": ["RS256"],
    "jwks": {"discovery": True},
}
PLANNER = Agent(issuer="corp", subject="planner-1", session=SessionId("s"), expires_at=NOW + 60)


class Verifier:
    """Knows one token, and says for what it was asked."""

    asked: Use | None = None

    async def verify(self, token: str, *, use: Use = "calls") -> Agent:
        self.asked = use
        return PLANNER


class Revocations:
    """Refuses a subject."""

    subject = ""

    def check(self, agent: Agent) -> None:
        if agent.subject == self.subject:
            raise Refusal(Code.REVOKED, "Access was revoked.", reason="revoked")


class Gateway:
    """What an exchange needs."""

    def __init__(self, store: Store, clock: Clock, directory: Path) -> None:
        file = directory / "idp.pem"
        file.write_bytes(certificate())
        spec = IdentitySpec.model_validate({"issuers": [ISSUER], "exchange": {"ttl": "15m"}})
        spec = spec.model_copy(update={"saml": (Site.spec(file),)})
        self.verifier, self.revocations = Verifier(), Revocations()
        self.tokens = exchanged_tokens(spec, store, clock)
        self.exchange = Exchange(
            spec, store, self.tokens, verifier=self.verifier, revocations=self.revocations, clock=clock
        )


@pytest.fixture
def gateway(store: Store, clock: Clock, tmp_path: Path) -> Gateway:
    return Gateway(store, clock, tmp_path)


def asked(kind: Any, text: str = "a.b.c", audience: str | None = None) -> ExchangeRequest:
    """A request."""
    grant = TOKEN_EXCHANGE if kind == "jwt" else SAML_BEARER
    return ExchangeRequest(grant=grant, kind=kind, subject_token=text, audience=audience, issued_type="x")


async def test_a_token(gateway: Gateway) -> None:
    """It is asked of the verifier for this use; the token ends with its source."""
    agent = await gateway.exchange.identify(asked("jwt"))
    assert (agent, gateway.verifier.asked) == (PLANNER, "exchange")
    made = await gateway.exchange.make(agent)
    assert made.lasts == 60
    assert (await gateway.tokens.verify(parse(made.text), now=NOW))[0].subject == "planner-1"


async def test_an_assertion(gateway: Gateway) -> None:
    """Once."""
    text = encoded(signed(Said().xml()))
    agent = await gateway.exchange.identify(asked("saml", text))
    assert (agent.issuer, agent.subject) == ("corp-saml", "planner-1")
    assert gateway.exchange.reads_assertions
    with pytest.raises(Refusal) as caught:
        await gateway.exchange.identify(asked("saml", text))
    assert caught.value.reason == "assertion-used"


async def test_who_is_revoked(gateway: Gateway) -> None:
    """Gets nothing; once it is lifted, the same assertion counts."""
    text, gateway.revocations.subject = encoded(signed(Said().xml())), "planner-1"
    with pytest.raises(Refusal) as caught:
        await gateway.exchange.identify(asked("saml", text))
    assert caught.value.code is Code.REVOKED
    gateway.revocations.subject = ""
    await gateway.exchange.identify(asked("saml", text))


@pytest.mark.parametrize("audience", ["gatehold", AUDIENCE, "gatehold:exchange", None])
async def test_audiences(gateway: Gateway, audience: str | None) -> None:
    """The names that this gateway has."""
    await gateway.exchange.identify(asked("jwt", audience=audience))


async def test_other_audiences(gateway: Gateway) -> None:
    """Tokens for others are not made here."""
    with pytest.raises(UnusableRequest) as caught:
        await gateway.exchange.identify(asked("jwt", audience="https://crm.corp.example"))
    assert caught.value.error == "invalid_target"


async def test_without_the_store(gateway: Gateway, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An assertion that cannot be used up is not exchanged."""

    def fail() -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(store, "writing", fail)
    with pytest.raises(Refusal) as caught:
        await gateway.exchange.identify(asked("saml", encoded(signed(Said().xml()))))
    assert caught.value.code is Code.GATEWAY_ERROR


@pytest.mark.parametrize("name", ["corp", "api-keys"])
def test_names_that_are_taken(gateway: Gateway, store: Store, tmp_path: Path, name: str) -> None:
    """A provider with the name of an issuer would be that issuer to every rule."""
    spec = IdentitySpec.model_validate({"issuers": [ISSUER]})
    spec = spec.model_copy(update={"saml": (Site.spec(tmp_path / "idp.pem", name=name),)})
    with pytest.raises(ValueError, match="the name of an issuer"):
        Exchange(spec, store, gateway.tokens, verifier=gateway.verifier, revocations=gateway.revocations)
