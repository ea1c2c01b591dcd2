"""Law: a provider is spoken to over a connection that is its own, in the way that it understands."""

from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from gatehold.config.console import OidcSpec
from gatehold.demo.serving import make_certificate, serve
from gatehold.people.provider import Provider
from gatehold.people.refusals import SignInRefused, Why
from tests.gatehold.people.conftest import Clock


def _spec(issuer: str, **more: Any) -> OidcSpec:
    return OidcSpec.model_validate({"issuer": issuer, "clientId": "gate hold", "allow": ["*"], **more})


async def test_its_certificate_is_checked(tmp_path: Path) -> None:
    """By the CA that is named, else by the system's."""
    certificate = make_certificate(tmp_path, ["127.0.0.1"])

    async def document(request: Request) -> JSONResponse:
        base = f"https://{request.headers['host']}"
        places = {name: f"{base}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
        return JSONResponse({"issuer": base, **places})

    app = Starlette(routes=[Route("/.well-known/openid-configuration", document)])
    with serve(app, certificate=certificate.pair) as server:
        issuer = f"https://127.0.0.1:{server.port}"
        known = Provider(_spec(issuer, ca=str(certificate.authority)), Clock(0.0))
        assert (await known.metadata()).token_endpoint == f"{issuer}/token_endpoint"
        with pytest.raises(SignInRefused) as refused:
            await Provider(_spec(issuer), Clock(0.0)).metadata()
    assert refused.value.why is Why.PROVIDER_SILENT
    assert refused.value.detail == "127.0.0.1: ConnectError"


@pytest.mark.parametrize(
    ("secret", "supported", "method"),
    [
        (None, ["client_secret_basic"], "none"),
        ("s", None, "client_secret_basic"),
        ("s", ["client_secret_post", "client_secret_basic"], "client_secret_basic"),
        ("s", ["client_secret_post"], "client_secret_post"),
        ("s", "nonsense", "client_secret_basic"),
    ],
)
def test_how_a_client_says_who_it_is(secret: str | None, supported: object, method: str) -> None:
    """As the provider understands it; Basic where it does not say (OpenID Connect Discovery 1.0, section 3)."""
    more = {"clientSecret": secret} if secret else {}
    assert Provider(_spec("https://idp.example", **more), Clock(0.0))._auth_method(supported) == method


def test_a_secret_of_any_letters() -> None:
    """Each part is form-encoded before it is Basic (RFC 6749, section 2.3.1)."""
    client = Provider(_spec("https://idp.example", clientSecret="a:b+c%"), Clock(0.0))._client("client_secret_basic")
    assert (client.client_id, client.client_secret) == ("gate+hold", "a%3Ab%2Bc%25")


async def test_a_secret_that_cannot_be_had() -> None:
    """Is no sign-in, and its name is for the audit trail only."""
    provider = Provider(_spec("https://idp.example", clientSecret="${env:NOT_SET_ANYWHERE}"), Clock(0.0))
    with pytest.raises(SignInRefused) as refused:
        provider._client("client_secret_basic")
    assert "NOT_SET" in refused.value.detail
    assert "NOT_SET" not in str(refused.value)
