"""Approvals for people's programs: the same answers, given with a token of one's own (``Authorization: Bearer ghu_…``).

======================================= ===========================================================
GET /api/v1/approvals                   the newest; ``?state=pending``
GET /api/v1/approvals/{id}              one of them; ``shown`` is the digest that an answer repeats
POST /api/v1/approvals/{id}/approve     ``{"shown": "...", "reason": "..."}``; the reason may be left out
POST /api/v1/approvals/{id}/deny        ``{"shown": "...", "reason": "..."}``
======================================= ===========================================================

The cookie of a browser is not looked at here. Tokens of agents open nothing: they have another form, and no look-up.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gatehold.approvals import showing
from gatehold.approvals.model import Approval, Channel
from gatehold.approvals.presenting import to_json
from gatehold.console import problems
from gatehold.console.context import Console, approval_id, state_asked_for
from gatehold.console.problems import Refused
from gatehold.people.model import Person

MOST: Final = 200
LONGEST_REASON: Final = 2000
_LONGEST_ID: Final = 32
_KEYS: Final = frozenset({"shown", "reason"})

type _Answering = Callable[..., Approval]


class _Api:
    def __init__(self, console: Console) -> None:
        self._console = console

    async def listing(self, request: Request) -> Response:
        """The newest."""
        await self._person(request)
        state = state_asked_for(request)
        found = await asyncio.to_thread(self._console.desk.listing, state=state, limit=MOST)
        return problems.answer({"items": [to_json(each) for each in found]})

    async def one(self, request: Request) -> Response:
        """One of them."""
        await self._person(request)
        return _told(await asyncio.to_thread(self._console.desk.get, approval_id(request)))

    async def approve(self, request: Request) -> Response:
        """A yes."""
        return await self._answered(request, self._console.desk.approve)

    async def deny(self, request: Request) -> Response:
        """A no."""
        return await self._answered(request, self._console.desk.deny)

    async def _answered(self, request: Request, say: _Answering) -> Response:
        person = await self._person(request)
        said = _said(await request.body())
        words = {"reason": said.get("reason", ""), "shown": said["shown"]}
        approval = await asyncio.to_thread(say, approval_id(request), person.name, channel=Channel.TOKEN, **words)
        self._console.waiter.notify()
        return _told(approval)

    async def _person(self, request: Request) -> Person:
        values = request.headers.getlist("authorization")
        scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
        if scheme.lower() == "bearer":
            holder = await asyncio.to_thread(self._console.tokens.find, token.strip())
            if holder is not None:
                return holder.person
        raise Refused(401, "This takes a token of a person, as Authorization: Bearer ghu_...")


def routes(console: Console) -> list[Route]:
    """Every address under ``/api/v1/approvals``."""
    api = _Api(console)
    return [
        Route("/api/v1/approvals", api.listing, methods=["GET"]),
        Route("/api/v1/approvals/{id}", api.one, methods=["GET"]),
        Route("/api/v1/approvals/{id}/approve", api.approve, methods=["POST"]),
        Route("/api/v1/approvals/{id}/deny", api.deny, methods=["POST"]),
    ]


def _told(approval: Approval) -> Response:
    return problems.answer({**to_json(approval), "shown": showing.digest([approval])})


def _said(body: bytes) -> Mapping[str, str]:
    """Raises Refused for anything but the two keys, both texts."""
    try:
        document: Any = json.loads(body, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        document = None
    if (
        not isinstance(document, dict)
        or not document.keys() <= _KEYS
        or not isinstance(document.get("shown"), str)
        or not all(_is_text(each) for each in document.values())
    ):
        raise Refused(400, 'The body is JSON: {"shown": "...", "reason": "..."}; `shown` is from the approval.')
    reason = document.get("reason", "")
    if not isinstance(reason, str) or len(reason) > LONGEST_REASON:
        raise Refused(422, f"A reason is a text of at most {LONGEST_REASON} characters.")
    return document


def _is_text(value: Any) -> bool:
    """Whether stores and answers can hold it: no half of a character, no NUL. Other types are looked at elsewhere."""
    return not isinstance(value, str) or not any(each == "\0" or "\ud800" <= each <= "\udfff" for each in value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key is given twice")
    return made
