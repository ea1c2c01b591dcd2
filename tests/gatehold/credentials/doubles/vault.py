"""A Vault as its HTTP API describes it, as far as the gateway asks: sign-ins, tokens with leases, KV version 2.

It checks what the real one checks and answers with the real one's statuses: 400 to a wrong proof, 403 to a token that
it does not know (any more) or whose policy does not reach, 404 to what is not there, 503 while it is sealed.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


@dataclass
class Token:
    """One that was given out."""

    ends_at: float
    renewable: bool
    max_ends_at: float


@dataclass
class VaultDouble:
    """Its state; tests change it."""

    clock: Callable[[], float] = time.time
    namespace: str = ""
    """Where everything is; another one knows nothing."""
    roles: dict[str, str] = field(default_factory=dict)
    """``approle``: role id to secret id."""
    accounts: dict[str, str] = field(default_factory=dict)
    """``kubernetes``: role to the only JWT that it takes."""
    secrets: dict[str, list[dict[str, Any] | None]] = field(default_factory=dict)
    """``mount/path`` to its versions; None: deleted."""
    forbidden: set[str] = field(default_factory=set)
    """What the policies do not reach."""
    lease: float = 3600.0
    longest: float = 1e9
    """Seconds after which a token is not renewed any more."""
    renewable: bool = True
    sealed: bool = False
    tokens: dict[str, Token] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """``METHOD path?query`` of everything that was asked."""

    def app(self) -> Starlette:
        """It as an application."""
        return Starlette(
            routes=[
                Route("/v1/auth/{mount:path}/login", self._login, methods=["POST"]),
                Route("/v1/auth/token/renew-self", self._renew, methods=["POST"]),
                Route("/v1/auth/token/lookup-self", self._lookup, methods=["GET"]),
                Route("/v1/{mount}/data/{path:path}", self._read, methods=["GET"]),
            ]
        )

    def revoke_all(self) -> None:
        """No token that was given out counts any more."""
        self.tokens.clear()

    async def _login(self, request: Request) -> JSONResponse:
        if (problem := self._problem(request)) is not None:
            return problem
        proof, mount = await request.json(), request.path_params["mount"]
        match mount:
            case "approle" | "team/approle" if set(proof) <= {"role_id", "secret_id"}:
                sound = proof.get("role_id") in self.roles and self.roles[proof["role_id"]] == proof.get("secret_id")
                refusal = _errors(400, "invalid role or secret ID")
            case "kubernetes" if set(proof) == {"role", "jwt"}:
                sound = self.accounts.get(proof["role"]) == proof["jwt"]
                refusal = _errors(403, "permission denied")
            case _:
                return _errors(404, "no handler for route")
        if not sound:
            return refusal
        token = f"hvs.planted-{secrets.token_hex(8)}"
        now = self.clock()
        self.tokens[token] = Token(now + self.lease, self.renewable, now + self.longest)
        return JSONResponse({"auth": self._auth(token), "lease_duration": 0, "data": None})

    async def _renew(self, request: Request) -> JSONResponse:
        if (problem := self._problem(request, needs_token=True)) is not None:
            return problem
        token = self.tokens[request.headers["x-vault-token"]]
        if not token.renewable:
            return _errors(400, "lease is not renewable")
        token.ends_at = min(self.clock() + self.lease, token.max_ends_at)
        return JSONResponse({"auth": self._auth(request.headers["x-vault-token"])})

    async def _lookup(self, request: Request) -> JSONResponse:
        return self._problem(request, needs_token=True) or JSONResponse({"data": {"policies": ["gateway"]}})

    async def _read(self, request: Request) -> JSONResponse:
        if (problem := self._problem(request, needs_token=True)) is not None:
            return problem
        name = f"{request.path_params['mount']}/{request.path_params['path']}"
        if name in self.forbidden:
            return _errors(403, "1 error occurred:\n\t* permission denied\n\n")
        versions = self.secrets.get(name, [])
        number = int(request.query_params.get("version", len(versions)))
        if not 1 <= number <= len(versions):
            return _errors(404)
        value = versions[number - 1]
        metadata = {"version": number, "destroyed": False, "deletion_time": "" if value else "2026-01-01T00:00:00Z"}
        return JSONResponse({"data": {"data": value, "metadata": metadata}}, 404 if value is None else 200)

    def _problem(self, request: Request, *, needs_token: bool = False) -> JSONResponse | None:
        self.asked.append(f"{request.method} {request.url.path}{'?' if request.url.query else ''}{request.url.query}")
        if self.sealed:
            return _errors(503, "Vault is sealed")
        if request.headers.get("x-vault-request") != "true":
            return _errors(412, "missing the X-Vault-Request header")
        if request.headers.get("x-vault-namespace", "") != self.namespace:
            return _errors(404, "no handler for route")
        if not needs_token:
            return _errors(400, "a token at a sign-in") if "x-vault-token" in request.headers else None
        token = self.tokens.get(request.headers.get("x-vault-token", ""))
        if token is None or self.clock() >= token.ends_at:
            return _errors(403, "permission denied")
        return None

    def _auth(self, token: str) -> dict[str, Any]:
        held = self.tokens[token]
        return {
            "client_token": token,
            "accessor": "accessor",
            "policies": ["gateway"],
            "lease_duration": int(held.ends_at - self.clock()),
            "renewable": held.renewable,
            "token_type": "service",
        }


def _errors(status: int, *messages: str) -> JSONResponse:
    return JSONResponse({"errors": list(messages)}, status)
