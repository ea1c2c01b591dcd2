"""One question, or those about the calls of one command: who asks, what exactly, why it is held, what a yes leaves.

What the form sends back is the digest of what was on the page; the desk refuses an answer to anything else.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gatehold.approvals import answering, showing
from gatehold.approvals.answering import Voice
from gatehold.approvals.approvers import is_behind
from gatehold.approvals.errors import AnswerRefused
from gatehold.approvals.model import Approval, Channel, Verb
from gatehold.approvals.states import ApprovalState
from gatehold.console import problems
from gatehold.console.context import Console, approval_id, form_of, is_part, signed_in
from gatehold.console.fields import field
from gatehold.console.problems import Refused
from gatehold.people.model import Person

BEFORE: Final = 12
"""Earlier calls of the session on the page."""
LONGEST_REASON: Final = 2000
_LONGEST_ID: Final = 32


class _ApprovalPage:
    def __init__(self, console: Console) -> None:
        self._console = console

    async def page(self, request: Request) -> Response:
        """Everything that somebody who answers should read; as a part, only how it stands."""
        if not is_part(request):
            return await self._shown(request)
        values = await asyncio.to_thread(self._read, request)
        changed = values["shown"] != request.query_params.get("shown", "") and values["is_open"]
        return self._console.templates.page(request, "standing.html", changed=changed, **values)

    async def answer(self, request: Request) -> Response:
        """A yes or a no, to all the calls that were on the page or to none."""
        person, form = signed_in(request).person, form_of(request)
        verb, reason, shown = field(request, "verb"), field(request, "reason").strip(), field(request, "shown")
        if verb not in ("approve", "deny", "force") or not shown:
            raise Refused(400, "This form cannot be read.")
        if len(reason) > LONGEST_REASON:
            return await self._shown(
                request, Refused(422, f"A reason has at most {LONGEST_REASON} characters."), reason
            )
        ids = form.get("id", ())
        try:
            await asyncio.to_thread(self._say, person, verb, ids, reason, shown)
        except AnswerRefused as error:
            return await self._shown(request, problems.known(error), reason)
        self._console.waiter.notify()
        return RedirectResponse(f"/?answered={quote(ids[0])}", 303)

    async def _shown(self, request: Request, refused: Refused | None = None, reason: str = "") -> Response:
        values = await asyncio.to_thread(self._read, request)
        status = 200 if refused is None else refused.status
        held = self._console.held.reveal(values["approval"].id) is not None
        values["may_reveal"] = held and values["is_asked"] and len(values["calls"]) == 1
        values |= {"refused": refused.words if refused else "", "reason": reason, "changed": False}
        return self._console.templates.page(request, "approval.html", status, **values)

    def _say(self, person: Person, verb: str, ids: Sequence[str], reason: str, shown: str) -> None:
        """Raises AnswerRefused, UnknownApproval."""
        desk = self._console.desk
        known: dict[str, Any] = {"channel": Channel.CONSOLE, "reason": reason, "shown": shown}
        if not ids or any(len(each) > _LONGEST_ID for each in ids):
            raise Refused(400, "This form cannot be read.")
        if verb == "force" and len(ids) == 1:
            desk.force(ids[0], person.name, **known)
        elif verb == "force":
            raise Refused(400, "The glass is broken for one call at a time.")
        elif len(ids) > 1:
            desk.answer_together(ids, person.name, verb=Verb(verb), **known)
        elif verb == "approve":
            desk.approve(ids[0], person.name, **known)
        else:
            desk.deny(ids[0], person.name, **known)

    def _read(self, request: Request) -> dict[str, Any]:
        """What the page shows. Raises UnknownApproval."""
        console, me = self._console, signed_in(request).person
        approval, now = console.desk.get(approval_id(request)), console.clock()
        together = console.desk.together(approval.id) if _is_open(approval, now) else []
        alone = "alone" in request.query_params or approval.id not in {each.id for each in together}
        calls = [approval] if alone else together
        call = approval.call
        return {
            "approval": approval,
            "calls": calls,
            "others": [each for each in together if each.id != approval.id],
            "alone": alone,
            "shown": showing.digest(calls),
            "is_open": _is_open(approval, now),
            "obstacle": _obstacle(calls, me, now),
            "may_force": not me.groups.isdisjoint(_glass(console)) and len(calls) == 1,
            "is_asked": call.quorum.admits(me.groups) and not is_behind(me.name, call.people),
            "before": console.decisions.newest(call.issuer, call.subject, call.session, limit=BEFORE),
            "ends": min(each.expires for each in calls),
            "now": now,
        }


def routes(console: Console) -> list[Route]:
    """The page and its answer."""
    page = _ApprovalPage(console)
    return [
        Route("/approvals/{id}", page.page, methods=["GET"]),
        Route("/approvals/{id}", page.answer, methods=["POST"]),
    ]


def _is_open(approval: Approval, now: float) -> bool:
    return approval.state is ApprovalState.PENDING and now < approval.expires


def _glass(console: Console) -> Sequence[str]:
    return console.configuration.gateway.spec.approvals.break_glass


def _obstacle(calls: Sequence[Approval], person: Person, now: float) -> str:
    """Why this person's yes would not count; empty where it would."""
    voice = Voice(user=person.name, channel=Channel.CONSOLE, verb=Verb.APPROVE)
    try:
        for approval in calls:
            answering.check(approval, voice, person.groups, now=now)
    except AnswerRefused as error:
        refused = problems.known(error)
        return refused.words if refused else ""
    return ""
