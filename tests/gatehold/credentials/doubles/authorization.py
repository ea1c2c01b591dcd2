"""An authorization server: client credentials (RFC 6749), token exchange (RFC 8693), by three ways of showing a client.

Every parameter is checked as the RFCs have it, and what is wrong is answered with their codes. Tokens that it exchanges
are verified by the agents' issuer's key, as a server that trusts that issuer does.
"""

import base64
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "gate hold:1", "planted-client secret/ü&=%"
"""With everything in them that has to be encoded."""
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
JWT = "urn:ietf:params:oauth:token-type:jwt"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PARAMETERS = {
    "client_credentials": {"grant_type", "scope", "audience", "resource"},
    EXCHANGE: {
        "grant_type", "scope", "audience", "resource", "subject_token", "subject_token_type", "requested_token_type",
    },
}  # fmt: skip


class Wrong(Exception):
    """A request that is not granted: status and code."""


@dataclass
class AuthorizationServer:
    """Its state; tests change it."""

    clock: Callable[[], float] = time.time
    url: str = ""
    """Of its token endpoint, for assertions."""
    client_key: Any = None
    """Public; None: the client has a secret."""
    client_key_id: str | None = None
    way: str = "basic"
    """In which the secret has to be shown."""
    agent_key: Any = None
    """Public key of the agents' issuer."""
    expects: dict[str, str] = field(default_factory=dict)
    """Parameters that have to be there with these values; scope, audience and resource are not taken otherwise."""
    life: Any = 600
    """``expires_in``; None: not said."""
    more: dict[str, Any] = field(default_factory=dict)
    """Members of the answer that are other ones."""
    failure: Response | None = None
    """What is answered whatever is asked."""
    asked: list[dict[str, str]] = field(default_factory=list)
    granted: dict[str, str] = field(default_factory=dict)
    """Token to whom it is for."""
    on_grant: Callable[[str, str], None] = lambda token, subject: None
    """Told of every one of them."""
    assertions: set[str] = field(default_factory=set)

    def app(self) -> Starlette:
        """It as an application."""
        return Starlette(routes=[Route("/token", self._token, methods=["POST"])])

    async def _token(self, request: Request) -> Response:
        if self.failure is not None:
            return self.failure
        try:
            return JSONResponse(self._granted(request.headers, await request.body()), headers=_UNCACHED)
        except Wrong as wrong:
            status, code = wrong.args
            return JSONResponse({"error": code, "error_description": "planted-description"}, status, headers=_UNCACHED)

    def _granted(self, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        if headers.get("content-type") != "application/x-www-form-urlencoded":
            raise Wrong(400, "invalid_request")
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
        form = dict(pairs)
        if len(form) != len(pairs) or "" in form.values():
            raise Wrong(400, "invalid_request")
        self.asked.append(form)
        self._check_client(headers, form)
        grant = form.get("grant_type", "")
        if grant not in PARAMETERS:
            raise Wrong(400, "unsupported_grant_type")
        asked = {name: value for name, value in form.items() if not name.startswith("client_")}
        wanted = {name: value for name, value in asked.items() if name in {"scope", "audience", "resource"}}
        if not asked.keys() <= PARAMETERS[grant] or wanted != self.expects:
            raise Wrong(400, "invalid_request")
        subject = CLIENT if grant == "client_credentials" else self._subject(asked)
        token = f"planted-{secrets.token_urlsafe(24)}"
        self.granted[token] = subject
        self.on_grant(token, subject)
        answer = {"access_token": token, "token_type": "Bearer"}
        answer |= {} if self.life is None else {"expires_in": self.life}
        answer |= {"issued_token_type": asked["requested_token_type"]} if grant == EXCHANGE else {}
        return {name: value for name, value in (answer | self.more).items() if value is not None}

    def _subject(self, asked: Mapping[str, str]) -> str:
        if asked.get("requested_token_type") != ACCESS_TOKEN or asked.get("subject_token_type") != ACCESS_TOKEN:
            raise Wrong(400, "invalid_request")
        try:
            options: Any = {f"verify_{each}": False for each in ("exp", "aud", "iat", "nbf")} | {
                "require": ["exp", "sub"]
            }
            claims = jwt.decode(asked["subject_token"], self.agent_key, algorithms=["EdDSA"], options=options)
        except (jwt.InvalidTokenError, KeyError):
            raise Wrong(400, "invalid_grant") from None
        if claims["exp"] <= self.clock():
            raise Wrong(400, "invalid_grant")
        return str(claims["sub"])

    def _check_client(self, headers: Mapping[str, str], form: Mapping[str, str]) -> None:
        shown = {
            "basic": "authorization" in headers,
            "post": "client_secret" in form,
            "key": "client_assertion" in form,
        }
        way = "key" if self.client_key is not None else self.way
        if shown != {each: each == way for each in shown}:
            raise Wrong(401, "invalid_client")
        if way == "key":
            self._check_assertion(form)
        elif way == "post" and (form.get("client_id"), form["client_secret"]) != (CLIENT, SECRET):
            raise Wrong(401, "invalid_client")
        elif way == "basic":
            pair = base64.b64decode(headers["authorization"].removeprefix("Basic "), validate=True).decode("ascii")
            name, _, secret = pair.partition(":")
            if (unquote_plus(name), unquote_plus(secret)) != (CLIENT, SECRET):
                raise Wrong(401, "invalid_client")

    def _check_assertion(self, form: Mapping[str, str]) -> None:
        """RFC 7523, 3."""
        assertion = form["client_assertion"]
        try:
            options: Any = {"verify_exp": False, "verify_iat": False, "require": ["iss", "sub", "aud", "exp", "jti"]}
            claims = jwt.decode(
                assertion, self.client_key, algorithms=["RS256", "ES256", "EdDSA"], audience=self.url, options=options
            )
        except jwt.InvalidTokenError:
            raise Wrong(401, "invalid_client") from None
        sound = (
            form.get("client_assertion_type") == ASSERTION
            and claims["iss"] == claims["sub"] == form.get("client_id") == CLIENT
            and self.clock() < claims["exp"] <= self.clock() + 300
            and claims["jti"] not in self.assertions
            and jwt.get_unverified_header(assertion).get("kid") == self.client_key_id
        )
        if not sound:
            raise Wrong(401, "invalid_client")
        self.assertions.add(claims["jti"])


_UNCACHED = {"Cache-Control": "no-store"}
