"""The turnstile: a call with an approval obligation waits here until a person answers, for a bounded time.

Only this flow waits; others go on. In time and approved, the call is judged again, because minutes have passed: token,
revocation and policy may have changed, and so may the object that it is about: a yes for another change than the one
that was shown does not count. Then the yes is spent, once. A call that a grant of its session covers is not asked about
at all. When the hold is over and nobody answered, the agent gets a
pending answer with Retry-After; the question stays open, and the same request joins it.
"""

import asyncio
import contextlib
import dataclasses
import time
from collections import Counter
from collections.abc import Coroutine
from typing import Any

from mitmproxy import http

from addons import header_rules
from addons.asking import Asked, asked, held_call
from addons.calls import Call, Stage, need
from addons.looking import Looking, denial
from addons.offload import by_size
from addons.runtime import Runtime
from gatehold.approvals.errors import IllegalMove
from gatehold.approvals.model import Approval
from gatehold.approvals.moves import GATEHOLD, Actor
from gatehold.approvals.opening import CHANGED
from gatehold.approvals.revealing import HeldRequest
from gatehold.approvals.states import ApprovalState
from gatehold.ruling import Ruling
from policy.codes import Code
from policy.errors import Refusal
from policy.model import ApprovalObligation, Verdict

RETRY_AFTER = 2
"""Seconds an agent is told to wait before it asks again; the next try is held on the gateway's side."""
_LEAST = 0.05
"""Seconds between two looks at a token that is about to end."""
MAX_HELD = 512
"""Flows of one agent that wait at the same time; further ones get the pending answer at once."""
MAX_HELD_BYTES = 64 * 1024 * 1024
"""Bytes of request bodies of one agent that wait at the same time."""


class Hold:
    """Holds calls that need a person's yes."""

    def __init__(self, runtime: Runtime, looking: Looking) -> None:
        self.runtime = runtime
        self.looking = looking
        self._flows: Counter[tuple[str, str]] = Counter()
        self._bytes: Counter[tuple[str, str]] = Counter()

    async def request(self, flow: http.HTTPFlow) -> None:
        """Let a call pass, hold it, or refuse it."""
        call = self.runtime.open_call(flow)
        if call is None:
            return
        try:
            if call.obligations.approval is not None:
                await self._release(flow, call, call.obligations.approval)
        except Refusal as refusal:
            self.runtime.refuse(flow, refusal)
            return
        call.stamp(Stage.HOLD)

    async def _release(self, flow: http.HTTPFlow, call: Call, obligation: ApprovalObligation) -> None:
        """Return once this call has been approved and the approval is spent, or where a grant covers it; raises Refusal
        otherwise."""
        gateway = self.runtime.gateway
        known = await by_size(len(need(call.wire).body or b""), asked, gateway, flow, call, obligation)
        if await self._is_granted(call, known):
            return
        held = await held_call(self.looking, flow, call, obligation, known)
        approval = await asyncio.to_thread(gateway.desk.open_or_join, held)
        call.approval = approval.id
        state = approval.state
        if state is ApprovalState.PENDING:
            with gateway.held_requests.waiting(approval.id, _as_written(call)):
                state = await self._wait(call, approval)
        if state is ApprovalState.DENIED:
            raise await self._denied(approval)
        if state is ApprovalState.WITHDRAWN:
            # The end of a session takes its questions back; that is what the agent is told, though this process may not
            # have seen the end yet.
            await gateway.revocations.refresh()
            gateway.revocations.check(need(call.agent))
        if state is not ApprovalState.APPROVED:
            raise _pending(approval)
        await self._judge_again(flow, call, obligation)
        await self._show_again(flow, call, approval)
        if call.client_gone.is_set() or not await asyncio.to_thread(gateway.desk.spend, approval.id, held.fingerprint):
            raise _pending(approval)
        if approval.call.terms is not None:
            # What this call opens stays open no longer than the grant that the same yes left.
            call.grants = await asyncio.to_thread(gateway.desk.grants_of, approval.id)

    async def _is_granted(self, call: Call, known: Asked) -> bool:
        """Whether grants of this session cover every rule that asks; the journal will say which."""
        found = await asyncio.to_thread(self.runtime.gateway.desk.granted, known.traits, known.rules)
        call.grants = tuple(grant.id for grant in found)
        return bool(found)

    async def _wait(self, call: Call, approval: Approval) -> ApprovalState:
        """The state of an approval once somebody answered, the hold is over, or the client hung up.

        Raises Refusal where the agent's access is revoked meanwhile, or its token runs out.
        """
        agent, size = need(call.agent), len(need(call.wire).body or b"")
        key = (agent.issuer, agent.subject)
        if self._flows[key] >= MAX_HELD or self._bytes[key] + size > MAX_HELD_BYTES:
            return ApprovalState.PENDING
        self._flows[key] += 1
        self._bytes[key] += size
        try:
            spec = self.runtime.gateway.configuration.gateway.spec.approvals
            return await self._first(call, approval, self.runtime.gateway.waiter.wait(approval.id, timeout=spec.hold))
        finally:
            self._flows[key] -= 1
            self._bytes[key] -= size
            if not self._flows[key]:
                del self._flows[key], self._bytes[key]

    async def _first(self, call: Call, approval: Approval, answer: Coroutine[Any, Any, ApprovalState]) -> ApprovalState:
        answered, gone = asyncio.ensure_future(answer), asyncio.ensure_future(call.client_gone.wait())
        refused = asyncio.ensure_future(self.runtime.gateway.revocations.refused(need(call.agent)))
        over = asyncio.ensure_future(self._over(call))
        try:
            await asyncio.wait((answered, gone, refused, over), return_when=asyncio.FIRST_COMPLETED)
            for refusing in (refused, over):
                if refusing.done():
                    raise refusing.result()
            if answered.done():
                return answered.result()
        finally:
            for waiting in (answered, gone, refused, over):
                waiting.cancel()
        if self.runtime.gateway.configuration.gateway.spec.approvals.on_disconnect == "withdraw":
            await asyncio.to_thread(self.runtime.gateway.desk.withdraw, approval.id, by=Actor.agent(approval))
        return ApprovalState.PENDING

    async def _over(self, call: Call) -> Refusal:
        """Wait until the token of a call that waits counts no more, as far as it says itself when that is."""
        agent = need(call.agent)
        while True:
            await asyncio.sleep(max(agent.expires_at - time.time(), _LEAST))
            try:
                agent = await self.runtime.gateway.verifier.verify(need(call.token))
            except Refusal as refusal:
                return refusal

    async def _denied(self, approval: Approval) -> Refusal:
        current = await asyncio.to_thread(self.runtime.gateway.desk.get, approval.id)
        detail = f"denied by an approver: {current.reason}" if current.reason else "denied by an approver"
        return Refusal(Code.APPROVAL_DENIED, detail, rule=approval.call.rules[0].name, approval=approval.id)

    async def _show_again(self, flow: http.HTTPFlow, call: Call, approval: Approval) -> None:
        """What was approved must still be what will happen; raises Refusal, and takes the yes back, where it is not."""
        gateway, obligation = self.runtime.gateway, need(call.obligations.approval)
        known = await by_size(len(need(call.wire).body or b""), asked, gateway, flow, call, obligation)
        shown = await held_call(self.looking, flow, call, obligation, known)
        if shown.fingerprint == approval.call.fingerprint:
            return
        with contextlib.suppress(IllegalMove):  # it is over already
            await asyncio.to_thread(gateway.desk.revoke, approval.id, by=GATEHOLD, reason=CHANGED)
        detail = "what this call would do changed while it waited; the same request, sent again, asks anew"
        raise Refusal(Code.APPROVAL_PENDING, detail, rule=approval.call.rules[0].name, retry_after=RETRY_AFTER)

    async def _judge_again(self, flow: http.HTTPFlow, call: Call, obligation: ApprovalObligation) -> None:
        """Everything may have changed while a person thought; raises Refusal where it did."""
        gateway = self.runtime.gateway
        before = self.runtime.ruling(call)
        self._begin_anew(call)
        # Not from the cache: the token may have ended, or its key may have been taken away.
        agent, revision = await gateway.verifier.verify(need(call.token)), need(call.decision).revision
        decision = await self.looking.judge(flow, call, agent)
        if decision.verdict is Verdict.DENY:
            raise denial(decision)
        now = decision.obligations.approval
        same = now is not None and dataclasses.replace(now, message=obligation.message) == obligation
        if not same or decision.revision != revision or not self._is_searched_alike(call, before):
            raise Refusal(Code.APPROVAL_PENDING, "the policy changed meanwhile; ask again", retry_after=RETRY_AFTER)

    def _begin_anew(self, call: Call) -> None:
        """What came into force meanwhile counts from here on; raises Refusal where the target is gone."""
        call.ruling = self.runtime.gateway.ruling
        target = call.ruling.registry.named(need(call.target).name)
        if target is None:
            raise Refusal(Code.UNREGISTERED_TARGET, "this target is not registered with this gateway any more")
        call.target = target

    @staticmethod
    def _is_searched_alike(call: Call, before: Ruling) -> bool:
        """Would the request be searched now for what it was searched for when it came?"""
        return call.searched is None or need(call.ruling).hides_as(before, call.searched.profiles)


def _as_written(call: Call) -> HeldRequest:
    """The request for an approver who asks to see it, without what authenticates the agent."""
    wire = need(call.wire)
    kept = tuple((name, value) for name, value in wire.headers if not header_rules.is_stripped(name))
    return HeldRequest(method=wire.method, path=wire.path, headers=kept, body=wire.body or b"")


def _pending(approval: Approval) -> Refusal:
    detail = (
        f"this call waits for approval {approval.id}; it passes, once, when the same request is sent after the approval"
    )
    rule = approval.call.rules[0].name
    return Refusal(Code.APPROVAL_PENDING, detail, rule=rule, retry_after=RETRY_AFTER, approval=approval.id)
