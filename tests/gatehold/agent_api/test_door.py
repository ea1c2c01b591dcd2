"""Laws of the door: no token, no answer; only GET without a body; what fails is a refusal that tells nothing."""

import logging
from typing import Any

import pytest
from starlette.datastructures import Headers

from gatehold.agent_api.door import has_body
from gatehold.agent_api.problems import HEADERS

PATHS = ["/v1/whoami", "/v1/decisions/dec_1", "/v1/approvals/apr_1", "/", "/v1/nothing"]
PROBLEM_KEYS = ["type", "title", "status", "detail", "code", "decision", "rule", "retryable", "next"]


def check_problem(answer: Any, status: int, code: str) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert list(answer.json()) == PROBLEM_KEYS
    assert answer.json()["status"] == status
    assert answer.json()["code"] == code
    assert {name: answer.headers[name] for name in HEADERS} == dict(HEADERS)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "planner"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic YWdlbnQ6cGxhbm5lcg=="},
        {"Proxy-Authorization": "Bearer planner"},
        [("Authorization", "Bearer planner"), ("Authorization", "Bearer planner")],
    ],
)
async def test_without_one_valid_bearer_token_nothing_is_told(site: Any, path: str, headers: Any) -> None:
    """401 with a challenge, for paths that exist and paths that do not."""
    answer = await site.ask(path, headers=headers)
    check_problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"] == 'Bearer realm="gatehold"'
    assert answer.json()["type"] == "https://gatehold.dev/problems/unauthenticated"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"])
async def test_only_get(site: Any, path: str, method: str) -> None:
    """405 for everything else, and no CORS for a preflight; who has no token learns not even that."""
    answer = await site.ask(path, method=method)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"
    assert not [name for name in answer.headers if name.startswith("access-control")]
    if method != "HEAD":
        check_problem(answer, 405, "method-not-allowed")
    assert (await site.ask(path, token=None, method=method)).status_code == 401


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_bodies_are_refused_unread(site: Any, method: str) -> None:
    """The connection ends, since the body is still on it."""

    async def body() -> Any:
        yield b"x"

    for content in (b"x", body()):
        answer = await site.ask("/v1/whoami", method=method, content=content)
        check_problem(answer, *((400, "malformed") if method == "GET" else (405, "method-not-allowed")))
        assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("length", ["0", " 0 "])
def test_an_empty_body_is_no_body(length: str) -> None:
    """Some clients announce zero bytes."""
    assert not has_body(Headers({"Content-Length": length}))
    assert has_body(Headers({"Content-Length": "00"}))
    assert has_body(Headers(raw=[(b"content-length", b"0"), (b"content-length", b"7")]))
    assert has_body(Headers({"Transfer-Encoding": "chunked"}))


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/whoami/", "/v1/decisions/", "/v1/decisions/a/b", "/v2/whoami"])
async def test_an_unknown_path_is_not_found(site: Any, path: str) -> None:
    """No redirect to a path with or without a slash: it would be made of the Host header."""
    check_problem(await site.ask(path), 404, "not-found")


async def test_a_fault_is_a_refusal_and_its_text_is_told_to_nobody(site: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Of the verifier, of the store: 503, its type in the log."""
    site.verifier.failing = ValueError("planted-secret")
    site.desk.failing = LookupError("planted-secret")
    with caplog.at_level(logging.DEBUG):
        for answer in (await site.ask("/v1/whoami", token="other"), await site.ask("/v1/approvals/apr_1")):
            check_problem(answer, 503, "gateway-error")
            assert "planted" not in answer.text
    assert "ValueError" in caplog.text
    assert "LookupError" in caplog.text
    assert "planted" not in caplog.text


async def test_a_websocket_is_not_spoken_to(site: Any) -> None:
    """Whatever is not a request raises before anything is looked at."""
    with pytest.raises(RuntimeError, match="http only"):
        await site.app({"type": "websocket"}, None, None)
