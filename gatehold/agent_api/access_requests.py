"""``POST /v1/access-requests``: an agent asks people for access before it makes its calls."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import Response

from gatehold.agent_api import problems
from gatehold.agent_api.access_documents import MOST_BYTES, AccessDocument, malformed, read
from gatehold.agent_api.door import agent_of
from gatehold.agent_api.slots import Slots
from gatehold.approvals import advance
from gatehold.approvals.model import Approval, HeldCall
from gatehold.approvals.presenting import timestamp
from gatehold.config import Configuration
from policy.access import asking
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent, TargetName

UNDER_WAY: Final = 4
"""Requests of one agent that are worked on at the same time."""


class OpensApprovals(Protocol):
    """Where questions are opened; see ``gatehold.approvals.desk``."""

    def open_or_join(self, call: HeldCall) -> Approval:
        """The approval for this question; blocks. Raises Refusal where the agent has too many open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequests:
    """Answers requests for access."""

    current: Callable[[], Configuration]
    """The configuration that is in force."""
    desk: OpensApprovals
    mask: Callable[[str, TargetName], str]
    """Masks what an agent wrote about a target; may take long."""
    key: bytes = field(repr=False)
    slots: Slots = field(default_factory=lambda: Slots(UNDER_WAY))

    async def answer(self, request: Request) -> Response:
        """A question for people, or why there is none."""
        agent = agent_of(request)
        with self.slots.taking((agent.issuer, agent.subject)):
            document = read(await _body(request))
            approval = await asyncio.to_thread(self._open, agent, document)
        place = f"{str(request.base_url).rstrip('/')}/v1/approvals/{approval.id}"
        facts = {
            "id": approval.id,
            "state": approval.state,
            "statusUrl": place,
            "expires": timestamp(approval.deadline),
            "next": "People are asked. Ask at statusUrl with ?wait=60s; once it is spent, the access is yours.",
        }
        answer = problems.answer(facts, status=202)
        answer.headers["Location"] = place
        return answer

    def _open(self, agent: Agent, document: AccessDocument) -> Approval:
        configuration = self.current()
        traits = configuration.traits.get(TargetName(document.target))
        if traits is None:
            raise Refusal(Code.DEFAULT_DENY, "No rule asks for an approval of such calls of yours.")
        wish = document.wish(traits.family)
        call = advance.question(
            agent,
            wish,
            asking(configuration.engine, agent, wish),
            family=traits.family,
            seconds=document.seconds,
            longest=configuration.gateway.spec.approvals.max_grant,
            justification=self.mask(document.justification, wish.target),
            purpose=self.mask(agent.purpose, wish.target),
            key=self.key,
        )
        return self.desk.open_or_join(call)


async def _body(request: Request) -> bytes:
    """The whole body; raises Refusal where it is too large or no JSON by its own words."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise malformed("its Content-Type is application/json")
    if "content-encoding" in request.headers:
        raise malformed("its body is not to be encoded")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Refusal(Code.TOO_LARGE, f"A request for access has at most {MOST_BYTES} bytes.")
    return bytes(body)
