"""An OpenID provider over HTTP: its metadata, its keys, and the two questions it is asked.

HTTP is used the narrow way: https (http to this machine only), no redirects, no content encoding, no proxy from the
environment (it could be this gateway), one bound on each exchange's time and one on its size. Nothing that comes back
is believed here but its shape; failures are ``SignInRefused`` whose details name the host at most.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote_plus, urlsplit

import httpx2
from authlib.oauth2.auth import ClientAuth  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749.parameters import prepare_token_request  # type: ignore[import-untyped]

from gatehold.config.addresses import is_fetchable
from gatehold.config.console import OidcSpec
from gatehold.config.values import CredentialUnavailable
from gatehold.identity.jose import strict_json
from gatehold.people.refusals import SignInRefused, Why

TIMEOUT: Final = 10.0
MAX_ANSWER: Final = 256 * 1024
METADATA_LIFE: Final = 600.0
"""Seconds."""

_DISCOVERY: Final = "/.well-known/openid-configuration"
_METHODS: Final = ("client_secret_basic", "client_secret_post")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What of a discovery document is used (OpenID Connect Discovery 1.0, section 3; RFC 9207)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    auth_method: str
    """How this client says who it is at the token endpoint."""
    names_itself: bool
    """Whether its answers carry ``iss``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed:
    """What a code was worth."""

    id_token: str = field(repr=False)
    access_token: str = field(repr=False)


class Provider:
    """One OpenID provider, as a client of it. Bound to no event loop; nothing here blocks one."""

    def __init__(self, spec: OidcSpec, monotonic: Callable[[], float]) -> None:
        self._spec = spec
        self._monotonic = monotonic
        self._host = urlsplit(spec.issuer).hostname or ""
        self._trust: ssl.SSLContext | None = None
        self._metadata: tuple[float, Metadata] | None = None

    def __repr__(self) -> str:
        return f"<Provider {self._host}>"

    async def metadata(self) -> Metadata:
        """Its metadata, fetched anew every ten minutes. Raises SignInRefused."""
        now = self._monotonic()
        if self._metadata is None or now - self._metadata[0] > METADATA_LIFE:
            address = self._spec.issuer.rstrip("/") + _DISCOVERY
            self._metadata = now, self._read(await self._exchange("GET", address))
        return self._metadata[1]

    async def keys(self) -> bytes:
        """Its JWKS document. Raises SignInRefused."""
        _, body = await self._raw("GET", (await self.metadata()).jwks_uri, {}, None)
        return body

    async def redeem(self, code: str, verifier: str, redirect_uri: str) -> Redeemed:
        """Give a code for tokens (RFC 6749 section 4.1.3, RFC 7636 section 4.5). Raises SignInRefused."""
        metadata = await self.metadata()
        body = prepare_token_request("authorization_code", "", redirect_uri, code=code, code_verifier=verifier)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        client = self._client(metadata.auth_method)
        address, headers, body = client.prepare("POST", metadata.token_endpoint, headers, body)
        answer = await self._exchange("POST", address, headers=headers, body=body)
        id_token, access_token = answer.get("id_token"), answer.get("access_token")
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            raise SignInRefused(Why.ID_TOKEN, f"{self._host}: its answer holds no ID token")
        return Redeemed(id_token=id_token, access_token=access_token)

    async def userinfo(self, access_token: str) -> Mapping[str, Any] | None:
        """Claims that are not in the ID token (OpenID Connect Core 1.0, section 5.3); None where it has no such."""
        address = (await self.metadata()).userinfo_endpoint
        if address is None:
            return None
        return await self._exchange("GET", address, headers={"Authorization": f"Bearer {access_token}"})

    def _client(self, method: str) -> ClientAuth:
        secret = self._spec.client_secret
        try:
            revealed = secret.resolve().reveal() if secret else ""
        except CredentialUnavailable as error:
            raise SignInRefused(Why.PROVIDER_SILENT, str(error)) from None
        if method == "client_secret_basic":  # each part form-encoded: RFC 6749 section 2.3.1
            return ClientAuth(quote_plus(self._spec.client_id), quote_plus(revealed), method)
        return ClientAuth(self._spec.client_id, revealed, method)

    def _read(self, document: Mapping[str, Any]) -> Metadata:
        if document.get("issuer") != self._spec.issuer:
            raise SignInRefused(Why.MIXED_UP, f"{self._host}: its metadata is that of another issuer")
        required = {name: document.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
        userinfo = document.get("userinfo_endpoint")
        for name, address in {**required, "userinfo_endpoint": userinfo}.items():
            if not (address is None and name not in required) and not (
                isinstance(address, str) and is_fetchable(address)
            ):
                raise SignInRefused(Why.PROVIDER_SILENT, f"{self._host}: its {name} is no https address")
        return Metadata(
            authorization_endpoint=str(required["authorization_endpoint"]),
            token_endpoint=str(required["token_endpoint"]),
            jwks_uri=str(required["jwks_uri"]),
            userinfo_endpoint=userinfo,
            auth_method=self._auth_method(document.get("token_endpoint_auth_methods_supported")),
            names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        )

    def _auth_method(self, supported: object) -> str:
        if self._spec.client_secret is None:
            return "none"
        known = supported if isinstance(supported, list) else [_METHODS[0]]
        return next((method for method in _METHODS if method in known), _METHODS[0])

    async def _exchange(
        self, method: str, address: str, *, headers: Mapping[str, str] | None = None, body: str | None = None
    ) -> dict[str, Any]:
        """A JSON object in an answer 200."""
        status, data = await self._raw(method, address, headers or {}, body)
        try:
            value = strict_json(data.decode("utf-8"))
        except (ValueError, RecursionError):
            value = None
        if status != 200:
            raise SignInRefused(Why.PROVIDER_ERROR, f"{self._host}: status {status}{_error_code(value)}")
        if not isinstance(value, dict):
            raise SignInRefused(Why.PROVIDER_SILENT, f"{self._host}: its answer is not a JSON object")
        return value

    async def _raw(self, method: str, address: str, headers: Mapping[str, str], body: str | None) -> tuple[int, bytes]:
        accepting = {**headers, "Accept": "application/json", "Accept-Encoding": "identity"}
        received = bytearray()
        try:
            async with (
                asyncio.timeout(TIMEOUT),
                httpx2.AsyncClient(verify=await self._trusted(), trust_env=False, timeout=TIMEOUT) as client,
                client.stream(method, address, headers=accepting, content=body) as response,
            ):
                async for chunk in response.aiter_raw():
                    received += chunk
                    if len(received) > MAX_ANSWER:
                        raise SignInRefused(Why.PROVIDER_SILENT, f"{self._host}: its answer is too large")
                return response.status_code, bytes(received)
        except (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError) as error:
            raise SignInRefused(Why.PROVIDER_SILENT, f"{self._host}: {type(error).__name__}") from None

    async def _trusted(self) -> ssl.SSLContext:
        if self._trust is None:
            self._trust = await asyncio.to_thread(ssl.create_default_context, cafile=self._spec.ca)
        return self._trust


def _error_code(answer: object) -> str:
    """The code of RFC 6749 (5.2), if it is one; descriptions may hold anything and are left out."""
    code = answer.get("error") if isinstance(answer, dict) else None
    return f", {code}" if isinstance(code, str) and len(code) <= 64 and code.isascii() and code.isprintable() else ""
