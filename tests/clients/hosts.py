"""The servers behind the gateway, beside customers and a cluster: packages, a repository, and hosts that redirect."""

import shutil
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Host, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.clients import git_server, packages
from tests.clients.canary import Canary

HOSTS = tuple(
    f"{name}.corp.example"
    for name in ("git", "pypi", "npm", "moved", "other", "vault", "moved.kubernetes", "other.kubernetes")
)


def hosts(directory: Path, canary: Canary, asked: list[tuple[str, str]]) -> ASGIApp:
    """The servers behind the gateway; ``asked`` gets host and path of every request."""
    git = shutil.which("git")
    repositories = git_server.make_repository(directory / "git", git) if git else directory

    async def from_git(request: Request) -> Response:
        return await git_server.answer(request, str(git), repositories)

    async def away(_: Request) -> Response:
        return RedirectResponse(f"https://{canary.authority}/landing", 302)

    async def to_vault(_: Request) -> Response:
        return RedirectResponse("https://vault.corp.example/landing", 302)

    async def open_vault(_: Request) -> Response:
        return JSONResponse({"opened": True})

    routes = {
        "git": [Route("/{path:path}", from_git, methods=["GET", "POST"])],
        "pypi": [Route("/simple/shop-probe/", packages.index), Route(f"/files/{packages.WHEEL}", packages.wheel_file)],
        "npm": [
            Route("/shop-probe", packages.document),
            Route("/shop-probe/-/shop-probe-1.0.0.tgz", packages.tarball_file),
        ],
        "moved": [Route("/{path:path}", away)],
        "other": [Route("/{path:path}", to_vault)],
        "vault": [Route("/{path:path}", open_vault)],
    }
    inner = Starlette(
        routes=[
            *(Host(f"{name}.corp.example", Router(found)) for name, found in routes.items()),
            *(Host(f"{name}.kubernetes.corp.example", Router(routes[name])) for name in ("moved", "other")),
        ]
    )

    return _recorded(inner, asked)


def _recorded(app: ASGIApp, asked: list[tuple[str, str]]) -> ASGIApp:
    async def keep(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope)
            asked.append((request.headers.get("host", "").partition(":")[0], request.url.path))
        await app(scope, receive, send)

    return keep
