"""The journal: is it what was written, and what was written last."""

import asyncio
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gatehold.console import commands
from gatehold.console.context import Console, is_part, signed_in
from gatehold.console.problems import Refused
from gatehold.console.timeline import entries
from gatehold.console.verifying import MOST_NOTES, Verifying
from recordings.index.finding import scan
from recordings.listing import Filter
from recordings.ocsf import Kind
from recordings.scanning import Place, Scan

NEWEST: Final = 100
"""Events on the page."""
KINDS: Final = tuple(Kind)


class _Audit:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._verifying = Verifying(console.clock)
        self._readers = asyncio.Semaphore(1)

    async def page(self, request: Request) -> Response:
        """Both."""
        kind = request.query_params.get("kind", "")
        if kind and kind not in KINDS:
            raise Refused(400, "There is no such kind of event.")
        try:
            text = request.query_params.get("at", "")
            place = Place.parse(text) if text else None
        except ValueError:
            raise Refused(400, "This is no place to go on from.") from None
        async with self._readers:
            done = await asyncio.to_thread(self._newest, kind, place)
        found = [entry for each in done.found for entry in entries([each])]
        values: dict[str, Any] = {"events": found, "done": done, "kind": kind, "kinds": KINDS, "first": place is None}
        return self._console.templates.page(request, "audit.html", **self._state(), **values)

    async def state(self, request: Request) -> Response:
        """How the last verification ended, or that one runs; a part of the page."""
        if not is_part(request):
            return RedirectResponse("/audit", 303)
        return self._console.templates.page(request, "verified.html", **self._state())

    async def verify(self, request: Request) -> Response:
        """Begin a verification, unless one runs."""
        self._verifying.start(self._console.configuration.data_dir, signed_in(request).person.name)
        return RedirectResponse("/audit", 303)

    def _state(self) -> dict[str, Any]:
        command = commands.verify(self._console.configuration.directory)
        verifying = self._verifying
        return {
            "last": verifying.last,
            "since": verifying.since,
            "now": self._console.clock(),
            "most": MOST_NOTES,
            "command": command,
        }

    def _newest(self, kind: str, at: Place | None) -> Scan:
        only = Filter(kinds=frozenset({kind} if kind else ()))
        return scan(self._console.configuration.data_dir, only, limit=NEWEST, at=at)


def routes(console: Console) -> list[Route]:
    """The page, its state and its button."""
    page = _Audit(console)
    return [
        Route("/audit", page.page, methods=["GET"]),
        Route("/audit/verified", page.state, methods=["GET"]),
        Route("/audit/verify", page.verify, methods=["POST"]),
    ]
