"""Law: a token is asked for exactly as RFC 6749 and RFC 7523 have it, and an answer that is not one gives none; of a
refusal its code is told, if it is one that the RFCs know."""

import base64
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from starlette.responses import JSONResponse, Response

from gatehold.config.credential_sources import OAuthClientSpec
from gatehold.config.values import CredentialUnavailable
from gatehold.credentials.oauth import UNSTATED_LIFE, OAuthSource
from gatehold.credentials.sources import CredentialDelayed
from gatehold.demo.serving import RunningServer, serve
from tests.gatehold.credentials.clocks import Clock
from tests.gatehold.credentials.doubles.authorization import CLIENT, SECRET, AuthorizationServer

type Make = Callable[..., OAuthSource]


@pytest.fixture
def server(clock: Clock) -> AuthorizationServer:
    return AuthorizationServer(clock=clock)


@pytest.fixture
def running(server: AuthorizationServer) -> Iterator[RunningServer]:
    with serve(server.app()) as running:
        server.url = f"{running.url}/token"
        yield running


@pytest.fixture
def make(running: RunningServer, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes sources; keywords are keys of the configuration."""
    monkeypatch.setenv("CLIENT_SECRET", SECRET)

    def source(**keys: Any) -> OAuthSource:
        document = {
            "tokenUrl": f"{running.url}/token",
            "clientId": CLIENT,
            "clientSecret": "${env:CLIENT_SECRET}",
        } | keys
        document = {name: value for name, value in document.items() if value is not None}
        return OAuthSource(OAuthClientSpec.model_validate(document, context={"base": str(tmp_path)}), clock)

    return source


@pytest.mark.parametrize("way", ["basic", "post"])
async def test_a_token_for_the_gateway(make: Make, server: AuthorizationServer, clock: Clock, way: str) -> None:
    """With the secret in either place, encoded; the token is good for as long as the server says."""
    server.way = way
    fields = await make(auth=way).obtain(None)
    assert server.granted == {fields.values["token"].reveal(): CLIENT}
    assert fields.expires_at == clock.now + 600
    assert "planted" not in repr(fields)


async def test_what_is_asked_for(make: Make, server: AuthorizationServer) -> None:
    """Scopes in one text, audience and resource as they are; nothing that is not configured."""
    server.expects = {"scope": "read write", "audience": "crm", "resource": "https://crm.example/api?x=1"}
    more = {"scopes": ["read", "write"], "audience": "crm", "resource": "https://crm.example/api?x=1"}
    assert await make(**more).obtain(None)
    server.expects = {}
    await make().obtain(None)
    assert server.asked[-1] == {"grant_type": "client_credentials"}


KEYS = {
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "p-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}


@pytest.mark.parametrize("kind", KEYS)
async def test_a_key_instead_of_a_secret(make: Make, server: AuthorizationServer, tmp_path: Path, kind: str) -> None:
    """Every assertion is another one, short, for this endpoint; the secret key goes nowhere."""
    key: Any = KEYS[kind]()
    (tmp_path / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    server.client_key, server.client_key_id = key.public_key(), "k1"
    source = make(clientSecret=None, clientKey="key.pem", clientKeyId="k1")
    await source.obtain(None)
    await source.obtain(None)
    assert len(server.assertions) == 2


async def test_keys_that_are_none(make: Make, tmp_path: Path) -> None:
    """Missing, encrypted, short, of an unknown curve, no key at all: told by the file."""
    good = rsa.generate_private_key(65537, 2048)
    contents = {
        "text": b"planted",
        "encrypted": good.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"planted")),
        "curve": ec.generate_private_key(ec.SECP256K1()).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ),
        "short": rsa.generate_private_key(65537, 1024).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    for name in (*contents, "gone"):
        with pytest.raises(CredentialUnavailable, match=str(tmp_path / name)) as told:
            await make(clientSecret=None, clientKey=name).obtain(None)
        assert "planted" not in str(told.value).replace(str(tmp_path), "")


async def test_a_server_that_does_not_say_for_how_long(make: Make, server: AuthorizationServer, clock: Clock) -> None:
    """Not for ever."""
    server.life = None
    assert (await make().obtain(None)).expires_at == clock.now + UNSTATED_LIFE


@pytest.mark.parametrize(("life", "seconds"), [("3599", 3599.0), (12.5, 12.5), (10**300, 1e9), (0, 0.0)])
async def test_how_servers_write_numbers(
    make: Make, server: AuthorizationServer, clock: Clock, life: Any, seconds: float
) -> None:
    """As texts, with fractions, beyond all reason."""
    server.life = life
    assert (await make().obtain(None)).expires_at == clock.now + seconds


@pytest.mark.parametrize(
    "more",
    [{"access_token": None}, {"access_token": ""}, {"access_token": 1}, {"token_type": None}, {"token_type": "DPoP"},
     {"token_type": "N_A"}, {"token_type": ["Bearer"]}, {"expires_in": -1}, {"expires_in": True}, {"expires_in": "soon"},
     {"expires_in": "-5"}, {"expires_in": []}],
)  # fmt: skip
async def test_an_answer_that_gives_no_bearer_token(
    make: Make, server: AuthorizationServer, more: dict[str, Any]
) -> None:
    """Told by what it is not."""
    server.more = more
    with pytest.raises(CredentialDelayed, match="its answer is no") as told:
        await make().obtain(None)
    assert "planted" not in str(told.value)


async def test_a_refusal_is_told_by_its_code(make: Make, server: AuthorizationServer) -> None:
    """Not by its description, which may repeat anything; other codes may be anything too."""
    with pytest.raises(CredentialDelayed, match=r"answers 401 \(invalid_client\)$"):
        await make(clientSecret="planted-wrong").obtain(None)
    answers: list[tuple[Response, str]] = [
        (JSONResponse({"error": "temporarily_unavailable"}, 503), r"answers 503 \(temporarily_unavailable\)$"),
        (JSONResponse({"error": "planted-code"}, 400), "answers 400$"),
        (JSONResponse({"error": ["invalid_client"]}, 400), "answers 400$"),
        (Response("<html>planted", 502), "answers 502$"),
    ]
    for failure, words in answers:
        server.failure = failure
        with pytest.raises(CredentialDelayed, match=words):
            await make().obtain(None)


async def test_a_secret_that_is_not_there(make: Make, server: AuthorizationServer) -> None:
    """Nothing is asked without it."""
    with pytest.raises(CredentialUnavailable, match="NOT_SET_ANYWHERE"):
        await make(clientSecret="${env:NOT_SET_ANYWHERE}").obtain(None)
    assert server.asked == []


async def test_no_log_holds_any_of_it(
    make: Make, server: AuthorizationServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Not at the lowest level either, where HTTP is told step by step."""
    caplog.set_level(logging.DEBUG)
    for way in ("basic", "post"):
        server.way = way
        await make(auth=way).obtain(None)
    with pytest.raises(CredentialDelayed):
        await make(clientSecret="planted-wrong").obtain(None)
    assert caplog.records
    assert "planted" not in caplog.text
    assert base64.b64encode(b"planted").decode()[:8] not in caplog.text
