"""How an approval stands, told to the agent whose call it holds; on request only once it is no longer pending.

The store is read in threads, a few at a time for all agents: questions of agents must not take the threads in which
calls are held and released. A wait ends with the answer, its time, the agent's connection or the gateway.
"""

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from starlette.requests import Request
from starlette.responses import Response

from gatehold.agent_api import problems
from gatehold.agent_api.door import Verifier, agent_of, identify
from gatehold.agent_api.slots import Slots
from gatehold.approvals.errors import UnknownApproval
from gatehold.approvals.model import Approval, Kind
from gatehold.approvals.presenting import timestamp
from gatehold.approvals.states import FINAL, ApprovalState
from policy.codes import ANSWERS, Code
from policy.errors import Refusal
from policy.model import Agent
from policy.rules.quantities import parse_duration

LONGEST_WAIT: Final = 60.0
"""Seconds; a longer wait is cut to this."""
UNDER_WAY: Final = 64
"""Questions about approvals that one agent may have under way, waiting or not."""
READERS: Final = 2
"""Threads that read the store for all agents."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

_ANEW = "the same request, sent again, asks for a new one."
_GRANTED: Final = "The access is granted: until it ends, calls of this session that it covers pass without asking."
_NEXT: Final = {
    ApprovalState.PENDING: "Wait for an answer: ask here again with ?wait=60s.",
    ApprovalState.APPROVED: "Send the same request again, unchanged, before it expires; it passes once.",
    ApprovalState.SPENT: f"The call was let out. The approval is used up; {_ANEW}",
    ApprovalState.DENIED: ANSWERS[Code.APPROVAL_DENIED].next,
    ApprovalState.EXPIRED: f"The approval was not answered, or not used, in time; {_ANEW}",
    ApprovalState.WITHDRAWN: f"The question was taken back; {_ANEW}",
    ApprovalState.REVOKED: f"The approval was taken back; {_ANEW}",
}


class Desk(Protocol):
    """Where approvals are kept; see ``gatehold.approvals.desk``."""

    def get(self, approval_id: str) -> Approval:
        """One approval; blocks; raises UnknownApproval."""


class Waits(Protocol):
    """Where answers are waited for; see ``gatehold.approvals.waiting``."""

    async def wait(self, approval_id: str, timeout: float) -> ApprovalState:  # noqa: ASYNC109 - its end is an answer
        """The state once it is no longer pending, or ``pending`` after so many seconds."""


class Approvals:
    """Answers questions about approvals."""

    def __init__(self, verifier: Verifier, desk: Desk, waiter: Waits, clock: Callable[[], float] = time.time) -> None:
        self._verifier = verifier
        self._desk = desk
        self._waiter = waiter
        self._clock = clock
        self._slots = Slots(UNDER_WAY)
        self._readers = asyncio.Semaphore(READERS)

    async def answer(self, request: Request) -> Response:
        """One approval of the agent's own."""
        agent, wait = agent_of(request), _seconds(request)
        with self._slots.taking((agent.issuer, agent.subject)):
            try:
                approval = await self._own(request.path_params["id"], agent)
                if wait and self._state(approval) is ApprovalState.PENDING:
                    await self._until_answered(request, approval, wait)
                    # Meanwhile the token may have ended.
                    agent = await identify(self._verifier, request.headers)
                    approval = await self._own(approval.id, agent)
            except UnknownApproval:
                return problems.not_found()
        return problems.answer(self._document(approval))

    async def _own(self, approval_id: str, agent: Agent) -> Approval:
        """Raises UnknownApproval for what is another's as well."""
        if not _ID.fullmatch(approval_id):
            raise UnknownApproval(approval_id)
        async with self._readers:
            approval = await asyncio.to_thread(self._desk.get, approval_id)
        if (approval.call.issuer, approval.call.subject) != (agent.issuer, agent.subject):
            raise UnknownApproval(approval_id)
        return approval

    async def _until_answered(self, request: Request, approval: Approval, seconds: float) -> None:
        answered = asyncio.ensure_future(self._waiter.wait(approval.id, timeout=seconds))
        gone = asyncio.ensure_future(_disconnected(request))
        try:
            await asyncio.wait((answered, gone), return_when=asyncio.FIRST_COMPLETED)
            if answered.done():
                answered.result()
        finally:
            answered.cancel()
            gone.cancel()

    def _state(self, approval: Approval) -> ApprovalState:
        """The state that counts: a deadline counts before somebody noted that it has passed."""
        if approval.state not in FINAL and self._clock() >= approval.deadline:
            return ApprovalState.EXPIRED
        return approval.state

    def _document(self, approval: Approval) -> dict[str, Any]:
        state, call = self._state(approval), approval.call
        return {
            "id": approval.id,
            "state": state,
            "created": timestamp(approval.created),
            "expires": timestamp(approval.deadline),
            "rule": call.rules[0].name if call.rules else None,
            "target": call.target,
            "retry": state is ApprovalState.APPROVED,
            "reason": (approval.reason or None) if state is ApprovalState.DENIED else None,
            "kind": call.kind,
            "grantExpires": _grant_end(approval),
            "next": _GRANTED if call.kind is Kind.ACCESS and state is ApprovalState.SPENT else _NEXT[state],
        }


def _grant_end(approval: Approval) -> str | None:
    """When the access ends that was asked for in advance, unless it is taken away; None where none was given."""
    call = approval.call
    given = call.kind is Kind.ACCESS and approval.state is ApprovalState.SPENT
    if not given or call.terms is None or approval.answered is None:
        return None
    return timestamp(approval.answered + call.terms.seconds)


def _seconds(request: Request) -> float:
    """How long to wait; 0 where nothing is said. Raises Refusal (malformed)."""
    values = request.query_params.getlist("wait")
    if not values:
        return 0.0
    try:
        [value] = values
        return min(parse_duration(value), LONGEST_WAIT)
    except ValueError:
        raise Refusal(Code.MALFORMED, "`wait` is a duration, given once, as in ?wait=30s.") from None


async def _disconnected(request: Request) -> None:
    """Returns when the client has hung up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
