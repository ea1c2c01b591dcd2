"""What is said about everything that is not a call: approvals, governance, the gateway itself, the journal's files.

Free text in here is written by operators and approvers, never by agents; it is clipped all the same.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, Literal

from policy.model import Agent
from recordings.events import Event, agent_user, new_uid
from recordings.ocsf import (
    CREATE,
    DELETE,
    OTHER,
    PRODUCT,
    READ,
    UPDATE,
    Action,
    Disposition,
    EventClass,
    Kind,
    Severity,
    Status,
    base,
    clip,
)

_CHANGES: Final = {"create": CREATE, "update": UPDATE, "delete": DELETE}
_APP: Final = {"name": PRODUCT["name"], "vendor_name": PRODUCT["vendor_name"], "version": PRODUCT["version"]}


class GatewayMove(StrEnum):
    """What a gateway does or suffers."""

    START = "start"
    STOP = "stop"
    RELOAD = "reload"
    RELOAD_FAILED = "reload-failed"
    RECORDER_FAULT = "recorder-fault"
    RECORDER_RECOVERED = "recorder-recovered"
    FAULT = "fault"
    SINK_FAULT = "sink-fault"
    SINK_GAP = "sink-gap"
    SINK_RECOVERED = "sink-recovered"
    ANCHOR_FAULT = "anchor-fault"
    ANCHOR_RECOVERED = "anchor-recovered"
    ROLLED_BACK = "rolled-back"
    OBJECT_STORE_FAULT = "object-store-fault"
    OBJECT_STORE_RECOVERED = "object-store-recovered"
    OBJECT_STORE_CONFLICT = "object-store-conflict"


_GOOD: Final = frozenset(
    (
        GatewayMove.RECORDER_RECOVERED,
        GatewayMove.SINK_RECOVERED,
        GatewayMove.ANCHOR_RECOVERED,
        GatewayMove.OBJECT_STORE_RECOVERED,
    )
)
"""Application Errors that are over."""
_LIFECYCLE: Final = {GatewayMove.START: 3, GatewayMove.STOP: 4, GatewayMove.RELOAD: OTHER}
"""``activity_id`` of Application Lifecycle; the other moves are Application Errors."""
_FILE_ACTIVITIES: Final = {
    Kind.JOURNAL_OPEN: 6,
    Kind.FLOWS_OPEN: 6,
    Kind.JOURNAL_SEAL: 7,
    Kind.FLOWS_SEAL: 7,
    Kind.RETENTION: 2,
}
"""``activity_id`` of Event Log Activity: start, stop, delete."""


def person(name: str) -> dict[str, Any]:
    """The OCSF user that an approver or operator is."""
    return {"name": clip(name, 256), "type_id": 1}


def entity_change(  # noqa: PLR0913 (the words of an event)
    *,
    kind: Kind = Kind.GOVERNANCE,
    entity: str,
    uid: str,
    change: Literal["create", "update", "delete"],
    by: Mapping[str, Any],
    time: float,
    comment: str = "",
    details: Mapping[str, Any] | None = None,
    decision: str = "",
    session: str = "",
    event_uid: str = "",
    severity: Severity = Severity.INFORMATIONAL,
) -> Event:
    """Somebody changed something that governs: Entity Management (class 3004).

    ``by`` is an OCSF user (``person``, ``agent_user``); ``event_uid`` is given where the event was kept elsewhere
    before (an outbox that delivers at least once) and must keep its identity.
    """
    data = base(
        EventClass.ENTITY,
        _CHANGES[change],
        time=time,
        uid=event_uid or new_uid(),
        severity=severity,
        status=Status.SUCCESS,
    )
    data["actor"] = {"user": dict(by)}
    data["entity"] = {"type": entity, "uid": clip(uid, 256)}
    if comment:
        data["comment"] = clip(comment)
    if decision:
        data["metadata"]["correlation_uid"] = decision
    data["unmapped"] = {"gatehold": {**(details or {}), "kind": kind.value}}
    return Event(kind=kind, data=data, decision=decision, session=session)


def approval_move(  # noqa: PLR0913 (the words of an event)
    *,
    approval: str,
    state: str,
    by: Mapping[str, Any],
    time: float,
    previous: str = "",
    agent: Agent | None = None,
    target: str = "",
    operation: str = "",
    rule: str = "",
    fingerprint: str = "",
    comment: str = "",
    channel: str = "",
    decision: str = "",
    event_uid: str = "",
) -> Event:
    """An approval came into a state; without a ``previous`` one it was opened."""
    words = {
        "agent": agent_user(agent) if agent is not None else None,
        "approval": approval,
        "channel": channel,
        "fingerprint": fingerprint,
        "operation": clip(operation, 512),
        "previous": previous,
        "rule": rule,
        "state": state,
        "target": target,
    }
    return entity_change(
        kind=Kind.APPROVAL,
        entity="Approval",
        uid=approval,
        change="update" if previous else "create",
        by=by,
        time=time,
        comment=comment,
        details={key: value for key, value in words.items() if value},
        decision=decision,
        session=agent.session if agent is not None else "",
        event_uid=event_uid,
    )


def gateway_event(
    move: GatewayMove, *, time: float, message: str = "", details: Mapping[str, Any] | None = None
) -> Event:
    """The gateway started, stopped, reloaded (class 6002), or something in it failed or came back (class 6008)."""
    activity_id = _LIFECYCLE.get(move)
    good = activity_id is not None or move in _GOOD
    data = base(
        EventClass.ERROR if activity_id is None else EventClass.LIFECYCLE,
        1 if activity_id is None else activity_id,
        time=time,
        uid=new_uid(),
        severity=Severity.INFORMATIONAL if good else Severity.HIGH,
        status=Status.SUCCESS if good else Status.FAILURE,
    )
    if activity_id is not None:
        data["app"] = _APP
    if activity_id == OTHER:
        data["activity_name"] = move.value
    data["message"] = clip(message or move.value)
    data["unmapped"] = {"gatehold": {**(details or {}), "kind": Kind.GATEWAY.value, "move": move.value}}
    return Event(kind=Kind.GATEWAY, data=data)


def own_call(  # noqa: PLR0913 (the words of an event)
    *,
    agent: Agent,
    decision: str,
    target: str,
    host: str,
    port: int,
    scheme: str,
    method: str,
    path: str,
    purpose: str,
    status: int,
    started: float,
    seconds: float,
    problem: str = "",
    impersonated: bool = False,
) -> Event:
    """A call that the gateway made for itself, to judge a call of an agent: API Activity (class 6003).

    ``path`` is masked; ``status`` 0: there was no answer; ``problem``: why it told nothing.
    """
    data = base(
        EventClass.API,
        READ,
        time=started,
        uid=new_uid(),
        severity=Severity.INFORMATIONAL,
        status=Status.FAILURE if problem else Status.SUCCESS,
    )
    plain, _, query = path.partition("?")
    url = {"hostname": clip(host, 256), "path": clip(plain), "port": port, "scheme": scheme}
    data["metadata"] |= {"correlation_uid": decision, "profiles": ["security_control"]}
    data |= {"action_id": int(Action.ALLOWED), "disposition_id": int(Disposition.ALLOWED)}
    data["actor"] = {"user": {"name": PRODUCT["name"], "type": "System", "type_id": 3}}
    data["api"] = {"operation": purpose, "service": {"name": target}}
    data["api"] |= {"request": {"uid": decision}, "response": {"code": status}}
    data["http_request"] = {"http_method": method, "url": url | ({"query_string": clip(query)} if query else {})}
    data["http_response"] = {"code": status}
    data["src_endpoint"] = {"name": "gatehold"}
    data["dst_endpoint"] = {"hostname": url["hostname"], "port": port, "svc_name": target}
    data["duration"] = int(seconds * 1000)
    if problem:
        data["status_detail"] = clip(problem)
    own = {"impersonated": impersonated, "onBehalfOf": agent_user(agent), "purpose": purpose}
    data["unmapped"] = {"gatehold": {**own, "kind": Kind.LOOKUP.value}}
    return Event(kind=Kind.LOOKUP, data=data, decision=decision, session=agent.session)


def incident(  # noqa: PLR0913 (the words of an event)
    *,
    title: str,
    agent: Agent | None,
    decision: str,
    target: str,
    time: float,
    details: Mapping[str, Any],
    comment: str = "",
) -> Event:
    """Something happened that was not judged so, and somebody has to look: Detection Finding (class 2004).

    ``details`` are masked.
    """
    uid = new_uid()
    # A finding's status 1 is "new".
    data = base(EventClass.FINDING, CREATE, time=time, uid=uid, severity=Severity.HIGH, status=Status.SUCCESS)
    data["metadata"]["correlation_uid"] = decision
    data["finding_info"] = {"title": clip(title, 256), "uid": uid, "types": ["Policy"]}
    data["evidences"] = [{"actor": {"user": agent_user(agent)}}]
    if comment:
        data["comment"] = clip(comment)
    data["unmapped"] = {"gatehold": {**details, "kind": Kind.INCIDENT.value, "target": target}}
    return Event(kind=Kind.INCIDENT, data=data, decision=decision, session=agent.session if agent else "")


def authentication_failure(  # noqa: PLR0913 (the words of an event)
    *, address: str, reason: str, count: int, first: float, last: float, time: float
) -> Event:
    """Calls that carried no valid identity: Authentication (class 3002), many from one address as one event."""
    data = base(EventClass.AUTHENTICATION, 1, time=time, uid=new_uid(), severity=Severity.LOW, status=Status.FAILURE)
    data |= {
        "count": count,
        "end_time": int(last * 1000),
        "service": {"name": "gatehold"},
        "src_endpoint": {"ip": address} if address else {"name": "unknown"},
        "start_time": int(first * 1000),
        "status_detail": clip(reason, 256),
        "unmapped": {"gatehold": {"kind": Kind.AUTHENTICATION.value}},
        "user": {"name": "unknown", "type_id": 0},
    }
    return Event(kind=Kind.AUTHENTICATION, data=data)


def token_issued(  # noqa: PLR0913 (the words of an event)
    *, agent: Agent, token: str, way: str, address: str, ends: float, time: float
) -> Event:
    """An agent exchanged what it had for a token of the gateway: Authentication (class 3002), a service ticket request.

    ``token`` is its id, ``way`` the OAuth grant.
    """
    data = base(
        EventClass.AUTHENTICATION,
        4,
        time=time,
        uid=new_uid(),
        severity=Severity.INFORMATIONAL,
        status=Status.SUCCESS,
    )
    data |= {
        "service": {"name": "gatehold"},
        "session": {"uid": clip(agent.session, 256), "expiration_time": int(ends * 1000)},
        "src_endpoint": {"ip": address} if address else {"name": "unknown"},
        "status_detail": clip(way, 256),
        "unmapped": {"gatehold": {"kind": Kind.AUTHENTICATION.value, "token": token}},
        "user": agent_user(agent),
    }
    return Event(kind=Kind.AUTHENTICATION, data=data, session=agent.session)


def file_event(kind: Kind, *, time: float, name: str, details: Mapping[str, Any]) -> Event:
    """Journal or flow files were opened, sealed, or are deleted: Event Log Activity (class 1008)."""
    activity_id = _FILE_ACTIVITIES[kind]
    data = base(
        EventClass.LOG, activity_id, time=time, uid=new_uid(), severity=Severity.INFORMATIONAL, status=Status.SUCCESS
    )
    data["log_name"] = name
    data["log_provider"] = PRODUCT["name"]
    data["unmapped"] = {"gatehold": {**details, "kind": kind.value}}
    return Event(kind=kind, data=data)


def flow_files(kind: Kind, files: Sequence[Mapping[str, Any]], *, time: float) -> Event:
    """Flow files were opened (``file``, ``session``) or sealed (``file``, ``length``)."""
    return file_event(kind, time=time, name="recordings", details={"files": [dict(file) for file in files]})
