"""The inbox: what waits for this person, what waits for others, what was answered lately; and the history."""

import asyncio
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from gatehold.approvals.states import INITIAL, ApprovalState
from gatehold.console import listing
from gatehold.console.context import Console, is_part, signed_in, state_asked_for
from gatehold.console.listing import Entry
from gatehold.console.problems import Refused
from gatehold.console.pulse import Pulse
from gatehold.people.model import Person

LATELY: Final = 12
"""Answered questions on the inbox itself."""
_ENDS: Final = tuple(state for state in ApprovalState if state is not INITIAL)


class _Inbox:
    def __init__(self, console: Console) -> None:
        self._console = console

    async def page(self, request: Request) -> Response:
        """Everything that is open, or only its lists where a page that is open asks for them."""
        values = await asyncio.to_thread(self._read, signed_in(request).person, request.query_params.get("answered"))
        return self._console.templates.page(request, "inbox_lists.html" if is_part(request) else "inbox.html", **values)

    async def history(self, request: Request) -> Response:
        """What is over, by state, a page at a time."""
        state, before = state_asked_for(request), _before(request)
        entries = await asyncio.to_thread(self._history, state, before)
        older = entries[-1].created if len(entries) == listing.PAGE else None
        return self._console.templates.page(
            request, "history.html", entries=entries, states=_ENDS, state=state, older=older, now=self._console.clock()
        )

    async def live(self, request: Request) -> Response:
        """Server-sent events; see ``gatehold.console.live``."""
        console, cookie = self._console, request.cookies.get(self._console.address.cookie, "")
        if console.live.is_full:
            raise Refused(503, "Too many pages are open; this one does not fill by itself.")
        stream = console.live.stream(lambda: console.web_sessions.find(cookie, use=False))
        return StreamingResponse(stream, media_type="text/event-stream")

    def _read(self, person: Person, answered: str | None) -> dict[str, Any]:
        now = self._console.clock()
        pulse = Pulse.read(self._console.store)
        with self._console.store.reading() as connection:
            entries = listing.waiting(connection, now=now)
            lately = listing.history(connection, state=None, before=None, limit=LATELY)
            just = listing.one(connection, answered) if answered else None
        yours, others = _split(entries, frozenset(pulse.waiting_for(person)))
        return {"yours": yours, "others": others, "lately": lately, "answered": just, "now": now}

    def _history(self, state: ApprovalState | None, before: float | None) -> list[Entry]:
        with self._console.store.reading() as connection:
            return listing.history(connection, state=state, before=before)


def routes(console: Console) -> list[Route]:
    """The inbox is the first page."""
    inbox = _Inbox(console)
    return [
        Route("/", inbox.page, methods=["GET"]),
        Route("/live", inbox.live, methods=["GET"]),
        Route("/approvals", inbox.history, methods=["GET"]),
    ]


def _split(entries: list[Entry], mine: frozenset[str]) -> tuple[list[Entry], list[Entry]]:
    return [each for each in entries if each.command in mine], [each for each in entries if each.command not in mine]


def _before(request: Request) -> float | None:
    value = request.query_params.get("before", "")
    if not value:
        return None
    try:
        return float(value)
    except ValueError:
        raise Refused(400, "This is no time to go back to.") from None
