"""Events that waited in the store's outbox, as journal events.

An outbox event was written by whoever changed the store, in the words of that change; here it gets the form of the
journal. Its uid stays, so that a reader of the journal can tell a repetition.
"""

from collections.abc import Mapping
from typing import Any

from gatehold.store.outbox import WaitingEvent
from policy.model import Agent, SessionId
from recordings.acts import approval_move, entity_change, person
from recordings.events import Event
from recordings.ocsf import Severity

_LOUD = frozenset({"approval-forced", "removals-accepted"})
"""What somebody should look into."""
_OWN = ("by", "reason", "kind", "approval")


def journal_event(waiting: WaitingEvent) -> Event:
    """The journal's form of an outbox event."""
    event = waiting.event
    if event["kind"] == "approval":
        return _approval(waiting, event)
    details = {key: value for key, value in event.items() if key not in _OWN and value not in (None, "")}
    return entity_change(
        entity=str(event["kind"]),
        uid=str(event.get("approval", waiting.uid)),
        change="update",
        by=person(str(event.get("by", "unknown"))),
        time=waiting.at,
        comment=str(event.get("reason", "")),
        details=details,
        session=str(event.get("session") or ""),
        event_uid=waiting.uid,
        severity=Severity.HIGH if event["kind"] in _LOUD else Severity.INFORMATIONAL,
    )


def _approval(waiting: WaitingEvent, event: Mapping[str, Any]) -> Event:
    agent = event["agent"]
    asking = Agent(issuer=agent["issuer"], subject=agent["subject"], session=SessionId(agent["session"]))
    return approval_move(
        approval=event["approval"],
        state=event["to"],
        previous=event["from"] or "",
        by=person(event["by"]),
        time=waiting.at,
        target=event["target"],
        agent=asking,
        rule=event["rules"][0] if event["rules"] else "",
        fingerprint=event["fingerprint"],
        comment=event["reason"] or "",
        channel=event["channel"] or "",
        event_uid=waiting.uid,
    )
