"""The turnstile: a call with an approval obligation waits here until a person answers, for a bounded time.

Only this flow waits; others go on. In time and approved, the call is judged again, because minutes have passed: token,
revocation and policy may have changed. Then the yes is spent, once. When the hold is over and nobody answered, the
agent gets a pending answer with Retry-After; the question stays open, and the same request joins it.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

from mitmproxy import http

from addons import header_rules
from addons.calls import Call, Stage, need
from addons.runtime import Runtime
from gatehold.approvals.approvers import Quorum, people_behind
from gatehold.approvals.fingerprint import BoundCall, fingerprint
from gatehold.approvals.model import Approval, HeldCall, RuleRef
from gatehold.approvals.moves import Actor
from gatehold.approvals.states import ApprovalState
from policy.codes import Code
from policy.errors import Refusal
from policy.model import ApprovalObligation, Verdict

RETRY_AFTER = 2
"""Seconds an agent is told to wait before it asks again; the next try is held on the gateway's side."""
MAX_HELD = 512
"""Flows of one agent that wait at the same time; further ones get the pending answer at once."""
MAX_HELD_BYTES = 64 * 1024 * 1024
"""Bytes of request bodies of one agent that wait at the same time."""


class Hold:
    """Holds calls that need a person's yes."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
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
        """Return once this call has been approved and the approval is spent; raises Refusal otherwise."""
        gateway = self.runtime.gateway
        held = self._held_call(flow, call, obligation)
        approval = await asyncio.to_thread(gateway.desk.open_or_join, held)
        call.approval = approval.id
        state = approval.state
        if state is ApprovalState.PENDING:
            state = await self._wait(call, approval)
        if state is ApprovalState.DENIED:
            raise await self._denied(approval)
        if state is not ApprovalState.APPROVED:
            raise _pending(approval)
        await self._judge_again(call, obligation)
        if call.client_gone.is_set() or not await asyncio.to_thread(gateway.desk.spend, approval.id, held.fingerprint):
            raise _pending(approval)

    async def _wait(self, call: Call, approval: Approval) -> ApprovalState:
        """The state of an approval once somebody answered, the hold is over, or the client hung up."""
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
        try:
            await asyncio.wait((answered, gone), return_when=asyncio.FIRST_COMPLETED)
            if answered.done():
                return answered.result()
        finally:
            answered.cancel()
            gone.cancel()
        if self.runtime.gateway.configuration.gateway.spec.approvals.on_disconnect == "withdraw":
            await asyncio.to_thread(self.runtime.gateway.desk.withdraw, approval.id, by=Actor.agent(approval))
        return ApprovalState.PENDING

    async def _denied(self, approval: Approval) -> Refusal:
        current = await asyncio.to_thread(self.runtime.gateway.desk.get, approval.id)
        detail = f"denied by an approver: {current.reason}" if current.reason else "denied by an approver"
        return Refusal(Code.APPROVAL_DENIED, detail, rule=approval.call.rules[0].name, approval=approval.id)

    async def _judge_again(self, call: Call, obligation: ApprovalObligation) -> None:
        """Everything may have changed while a person thought; raises Refusal where it did."""
        gateway = self.runtime.gateway
        # Not from the cache: the token may have ended, or its key may have been taken away.
        agent, target = await gateway.verifier.verify(need(call.token)), need(call.target)
        decision = gateway.decide(agent, target.name, call.known_action)
        if decision.verdict is Verdict.DENY:
            raise Refusal(decision.code, decision.reason, reason=decision.detail, rule=decision.rule)
        if decision.obligations.approval != obligation or decision.revision != need(call.decision).revision:
            raise Refusal(Code.APPROVAL_PENDING, "the policy changed meanwhile; ask again", retry_after=RETRY_AFTER)

    def _held_call(self, flow: http.HTTPFlow, call: Call, obligation: ApprovalObligation) -> HeldCall:
        gateway, agent, target, action = self.runtime.gateway, need(call.agent), need(call.target), call.known_action
        rules = tuple(RuleRef(name=rule, digest=gateway.engine.rule_hash(rule)) for rule in obligation.rules)
        facts = action.facts()
        bound = BoundCall(
            issuer=agent.issuer,
            subject=agent.subject,
            target=target.name,
            scheme=flow.request.scheme,
            host=flow.request.host,
            port=flow.request.port,
            credential=gateway.credential_kind(target.name),
            method=flow.request.method,
            path=action.wire_path,
            headers=_text(header_rules.forwarded(flow.request.headers.fields)),
            body=need(call.wire).body or b"",
            rules=rules,
            facts=facts,
        )
        return HeldCall(
            issuer=agent.issuer,
            subject=agent.subject,
            session=agent.session,
            people=people_behind(agent),
            target=target.name,
            method=flow.request.method,
            path=gateway.scrubber.text(action.wire_path, target),
            facts=gateway.scrubber.facts(facts, target),
            rules=rules,
            quorum=Quorum.of(obligation),
            message=obligation.message,
            fingerprint=fingerprint(gateway.approval_key, bound),
        )


def _text(fields: list[header_rules.Field]) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode("ascii"), value.decode("utf-8", "surrogateescape")) for name, value in fields)


def _pending(approval: Approval) -> Refusal:
    detail = (
        f"this call waits for approval {approval.id}; it passes, once, when the same request is sent after the approval"
    )
    rule = approval.call.rules[0].name
    return Refusal(Code.APPROVAL_PENDING, detail, rule=rule, retry_after=RETRY_AFTER, approval=approval.id)
