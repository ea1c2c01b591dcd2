"""Why a call was answered as it was: one stable code each, and the HTTP answer that goes with it.

The codes and problem types are a public contract: agents, dashboards and tests key on them. ``ANSWERS`` is the single
table from which the problem document of an http target and the ``Status`` object of a kubernetes target are made.
"""

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """The machine-readable reason of a decision or refusal."""

    ALLOWED = "allowed"
    DEFAULT_DENY = "default-deny"
    DENIED_BY_RULE = "denied-by-rule"
    UNEVALUABLE = "unevaluable"
    MALFORMED = "malformed"
    MISDIRECTED = "misdirected"
    UNREGISTERED_TARGET = "unregistered-target"
    UNAUTHENTICATED = "unauthenticated"
    REVOKED = "revoked"
    RATE_LIMITED = "rate-limited"
    BUDGET_SPENT = "budget-spent"
    APPROVAL_REQUIRED = "approval-required"
    APPROVAL_PENDING = "approval-pending"
    APPROVAL_DENIED = "approval-denied"
    UNMASKABLE = "unmaskable"
    DLP_BLOCKED = "dlp-blocked"
    CONFLICT = "conflict"
    STALE = "stale"
    CREDENTIAL_UNAVAILABLE = "credential-unavailable"
    RECORDER_UNAVAILABLE = "recorder-unavailable"
    UPSTREAM_UNAVAILABLE = "upstream-unavailable"
    TOO_LARGE = "too-large"
    GATEWAY_ERROR = "gateway-error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a code is told to an agent."""

    status: int
    """HTTP status."""
    problem: str
    """Last segment of the problem type URI (RFC 9457)."""
    title: str
    kube_reason: str
    """``reason`` of a Kubernetes ``Status`` (k8s.io/apimachinery/pkg/apis/meta/v1, StatusReason)."""
    retryable: bool = False
    next: str
    """What the agent can do now."""


_ASK = "Ask the gateway's operators for a rule that allows this call."
_WAIT = "Wait for Retry-After seconds, then send the same request again."
_REPORT = "Report the decision id to the gateway's operators."
_FIX = "Correct the request; sending it again unchanged will be refused again."
_IDENTIFY = "Present a valid agent token of an issuer that this gateway trusts."

ANSWERS: dict[Code, Answer] = {
    Code.DEFAULT_DENY: Answer(
        status=403, problem="denied", title="No rule allows this call", kube_reason="Forbidden", next=_ASK
    ),
    Code.DENIED_BY_RULE: Answer(
        status=403, problem="denied", title="Denied by policy", kube_reason="Forbidden", next=_ASK
    ),
    Code.UNEVALUABLE: Answer(
        status=403,
        problem="denied",
        title="A rule could not be evaluated for this call",
        kube_reason="Forbidden",
        next="Send a request that the gateway can read (plain JSON, no duplicate keys), or ask its operators.",
    ),
    Code.MALFORMED: Answer(
        status=400, problem="malformed", title="Malformed request", kube_reason="BadRequest", next=_FIX
    ),
    Code.MISDIRECTED: Answer(
        status=421,
        problem="misdirected",
        title="The request names another host than its connection",
        kube_reason="BadRequest",
        next=_FIX,
    ),
    Code.UNREGISTERED_TARGET: Answer(
        status=403,
        problem="denied",
        title="This host is not registered with the gateway",
        kube_reason="Forbidden",
        next="Use a registered host, or ask the gateway's operators to register this one.",
    ),
    Code.UNAUTHENTICATED: Answer(
        status=401, problem="unauthenticated", title="Not authenticated", kube_reason="Unauthorized", next=_IDENTIFY
    ),
    Code.REVOKED: Answer(
        status=401, problem="unauthenticated", title="Access was revoked", kube_reason="Unauthorized", next=_IDENTIFY
    ),
    Code.RATE_LIMITED: Answer(
        status=429,
        problem="rate-limited",
        title="Rate limit reached",
        kube_reason="TooManyRequests",
        retryable=True,
        next=_WAIT,
    ),
    Code.BUDGET_SPENT: Answer(
        status=429,
        problem="rate-limited",
        title="Budget spent",
        kube_reason="TooManyRequests",
        retryable=True,
        next=_WAIT,
    ),
    Code.APPROVAL_REQUIRED: Answer(
        status=403,
        problem="denied",
        title="This call needs an approval that cannot be asked for now",
        kube_reason="Forbidden",
        next=_ASK,
    ),
    Code.APPROVAL_PENDING: Answer(
        status=429,
        problem="approval-pending",
        title="Waiting for approval",
        kube_reason="TooManyRequests",
        retryable=True,
        next=_WAIT,
    ),
    Code.APPROVAL_DENIED: Answer(
        status=403,
        problem="approval-denied",
        title="Approval was denied",
        kube_reason="Forbidden",
        next="Do not repeat this call; choose another way or ask the approver.",
    ),
    Code.UNMASKABLE: Answer(
        status=502,
        problem="unmaskable",
        title="The answer could not be masked and was withheld",
        kube_reason="InternalError",
        next=_REPORT,
    ),
    Code.DLP_BLOCKED: Answer(
        status=403, problem="denied", title="The request carries protected data", kube_reason="Forbidden", next=_FIX
    ),
    Code.CONFLICT: Answer(
        status=429,
        problem="conflict",
        title="The object changed while the call was judged; send it again",
        kube_reason="TooManyRequests",
        retryable=True,
        next=_WAIT,
    ),
    Code.STALE: Answer(
        status=409,
        problem="conflict",
        title="The object is not in the version any more that the request states",
        kube_reason="Conflict",
        next="Read the object again, and send the request with its resource version.",
    ),
    Code.CREDENTIAL_UNAVAILABLE: Answer(
        status=503,
        problem="credential-unavailable",
        title="The target's credential cannot be had",
        kube_reason="ServiceUnavailable",
        retryable=True,
        next=_WAIT,
    ),
    Code.RECORDER_UNAVAILABLE: Answer(
        status=503,
        problem="recorder-unavailable",
        title="The call cannot be recorded",
        kube_reason="ServiceUnavailable",
        retryable=True,
        next=_WAIT,
    ),
    Code.UPSTREAM_UNAVAILABLE: Answer(
        status=502,
        problem="upstream-unavailable",
        title="The target cannot be reached",
        kube_reason="ServiceUnavailable",
        retryable=True,
        next="Try again later.",
    ),
    Code.TOO_LARGE: Answer(
        status=413,
        problem="too-large",
        title="The request body is too large",
        kube_reason="RequestEntityTooLarge",
        next=_FIX,
    ),
    Code.GATEWAY_ERROR: Answer(
        status=503,
        problem="gateway-error",
        title="The gateway failed and refused the call",
        kube_reason="ServiceUnavailable",
        retryable=True,
        next=_REPORT,
    ),
}
"""Every code but ``allowed`` has an answer; a test holds this."""
