"""Access tokens that an authorization server gives the gateway as a client of its own (RFC 6749, 4.4; RFC 7523)."""

import base64
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote_plus

from gatehold.config.credential_sources import OAuthClientSpec
from gatehold.config.values import Secret
from gatehold.credentials.assertions import signed
from gatehold.credentials.fields import Asker, Fields
from gatehold.credentials.outbound import Answer, Outbound

TOKEN: Final = "token"  # noqa: S105 - the name of a field
UNSTATED_LIFE = 300.0
"""Seconds for which a token is used whose server does not say for how long it is good."""
_ASSERTION_LIFE = 120
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_WHAT = "token response (RFC 6749, 5.1)"
_ERRORS = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
     "invalid_scope", "invalid_target", "access_denied", "server_error", "temporarily_unavailable"}
)  # fmt: skip
"""What may be repeated of an answer: codes of RFC 6749 and RFC 8693."""


class TokenEndpoint:
    """The token endpoint of an authorization server, asked by one client."""

    def __init__(self, spec: OAuthClientSpec, clock: Callable[[], float]) -> None:
        self._spec = spec
        self._clock = clock
        self._outbound = Outbound(spec.ca)

    async def ask(self, grant: Mapping[str, str]) -> Answer:
        """The answer to a grant; scope, audience, resource and client are added. Raises ``CredentialUnavailable``."""
        spec = self._spec
        form = dict(grant)
        if spec.scopes:
            form["scope"] = " ".join(spec.scopes)
        form |= {name: value for name in ("audience", "resource") if (value := getattr(spec, name))}
        headers: dict[str, Secret | str] = {}
        if spec.client_key is not None:
            form |= self._assertion(spec.client_key)
        elif spec.client_secret is not None and spec.auth == "basic":
            headers["Authorization"] = basic(spec.client_id, spec.client_secret.resolve())
        elif spec.client_secret is not None:
            form |= {"client_id": spec.client_id, "client_secret": spec.client_secret.resolve().reveal()}
        answer = await self._outbound.post_form(spec.token_url, form, headers)
        if not answer.is_success:
            error = answer.value.get("error")
            raise answer.failure(error if isinstance(error, str) and error in _ERRORS else "")
        return answer

    def token_of(self, answer: Answer, *, kinds: frozenset[str] = frozenset({"bearer"})) -> tuple[Secret, float]:
        """The token of an answer and the Unix time at which it ends. Raises ``CredentialDelayed``."""
        token, kind = answer.text("access_token", _WHAT), answer.text("token_type", _WHAT)
        if kind.lower() not in kinds:
            raise answer.unreadable("bearer token: it takes more than showing it")
        return Secret(token), self._clock() + _life(answer)

    def _assertion(self, key: Path) -> dict[str, str]:
        """``private_key_jwt``: every one is used once."""
        spec, now = self._spec, int(self._clock())
        claims = {
            "iss": spec.client_id,
            "sub": spec.client_id,
            "aud": spec.token_url,
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + _ASSERTION_LIFE,
        }
        assertion = signed(key, claims, key_id=spec.client_key_id)
        return {
            "client_id": spec.client_id,
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": assertion.reveal(),
        }


class OAuthSource:
    """Client credentials: a token for the gateway itself."""

    per_agent = False

    def __init__(self, spec: OAuthClientSpec, clock: Callable[[], float] = time.time) -> None:
        self._endpoint = TokenEndpoint(spec, clock)

    async def obtain(self, _: Asker | None) -> Fields:
        """Ask for a token."""
        answer = await self._endpoint.ask({"grant_type": "client_credentials"})
        token, ends = self._endpoint.token_of(answer)
        return Fields(values={TOKEN: token}, expires_at=ends)


def basic(client_id: str, secret: Secret) -> Secret:
    """A client's name and secret as RFC 6749, 2.3.1 has them: both form-encoded before they are joined."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret.reveal())}"
    return Secret(f"Basic {base64.b64encode(pair.encode()).decode()}")


def _life(answer: Answer) -> float:
    """Seconds. Some servers write the number as a text."""
    life = answer.value.get("expires_in")
    if life is None:
        return UNSTATED_LIFE
    if isinstance(life, str) and life.isascii() and life.isdigit() and len(life) <= 10:
        life = int(life)
    if isinstance(life, bool) or not isinstance(life, int | float) or life < 0:
        raise answer.unreadable(_WHAT)
    return float(min(life, 10**9))
