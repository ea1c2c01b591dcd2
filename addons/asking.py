"""A call as people are asked about it: what binds their answer, what they see, and what a yes leaves behind."""

import asyncio
import dataclasses
import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from mitmproxy import http

from addons import header_rules
from addons.calls import Call, need, pinned
from addons.effects import Effect, effect_of, shows_effect
from addons.looking import Looking
from addons.shown_bodies import shown_body
from gatehold.approvals import likeness
from gatehold.approvals.approvers import Quorum, people_behind
from gatehold.approvals.fingerprint import BoundCall, fingerprint
from gatehold.approvals.grants import CallTraits
from gatehold.approvals.model import HeldCall, RuleRef
from gatehold.wiring import Gateway
from policy.actions.decoding import Action
from policy.actions.http import HttpAction
from policy.actions.kubernetes import KubernetesAction
from policy.actions.paths import folded
from policy.codes import Code
from policy.engine import Engine
from policy.errors import Refusal
from policy.model import ApprovalObligation, Wanted

_INTERACTIVE = "interactive: what will be typed is not approved"
_UNSHOWABLE = "This call cannot be shown whole to an approver, and its rule demands that."
_SESSION_HEADER = b"kubectl-session"
_LONGEST_SESSION = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the rules that ask make of a call."""

    bound: BoundCall
    traits: CallTraits

    @property
    def rules(self) -> tuple[RuleRef, ...]:
        """The rules, the deciding one first."""
        return tuple(self.bound.rules)


def asked(gateway: Gateway, flow: http.HTTPFlow, call: Call, obligation: ApprovalObligation) -> Asked:
    """The call as its answer would be bound, before anything was looked up for people. Reads the whole body."""
    agent, target, action = need(call.agent), need(call.target), call.known_action
    ruling = pinned(gateway, call)
    body = need(call.wire).body
    if body is None:
        raise LookupError("a call whose body is not known cannot be approved")
    bound = BoundCall(
        issuer=agent.issuer,
        subject=agent.subject,
        target=target.name,
        scheme=flow.request.scheme,
        host=flow.request.host,
        port=flow.request.port,
        credential=ruling.credential_kind(target.name),
        method=flow.request.method,
        path=action.wire_path,
        headers=_text(header_rules.forwarded(flow.request.headers.fields)),
        body=body,
        rules=tuple(RuleRef(name=rule, digest=ruling.engine.rule_hash(rule)) for rule in obligation.rules),
        facts=action.facts(),
    )
    patterns = _patterns(ruling.engine, call, obligation)
    traits = likeness.traits(action, agent, target.name, bound=bound, patterns=patterns, key=gateway.approval_key)
    return Asked(bound=bound, traits=traits)


async def held_call(
    looking: Looking, flow: http.HTTPFlow, call: Call, obligation: ApprovalObligation, known: Asked
) -> HeldCall:
    """The call with everything that people see of it. Raises Refusal where they could not see enough."""
    gateway, ruling = looking.runtime.gateway, looking.runtime.ruling(call)
    agent, target, action = need(call.agent), need(call.target), call.known_action
    effect = await _effect(looking, flow, call) if shows_effect(call.bare_action) else None
    bound = dataclasses.replace(known.bound, change=effect.digest if effect else "")
    request = dataclasses.replace(bound, facts=call.bare_action.facts(), change="")
    held = HeldCall(
        issuer=agent.issuer,
        subject=agent.subject,
        session=agent.session,
        people=people_behind(agent),
        purpose=ruling.scrubber.text(agent.purpose, target),
        target=target.name,
        method=flow.request.method,
        path=ruling.scrubber.text(action.wire_path, target),
        facts=ruling.scrubber.facts(known.bound.facts, target),
        rules=known.rules,
        quorum=Quorum.of(obligation),
        message=_message(obligation, action),
        fingerprint=fingerprint(gateway.approval_key, bound),
        request=fingerprint(gateway.approval_key, request) if effect else None,
        change=effect.change if effect else None,
        body=await asyncio.to_thread(shown_body, need(call.wire), ruling.scrubber, target),
        together=_together(gateway.approval_key, flow, call),
        terms=likeness.terms(known.traits, obligation, longest=ruling.configuration.gateway.spec.approvals.max_grant),
    )
    if obligation.unshowable == "refuse" and not _is_whole(held, action):
        raise Refusal(Code.DENIED_BY_RULE, _UNSHOWABLE, reason="not showable", rule=obligation.rules[0])
    return held


def _is_whole(held: HeldCall, action: Action) -> bool:
    """Whether people see all of it: path, body and change, in clear."""
    body = held.body is None or held.body.is_whole
    change = held.change is None or not (held.change.cut or held.change.problem)
    return body and change and held.path == action.wire_path


async def _effect(looking: Looking, flow: http.HTTPFlow, call: Call) -> Effect:
    """What a write will make of its object; the write is bound to that object."""
    found = await looking.look(flow, call, need(call.agent), frozenset({Wanted.OLD, Wanted.NEW}))
    looking.bind(call)
    scrubber = looking.runtime.ruling(call).scrubber
    return await asyncio.to_thread(effect_of, call.bare_action, found, scrubber, call.target)


def _patterns(engine: Engine, call: Call, obligation: ApprovalObligation) -> set[str]:
    """The path patterns, of the rules that ask, which match an HTTP call."""
    action = call.known_action
    if not isinstance(action, HttpAction):
        return set()
    options = engine.targets[need(call.target).name].paths
    segments, slash = folded(action.segments, options), action.trailing_slash
    of_rules: list[Any] = [pattern for rule in obligation.rules for pattern in engine.rules[rule].patterns]
    return {each.text for each in of_rules if each.params(segments, options, trailing_slash=slash) is not None}


def _together(key: bytes, flow: http.HTTPFlow, call: Call) -> str | None:
    """What the calls of one kubectl command have in common, as nobody else can say it; only ever used for display."""
    given = [value for name, value in flow.request.headers.fields if name.lower() == _SESSION_HEADER]
    if not isinstance(call.known_action, KubernetesAction) or len(given) != 1 or not given[0]:
        return None
    agent = need(call.agent)
    parts = (agent.issuer, agent.subject, agent.session, need(call.target).name, given[0][:_LONGEST_SESSION].hex())
    mac = hmac.new(key, b"gatehold together 1", hashlib.sha256)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        mac.update(len(data).to_bytes(8) + data)
    return mac.hexdigest()


def _message(obligation: ApprovalObligation, action: Action) -> str:
    if not isinstance(action, KubernetesAction) or not action.stdin:
        return obligation.message
    return f"{obligation.message}; {_INTERACTIVE}" if obligation.message else _INTERACTIVE


def _text(fields: list[header_rules.Field]) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode("ascii"), value.decode("utf-8", "surrogateescape")) for name, value in fields)
