"""What came of a write that was judged by looking: did the object change meanwhile, and did it become what was judged?

A conflict that only the gateway's own condition caused is not the agent's: it is told to send the call again, which is
then judged anew. Whether it is the gateway's is not guessed from the answer: the object is asked for its version. Facts
of a real answer that differ from those that were judged are an incident: somebody (a webhook, mostly) changed the write
after it was allowed. So is an object that other rules would have been about, where the request alone was enough.
"""

import dataclasses
import logging
from datetime import UTC, datetime

from mitmproxy import http

from addons.calls import Call, need
from addons.looking import Looking
from addons.offload import by_size, size_of
from addons.record import Recording
from addons.runtime import Runtime
from gatehold.lookups.divergence import divergence
from gatehold.lookups.requests import KubernetesObject
from masking.encodings import Limits, decode
from masking.errors import Unmaskable
from policy.actions.jsontext import read_json
from policy.actions.kubernetes import KubernetesAction
from policy.actions.readings import Unreadable
from policy.codes import Code
from policy.errors import Refusal
from policy.model import RuleName, Verdict

logger = logging.getLogger(__name__)

_CONFLICTS = frozenset({409, 422})
_RETRY = 1


class Aftermath:
    """Looks at the answers to writes, before they are masked."""

    def __init__(self, runtime: Runtime, recording: Recording, looking: Looking) -> None:
        self.runtime = runtime
        self.recording = recording
        self.looking = looking
        self._limit = runtime.gateway.body_limit

    async def response(self, flow: http.HTTPFlow) -> None:
        """Judge one answer."""
        call, response = self.runtime.call(flow), flow.response
        if response is None or not call.sealed or not call.needs_json or response.stream:
            return
        if call.found is None:
            if 200 <= response.status_code < 300:
                await self._judge_answer(call, response)
        elif response.status_code in _CONFLICTS and call.pinned:
            if await self._changed(flow, call):
                reason = f"the object is not in version {call.pinned} any more"
                self.runtime.refuse(flow, Refusal(Code.CONFLICT, reason=reason, retry_after=_RETRY))
        elif 200 <= response.status_code < 300:
            await self._compare(call, response)

    async def _changed(self, flow: http.HTTPFlow, call: Call) -> bool:
        agent = need(call.agent)
        with self.runtime.gateway.slots.taken(agent):
            version = await self.runtime.gateway.ladder.current_version(self.looking.errand(flow, call, agent))
        return version != call.pinned

    async def _judge_answer(self, call: Call, response: http.Response) -> None:
        """A write that was judged by the request alone: would the object that came of it have been judged otherwise?"""
        body, encoding = response.raw_content or b"", response.headers.get("content-encoding", "")
        rules = await by_size(size_of(body, encoding), self._rules_for_answer, call, body, encoding)
        before = need(call.decision)
        if rules is not None and rules != (before.verdict, before.rules):
            judged, real = ", ".join(before.rules), f"{rules[0]} by {', '.join(rules[1])}"
            logger.warning("gatehold: incident: %s, decision %s: rules", _TITLE, call.id)
            await self.recording.incident(call, _TITLE, {"rules": {"judged": judged, "real": real}})

    def _rules_for_answer(self, call: Call, body: bytes, encoding: str) -> tuple[Verdict, tuple[RuleName, ...]] | None:
        """Verdict and rules for the object of an answer; None where the answer tells no object."""
        action = call.known_action
        try:
            real = _read(decode(body, encoding, Limits(body=self._limit)))
        except (Unreadable, Unmaskable):
            return None
        if not isinstance(action, KubernetesAction):
            return None
        engine, when = self.runtime.ruling(call).engine, datetime.fromtimestamp(call.started, UTC)
        known = action.knowing(dataclasses.replace(action.known, new=real))
        decision = engine.decide(need(call.agent), need(call.target).name, known, now=when)
        return decision.verdict, decision.rules

    async def _compare(self, call: Call, response: http.Response) -> None:
        body, encoding = response.raw_content or b"", response.headers.get("content-encoding", "")
        differing = await by_size(size_of(body, encoding), self._differing, call, body, encoding, response.status_code)
        if differing:
            # The values stay out of the log; the journal has them, masked.
            logger.warning("gatehold: incident: %s, decision %s: %s", _TITLE, call.id, ", ".join(sorted(differing)))
            await self.recording.incident(call, _TITLE, differing)

    def _differing(self, call: Call, body: bytes, encoding: str, status: int) -> dict[str, dict[str, object]]:
        """Facts that are other ones than was judged."""
        action, known = call.bare_action, need(call.found).known
        if not isinstance(action, KubernetesAction) or action.verb not in {"create", "update", "patch"}:
            return {}
        try:
            real = _read(decode(body, encoding, Limits(body=self._limit)))
        except (Unreadable, Unmaskable) as unreadable:
            return {"answer": {"problem": f"it cannot be compared: {unreadable}"}}
        differing: dict[str, dict[str, object]] = {
            name: {"judged": judged, "real": found}
            for name, (judged, found) in divergence(action.knowing(known), real).items()
        }
        if known.old is None and action.verb != "create" and status != 201:
            differing["existed"] = {"judged": False, "real": True}
        return differing


_TITLE = "a write had another effect than was judged"


def _read(body: bytes) -> KubernetesObject:
    value = read_json(body)
    if not isinstance(value, dict) or value.get("kind") in ("Status", "Table"):
        raise Unreadable("the answer is not an object")
    return value
