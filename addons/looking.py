"""Judging with open eyes: where policy needs more than the request tells, the gateway looks at the cluster itself.

Nothing is asked of a cluster unless the answer could change the decision. Whatever is found, a refusal that follows
reads as the one before it did, so that an agent learns nothing from it; what was found out goes to the audit trail. A
write that was judged by an object is bound to the version of it that was judged.
"""

import dataclasses

from mitmproxy import http

from addons.calls import Call, need
from addons.offload import by_body
from addons.record import Recording
from addons.runtime import Runtime
from gatehold.credentials.fields import Asker
from gatehold.lookups.ladder import NOTHING, Errand, Found
from gatehold.lookups.requests import OwnCall, Place
from gatehold.lookups.versions import stated_version
from policy.actions.kubernetes import CONNECTING, KubernetesAction
from policy.actions.pinning import pin
from policy.actions.readings import Unreadable
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent, Decision, Verdict, Wanted

_ROUNDS = 3
"""What one look-up tells may make another object matter; more than three there are not."""
_OPAQUE = frozenset({Code.UNEVALUABLE, Code.DEFAULT_DENY, Code.DENIED_BY_RULE})
"""Refusals that would tell what was found."""


class Looking:
    """Judges calls, looking where that is needed."""

    def __init__(self, runtime: Runtime, recording: Recording) -> None:
        self.runtime = runtime
        self.recording = recording

    async def judge(self, flow: http.HTTPFlow, call: Call, agent: Agent) -> Decision:
        """The decision about a call as things are now; what it rests on is kept with the call.

        Raises Refusal where too much is being looked at, and where the call can only fail.
        """
        ruling, target, bare = self.runtime.ruling(call), need(call.target).name, call.bare_action
        call.found, call.rests_on_found, call.action = None, False, bare
        call.outgoing_body, call.pinned = None, ""
        body = need(call.wire).body
        first = decision = await by_body(body, ruling.decide, agent, target, bare)
        if not decision.wanted or not isinstance(bare, KubernetesAction):
            return decision
        wanted: frozenset[Wanted] = frozenset()
        for _ in range(_ROUNDS):
            if decision.wanted <= wanted:
                break
            missing = decision.wanted - wanted
            # A write is tried out only where the object as it is leaves the decision open.
            wanted |= (missing - {Wanted.NEW}) or missing
            found = await self.look(flow, call, agent, wanted)
            call.action = bare.knowing(found.known)
            decision = await by_body(body, ruling.decide, agent, target, call.action)
        if decision.verdict is Verdict.DENY:
            return _opaque(first, decision, need(call.found))
        call.rests_on_found = True
        self.bind(call)
        return decision

    async def look(self, flow: http.HTTPFlow, call: Call, agent: Agent, wanted: frozenset[Wanted]) -> Found:
        """Find out what is wanted, beside what was found for this call before."""
        errand = self.errand(flow, call, agent)
        with self.runtime.gateway.slots.taken(agent):
            call.found = await self.runtime.gateway.ladder.climb(errand, wanted, call.found or NOTHING)
        return call.found

    def errand(self, flow: http.HTTPFlow, call: Call, agent: Agent) -> Errand:
        """A call, as those see it who look."""
        wire, action = need(call.wire), call.bare_action
        if not isinstance(action, KubernetesAction):
            raise TypeError("only clusters are looked into")
        asker = Asker(token=call.token, agent=agent) if call.token else None
        place = Place(target=need(call.target), host=flow.request.host.lower(), port=flow.request.port, asker=asker)

        async def tell(own: OwnCall) -> None:
            await self.recording.own_call(call, place, agent, own)

        content_type = next((value for name, value in wire.headers if name.lower() == "content-type"), "")
        return Errand(place=place, agent=agent, action=action, content_type=content_type, body=wire.body, tell=tell)

    def bind(self, call: Call) -> None:
        """Bind a write to the object by which it was judged; raises Refusal where that cannot be done and has to be."""
        found, action = need(call.found), call.bare_action
        if not isinstance(action, KubernetesAction) or not found.version or not _changes(action):
            return
        if found.stale:
            raise Refusal(Code.STALE)
        body = need(call.wire).body or b""
        try:
            bound = pin(action, body, found.version)
        except Unreadable as unreadable:
            if call.rests_on_found:
                reason = f"the write cannot be bound to the version that was judged: {unreadable.reason}"
                raise Refusal(Code.UNEVALUABLE, reason=reason) from None
            return
        if bound != body:
            call.outgoing_body, call.pinned = bound, found.version
        elif call.rests_on_found and stated_version(action, body) != found.version:
            raise Refusal(Code.UNEVALUABLE, reason="the write does not state the version that was judged")


def denial(decision: Decision, retry_after: int | None = None) -> Refusal:
    """A denying decision as a refusal: what the agent is told, what the audit trail is told."""
    return Refusal(decision.code, decision.reason, reason=decision.detail, rule=decision.rule, retry_after=retry_after)


def _changes(action: KubernetesAction) -> bool:
    """Whether the call writes an object whose version can be a condition: tunnels and dry runs do not."""
    return action.is_write and action.subresource not in CONNECTING and action.dry_run is not True


def _opaque(first: Decision, last: Decision, found: Found) -> Decision:
    if last.code not in _OPAQUE:
        return last
    because = f"{last.code}{f' by {last.rule}' if last.rule else ''}: {last.detail}"
    detail = "; ".join([first.detail, f"after looking: {because}", *found.problems])
    return dataclasses.replace(first, detail=detail, rules=last.rules, shadow=last.shadow)
