"""What is kept: an intent before a call leaves, its outcome and its masked flow before the agent gets the answer.

``Recording`` turns a call into journal events and flow bytes; ``Record`` is the addon that runs after masking. With
``recordings.mode: required`` an answer that cannot be written does not leave either.
"""

import asyncio
import re
import time
from collections.abc import Mapping, Sequence

from mitmproxy import http

from addons import answers
from addons.calls import Call, need
from addons.failsafe import without_data
from addons.offload import ON_LOOP, PARSED_ON_LOOP
from addons.runtime import Runtime
from gatehold.agent_api.decisions import ToldDecision
from gatehold.history.noting import InputNotes, Kept
from gatehold.lookups.requests import OwnCall, Place
from gatehold.secret_bodies import is_about_secrets
from policy.actions.kubernetes import KubernetesAction
from policy.codes import Code
from policy.model import UNKNOWN, Agent, Family, RuleName, SessionId, Verdict
from recordings import acts, events
from recordings.acts import GatewayMove, gateway_event
from recordings.errors import RecorderUnavailable
from recordings.failures import FailureCounter
from recordings.flow_parts import FlowParts, scrub
from recordings.flows import RecordedMessage, flow_parts
from recordings.said import Said, said

type Part = tuple[Said, FlowParts]
"""A piece of a stream: its event and its flow."""
_SECRET = re.compile(rb'"kind"\s*:\s*"Secret')
PART = 256 * 1024
"""Bytes of a stream after which a part of its record is written."""
_UNWRITTEN = (5.0, 30.0)
"""Seconds after which a part is written, however small it is: the first, and every other one. A gateway that is killed
takes no more than that with it, and most short sessions are one flow."""
ANONYMOUS = SessionId("anonymous")
"""Session under which calls are kept whose agent is not known."""


class Recording:
    """Events and flows of calls, handed to the recorder."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._failures = FailureCounter()
        self._notes = InputNotes(runtime.gateway.ruling.scrubber)

    async def started(self) -> None:
        """Note the start in the journal."""
        details = {"revision": self.runtime.gateway.ruling.engine.revision}
        await self._append([gateway_event(GatewayMove.START, time=time.time(), details=details)], durable=True)

    async def stopping(self) -> None:
        """Note the stop, and what was counted and not told."""
        now = time.time()
        if not self.runtime.gateway.recorder.healthy:
            return  # it never started, or says itself what is wrong
        await self._append([*self._failures.flush(now), gateway_event(GatewayMove.STOP, time=now)], durable=True)

    async def intent(self, flow: http.HTTPFlow, call: Call) -> None:
        """The call is about to be sent; on disk at once where it writes or was approved."""
        described = await self._described_aside(flow, call)
        event = said(events.intent, described, grants=list(call.grants), time=time.time(), restored=call.restored)
        durable = call.known_action.is_write or call.approval is not None or bool(call.grants)
        await self._append([event], durable=durable)
        self._tell(flow, call)

    async def outcome(self, flow: http.HTTPFlow, call: Call, *, error: str = "") -> None:
        """The call was answered, refused, or broke off."""
        masking_work = self.runtime.gateway.masking_work
        if call.parts:
            call.parts += 1  # what is left is a part of its own
        described = await self._described_aside(flow, call)
        status = flow.response.status_code if flow.response else 0
        self._charge_bytes(flow, call)
        if call.refusal is not None:
            if call.agent is None:
                await self._append(self._unauthenticated(flow, call, described, status), durable=False)
                return
            event = self._refusal(call, described, status)
        else:
            event = said(
                events.outcome,
                described,
                status=status,
                time=time.time(),
                masked=dict(call.masked),
                approval=call.approval or "",
                grants=list(call.grants),
                length=call.answered_bytes,
                error=error,
                part=call.parts or None,
                pinned=call.pinned,
                restored=call.restored,
                stream=call.conversation.summary() if call.conversation else None,
            )
        pick = asyncio.to_thread if _takes_long(flow, call) else masking_work
        picked = await pick(self._pick, flow, call)
        await self._append([event], flow=picked, session=self._session(call))
        self._tell(flow, call)

    def _charge_bytes(self, flow: http.HTTPFlow, call: Call) -> None:
        """Byte budgets pay for what was answered; a call that spends more than is left is paid by those after it."""
        if call.forwarded and call.agent is not None and call.target is not None:
            body = flow.response.raw_content if flow.response else None
            amount = call.answered_bytes if call.streamed else len(body or b"")
            limiting = self.runtime.ruling(call).limiting
            limiting.charge_bytes(call.obligations, call.agent, call.target.name, amount or 0)

    async def own_call(self, call: Call, place: Place, agent: Agent, own: OwnCall) -> None:
        """The gateway asked a cluster something, to judge this call."""
        request, target = own.request, place.target
        path = await self.runtime.gateway.masking_work(self.runtime.ruling(call).scrubber.text, request.path, target)
        event = acts.own_call(
            agent=agent,
            decision=call.id,
            target=target.name,
            host=place.host,
            port=place.port,
            scheme=target.spec.scheme,
            method=request.method,
            path=path,
            purpose=request.purpose.value,
            status=own.status,
            started=own.started,
            seconds=own.seconds,
            problem=own.problem,
            impersonated=target.spec.impersonate and request.agent is not None,
        )
        await self._append([event], session=agent.session)

    async def incident(self, call: Call, title: str, differing: Mapping[str, Mapping[str, object]]) -> None:
        """Something happened that was not judged so."""
        gateway = self.runtime.gateway
        facts = await gateway.masking_work(self.runtime.ruling(call).scrubber.facts, differing, call.target)
        event = acts.incident(
            title=title,
            agent=call.agent,
            decision=call.id,
            target=need(call.target).name,
            time=time.time(),
            details={"differing": facts},
            comment=", ".join(sorted(differing)),
        )
        await self._append([event], session=self._session(call), durable=True)

    async def tell_failures(self) -> None:
        """Journal the failures to authenticate of a minute that is over."""
        await self._append(list(self._failures.due(time.time())))

    def part(self, flow: http.HTTPFlow, call: Call) -> None:
        """Write what was kept of a stream so far, without waiting: a stream's callable is synchronous."""
        self.append_part(call, self.part_of(flow, call))

    def part_of(self, flow: http.HTTPFlow, call: Call) -> Part:
        """What was kept of a stream so far, ready to be written; takes long where it has to be masked for that."""
        call.parts += 1
        picked = self._pick(flow, call)
        call.kept.clear()
        event = said(
            events.outcome,
            self._described(flow, call),
            status=flow.response.status_code if flow.response else 0,
            time=time.time(),
            masked=dict(call.masked),
            part=call.parts,
        )
        return event, picked

    def append_part(self, call: Call, part: Part) -> None:
        """Hand a part to the recorder; raises RecorderUnavailable where an earlier one could not be written."""
        event, picked = part
        while call.pending_parts and call.pending_parts[0].done():
            call.pending_parts.pop(0).result()
        written = self.runtime.gateway.recorder.append(
            events=[event], flow=picked, session=self._session(call), durable=False
        )
        call.pending_parts.append(written)

    async def _append(
        self,
        what: Sequence[Said | events.Event],
        *,
        flow: FlowParts | None = None,
        session: SessionId = ANONYMOUS,
        durable: bool = False,
    ) -> None:
        if what:
            await self.runtime.gateway.recorder.append(events=what, flow=flow, session=session, durable=durable)

    def _tell(self, flow: http.HTTPFlow, call: Call) -> None:
        """What is on record of a call of an agent, it may ask about."""
        if call.agent is None:
            return
        decision, refusal = call.decision, call.refusal
        decided = None if decision is None else decision.rule
        told = ToldDecision(
            id=call.id,
            issuer=call.agent.issuer,
            subject=call.agent.subject,
            session=call.agent.session,
            verdict=Verdict.DENY if decision is None else decision.verdict,
            code=refusal.code if refusal else Code.ALLOWED,
            rule=RuleName(refusal.rule) if refusal and refusal.rule else decided,
            reason=refusal.detail if refusal else "" if decision is None else decision.reason,
            target=call.target.name if call.target else None,
            method=flow.request.method,
            path=self._described(flow, call).path,
            time=call.started,
            approval=call.approval,
            status=flow.response.status_code if flow.response else None,
        )
        self.runtime.gateway.decisions.add(told)

    def _unauthenticated(
        self, flow: http.HTTPFlow, call: Call, described: events.Call, status: int
    ) -> Sequence[Said | events.Event]:
        """Calls of nobody: failures to authenticate are counted by address, everything else is an event of its own."""
        refusal = need(call.refusal)
        if refusal.code is Code.UNAUTHENTICATED:
            return self._failures.add(str(flow.client_conn.peername[0]), refusal.reason, now=time.time())
        return [self._refusal(call, described, status)]

    def _refusal(self, call: Call, described: events.Call, status: int) -> Said:
        refusal = need(call.refusal)
        return said(
            events.refusal,
            described,
            code=refusal.code.value,
            status=status,
            reason=without_data(refusal.reason) if refusal.code is Code.UPSTREAM_UNAVAILABLE else refusal.reason,
            time=time.time(),
            approval=call.approval or "",
        )

    async def _described_aside(self, flow: http.HTTPFlow, call: Call) -> events.Call:
        """The same; off the loop where path and facts are long, for they are masked."""
        if call.described is not None:
            return call.described
        size = len(flow.request.path) + len((call.wire.body if call.wire else b"") or b"")
        if size > ON_LOOP:
            return await asyncio.to_thread(self._described, flow, call)
        return await self.runtime.gateway.masking_work(self._described, flow, call)

    def _described(self, flow: http.HTTPFlow, call: Call) -> events.Call:
        if call.described is None:
            call.described = self._describe(flow, call)
        return call.described

    def _describe(self, flow: http.HTTPFlow, call: Call) -> events.Call:
        scrubber, request = self.runtime.ruling(call).scrubber, flow.request
        path = scrubber.text(call.action.wire_path if call.action else request.path, call.target)
        action = call.action
        kubernetes = action if isinstance(action, KubernetesAction) else None
        operation = _operation(kubernetes) if kubernetes else f"{request.method} {path}"
        resources = (_resource(kubernetes),) if kubernetes and kubernetes.resource else ()
        peer = flow.client_conn.peername
        return events.Call(
            id=call.id,
            agent=call.agent,
            target=call.target.name if call.target else None,
            family=self.runtime.family(call) if call.target else None,
            scheme=request.scheme,
            host=request.host,
            port=request.port,
            method=request.method,
            path=path,
            operation=operation,
            verb=kubernetes.verb if kubernetes else request.method,
            client=(str(peer[0]), int(peer[1])),
            time=call.started,
            judged=call.decision,
            resources=resources,
            facts=scrubber.facts(action.facts(), call.target) if action else {},
        )

    def _pick(self, flow: http.HTTPFlow, call: Call) -> FlowParts:
        """What the record gets of a flow, masked."""
        scrubber = self.runtime.ruling(call).scrubber
        described = self._described(flow, call)
        kept = Kept(
            path=described.path,
            headers=scrub(scrubber.headers(call.wire.headers if call.wire else (), call.target)),
            body=scrubber.body(call.wire, call.target),
        )
        remarks = {
            "code": (call.refusal.code if call.refusal else Code.ALLOWED).value,
            "masked": dict(call.masked),
            "approval": call.approval or "",
            "part": call.parts or None,
            "judged_by": self._input(call, kept) if call.parts <= 1 else "",
        }
        return flow_parts(
            flow,
            request=RecordedMessage(path=kept.path, headers=kept.headers, body=kept.body, decoded=True),
            response=self._answer(flow, call) if flow.response else None,
            remarks=remarks,
            part=max(1, call.parts),
            dialogue=call.conversation.dialogue if call.conversation else None,
        )

    def _input(self, call: Call, kept: Kept) -> str:
        """What the call was judged by besides its request; nothing where it was refused before it was understood."""
        if call.agent is None or call.target is None or call.wire is None or call.action is None:
            return ""
        scrubber, notes = self.runtime.ruling(call).scrubber, self._notes
        if notes.scrubber is not scrubber:
            notes = self._notes = InputNotes(scrubber)
        return notes.note(
            agent=call.agent, target=call.target, action=call.action, wire=call.wire, kept=kept, at=call.started
        )

    def _answer(self, flow: http.HTTPFlow, call: Call) -> RecordedMessage:
        """The answer as the agent got it, but for Kubernetes Secrets: they are hidden even where it saw them."""
        response, scrubber = need(flow.response), self.runtime.ruling(call).scrubber
        body = bytes(call.kept) if call.streamed else response.raw_content or b""
        if call.refusal is None and self.runtime.family(call) is Family.KUBERNETES and _may_hold_secret(call, body):
            body = scrubber.masked_body(body, response.headers.get("content-type", ""), call.target)
        headers = scrubber.fields(response.headers.fields, call.target)
        return RecordedMessage(body=body, headers=headers, decoded=True)

    @staticmethod
    def _session(call: Call) -> SessionId:
        return call.agent.session if call.agent else ANONYMOUS


class Record:
    """Writes calls down, after they were masked and before their answer leaves."""

    def __init__(self, runtime: Runtime, recording: Recording) -> None:
        self.runtime = runtime
        self.recording = recording

    async def http_connect(self, flow: http.HTTPFlow) -> None:
        """A refused tunnel is an event; an accepted one is not: its calls are."""
        if flow.response is not None:
            await self.recording.outcome(flow, self.runtime.call(flow))

    async def response(self, flow: http.HTTPFlow) -> None:
        """Record an answered or refused call."""
        call = self.runtime.call(flow)
        if flow.websocket is not None and call.sealed:
            return  # its outcome is known when it ends
        for written in call.pending_parts:
            await written
        call.pending_parts.clear()
        try:
            await self.recording.outcome(flow, call)
        except RecorderUnavailable as refusal:
            if call.refusal is not None or call.streamed or call.known_action.is_write:
                raise  # it went out, and must not look as if it could be sent once more
            self.runtime.refuse(flow, refusal)

    async def error(self, flow: http.HTTPFlow) -> None:
        """Record a call that broke off: the client left, the upstream failed, or the gateway killed it."""
        call = self.runtime.ledger.get(flow)
        if call is None:
            return
        if flow.response is not None and flow.response.headers.get(answers.DECISION) != call.id:
            flow.response = http.Response.make(flow.response.status_code)  # one that nobody cleaned
        if flow.error:
            flow.error.msg = without_data(flow.error.msg)
        await self.recording.outcome(flow, call, error=flow.error.msg if flow.error else "broken off")


def is_due(call: Call, size: int, since: float) -> bool:
    """Is a part to be written of a stream, of which so many bytes are not recorded since then (Unix seconds)?"""
    patience = _UNWRITTEN[min(call.parts, len(_UNWRITTEN) - 1)]
    return size >= PART or (size > 0 and time.time() - since > patience)


def _takes_long(flow: http.HTTPFlow, call: Call) -> bool:
    """Would writing down a call hold up others? What an agent sends is masked for it; answers mostly are already."""
    asked = len((call.wire.body if call.wire else b"") or b"")
    answered = max(len((flow.response.raw_content if flow.response else b"") or b""), len(call.kept))
    return asked > ON_LOOP or answered > PARSED_ON_LOOP


def _may_hold_secret(call: Call, body: bytes) -> bool:
    """May a Secret be in it? Streams of them come without values (``addons.secret_lines``); others rarely have one."""
    if not call.streamed:
        return b"Secret" in body
    return not is_about_secrets(need(call.wire).path) and _SECRET.search(body) is not None


def _operation(action: KubernetesAction) -> str:
    what = f"{action.resource}/{action.subresource}" if action.subresource else action.resource
    return f"{action.verb} {what}"


def _resource(action: KubernetesAction) -> events.Resource:
    name = "" if action.name is UNKNOWN else action.name
    return events.Resource(type=action.resource, name=name, namespace=action.namespace)
