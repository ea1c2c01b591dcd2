"""What earlier answers left behind: who may do what without being asked again, until when; and ending it."""

import asyncio
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gatehold.approvals import grants
from gatehold.approvals.grants import Grant
from gatehold.approvals.model import Channel
from gatehold.approvals.moves import Actor
from gatehold.console.context import Console, is_part, signed_in
from gatehold.console.problems import Refused

MOST: Final = 200
"""Grants on the page."""


class _Grants:
    def __init__(self, console: Console) -> None:
        self._console = console

    async def page(self, request: Request) -> Response:
        """All that are live."""
        now = self._console.clock()
        live = await asyncio.to_thread(self._live, now)
        name = "grants_list.html" if is_part(request) else "grants.html"
        return self._console.templates.page(request, name, grants=live, now=now)

    async def revoke(self, request: Request) -> Response:
        """End one; anybody who is signed in may: it takes access away."""
        by = Actor(name=f"user:{signed_in(request).person.name}", channel=Channel.CONSOLE)
        # The desk takes back a yes that was not used yet as well.
        if not await asyncio.to_thread(self._console.desk.revoke_grant, request.path_params["id"], by=by):
            raise Refused(404, "There is no such grant, or it is over already.")
        return RedirectResponse("/grants", 303)

    def _live(self, now: float) -> list[Grant]:
        with self._console.store.reading() as connection:
            return grants.newest(connection, now=now, ended=False, limit=MOST)


def routes(console: Console) -> list[Route]:
    """The page and its one action."""
    page = _Grants(console)
    return [
        Route("/grants", page.page, methods=["GET"]),
        Route("/grants/{id}/revoke", page.revoke, methods=["POST"]),
    ]
