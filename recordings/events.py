"""What is said about a call: intent before the first upstream byte, then outcome or refusal.

Nothing here is changed once it is made. It is not frozen, though: Python takes as long to make a frozen object of so
many parts as to write it down.

OCSF API Activity (class 6003) with the security_control profile. What OCSF has no word for stands under
``unmapped.gatehold``. A builder is given words that were masked already; tokens, header values and bodies have no
place in any of its inputs.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final, NamedTuple

from policy.codes import Code
from policy.model import Agent, Decision, DecisionId, Family, TargetName, Verdict
from recordings.lines import Entry, FlowRef, canonical_bytes
from recordings.ocsf import (
    DISPOSITIONS,
    OTHER,
    SEVERITIES,
    Action,
    Disposition,
    EventClass,
    Kind,
    Severity,
    Status,
    activity,
    classed,
    clip,
    metadata,
)

MAX_BODY: Final = 64 * 1024
"""Bytes of an event from which on the decoder's facts are left out: an agent chooses how much there is to find."""
_PROFILES: Final = ("security_control",)
_PROCESS: Final = secrets.token_hex(8)
_numbers: Final = count()


@dataclass(slots=True, kw_only=True)
class Event:
    """One thing that happened, ready for the journal."""

    kind: Kind
    data: Mapping[str, Any] = field(repr=False)
    """The OCSF object."""
    decision: str = ""
    session: str = ""

    def entry(self, flow: FlowRef | None = None) -> Entry:
        """The line's content; ``ValueError`` or ``TypeError`` where ``data`` is not JSON."""
        body = canonical_bytes(self.data)
        if len(body) > MAX_BODY and (unmapped := self.data.get("unmapped")):
            own = {**unmapped["gatehold"], "facts": "too large"}
            body = canonical_bytes({**self.data, "unmapped": {"gatehold": own}})
        return Entry(kind=self.kind, body=body, decision=self.decision, session=self.session, flow=flow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Something that a call is about."""

    type: str
    """``pods``, ``deployments.apps``, ``customers``."""
    name: str = ""
    namespace: str = ""


@dataclass(slots=True, kw_only=True, eq=False)
class Call:
    """What is known of a call when something is to be said about it; never changed. Path and facts are masked."""

    id: DecisionId
    agent: Agent | None
    """None: refused before it was known who asks."""
    target: TargetName | None
    """None: the target is not registered."""
    family: Family | None
    scheme: str
    host: str
    port: int
    method: str
    path: str
    """Origin form with query."""
    operation: str
    """For people: ``GET /customers/7``, ``list pods``."""
    verb: str
    """HTTP method or Kubernetes verb."""
    client: tuple[str, int]
    """Where the agent's connection comes from."""
    time: float
    """When the request was complete, Unix seconds."""
    judged: Decision | None = None
    """None: refused before policy was asked."""
    resources: tuple[Resource, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What the decoder found, as JSON."""
    _told: "_Told | None" = field(default=None, init=False, repr=False)
    packed: bytes | None = field(default=None, init=False, repr=False)
    """See ``recordings.said``."""

    @property
    def told(self) -> "_Told":
        """What all of its events say alike."""
        if self._told is None:
            self._told = _tell(self)
        return self._told


class _Told(NamedTuple):
    """Parts of an OCSF object that are shared by the events of a call, and so never changed."""

    data: dict[str, Any]
    api: dict[str, Any]
    own: dict[str, Any]
    """Under ``unmapped.gatehold``."""


def intent(
    call: Call,
    *,
    fingerprint: str = "",
    grants: Sequence[str] = (),
    time: float,
    restored: Mapping[str, int] | None = None,
) -> Event:
    """The call is about to be sent upstream; ``restored``: how many pseudonyms of which entity were put back in it."""
    data = _call(call, time=time, code=Code.ALLOWED, status=Status.UNKNOWN)
    granted, back = list(grants) or None, dict(restored) if restored else None
    return _event(Kind.INTENT, call, data, fingerprint=fingerprint, grants=granted, restored=back)


def outcome(  # noqa: PLR0913 (the words of an event)
    call: Call,
    *,
    status: int,
    time: float,
    masked: Mapping[str, int] | None = None,
    approval: str = "",
    grants: Sequence[str] = (),
    fingerprint: str = "",
    length: int | None = None,
    error: str = "",
    part: int | None = None,
    stream: Mapping[str, int | str] | None = None,
    pinned: str = "",
    restored: Mapping[str, int] | None = None,
) -> Event:
    """The call was sent and answered (or broke off: ``error`` says how).

    ``status`` is the HTTP status that the agent got, ``masked`` how many values of which entity were hidden, ``length``
    the bytes of the answer, ``part`` the number of this piece of a long stream, ``stream`` how a
    WebSocket ended: bytes in either direction, exit code, why it was cut; ``pinned`` the version of the object to which
    the gateway bound the write; ``grants`` those by which it passed unasked; ``restored`` how many pseudonyms of which
    entity were put back on the way.
    """
    response = {"code": status} | ({"error": clip(error)} if error else {})
    went = Status.FAILURE if error or status >= 400 else Status.SUCCESS
    data = _call(call, time=time, code=Code.ALLOWED, status=went, response=response)
    data["http_response"] = {"code": status} | ({} if length is None else {"length": length})
    if approval or grants:
        data["disposition_id"] = int(Disposition.APPROVED)
    masks = dict(sorted(masked.items())) if masked else None
    more = {"masked": masks, "approval": approval, "fingerprint": fingerprint, "part": part, "stream": stream}
    more |= {"pinned": pinned, "restored": dict(restored) if restored else None}
    return _event(Kind.OUTCOME, call, data, grants=list(grants) or None, **more)


def refusal(  # noqa: PLR0913 (the words of an event)
    call: Call, *, code: Code | str, status: int, reason: str, time: float, approval: str = "", fingerprint: str = ""
) -> Event:
    """The call was not forwarded (or its answer was withheld); ``reason`` is the private one."""
    code = Code(code)
    response = {"code": status, "error": code.value}
    data = _call(call, time=time, code=code, status=Status.FAILURE, response=response)
    data["status_detail"] = clip(reason)
    data["http_response"] = {"code": status}
    return _event(Kind.REFUSAL, call, data, approval=approval, fingerprint=fingerprint)


def agent_user(agent: Agent | None) -> dict[str, Any]:
    """The OCSF user that an agent is."""
    if agent is None:
        return {"name": "unknown", "type_id": 0}
    groups = [{"name": group} for group in agent.groups]
    return {
        "domain": agent.issuer,
        "groups": groups,
        "type": "Agent",
        "type_id": OTHER,
        "uid": clip(agent.subject, 256),
    }


def endpoint(address: tuple[str, int]) -> dict[str, Any]:
    """The OCSF endpoint of a connection's other side."""
    return {"ip": address[0], "port": address[1]} if address[0] else {"name": "unknown"}


def _call(
    call: Call, *, time: float, code: Code, status: Status, response: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """API Activity of one of the three kinds, without ``unmapped``."""
    told = call.told
    return told.data | {
        "action_id": int(Action.ALLOWED if code is Code.ALLOWED else Action.DENIED),
        "api": told.api | {"response": response} if response else told.api,
        "disposition_id": int(DISPOSITIONS.get(code, Disposition.BLOCKED)),
        "duration": max(0, int((time - call.time) * 1000)),
        "metadata": metadata(new_uid()) | {"correlation_uid": call.id, "profiles": _PROFILES},
        "severity_id": int(SEVERITIES.get(code, Severity.LOW)),
        "status_code": code.value,
        "status_id": int(status),
        "time": int(time * 1000),
    }


def _tell(call: Call) -> _Told:
    """Who asks whom for what."""
    activity_id = activity(call.verb)
    data = classed(EventClass.API, activity_id)
    if activity_id == OTHER:
        data["activity_name"] = clip(call.verb, 64)
    path, _, query = call.path.partition("?")
    url = {"hostname": clip(call.host, 256), "path": clip(path), "port": call.port, "scheme": call.scheme}
    data["actor"] = {"user": agent_user(call.agent)}
    if call.agent is not None and call.agent.session:
        data["actor"]["session"] = {"issuer": call.agent.issuer, "uid": clip(call.agent.session, 256)}
    api: dict[str, Any] = {"operation": clip(call.operation, 512), "request": {"uid": call.id}}
    data["src_endpoint"] = endpoint(call.client)
    data["dst_endpoint"] = {"hostname": url["hostname"], "port": call.port}
    data["http_request"] = {
        "http_method": clip(call.method, 32),
        "url": url | ({"query_string": clip(query)} if query else {}),
    }
    if call.target:
        api["service"] = {"name": call.target}
        data["dst_endpoint"]["svc_name"] = call.target
    if call.resources:
        data["resources"] = [_resource(resource) for resource in call.resources]
    if call.judged is not None and (policy := _policy(call.judged)):
        data["policy"] = policy
    return _Told(data, api, _own(call))


def _own(call: Call) -> dict[str, Any]:
    """What OCSF has no words for."""
    own: dict[str, Any] = {}
    if call.family is not None:
        own["family"] = call.family.value
    if call.judged is not None:
        own |= _judgement(call.judged)
    if call.facts:
        own["facts"] = call.facts
    return own


def _resource(resource: Resource) -> dict[str, str]:
    words = {"name": resource.name, "namespace": resource.namespace, "type": resource.type}
    return {key: clip(value, 256) for key, value in words.items() if value}


def _policy(judged: Decision) -> dict[str, str]:
    words = {"name": judged.rule or "", "uid": judged.revision}
    return {key: value for key, value in words.items() if value}


def _event(kind: Kind, call: Call, data: dict[str, Any], **more: Any) -> Event:
    own = {"kind": kind.value, "verdict": _verdict(call, kind)} | call.told.own
    own |= {key: value for key, value in more.items() if value not in (None, "")}
    data["unmapped"] = {"gatehold": own}
    session = call.agent.session if call.agent is not None else ""
    return Event(kind=kind, data=data, decision=call.id, session=session)


def _verdict(call: Call, kind: Kind) -> str:
    if call.judged is None:
        return Verdict.DENY.value if kind is Kind.REFUSAL else Verdict.ALLOW.value
    return call.judged.verdict.value


def _judgement(judged: Decision) -> dict[str, Any]:
    """What policy said, for whoever asks later why."""
    due = judged.obligations
    obligations: dict[str, Any] = {}
    if due.approval is not None:
        groups = [sorted(group) for group in due.approval.groups]
        obligations["approval"] = {"count": due.approval.count, "groups": groups, "rules": list(due.approval.rules)}
    if due.mask.profiles:
        obligations["mask"] = list(due.mask.profiles)
    if due.limits:
        obligations["limit"] = [
            {"amount": limit.amount, "rule": limit.rule, "unit": limit.unit, "window": limit.window}
            for limit in due.limits
        ]
    words = {
        "code": judged.code.value,
        "detail": clip(judged.detail),
        "obligations": obligations,
        "revision": judged.revision,
        "rule": judged.rule,
        "rules": list(judged.rules),
        "shadow": list(judged.shadow),
    }
    return {key: value for key, value in words.items() if value}


def new_uid() -> str:
    """An event's own id: a number of this process, which has a random name."""
    return f"evt_{_PROCESS}{next(_numbers):012x}"
