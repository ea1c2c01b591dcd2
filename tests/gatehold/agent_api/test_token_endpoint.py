"""Laws of the token endpoint: who has no token may ask, within bounds; nothing leaves that was not recorded first."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from gatehold.agent_api.decisions import Decisions
from gatehold.agent_api.metadata import Metadata
from gatehold.agent_api.problems import HEADERS
from gatehold.agent_api.questions import application
from gatehold.agent_api.token_endpoint import TokenEndpoint
from gatehold.identity.exchange.requests import (
    MOST_BYTES,
    SAML_BEARER,
    TOKEN_EXCHANGE,
    Error,
    ExchangeRequest,
    UnusableRequest,
)
from gatehold.identity.exchange.tokens import Issued
from gatehold.identity.refusals import Reason, refused
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent
from recordings.errors import RecorderUnavailable
from recordings.events import Event
from tests.gatehold.agent_api.conftest import PLANNER, Desk, Verifier, Waiter

FORM = {
    "grant_type": TOKEN_EXCHANGE,
    "subject_token": "planted.subject.token",
    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
}
TYPE = "application/x-www-form-urlencoded"


@dataclass
class Exchange:
    """Knows one subject token."""

    failing: Exception | None = None

    async def identify(self, request: ExchangeRequest) -> Agent:
        if self.failing is not None:
            raise self.failing
        return PLANNER

    async def make(self, agent: Agent) -> Issued:
        return Issued(text="made.by.us", id="jti-1", agent=agent, lasts=900)


@dataclass
class Recorder:
    """Keeps events."""

    events: list[Event] = field(default_factory=list)
    failing: bool = False

    def append(
        self, *, events: Sequence[Event], flow: bytes | None = None, session: str, durable: bool = False
    ) -> asyncio.Future[None]:
        if self.failing:
            raise RecorderUnavailable("full")
        self.events += events
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


class Endpoint:
    """The agent API with a token endpoint."""

    def __init__(self) -> None:
        self.exchange, self.recorder, self.now = Exchange(), Recorder(), 1_800_000_000.0
        self.tokens = TokenEndpoint(self.exchange, self.recorder, clock=lambda: self.now, monotonic=lambda: self.now)
        self.app = application(
            verifier=Verifier(),
            decisions=Decisions(),
            desk=Desk(),
            waiter=Waiter(),
            tokens=self.tokens,
            metadata=Metadata(reads_assertions=True),
        )

    async def ask(
        self,
        form: Any = FORM,
        *,
        method: str = "POST",
        path: str = "/oauth/token",
        address: str = "192.0.2.1",
        **headers: str,
    ) -> Any:
        """One request."""
        content = urlencode(form) if isinstance(form, dict) else form
        names = {"Content-Type": TYPE} | {name.replace("_", "-"): value for name, value in headers.items()}
        transport = httpx2.ASGITransport(self.app, client=(address, 1))
        async with httpx2.AsyncClient(transport=transport, base_url="http://agents.test") as client:
            return await client.request(method, path, content=content, headers=names)


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


async def test_a_token(endpoint: Endpoint) -> None:
    """By the words of RFC 8693, for nobody to keep; and what was exchanged is in the record, but no token."""
    answer = await endpoint.ask()
    assert answer.status_code == 200
    assert answer.json() == {
        "access_token": "made.by.us",
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": "Bearer",
        "expires_in": 900,
    }
    assert {name: answer.headers[name] for name in HEADERS} == dict(HEADERS)
    assert answer.headers["pragma"] == "no-cache"
    (event,) = endpoint.recorder.events
    assert event.data["class_uid"] == 3002
    assert event.data["user"]["uid"] == "planner-1"
    assert event.data["unmapped"]["gatehold"]["token"] == "jti-1"
    assert event.data["src_endpoint"] == {"ip": "192.0.2.1"}
    assert "made.by.us" not in str(event)
    assert "planted" not in str(event)


async def test_nothing_leaves_unrecorded(endpoint: Endpoint) -> None:
    """Where it cannot be recorded there is no token."""
    endpoint.recorder.failing = True
    answer = await endpoint.ask()
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert answer.headers["retry-after"] == "1"
    assert "made" not in answer.text


@pytest.mark.parametrize(
    ("failing", "form", "status", "error"),
    [
        (refused(Reason.BAD_SIGNATURE), FORM, 400, "invalid_request"),
        (refused(Reason.BAD_SIGNATURE), {"grant_type": SAML_BEARER, "assertion": "x"}, 400, "invalid_grant"),
        (Refusal(Code.REVOKED, "Access was revoked."), FORM, 400, "invalid_request"),
        (Refusal(Code.GATEWAY_ERROR, "It cannot be told now.", retry_after=1), FORM, 503, "temporarily_unavailable"),
        (UnusableRequest(Error.INVALID_TARGET, "not here"), FORM, 400, "invalid_target"),
        (None, {**FORM, "client_secret": "x"}, 401, "invalid_client"),
        (None, {**FORM, "grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
async def test_no_token(endpoint: Endpoint, failing: Any, form: Any, status: int, error: str) -> None:
    """The words are the RFCs'; the reason is for the record."""
    endpoint.exchange.failing = failing
    answer = await endpoint.ask(form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["cache-control"] == "no-store"
    assert "bad-signature" not in answer.text
    if failing is not None and failing.__class__ is Refusal and failing.code is Code.UNAUTHENTICATED:
        assert endpoint.recorder.events[0].data["status_detail"] == "exchange: bad-signature"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"{}", {"Content_Type": "application/json"}),
        (urlencode(FORM), {"Content_Type": ""}),
        (urlencode(FORM), {"Content_Type": f"{TYPE}; charset=utf-16"}),
        (urlencode(FORM), {"Content_Encoding": "gzip"}),
        (urlencode(FORM) + "&grant_type=x", {}),
        (urlencode(FORM) + "&x=" + "y" * MOST_BYTES, {}),
        (b"", {}),
    ],
)
async def test_what_is_no_form(endpoint: Endpoint, body: Any, headers: dict[str, str]) -> None:
    """Other types, other encodings, too much, twice the same."""
    answer = await endpoint.ask(body, **headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_clients_are_not_believed(endpoint: Endpoint) -> None:
    """Nor is a query, which is written down where a body is not."""
    answer = await endpoint.ask(Authorization="Basic YTpi")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert (await endpoint.ask(path="/oauth/token?x=y")).status_code == 400


async def test_only_post(endpoint: Endpoint) -> None:
    """And only there."""
    for method in ("GET", "PUT", "DELETE", "OPTIONS", "HEAD"):
        assert (await endpoint.ask(method=method)).status_code == 405
    for path in ("/oauth/token/", "/oauth", "//oauth/token", "/OAUTH/token"):
        assert (await endpoint.ask(path=path)).status_code == 401


async def test_tries_of_one_address(endpoint: Endpoint) -> None:
    """So many, whatever is tried; another address goes on; good ones are given back."""
    endpoint.exchange.failing = refused(Reason.BAD_SIGNATURE)
    codes = [(await endpoint.ask()).status_code for _ in range(32)]
    assert codes == [400] * 30 + [429] * 2
    assert (await endpoint.ask(address="192.0.2.2")).status_code == 400
    endpoint.now += 61
    endpoint.exchange.failing = None
    assert (await endpoint.ask()).status_code == 200


async def test_tokens_of_one_agent(endpoint: Endpoint) -> None:
    """So many, from wherever."""
    codes = [(await endpoint.ask(address=f"192.0.2.{each}")).status_code for each in range(32)]
    assert codes == [200] * 30 + [429] * 2


async def test_failures_are_counted(endpoint: Endpoint) -> None:
    """One event a minute for each address and reason, with how many there were."""
    endpoint.exchange.failing = refused(Reason.EXPIRED)
    for _ in range(20):
        await endpoint.ask()
    assert len(endpoint.recorder.events) == 1
    endpoint.now += 61
    await endpoint.tokens.tell_failures()
    assert [event.data["count"] for event in endpoint.recorder.events] == [1, 19]
    await endpoint.ask()
    await endpoint.ask()
    await endpoint.tokens.close()
    assert [event.data["count"] for event in endpoint.recorder.events] == [1, 19, 1, 1]


async def test_failures_that_cannot_be_recorded(endpoint: Endpoint) -> None:
    """Are failures all the same."""
    endpoint.exchange.failing, endpoint.recorder.failing = refused(Reason.EXPIRED), True
    assert (await endpoint.ask()).status_code == 400
    assert (await endpoint.ask(b"x")).status_code == 400
    endpoint.now += 61
    await endpoint.tokens.tell_failures()
    await endpoint.tokens.close()


async def test_who_hangs_up_while_it_asks(endpoint: Endpoint, caplog: pytest.LogCaptureFixture) -> None:
    """Is no fault of the gateway, so that nobody can fill its log by it; it is counted as a try."""
    headers = [(b"content-type", TYPE.encode()), (b"content-length", b"100")]
    scope = {"type": "http", "method": "POST", "path": "/oauth/token", "query_string": b"", "headers": headers}
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await endpoint.app({**scope, "client": ("192.0.2.1", 1)}, receive, send)
    assert sent[0]["status"] == 400
    assert not caplog.records
    assert len(endpoint.recorder.events) == 1


async def test_faults_tell_nothing(endpoint: Endpoint, caplog: pytest.LogCaptureFixture) -> None:
    """Not to who asks, and not to the log."""
    endpoint.exchange.failing = RuntimeError("planted.subject.token")
    answer = await endpoint.ask()
    assert answer.status_code == 503
    assert "planted" not in answer.text + caplog.text


async def test_metadata(endpoint: Endpoint) -> None:
    """Where, and what can be exchanged; by GET and without a body."""
    answer = await endpoint.ask(b"", method="GET", path="/.well-known/oauth-authorization-server")
    assert answer.json() == {
        "issuer": "http://agents.test",
        "token_endpoint": "http://agents.test/oauth/token",
        "grant_types_supported": [TOKEN_EXCHANGE, SAML_BEARER],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["none"],
    }
    assert (await endpoint.ask(b"x", method="GET", path="/.well-known/oauth-authorization-server")).status_code == 400


async def test_where_nothing_is_exchanged() -> None:
    """It is not found, and whoami still asks for a token."""
    app = application(verifier=Verifier(), decisions=Decisions(), desk=Desk(), waiter=Waiter())
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://agents.test") as client:
        assert (await client.post("/oauth/token", content=urlencode(FORM))).status_code == 404
        assert (await client.get("/v1/whoami")).status_code == 401
