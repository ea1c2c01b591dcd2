"""The sessions of agents, and ending one.

Who is in a group that a rule's approval names, or that may break the glass, may end sessions: it takes access away from
a whole agent, so it is not for everybody who may look.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, func, select
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gatehold.approvals.states import ApprovalState
from gatehold.console import forms
from gatehold.console.context import Console, form_of, is_part, signed_in
from gatehold.console.problems import Refused
from gatehold.people.model import Person
from gatehold.sessions import killing, rows
from gatehold.sessions.presenting import State, state_of
from gatehold.sessions.rows import AgentSession, Key
from gatehold.store.revocations import in_force
from gatehold.store.schema import approvals
from policy.model import SessionId

MOST: Final = 200
"""Sessions on the page."""
LONGEST_REASON: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One session on the page."""

    id: str
    session: AgentSession
    state: State
    waiting: int
    """Calls that wait for somebody's yes."""

    @property
    def is_live(self) -> bool:
        """Can it be ended?"""
        return self.state in {"active", "over"}


class _Sessions:
    def __init__(self, console: Console) -> None:
        self._console = console

    async def page(self, request: Request) -> Response:
        """Those that go on; with ``?all`` all that are remembered."""
        everything = "all" in request.query_params
        found = await asyncio.to_thread(self._read, everything)
        values: dict[str, Any] = {"sessions": found[:MOST], "is_full": len(found) > MOST, "everything": everything}
        values |= {"may_kill": self._may_kill(signed_in(request).person), "now": self._console.clock()}
        name = "sessions_list.html" if is_part(request) else "sessions.html"
        return self._console.templates.page(request, name, **values)

    async def confirm(self, request: Request) -> Response:
        """What ending it means, and the button."""
        shown = await asyncio.to_thread(self._one, request.path_params["id"])
        if not self._may_kill(signed_in(request).person):
            raise Refused(403, "Only those who are asked for approvals may end sessions.")
        return self._console.templates.page(request, "kill.html", shown=shown, now=self._console.clock())

    async def kill(self, request: Request) -> Response:
        """End it, and refuse the tokens with which it could begin anew."""
        person = signed_in(request).person
        if not self._may_kill(person):
            raise Refused(403, "Only those who are asked for approvals may end sessions.")
        try:
            reason = forms.one(form_of(request), "reason").strip()
        except ValueError:
            raise Refused(400, "This form cannot be read.") from None
        if len(reason) > LONGEST_REASON:
            raise Refused(422, f"A reason has at most {LONGEST_REASON} characters.")
        await asyncio.to_thread(self._kill, request.path_params["id"], person.name, reason)
        self._console.waiter.notify()
        return RedirectResponse("/sessions", 303)

    def _may_kill(self, person: Person) -> bool:
        return not person.groups.isdisjoint(deciding_groups(self._console))

    def _read(self, everything: bool) -> list[Shown]:
        now = self._console.clock()
        with self._console.store.reading() as connection:
            found = rows.listing(connection, now=now, everything=everything, limit=MOST + 1)
            revoked, waiting = in_force(connection, now=now), _waiting(connection, now)
        return [_shown(each, state_of(each, revoked, now=now), waiting) for each in found]

    def _one(self, row_id: str) -> Shown:
        now = self._console.clock()
        with self._console.store.reading() as connection:
            session = _found(connection, row_id)
            revoked, waiting = in_force(connection, now=now), _waiting(connection, now)
        return _shown(session, state_of(session, revoked, now=now), waiting)

    def _kill(self, row_id: str, name: str, reason: str) -> None:
        now, lasting = self._console.clock(), self._longest_life()
        with self._console.store.writing() as connection:
            session = _found(connection, row_id)
            if session.ended is not None:
                raise Refused(409, "This session has ended already.")
            killing.kill_one(connection, session, by=f"user:{name}", now=now, reason=reason, lasting=lasting)

    def _longest_life(self) -> Mapping[str, float]:
        """How long tokens of an issuer count, where that is bound."""
        issuers = self._console.configuration.gateway.spec.identity.issuers
        return {each.name: each.max_age for each in issuers if each.max_age is not None}


def routes(console: Console) -> list[Route]:
    """The page, a question and its answer."""
    page = _Sessions(console)
    return [
        Route("/sessions", page.page, methods=["GET"]),
        Route("/sessions/{id}/kill", page.confirm, methods=["GET"]),
        Route("/sessions/{id}/kill", page.kill, methods=["POST"]),
    ]


def deciding_groups(console: Console) -> frozenset[str]:
    """Groups that some rule asks for approvals, and those that may break the glass."""
    asked = (groups for rule in console.engine.rules.values() if rule.approval for groups in rule.approval.groups)
    return frozenset(console.configuration.gateway.spec.approvals.break_glass).union(*asked)


def _found(connection: Connection, row_id: str) -> AgentSession:
    session = rows.of_id(connection, row_id)
    if session is None:
        raise Refused(404, "There is no such session, or it is remembered no longer.")
    return session


def _shown(session: AgentSession, state: State, waiting: Counter[Key]) -> Shown:
    return Shown(id=rows.row_id(session.key), session=session, state=state, waiting=waiting[session.key])


def _waiting(connection: Connection, now: float) -> Counter[Key]:
    """Questions that are open, by session."""
    whose = (approvals.c.issuer, approvals.c.subject, approvals.c.session)
    is_open = (approvals.c.state == ApprovalState.PENDING, approvals.c.expires > now)
    found: Any = connection.execute(select(*whose, func.count().label("calls")).where(*is_open).group_by(*whose))
    return Counter({(row.issuer, row.subject, SessionId(row.session)): row.calls for row in found})
