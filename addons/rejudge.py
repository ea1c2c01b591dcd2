"""Open streams are judged again all the time: a token that was revoked, or a rule that changed, ends them.

What they passed on is recorded here, too, where nothing comes any more that would have it recorded.

A stream that was let in once would else go on for as long as both sides like. The token is verified again, then policy
is asked about the same call, limits left out: they were charged when it began. A call that a person approved stays
approved for as long as its question would be the same.
"""

import asyncio
import logging
import time
from datetime import UTC, datetime

from mitmproxy import http

from addons.calls import Call, need
from addons.failsafe import place
from addons.offload import by_body
from addons.open_streams import OpenStream
from addons.runtime import Runtime
from gatehold.ruling import Ruling
from policy.codes import Code
from policy.errors import Refusal
from policy.model import ApprovalObligation, Verdict
from recordings.acts import entity_change
from recordings.errors import RecorderUnavailable

logger = logging.getLogger(__name__)

INTERVAL = 0.4
"""Seconds from one judgement of a stream to the next: with the half second that a revocation takes to be seen, a stream
ends within a second of it."""
_PATIENCE = 2
"""Turns for which a recorder may turn records away, for its queue was full for a moment, and for which it may not be
known whose access was revoked."""
_UNRECORDED = "it cannot be recorded any more"
_NOBODY = "the agent's token does not count any more"
_SYSTEM = 3
"""OCSF's type of a user that is no person."""


class Rejudge:
    """Cuts streams that are no longer allowed."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._task: asyncio.Task[None] | None = None
        self._blind = 0
        """Turns since the recorder could write."""
        self._unsure = 0
        """Turns since it could be told whose access was revoked."""
        self._is_unsure = False

    def running(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._go_on(), name="rejudge")

    def done(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            await self.turn()

    async def turn(self) -> None:
        """Judge every open stream once, and have it recorded; one that cannot be is cut."""
        unrecorded = self._unrecorded()
        self._unsure, self._is_unsure = self._unsure + 1 if self._is_unsure else 0, False
        for flow, stream in self.runtime.open_streams.all():
            await asyncio.sleep(0)  # many streams take long, and calls wait meanwhile
            try:
                why = unrecorded or await self._objection(stream.call)
                if not why and flow in self.runtime.open_streams:  # it may have ended meanwhile
                    stream.keep_up(flow)
            except RecorderUnavailable:
                why = _UNRECORDED
            except Exception as error:  # noqa: BLE001 - the stream ends
                logger.error("gatehold: an open stream could not be judged again: %s", place(error))  # noqa: TRY400
                why = "the gateway failed"
            if why:
                await self._cut(flow, stream, why)

    def _unrecorded(self) -> str:
        """Why nothing may go on, where records are required and cannot be written; empty where they can."""
        gateway = self.runtime.gateway
        is_required = gateway.configuration.gateway.spec.recordings.mode == "required"
        self._blind = 0 if gateway.recorder.healthy else self._blind + 1
        return _UNRECORDED if is_required and self._blind >= _PATIENCE else ""

    async def _objection(self, call: Call) -> str:
        """Why a stream may not go on; empty where it may."""
        gateway, token = self.runtime.gateway, need(call.token)
        try:
            agent = gateway.verifier.verify_cached(token) or await gateway.verifier.verify(token)
        except Refusal as refusal:
            if refusal.code is Code.GATEWAY_ERROR and self._unsure < _PATIENCE:
                self._is_unsure = True  # the view of who was revoked is late, as after a start under load
                return ""
            return "the agent's access was revoked" if refusal.code is Code.REVOKED else _NOBODY
        target, now = need(call.target).name, datetime.now(UTC)
        body, action = need(call.wire).body, call.known_action
        ruling, began = gateway.ruling, self.runtime.ruling(call)
        if not ruling.reads_as(began, target):
            return "calls to this target are understood otherwise now"
        decision = await by_body(body, ruling.engine.decide, agent, target, action, now=now, limits=None)
        if decision.verdict is Verdict.DENY:
            return "the policy does not allow this any more"
        before = need(call.decision)
        if (
            decision.obligations.mask != before.obligations.mask
            or decision.obligations.filter != before.obligations.filter
            or not ruling.hides_as(began, before.obligations.mask.profiles)
        ):
            return "the policy hides more or other things now"
        sought = before.obligations.dlp
        if call.conversation is not None and (
            decision.obligations.dlp != sought or (sought is not None and not ruling.hides_as(began, sought.profiles))
        ):
            return "the policy searches for other things now"
        asks, asked = decision.obligations.approval, before.obligations.approval
        passed = call.approval is not None or call.grants
        if asks is not None and (not passed or asks != asked or not _ask_alike(ruling, began, asks)):
            return "the policy asks for another approval now"
        if call.grants and not await asyncio.to_thread(gateway.desk.still_granted, call.grants):
            return "the grant ended"
        return ""

    async def _cut(self, flow: http.HTTPFlow, stream: OpenStream, why: str) -> None:
        self.runtime.open_streams.remove(flow)
        stream.cut(why)
        call = stream.call
        event = entity_change(
            entity="Stream",
            uid=call.id,
            change="delete",
            by={"name": "gatehold", "type_id": _SYSTEM},
            time=time.time(),
            comment=why,
            details={"target": need(call.target).name, "operation": "cut"},
            decision=call.id,
            session=need(call.agent).session,
        )
        recorder = self.runtime.gateway.recorder
        try:
            await recorder.append(events=[event], session=need(call.agent).session, durable=True)
        except RecorderUnavailable:
            logger.exception("gatehold: a stream was cut, and that could not be recorded")


def _ask_alike(ruling: Ruling, began: Ruling, asks: ApprovalObligation) -> bool:
    """Are the rules that ask, to the letter, those that asked when the stream began?"""
    same = ruling.engine.revision == began.engine.revision
    return same or all(ruling.engine.rule_hash(rule) == began.engine.rule_hash(rule) for rule in asks.rules)
