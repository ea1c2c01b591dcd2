"""Answers of the agent API: JSON that nobody caches, and problem documents (RFC 9457) like those of refused calls."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from policy.codes import Answer
from policy.errors import Refusal

HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
"""On every answer."""

_PROBLEM_TYPE = "https://gatehold.dev/problems/"

_NOT_FOUND = Answer(
    status=404,
    problem="not-found",
    title="Not found",
    kube_reason="NotFound",
    next="Ask for decisions and approvals of your own calls; older ones are no longer kept.",
)
_METHOD_NOT_ALLOWED = Answer(
    status=405,
    problem="method-not-allowed",
    title="Method not allowed",
    kube_reason="MethodNotAllowed",
    next="Use GET; only access can be asked for with POST.",
)


def answer(facts: Mapping[str, Any], *, status: int = 200) -> Response:
    """What was asked for."""
    return _Ascii(facts, status, headers=dict(HEADERS))


def not_found() -> Response:
    """The same for what is unknown and for what belongs to another agent."""
    return _problem(_NOT_FOUND, "not-found", "There is nothing of yours under this address.")


def method_not_allowed(allowed: str = "GET") -> Response:
    """For every other method."""
    detail = "This address is not asked in this way."
    return _problem(_METHOD_NOT_ALLOWED, "method-not-allowed", detail, {"Allow": allowed})


def refused(refusal: Refusal) -> Response:
    """A refusal's public words."""
    more: dict[str, str] = {}
    if refusal.answer.status == 401:
        more["WWW-Authenticate"] = 'Bearer realm="gatehold"'
    if refusal.retry_after is not None:
        more["Retry-After"] = str(refusal.retry_after)
    return _problem(refusal.answer, str(refusal.code), refusal.detail, more)


class _Ascii(JSONResponse):
    """JSON in ASCII: no text of an agent or approver acts on a terminal that shows it."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=True, allow_nan=False).encode("ascii")


def _problem(known: Answer, code: str, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    document = {
        "type": _PROBLEM_TYPE + known.problem,
        "title": known.title,
        "status": known.status,
        "detail": detail,
        "code": code,
        "decision": None,
        "rule": None,
        "retryable": known.retryable,
        "next": known.next,
    }
    all_headers = {**HEADERS, **(headers or {})}
    return _Ascii(document, known.status, all_headers, "application/problem+json")
