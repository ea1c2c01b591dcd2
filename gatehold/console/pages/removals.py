"""Files that take protection away wait for somebody's word: what would be gone, and the word for exactly that.

Who may break the glass may say it, with a reason: it lifts walls for every agent. The word goes the way that
``gatehold reload --accept-removals`` goes, to every gateway on the store, and counts for the files that were shown.
"""

import asyncio
import hmac
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gatehold.console import commands, rules
from gatehold.console.context import Console, is_part, signed_in
from gatehold.console.fields import field
from gatehold.console.problems import Refused
from gatehold.people.model import Person
from gatehold.reloading import asking
from gatehold.reloading.asking import Attempt
from gatehold.reloading.pending import Pending

PATH: Final = "/policy/removals"
LONGEST_REASON: Final = 2000
MOST: Final = 1000
"""Lines of what would be gone on the page; nobody says yes here to what is not shown."""
OTHERS: Final = 5.0
"""Seconds after the first answer in which other gateways on the same store are waited for; SQLite's has one only."""
_ONLY: Final = "Only those who may break the glass may let protection go."


class _Removals:
    def __init__(self, console: Console) -> None:
        self._console = console

    async def page(self, request: Request) -> Response:
        """What would be gone, and the form for who may say that it may be."""
        return self._shown(request)

    async def accept(self, request: Request) -> Response:
        """Ask all gateways to take what was shown, and nothing else."""
        person = signed_in(request).person
        if not self._may_accept(person):
            raise Refused(403, _ONLY)
        shown, reason = field(request, "shown"), field(request, "reason").strip()
        pending = self._console.reloading.pending
        if pending is None:
            return self._shown(request, Refused(409, "Nothing waits any more."))
        if not hmac.compare_digest(shown.encode(), pending.digest.encode()):
            words = "The files are not what was shown: look at what would be gone now, then say it again."
            return self._shown(request, Refused(409, words), reason)
        if len(pending.gone) > MOST:
            return self._shown(request, Refused(409, "That is too much for a page: not all of it was shown."))
        if not reason:
            return self._shown(request, Refused(422, "This needs a reason: it will be looked into."))
        if len(reason) > LONGEST_REASON:
            return self._shown(request, Refused(422, f"A reason has at most {LONGEST_REASON} characters."), reason)
        question = await asyncio.to_thread(self._ask, pending, person, reason)
        return RedirectResponse(f"{PATH}/{question}", 303)

    async def outcome(self, request: Request) -> Response:
        """What the gateways made of it, until all had their time; a page that is open asks for the part."""
        attempt = await asyncio.to_thread(self._attempt, request.path_params["id"])
        if attempt is None or attempt.accepted is None:
            raise Refused(404, "Nobody said that, or it is too long ago.")
        values: dict[str, Any] = {"attempt": attempt, "waits": self._waits(attempt), "now": self._console.clock()}
        values |= {"here_name": self._console.reloading.name, "too_late": self._is_too_late(attempt)}
        name = "accepted_part.html" if is_part(request) else "accepted.html"
        return self._console.templates.page(request, name, **values)

    def _shown(self, request: Request, refused: Refused | None = None, reason: str = "") -> Response:
        console, person, pending = self._console, signed_in(request).person, self._console.reloading.pending
        configuration = console.configuration
        return console.templates.page(
            request,
            "removals.html",
            refused.status if refused else 200,
            pending=pending,
            refused=refused.words if refused else "",
            reason=reason,
            groups=self._groups(pending) if pending else [],
            lost={each.rule.name: each.lost for each in pending.rules} if pending else {},
            most=MOST,
            may=self._may_accept(person),
            is_whole=pending is None or len(pending.gone) <= MOST,
            glass=sorted(configuration.gateway.spec.approvals.break_glass),
            command=commands.accept_removals(configuration.directory),
            now=console.clock(),
        )

    def _groups(self, pending: Pending) -> list[tuple[Any, list[rules.RuleRow]]]:
        """Rules of each effect, with what they said."""
        console = self._console
        places = {str(each.rule.name): each.place for each in pending.rules}
        root, tally = str(console.configuration.directory), console.decisions.tally.rules
        found = rules.rows((each.rule for each in pending.rules), places, tally, root)[:MOST]
        return [(effect, [row for row in found if row.effect is effect]) for effect in rules.ORDER]

    def _may_accept(self, person: Person) -> bool:
        return not person.groups.isdisjoint(self._console.configuration.gateway.spec.approvals.break_glass)

    def _ask(self, pending: Pending, person: Person, reason: str) -> str:
        by, now = f"user:{person.name}", self._console.clock()
        with self._console.store.writing() as connection:
            return asking.accept(connection, pending.accepted(reason), by=by, now=now)

    def _attempt(self, question: str) -> Attempt | None:
        with self._console.store.reading() as connection:
            return asking.find(connection, question[:64])

    def _waits(self, attempt: Attempt) -> bool:
        """May another answer come?"""
        if not attempt.answers:
            return not self._is_too_late(attempt)
        is_shared = not self._console.configuration.gateway.spec.store.url.startswith("sqlite")
        return is_shared and self._console.clock() < attempt.created + OTHERS

    def _is_too_late(self, attempt: Attempt) -> bool:
        return not attempt.answers and self._console.clock() > attempt.created + asking.WAITING


def routes(console: Console) -> list[Route]:
    """A question, its answer, and what came of it."""
    page = _Removals(console)
    return [
        Route(PATH, page.page, methods=["GET"]),
        Route(PATH, page.accept, methods=["POST"]),
        Route(f"{PATH}/{{id}}", page.outcome, methods=["GET"]),
    ]
