"""The console as one ASGI application: its pages, the files they are made of, the guard in front of them."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from gatehold.console import assets, picture, signing_in
from gatehold.console.context import Console
from gatehold.console.guarding import Guard
from gatehold.console.navigation import places
from gatehold.console.pages import (
    api,
    approval,
    audit,
    grants,
    inbox,
    policy,
    recordings,
    removals,
    revealing,
    sessions,
)
from gatehold.console.problems import Refused
from gatehold.store.seldom import SeldomEvents

PAGES = (signing_in, inbox, picture, approval, revealing, grants, sessions, recordings, policy, removals, audit, api)
"""Modules that export ``routes``."""


def application(console: Console, hooks: Sequence[BaseRoute] = ()) -> ASGIApp:
    """Everything behind the console's port. ``hooks``: under ``/hooks/``, where each checks a signature."""
    routes: list[BaseRoute] = [Route("/healthz", _health, methods=["GET"]), *assets.ROUTES, *hooks]
    for module in PAGES:
        routes += module.routes(console)
    console.templates.lead_to(places(route.path for route in routes if isinstance(route, Route)))
    router = Router(routes, redirect_slashes=False, default=_nowhere)
    return Guard(
        router,
        address=console.address,
        find=console.web_sessions.find,
        templates=console.templates,
        forgeries=SeldomEvents(console.store, console.clock),
    )


async def _health(_: Request) -> Response:
    return PlainTextResponse("ok")


async def _nowhere(*_: Scope | Receive | Send) -> None:
    raise Refused(404, "There is no such page.")
