"""What an agent reads when a call is refused.

http targets get an RFC 9457 problem document, kubernetes targets a ``Status`` object (k8s.io/apimachinery meta/v1) that
kubectl prints as ``Error from server (Reason): message``. Both say the same: the code, the decision id, the rule,
whether a retry can help and what to do next. Neither ever shows the text of a policy or the error of a condition.
"""

import json
from collections.abc import Mapping
from typing import Any

from mitmproxy import http

from addons.calls import Call
from policy.errors import Refusal
from policy.model import Family

DECISION, RULE, MASKED, APPROVAL = "Gatehold-Decision", "Gatehold-Rule", "Gatehold-Masked", "Gatehold-Approval"
MASKED_REQUEST = "Gatehold-Masked-Request"
HEADERS = (DECISION, RULE, MASKED, MASKED_REQUEST, APPROVAL)
"""Headers of a governed answer; an upstream's own of these names are never passed on."""

_PROBLEM_TYPE = "https://gatehold.dev/problems/"


def respond(call: Call, refusal: Refusal, *, proxy: bool = False, status_url: str = "") -> http.Response:
    """The answer to a refused call.

    ``proxy``: the refusal is the proxy's own (407 and Proxy-Authenticate in place of 401). ``status_url``: where the
    agent can ask about a pending approval.
    """
    family = call.target.spec.family if call.target else Family.HTTP
    status = 407 if proxy and refusal.answer.status == 401 else refusal.answer.status
    facts = _facts(call, refusal, status, status_url)
    if family is Family.KUBERNETES:
        body, content_type = _status_object(refusal, facts), "application/json"
    else:
        body, content_type = facts, "application/problem+json"
    response = http.Response.make(status, json.dumps(body, ensure_ascii=True).encode(), {"Content-Type": content_type})
    response.headers["Cache-Control"] = "no-store"
    _add_challenge(response, status)
    if refusal.retry_after is not None:
        response.headers["Retry-After"] = str(refusal.retry_after)
    mark(response, call, refusal.rule)
    return response


def mark(response: http.Response, call: Call, rule: str | None = None) -> None:
    """Put the ``Gatehold-*`` headers of a call on an answer."""
    rule = rule or (None if call.decision is None else call.decision.rule)
    response.headers[DECISION] = call.id
    if rule:
        response.headers[RULE] = rule
    for name, counts in ((MASKED, call.masked), (MASKED_REQUEST, call.masked_request)):
        if counts:
            response.headers[name] = ",".join(f"{entity}={count}" for entity, count in sorted(counts.items()))
    if call.approval:
        response.headers[APPROVAL] = call.approval


def _facts(call: Call, refusal: Refusal, status: int, status_url: str) -> dict[str, Any]:
    answer = refusal.answer
    facts: dict[str, Any] = {
        "type": _PROBLEM_TYPE + answer.problem,
        "title": answer.title,
        "status": status,
        "detail": refusal.detail,
        "code": str(refusal.code),
        "decision": call.id,
        "rule": refusal.rule,
        "retryable": answer.retryable,
        "next": answer.next,
    }
    if refusal.approval:
        facts["approval"] = {"id": refusal.approval, "statusUrl": status_url}
    return facts


def _status_object(refusal: Refusal, facts: Mapping[str, Any]) -> dict[str, Any]:
    told = ("code", "decision", "rule", "retryable", "next")
    causes = [{"reason": key, "message": _text(facts[key])} for key in told if facts[key] is not None]
    if refusal.approval:
        causes.append({"reason": "approval", "message": refusal.approval})
        causes.append({"reason": "statusUrl", "message": facts["approval"]["statusUrl"]})
    details: dict[str, Any] = {"causes": causes}
    if refusal.retry_after is not None:
        details["retryAfterSeconds"] = refusal.retry_after
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f"{refusal.detail} ({refusal.code}, decision {facts['decision']})",
        "reason": refusal.answer.kube_reason,
        "details": details,
        "code": facts["status"],
    }


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _add_challenge(response: http.Response, status: int) -> None:
    if status == 407:
        response.headers["Proxy-Authenticate"] = 'Basic realm="gatehold"'
    elif status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="gatehold"'
