"""The turnstile: a call with an approval obligation waits here until a person answers, for a bounded time.

Only this flow waits; others go on. In time and approved, the call is judged again, because minutes have passed: token,
revocation and policy may have changed, and so may the object that it is about: a yes for another change than the one
that was shown does not count. Then the yes is spent, once. When the hold is over and nobody answered, the agent gets a
pending answer with Retry-After; the question stays open, and the same request joins it.
"""

import asyncio
import contextlib
import dataclasses
from collections import Counter
from collections.abc import Coroutine
from typing import Any

from mitmproxy import http

from addons import header_rules
from addons.calls import Call, Stage, need
from addons.effects import Effect, effect_of, shows_effect
from addons.looking import Looking, denial
from addons.runtime import Runtime
from gatehold.approvals.approvers import Quorum, people_behind
from gatehold.approvals.desk import CHANGED
from gatehold.approvals.errors import IllegalMove
from gatehold.approvals.fingerprint import BoundCall, fingerprint
from gatehold.approvals.model import Approval, HeldCall, RuleRef
from gatehold.approvals.moves import GATEHOLD, Actor
from gatehold.approvals.states import ApprovalState
from policy.actions.decoding import Action
from policy.actions.kubernetes import KubernetesAction
from policy.codes import Code
from policy.errors import Refusal
from policy.model import ApprovalObligation, Verdict, Wanted

RETRY_AFTER = 2
"""Seconds an agent is told to wait before it asks again; the next try is held on the gateway's side."""
MAX_HELD = 512
"""Flows of one agent that wait at the same time; further ones get the pending answer at once."""
_INTERACTIVE = "interactive: what will be typed is not approved"
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
        """Return once this call has been approved and the approval is spent; raises Refusal otherwise."""
        gateway = self.runtime.gateway
        held = await self._held_call(flow, call, obligation)
        approval = await asyncio.to_thread(gateway.desk.open_or_join, held)
        call.approval = approval.id
        state = approval.state
        if state is ApprovalState.PENDING:
            state = await self._wait(call, approval)
        if state is ApprovalState.DENIED:
            raise await self._denied(approval)
        if state is not ApprovalState.APPROVED:
            raise _pending(approval)
        await self._judge_again(flow, call, obligation)
        await self._show_again(flow, call, approval)
        if call.client_gone.is_set() or not await asyncio.to_thread(gateway.desk.spend, approval.id, held.fingerprint):
            raise _pending(approval)

    async def _wait(self, call: Call, approval: Approval) -> ApprovalState:
        """The state of an approval once somebody answered, the hold is over, or the client hung up.

        Raises Refusal where the agent's access is revoked meanwhile.
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
        try:
            await asyncio.wait((answered, gone, refused), return_when=asyncio.FIRST_COMPLETED)
            if refused.done():
                raise refused.result()
            if answered.done():
                return answered.result()
        finally:
            for waiting in (answered, gone, refused):
                waiting.cancel()
        if self.runtime.gateway.configuration.gateway.spec.approvals.on_disconnect == "withdraw":
            await asyncio.to_thread(self.runtime.gateway.desk.withdraw, approval.id, by=Actor.agent(approval))
        return ApprovalState.PENDING

    async def _denied(self, approval: Approval) -> Refusal:
        current = await asyncio.to_thread(self.runtime.gateway.desk.get, approval.id)
        detail = f"denied by an approver: {current.reason}" if current.reason else "denied by an approver"
        return Refusal(Code.APPROVAL_DENIED, detail, rule=approval.call.rules[0].name, approval=approval.id)

    async def _show_again(self, flow: http.HTTPFlow, call: Call, approval: Approval) -> None:
        """What was approved must still be what will happen; raises Refusal, and takes the yes back, where it is not."""
        shown = await self._held_call(flow, call, need(call.obligations.approval))
        if shown.fingerprint == approval.call.fingerprint:
            return
        with contextlib.suppress(IllegalMove):  # it is over already
            await asyncio.to_thread(self.runtime.gateway.desk.revoke, approval.id, by=GATEHOLD, reason=CHANGED)
        detail = "what this call would do changed while it waited; the same request, sent again, asks anew"
        raise Refusal(Code.APPROVAL_PENDING, detail, rule=approval.call.rules[0].name, retry_after=RETRY_AFTER)

    async def _judge_again(self, flow: http.HTTPFlow, call: Call, obligation: ApprovalObligation) -> None:
        """Everything may have changed while a person thought; raises Refusal where it did."""
        gateway = self.runtime.gateway
        # Not from the cache: the token may have ended, or its key may have been taken away.
        agent, revision = await gateway.verifier.verify(need(call.token)), need(call.decision).revision
        decision = await self.looking.judge(flow, call, agent)
        if decision.verdict is Verdict.DENY:
            raise denial(decision)
        now = decision.obligations.approval
        same = now is not None and dataclasses.replace(now, message=obligation.message) == obligation
        if not same or decision.revision != revision:
            raise Refusal(Code.APPROVAL_PENDING, "the policy changed meanwhile; ask again", retry_after=RETRY_AFTER)

    async def _held_call(self, flow: http.HTTPFlow, call: Call, obligation: ApprovalObligation) -> HeldCall:
        """The call as people are asked about it, bound to what it will make of its object."""
        gateway, agent, target, action = self.runtime.gateway, need(call.agent), need(call.target), call.known_action
        effect = await self._effect(flow, call) if shows_effect(call.bare_action) else None
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
            change=effect.digest if effect else "",
        )
        request = dataclasses.replace(bound, facts=call.bare_action.facts(), change="")
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
            message=_message(obligation, action),
            fingerprint=fingerprint(gateway.approval_key, bound),
            request=fingerprint(gateway.approval_key, request) if effect else None,
            change=effect.change if effect else None,
        )

    async def _effect(self, flow: http.HTTPFlow, call: Call) -> Effect:
        """What a write will make of its object; the write is bound to that object."""
        found = await self.looking.look(flow, call, need(call.agent), frozenset({Wanted.OLD, Wanted.NEW}))
        self.looking.bind(call)
        return await asyncio.to_thread(effect_of, call.bare_action, found, self.runtime.gateway.scrubber, call.target)


def _message(obligation: ApprovalObligation, action: Action) -> str:
    if not isinstance(action, KubernetesAction) or not action.stdin:
        return obligation.message
    return f"{obligation.message}; {_INTERACTIVE}" if obligation.message else _INTERACTIVE


def _text(fields: list[header_rules.Field]) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode("ascii"), value.decode("utf-8", "surrogateescape")) for name, value in fields)


def _pending(approval: Approval) -> Refusal:
    detail = (
        f"this call waits for approval {approval.id}; it passes, once, when the same request is sent after the approval"
    )
    rule = approval.call.rules[0].name
    return Refusal(Code.APPROVAL_PENDING, detail, rule=rule, retry_after=RETRY_AFTER, approval=approval.id)
