"""The words of OCSF 1.4 that our events use (https://schema.ocsf.io/1.4.0).

Only identifiers: what an event means stands in ``recordings.events`` and ``recordings.acts``.
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from policy.codes import Code

SCHEMA: Final = "1.4.0"


class EventClass(IntEnum):
    """``class_uid``; the thousands are the category."""

    LOG = 1008
    FINDING = 2004
    AUTHENTICATION = 3002
    ENTITY = 3004
    LIFECYCLE = 6002
    API = 6003
    ERROR = 6008


class Severity(IntEnum):
    """``severity_id``."""

    INFORMATIONAL = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4


class Status(IntEnum):
    """``status_id``."""

    UNKNOWN = 0
    SUCCESS = 1
    FAILURE = 2


class Action(IntEnum):
    """``action_id`` of the security_control profile."""

    ALLOWED = 1
    DENIED = 2


class Disposition(IntEnum):
    """``disposition_id`` of the security_control profile."""

    ALLOWED = 1
    BLOCKED = 2
    APPROVED = 8
    DELAYED = 14
    ACCESS_REVOKED = 24
    REJECTED = 25
    UNAUTHORIZED = 26
    ERROR = 27


class Kind(StrEnum):
    """What an event is to us; stands in the journal line beside the event."""

    INTENT = "intent"
    OUTCOME = "outcome"
    REFUSAL = "refusal"
    LOOKUP = "lookup"
    INCIDENT = "incident"
    APPROVAL = "approval"
    GOVERNANCE = "governance"
    GATEWAY = "gateway"
    AUTHENTICATION = "authentication"
    JOURNAL_OPEN = "journal-open"
    JOURNAL_SEAL = "journal-seal"
    FLOWS_OPEN = "flows-open"
    FLOWS_SEAL = "flows-seal"
    RETENTION = "retention"


OTHER: Final = 99
CREATE, READ, UPDATE, DELETE = 1, 2, 3, 4
_ACTIVITIES: Final[Mapping[str, int]] = {
    **dict.fromkeys(("post", "create"), CREATE),
    **dict.fromkeys(("get", "head", "options", "list", "watch"), READ),
    **dict.fromkeys(("put", "patch", "update"), UPDATE),
    **dict.fromkeys(("delete", "deletecollection"), DELETE),
}

DISPOSITIONS: Final[Mapping[Code, Disposition]] = {
    Code.ALLOWED: Disposition.ALLOWED,
    Code.MALFORMED: Disposition.REJECTED,
    Code.MISDIRECTED: Disposition.REJECTED,
    Code.TOO_LARGE: Disposition.REJECTED,
    Code.UNAUTHENTICATED: Disposition.UNAUTHORIZED,
    Code.REVOKED: Disposition.ACCESS_REVOKED,
    Code.APPROVAL_PENDING: Disposition.DELAYED,
    Code.CONFLICT: Disposition.DELAYED,
    Code.CREDENTIAL_UNAVAILABLE: Disposition.ERROR,
    Code.RECORDER_UNAVAILABLE: Disposition.ERROR,
    Code.UPSTREAM_UNAVAILABLE: Disposition.ERROR,
    Code.GATEWAY_ERROR: Disposition.ERROR,
}
"""What is not in here is ``BLOCKED``."""

SEVERITIES: Final[Mapping[Code, Severity]] = {
    Code.ALLOWED: Severity.INFORMATIONAL,
    Code.APPROVAL_PENDING: Severity.INFORMATIONAL,
    Code.CONFLICT: Severity.INFORMATIONAL,
    Code.STALE: Severity.INFORMATIONAL,
    Code.MISDIRECTED: Severity.MEDIUM,
    Code.REVOKED: Severity.MEDIUM,
    Code.UNMASKABLE: Severity.MEDIUM,
    Code.DLP_BLOCKED: Severity.MEDIUM,
    Code.RECORDER_UNAVAILABLE: Severity.HIGH,
    Code.GATEWAY_ERROR: Severity.HIGH,
}
"""What is not in here is ``LOW``."""


def _product_version() -> str:
    try:
        return version("gatehold")
    except PackageNotFoundError:
        return "0"


PRODUCT: Final = {"name": "Gatehold", "vendor_name": "Gatehold", "version": _product_version()}


def activity(verb: str) -> int:
    """``activity_id`` of API Activity for an HTTP method or a Kubernetes verb."""
    return _ACTIVITIES.get(verb.lower(), OTHER)


def base(  # noqa: PLR0913 (the words of an event)
    event_class: EventClass, activity_id: int, *, time: float, uid: str, severity: Severity, status: Status
) -> dict[str, Any]:
    """What every event has; ``time`` in seconds."""
    return classed(event_class, activity_id) | {
        "metadata": metadata(uid),
        "severity_id": int(severity),
        "status_id": int(status),
        "time": int(time * 1000),
    }


def classed(event_class: EventClass, activity_id: int) -> dict[str, Any]:
    """What kind of event it is."""
    return {
        "activity_id": activity_id,
        "category_uid": event_class // 1000,
        "class_uid": int(event_class),
        "type_uid": event_class * 100 + activity_id,
    }


def metadata(uid: str) -> dict[str, Any]:
    """Whose event it is."""
    return {"product": PRODUCT, "uid": uid, "version": SCHEMA}


def clip(text: str, limit: int = 2048) -> str:
    """At most ``limit`` characters: an agent decides how long its paths are."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
