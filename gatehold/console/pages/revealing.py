"""The bytes that an agent sent, unmasked, for somebody who is asked about them: while the call waits, and written down.

The event is in the store before anything is shown. Nothing shown here is kept or cached.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gatehold.approvals.approvers import is_behind
from gatehold.approvals.model import Approval
from gatehold.approvals.revealing import HeldRequest
from gatehold.console.context import Console, approval_id, signed_in
from gatehold.console.problems import Refused
from gatehold.people.model import Person
from gatehold.store.outbox import append
from gatehold.store.users import names_of

MOST: Final = 256 * 1024
"""Bytes of a body that are shown."""
_PER_LINE: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Revealed:
    """A request as a page shows it."""

    request: HeldRequest = field(repr=False)
    text: str = field(repr=False)
    is_binary: bool
    left_out: int
    """Bytes of the body that are not shown."""


class _Revealing:
    def __init__(self, console: Console) -> None:
        self._console = console

    async def show(self, request: Request) -> Response:
        """The request of one approval."""
        approval = await asyncio.to_thread(self._console.desk.get, approval_id(request))
        person = signed_in(request).person
        _check(approval, person, await asyncio.to_thread(self._names, person))
        held = self._console.held.reveal(approval.id)
        if held is None:
            raise Refused(409, "The call does not wait here now, so its bytes are nowhere. It may come back by itself.")
        await asyncio.to_thread(self._note, approval, person)
        return self._console.templates.page(request, "revealed.html", approval=approval, shown=revealed(held))

    def _names(self, person: Person) -> frozenset[str]:
        with self._console.store.reading() as connection:
            return names_of(connection, person.name)

    def _note(self, approval: Approval, person: Person) -> None:
        now, call = self._console.clock(), approval.call
        agent = {"issuer": call.issuer, "subject": call.subject, "session": call.session}
        event = {"kind": "approval-revealed", "approval": approval.id, "by": f"user:{person.name}", "agent": agent}
        with self._console.store.writing() as connection:
            append(connection, {**event, "target": call.target, "channel": "console"}, at=now)


def routes(console: Console) -> list[Route]:
    """One action."""
    return [Route("/approvals/{id}/reveal", _Revealing(console).show, methods=["POST"])]


def revealed(held: HeldRequest) -> Revealed:
    """A request as text, or as a dump where it is none."""
    body = held.body[:MOST]
    try:
        # A character that the cut goes through is not the body's fault.
        text, is_binary = body.decode("utf-8", "strict" if len(held.body) <= MOST else "ignore"), b"\0" in body
    except UnicodeDecodeError:
        text, is_binary = "", True
    shown = dump(body) if is_binary else text
    return Revealed(request=held, text=shown, is_binary=is_binary, left_out=len(held.body) - len(body))


def dump(body: bytes) -> str:
    """Offset, bytes in hexadecimal and what of them is ASCII, 16 a line."""
    starts = range(0, len(body), _PER_LINE)
    return "\n".join(f"{start:08x}  {_dumped(body[start : start + _PER_LINE])}" for start in starts)


def _dumped(row: bytes) -> str:
    return f"{row.hex(' '):<47}  {''.join(chr(byte) if 32 <= byte < 127 else '.' for byte in row)}"


def _check(approval: Approval, person: Person, names: Iterable[str]) -> None:
    call = approval.call
    if any(is_behind(name, call.people) for name in names) or not call.quorum.admits(person.groups):
        raise Refused(403, "Only those who are asked see what the agent sent.")
