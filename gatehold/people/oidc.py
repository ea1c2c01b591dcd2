"""Sign-in at an OpenID provider: authorization code with PKCE (S256), state and nonce.

What holds:

1. A sign-in comes back to the browser that began it: state, nonce and verifier are sealed in that browser's cookie. A
   callback without the cookie, with another state, or a second time is refused before anybody is asked anything.
2. The answer is the provider's that was asked: ``iss`` in the callback (RFC 9207) and in the ID token are compared.
3. The ID token is for this client and this sign-in: signature by a key of the provider with an asymmetric algorithm;
   ``iss``, ``aud``, ``azp``, ``exp``, ``iat``, ``nonce`` and ``at_hash`` as OpenID Connect Core 1.0 (3.1.3.7) asks.

Runs in the event loop and never blocks it.
"""

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # type: ignore[import-untyped]
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc.errors import JoseError

from gatehold.config.console import OidcSpec
from gatehold.config.issuers import ASYMMETRIC
from gatehold.identity.jose import parse
from gatehold.identity.jwks import KeyRing
from gatehold.identity.sources import SourceError
from gatehold.people.claims import claim
from gatehold.people.provider import Provider
from gatehold.people.refusals import SignInRefused, Why
from gatehold.people.sealing import LIFETIME, Login, Seal
from policy.errors import Refusal

LEEWAY: Final = 60
"""Seconds that clocks may differ."""
_MOST_USED: Final = 10_000
_ERRORS: Final = frozenset(
    {"access_denied", "login_required", "interaction_required", "consent_required", "temporarily_unavailable"}
    | {"account_selection_required", "server_error", "invalid_request", "unauthorized_client", "invalid_scope"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A sign-in that is under way."""

    address: str
    """Where to send the browser."""
    cookie_value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """Who came back, as the provider says it."""

    claims: Mapping[str, Any]
    then: str
    """Path of the page they wanted."""


class OidcLogin:
    """Sign-in at one provider. ``redirect_uri``: the address of the callback, as it is registered there."""

    def __init__(
        self, spec: OidcSpec, redirect_uri: str, *, clock: Callable[[], float], monotonic: Callable[[], float]
    ) -> None:
        self._spec = spec
        self._redirect_uri = redirect_uri
        self._clock = clock
        self._provider = Provider(spec, monotonic)
        self._keys = KeyRing("sign-in", _Keys(self._provider), ASYMMETRIC, monotonic=monotonic)
        self._seal = Seal()
        self._used: OrderedDict[str, float] = OrderedDict()

    def __repr__(self) -> str:
        return f"<OidcLogin at {self._provider!r}>"

    async def begin(self, then: str) -> Begun:
        """Start a sign-in. Raises SignInRefused."""
        metadata = await self._provider.metadata()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        address = prepare_grant_uri(
            metadata.authorization_endpoint,
            client_id=self._spec.client_id,
            response_type="code",
            redirect_uri=self._redirect_uri,
            scope=" ".join(self._spec.scopes),
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        login = Login(state=state, nonce=nonce, verifier=verifier, then=then, started=self._clock())
        return Begun(address=address, cookie_value=self._seal.close(login))

    async def finish(self, cookie_value: str, answer: Mapping[str, str]) -> Arrived:
        """What came back to the callback, with the cookie that the browser has. Raises SignInRefused."""
        login = self._seal.open(cookie_value, now=self._clock())
        if login is None:
            raise SignInRefused(Why.NO_LOGIN)
        self._check_state(login, answer.get("state", ""))
        await self._check_sender(answer.get("iss"))
        if "error" in answer:
            error = answer["error"]
            raise SignInRefused(Why.PROVIDER_ERROR, error if error in _ERRORS else "an unknown error")
        if not answer.get("code"):
            raise SignInRefused(Why.PROVIDER_ERROR, "no code")
        redeemed = await self._provider.redeem(answer["code"], login.verifier, self._redirect_uri)
        claims = await self._verified(redeemed.id_token, login.nonce, redeemed.access_token)
        return Arrived(claims=await self._completed(claims, redeemed.access_token), then=login.then)

    def _check_state(self, login: Login, state: str) -> None:
        if not hmac.compare_digest(login.state.encode(), state.encode(errors="replace")):
            raise SignInRefused(Why.STATE, "another state")
        if login.state in self._used:
            raise SignInRefused(Why.STATE, "a second time")
        self._used[login.state] = login.started + LIFETIME
        while self._used and (len(self._used) > _MOST_USED or next(iter(self._used.values())) < self._clock()):
            self._used.popitem(last=False)

    async def _check_sender(self, issuer: str | None) -> None:
        expected = (await self._provider.metadata()).names_itself
        if issuer != self._spec.issuer and (expected or issuer is not None):
            raise SignInRefused(Why.MIXED_UP, "iss")

    async def _verified(self, id_token: str, nonce: str, access_token: str) -> Mapping[str, Any]:
        try:
            token = parse(id_token)
            key = await self._keys.find(token.key_id, token.algorithm)
        except Refusal as refusal:
            raise SignInRefused(Why.ID_TOKEN, refusal.reason) from None
        if not key.verifies(token.algorithm, token.signed, token.signature):
            raise SignInRefused(Why.ID_TOKEN, "signature")
        options = {"iss": {"essential": True, "value": self._spec.issuer}}
        params = {"client_id": self._spec.client_id, "nonce": nonce, "access_token": access_token}
        try:
            CodeIDToken(token.payload, {"alg": token.algorithm}, options, params).validate(self._clock(), LEEWAY)
        except JoseError as error:
            raise SignInRefused(Why.ID_TOKEN, error.error) from None
        self._check_audience(token.payload)
        return token.payload

    def _check_audience(self, claims: Mapping[str, Any]) -> None:
        """For this client, and for nobody else: OpenID Connect Core 1.0, 3.1.3.7, steps 3 to 5."""
        audience = claims.get("aud")
        if audience not in (self._spec.client_id, [self._spec.client_id]):
            raise SignInRefused(Why.ID_TOKEN, "aud")
        if claims.get("azp", self._spec.client_id) != self._spec.client_id:
            raise SignInRefused(Why.ID_TOKEN, "azp")
        if not isinstance(claims.get("sub"), str):
            raise SignInRefused(Why.ID_TOKEN, "sub")

    async def _completed(self, claims: Mapping[str, Any], access_token: str) -> Mapping[str, Any]:
        """Where the ID token does not tell name and groups, what the provider says when it is asked for them."""
        if all(claim(claims, path) is not None for path in (self._spec.name, self._spec.groups)):
            return claims
        further = await self._provider.userinfo(access_token)
        if further is None:
            return claims
        if further.get("sub") != claims["sub"]:  # section 5.3.2: else somebody else's claims could be put in
            raise SignInRefused(Why.ID_TOKEN, "userinfo is about somebody else")
        return {**further, **claims}


class _Keys:
    """The provider's keys, for a key ring; fetched for each sign-in, so that an old key is out at once."""

    interval = 5.0

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def fetch(self) -> bytes:
        """The JWKS document as it is now."""
        try:
            return await self._provider.keys()
        except SignInRefused as refused:
            raise SourceError(refused.detail) from None
