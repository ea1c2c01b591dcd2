"""GitHub's endpoint for installation tokens, which verifies the App's JWT as GitHub documents it."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


@dataclass
class GitHubDouble:
    """One App with one installation."""

    key: Any
    """Public, of the App."""
    clock: Callable[[], float] = time.time
    app_id: str = "Iv1.planted"
    installation: int = 4711
    repositories: tuple[str, ...] = ("gate", "hold")
    permissions: dict[str, str] = field(default_factory=lambda: {"contents": "read", "issues": "write"})
    asked: list[dict[str, Any]] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)
    """Members of the answer that are other ones."""

    def app(self) -> Starlette:
        """It as an application."""
        path = "/api/v3/app/installations/{number:int}/access_tokens"
        return Starlette(routes=[Route(path, self._token, methods=["POST"])])

    async def _token(self, request: Request) -> JSONResponse:
        if not self._knows(request.headers.get("authorization", "")):
            return JSONResponse({"message": "A JSON web token could not be decoded"}, 401)
        if not request.headers.get("user-agent") or "github" not in request.headers.get("accept", ""):
            return JSONResponse({"message": "Request forbidden by administrative rules"}, 403)
        if request.path_params["number"] != self.installation:
            return JSONResponse({"message": "Not Found"}, 404)
        wanted = await request.json()
        self.asked.append(wanted)
        too_much = set(wanted.get("permissions", {}).items()) - set(self.permissions.items())
        if too_much or set(wanted.get("repositories", ())) - set(self.repositories):
            return JSONResponse({"message": "The permissions requested are not granted to this installation."}, 422)
        ends = datetime.fromtimestamp(self.clock() + 3600, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        answer = {"token": f"ghs_planted{secrets.token_hex(12)}", "expires_at": ends, "permissions": self.permissions}
        return JSONResponse(answer | self.more, 201)

    def _knows(self, authorization: str) -> bool:
        """RS256, the App as issuer, made in the past, good for ten minutes at most."""
        try:
            options: Any = {"verify_exp": False, "verify_iat": False, "require": ["iat", "exp", "iss"]}
            claims = jwt.decode(
                authorization.removeprefix("Bearer "),
                self.key,
                algorithms=["RS256"],
                issuer=self.app_id,
                options=options,
            )
        except jwt.InvalidTokenError:
            return False
        now = self.clock()
        return claims["iat"] <= now < claims["exp"] and claims["exp"] - claims["iat"] <= 600
