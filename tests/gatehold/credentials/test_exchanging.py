"""Law: an agent's token is exchanged as RFC 8693 has it, for that agent alone and never for longer than it lasts; what
only a gateway could verify is shown to nobody."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gatehold.config.credential_sources import ExchangedSpec
from gatehold.config.values import CredentialUnavailable
from gatehold.credentials.exchanging import ExchangeSource
from gatehold.credentials.fields import Asker
from gatehold.credentials.sources import CredentialDelayed
from gatehold.demo.serving import RunningServer, serve
from gatehold.identity.keys import PRIVATE_FILE, keygen
from gatehold.identity.tokens import issue
from gatehold.identity.vouching import OWN_ISSUER
from policy.model import Agent
from tests.gatehold.credentials.clocks import Clock
from tests.gatehold.credentials.doubles.authorization import ACCESS_TOKEN, CLIENT, JWT, SECRET, AuthorizationServer

type Make = Callable[..., ExchangeSource]
type MakeAsker = Callable[..., Asker]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """The private key of the agents' issuer."""
    keygen(tmp_path / "keys")
    return tmp_path / "keys" / PRIVATE_FILE


@pytest.fixture
def asker(key: Path, clock: Clock) -> MakeAsker:
    def make(subject: str = "planner-1", *, issuer: str = "https://idp.test", ttl: float = 3600) -> Asker:
        token = issue(key, issuer=issuer, audience="gatehold", subject=subject, ttl=ttl, now=clock.now)
        return Asker(token=token, agent=Agent(issuer="corp", subject=subject, expires_at=clock.now + ttl))

    return make


@pytest.fixture
def server(clock: Clock, key: Path) -> AuthorizationServer:
    private = load_pem_private_key(key.read_bytes(), None)
    assert isinstance(private, Ed25519PrivateKey)
    return AuthorizationServer(clock=clock, agent_key=private.public_key())


@pytest.fixture
def running(server: AuthorizationServer) -> Iterator[RunningServer]:
    with serve(server.app()) as running:
        yield running


@pytest.fixture
def make(running: RunningServer, clock: Clock) -> Make:
    def source(**keys: Any) -> ExchangeSource:
        document = {"tokenUrl": f"{running.url}/token", "clientId": CLIENT, "clientSecret": SECRET} | keys
        return ExchangeSource(ExchangedSpec.model_validate(document), clock)

    return source


async def test_every_agent_has_its_own(make: Make, server: AuthorizationServer, asker: MakeAsker) -> None:
    """Made of its token and nothing else."""
    source = make()
    assert source.per_agent
    for subject in ("planner-1", "planner-2"):
        fields = await source.obtain(asker(subject))
        assert server.granted[fields.values["token"].reveal()] == subject
        assert "planted" not in repr(fields)


async def test_what_is_asked_for(make: Make, server: AuthorizationServer, asker: MakeAsker) -> None:
    """Types, scope, audience and resource as configured; no actor."""
    server.expects = {"scope": "read", "audience": "crm", "resource": "https://crm.example/"}
    one = asker()
    await make(scopes=["read"], audience="crm", resource="https://crm.example/").obtain(one)
    assert server.asked == [
        {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": one.token,
            "subject_token_type": ACCESS_TOKEN,
            "requested_token_type": ACCESS_TOKEN,
            **server.expects,
        }
    ]
    with pytest.raises(CredentialDelayed, match="invalid_request"):
        await make(subjectTokenType=JWT).obtain(one)
    assert server.asked[-1]["subject_token_type"] == JWT


async def test_never_longer_than_the_agents_token(make: Make, asker: MakeAsker, clock: Clock) -> None:
    """Whichever ends first."""
    source = make()
    assert (await source.obtain(asker(ttl=3600))).expires_at == clock.now + 600
    assert (await source.obtain(asker(ttl=60))).expires_at == clock.now + 60


async def test_nobody_has_none(make: Make, server: AuthorizationServer) -> None:
    """The gateway's own calls have no agent, and get nothing."""
    with pytest.raises(CredentialUnavailable, match="no agent asks"):
        await make().obtain(None)
    assert server.asked == []


@pytest.mark.parametrize("token", ["ghk_" + "planted" * 6, "", "a.b.c", "planted", "e30.e30"])
async def test_keys_are_shown_to_nobody(make: Make, server: AuthorizationServer, token: str) -> None:
    """What is no token of an identity provider would be a secret of the gateway's in other hands."""
    with pytest.raises(CredentialUnavailable, match="no token of an identity provider") as told:
        await make().obtain(Asker(token=token, agent=Agent(issuer="api-keys", subject="a", expires_at=2e9)))
    assert server.asked == []
    assert "planted" not in str(told.value)


async def test_a_gateways_tokens_are_shown_to_nobody(make: Make, server: AuthorizationServer, asker: MakeAsker) -> None:
    """Nobody else knows its keys, and whoever got one could use it here."""
    with pytest.raises(CredentialUnavailable, match="which no other server knows"):
        await make().obtain(asker(issuer=OWN_ISSUER))
    assert server.asked == []


async def test_a_token_that_the_server_refuses(make: Make, asker: MakeAsker, clock: Clock) -> None:
    """Told by the code."""
    one = asker(ttl=60)
    clock.now += 60
    with pytest.raises(CredentialDelayed, match=r"answers 400 \(invalid_grant\)"):
        await make().obtain(one)


@pytest.mark.parametrize(
    "more", [{"issued_token_type": None}, {"issued_token_type": JWT}, {"issued_token_type": 1}, {"token_type": "mac"}]
)
async def test_another_type_than_was_asked_for(
    make: Make, server: AuthorizationServer, asker: MakeAsker, more: dict[str, Any]
) -> None:
    """It is not used in its place."""
    server.more = more
    with pytest.raises(CredentialDelayed, match="its answer is no"):
        await make().obtain(asker())


async def test_tokens_that_are_no_access_tokens(make: Make, server: AuthorizationServer, asker: MakeAsker) -> None:
    """RFC 8693, 2.2.1: their token type is ``N_A``."""
    server.more = {"token_type": "N_A"}
    assert (await make().obtain(asker())).values["token"]


async def test_the_agents_own_token_goes_to_no_target(
    make: Make, server: AuthorizationServer, asker: MakeAsker
) -> None:
    """Not by way of a server that gives it back."""
    one = asker()
    server.more = {"access_token": one.token}
    with pytest.raises(CredentialDelayed, match="the agent's own token back"):
        await make().obtain(one)


def test_an_asker_shows_no_token() -> None:
    """In its repr."""
    assert "planted" not in repr(Asker(token="planted", agent=Agent(issuer="a", subject="b")))
