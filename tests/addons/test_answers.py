"""Law: every refusal has one exact answer in each family; nothing of a policy's text or a condition's error is in it."""

import json
from typing import Any

import pytest
from mitmproxy import http

from addons import answers
from policy.codes import ANSWERS, Code
from policy.errors import Refusal
from policy.model import Decision, RuleName, Verdict
from tests.addons.support import make_call, make_target

HTTP, KUBERNETES = make_target("crm"), make_target("main", family="kubernetes")

# code: HTTP status, last segment of the problem type, reason of a Status, may a retry help
TABLE: dict[Code, tuple[int, str, str, bool]] = {
    Code.DEFAULT_DENY: (403, "denied", "Forbidden", False),
    Code.DENIED_BY_RULE: (403, "denied", "Forbidden", False),
    Code.UNEVALUABLE: (403, "denied", "Forbidden", False),
    Code.MALFORMED: (400, "malformed", "BadRequest", False),
    Code.MISDIRECTED: (421, "misdirected", "BadRequest", False),
    Code.UNREGISTERED_TARGET: (403, "denied", "Forbidden", False),
    Code.UNAUTHENTICATED: (401, "unauthenticated", "Unauthorized", False),
    Code.REVOKED: (401, "unauthenticated", "Unauthorized", False),
    Code.RATE_LIMITED: (429, "rate-limited", "TooManyRequests", True),
    Code.BUDGET_SPENT: (429, "rate-limited", "TooManyRequests", True),
    Code.APPROVAL_REQUIRED: (403, "denied", "Forbidden", False),
    Code.APPROVAL_PENDING: (429, "approval-pending", "TooManyRequests", True),
    Code.APPROVAL_DENIED: (403, "approval-denied", "Forbidden", False),
    Code.UNMASKABLE: (502, "unmaskable", "InternalError", False),
    Code.DLP_BLOCKED: (403, "denied", "Forbidden", False),
    Code.CONFLICT: (429, "conflict", "TooManyRequests", True),
    Code.STALE: (409, "conflict", "Conflict", False),
    Code.CREDENTIAL_UNAVAILABLE: (503, "credential-unavailable", "ServiceUnavailable", True),
    Code.RECORDER_UNAVAILABLE: (503, "recorder-unavailable", "ServiceUnavailable", True),
    Code.UPSTREAM_UNAVAILABLE: (502, "upstream-unavailable", "ServiceUnavailable", True),
    Code.TOO_LARGE: (413, "too-large", "RequestEntityTooLarge", False),
    Code.GATEWAY_ERROR: (503, "gateway-error", "ServiceUnavailable", True),
}


def _json(response: http.Response) -> Any:
    return json.loads(response.raw_content or b"")


def test_every_code_has_an_answer() -> None:
    """All but ``allowed``."""
    assert set(TABLE) == set(ANSWERS) == set(Code) - {Code.ALLOWED}


@pytest.mark.parametrize("code", TABLE)
def test_problem_documents(code: Code) -> None:
    """RFC 9457, exactly these members; also where no target is known."""
    status, problem, _, retryable = TABLE[code]
    refusal = Refusal(code, "what the agent may read", reason="what nobody may read", rule="a-rule")
    for target in (HTTP, None):
        response = answers.respond(make_call(target=target), refusal)
        assert response.status_code == status
        assert response.headers["Content-Type"] == "application/problem+json"
        assert _json(response) == {
            "type": f"https://gatehold.dev/problems/{problem}",
            "title": ANSWERS[code].title,
            "status": status,
            "detail": "what the agent may read",
            "code": code.value,
            "decision": "dec_1",
            "rule": "a-rule",
            "retryable": retryable,
            "next": ANSWERS[code].next,
        }


@pytest.mark.parametrize("code", TABLE)
def test_status_objects(code: Code) -> None:
    """What kubectl and client-go read: a failed v1 Status with its reason, code and causes."""
    status, _, reason, retryable = TABLE[code]
    refusal = Refusal(code, "what the agent may read", reason="what nobody may read", rule="a-rule")
    response = answers.respond(make_call(target=KUBERNETES), refusal)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/json"
    assert _json(response) == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f"what the agent may read ({code.value}, decision dec_1)",
        "reason": reason,
        "details": {
            "causes": [
                {"reason": "code", "message": code.value},
                {"reason": "decision", "message": "dec_1"},
                {"reason": "rule", "message": "a-rule"},
                {"reason": "retryable", "message": "true" if retryable else "false"},
                {"reason": "next", "message": ANSWERS[code].next},
            ]
        },
        "code": status,
    }


@pytest.mark.parametrize("target", [HTTP, KUBERNETES], ids=["http", "kubernetes"])
@pytest.mark.parametrize("code", TABLE)
def test_the_private_reason_stays_private(code: Code, target: Any) -> None:
    """It goes to the audit trail; an answer is never kept by a cache."""
    response = answers.respond(make_call(target=target), Refusal(code, "public", reason="private-reason"))
    raw = (response.raw_content or b"") + repr(response.headers).encode()
    assert b"private-reason" not in raw
    assert response.headers["Cache-Control"] == "no-store"
    assert int(response.headers["Content-Length"]) == len(response.raw_content or b"")


def test_without_a_rule() -> None:
    """A problem document says so; a Status leaves the cause out; no header is made of nothing."""
    refusal = Refusal(Code.MALFORMED)
    problem = answers.respond(make_call(target=HTTP), refusal)
    status = answers.respond(make_call(target=KUBERNETES), refusal)
    assert _json(problem)["rule"] is None
    assert "rule" not in {cause["reason"] for cause in _json(status)["details"]["causes"]}
    assert answers.RULE not in problem.headers


@pytest.mark.parametrize("code", [Code.UNAUTHENTICATED, Code.REVOKED])
def test_challenges(code: Code) -> None:
    """The proxy asks with 407 and Basic, the only scheme that clients speak to proxies; a target with 401 and Bearer."""
    at_proxy = answers.respond(make_call(), Refusal(code), proxy=True)
    at_target = answers.respond(make_call(), Refusal(code))
    assert (at_proxy.status_code, at_proxy.headers["Proxy-Authenticate"]) == (407, 'Basic realm="gatehold"')
    assert (at_target.status_code, at_target.headers["WWW-Authenticate"]) == (401, 'Bearer realm="gatehold"')
    assert "WWW-Authenticate" not in at_proxy.headers
    assert "Proxy-Authenticate" not in at_target.headers
    assert _json(at_proxy)["status"] == 407


@pytest.mark.parametrize("code", [code for code in TABLE if TABLE[code][0] != 401])
def test_nothing_else_is_a_challenge(code: Code) -> None:
    """A client that is asked for a token again and again would send it again and again."""
    for proxy in (True, False):
        response = answers.respond(make_call(), Refusal(code), proxy=proxy)
        assert response.status_code == TABLE[code][0]
        assert not {"proxy-authenticate", "www-authenticate"} & {name.lower() for name in response.headers}


def test_when_to_come_again() -> None:
    """Whole seconds, in the header for all clients and in the Status for client-go."""
    refusal = Refusal(Code.RATE_LIMITED, retry_after=7)
    problem, status = (answers.respond(make_call(target=target), refusal) for target in (HTTP, KUBERNETES))
    assert problem.headers["Retry-After"] == status.headers["Retry-After"] == "7"
    assert _json(status)["details"]["retryAfterSeconds"] == 7
    assert "Retry-After" not in answers.respond(make_call(), Refusal(Code.RATE_LIMITED)).headers


def test_where_to_ask_about_an_approval() -> None:
    """Its id, and a URL of the agents' API."""
    refusal = Refusal(Code.APPROVAL_PENDING, approval="apr_1", retry_after=2)
    url = "http://127.0.0.1:8082/v1/approvals/apr_1"
    problem = answers.respond(make_call(target=HTTP, approval="apr_1"), refusal, status_url=url)
    status = answers.respond(make_call(target=KUBERNETES, approval="apr_1"), refusal, status_url=url)
    assert _json(problem)["approval"] == {"id": "apr_1", "statusUrl": url}
    causes = {cause["reason"]: cause["message"] for cause in _json(status)["details"]["causes"]}
    assert (causes["approval"], causes["statusUrl"]) == ("apr_1", url)
    assert problem.headers[answers.APPROVAL] == status.headers[answers.APPROVAL] == "apr_1"
    assert "approval" not in _json(answers.respond(make_call(target=HTTP), Refusal(Code.MALFORMED)))


def test_the_marks_of_a_governed_answer() -> None:
    """The decision always; rule, approval and counts of what was hidden where there are any."""
    decision = Decision(verdict=Verdict.ALLOW, code=Code.ALLOWED, rule=RuleName("door"))
    response = http.Response.make(200)
    answers.mark(response, make_call(decision=decision, approval="apr_1", masked={"PHONE": 1, "EMAIL": 2}))
    marks = {name: response.headers[name] for name in answers.HEADERS if name in response.headers}
    assert marks == {
        "Gatehold-Decision": "dec_1", "Gatehold-Rule": "door", "Gatehold-Masked": "EMAIL=2,PHONE=1", "Gatehold-Approval": "apr_1",
    }  # fmt: skip
    bare = http.Response.make(200)
    answers.mark(bare, make_call())
    assert {name for name in answers.HEADERS if name in bare.headers} == {answers.DECISION}


def test_text_of_any_kind_is_plain_ascii() -> None:
    """A path or reason in any script cannot break the answer's framing."""
    response = answers.respond(make_call(), Refusal(Code.MALFORMED, "ünï\u2028\r\nX-Evil: 1"))
    assert (response.raw_content or b"").isascii()
    assert b"\n" not in (response.raw_content or b"")
    assert "X-Evil" not in response.headers
